"""An upload lies below data/corpora whole and readable, or nothing of it does."""

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing import places
from indexing.corpus import upload as uploads
from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.upload import MEGABYTE, STORED, Upload, known_corpora, store_upload, suggested_name
from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId

TSV = b"1\tThe cat sat.\n2\tThe dog ran.\n"
JSONL = b'{"_id": "1", "text": "The cat sat."}\n{"_id": "2", "text": "The dog ran."}\n'
BOTH = [Passage(PassageId("1"), "The cat sat."), Passage(PassageId("2"), "The dog ran.")]


def table(**columns: list[str]) -> bytes:
    """A Parquet file of these columns."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


CSV = b'id,text\r\n1,The cat sat.\r\n2,"The dog ran."\r\n'
CONTENT = {
    ".tsv": TSV,
    ".tsv.gz": gzip.compress(TSV, mtime=0),
    ".jsonl": JSONL,
    ".jsonl.gz": gzip.compress(JSONL, mtime=0),
    ".csv": CSV,
    ".csv.gz": gzip.compress(CSV, mtime=0),
    ".parquet": table(id=["1", "2"], text=["The cat sat.", "The dog ran."]),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "corpora"


def left(root: Path) -> list[str]:
    """Names of all that lies below a folder, hidden or not."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def refused(upload: Upload, content: bytes, root: Path) -> str:
    """Why an upload isn't kept, once nothing of it is found."""
    with pytest.raises(CorpusError) as caught:
        store_upload(upload, io.BytesIO(content), root=root)
    assert left(root) == []
    return str(caught.value)


@pytest.mark.parametrize("ending", STORED)
def test_every_form_is_kept_under_the_name_that_a_corpus_has(root: Path, ending: str) -> None:
    kept = store_upload(Upload(f"My Passages{ending.upper()}", "mine"), io.BytesIO(CONTENT[ending]), root=root)
    assert (kept.folder, kept.passages, kept.left_out) == (root / "mine", 2, 0)
    assert left(root) == ["mine", f"mine/{STORED[ending]}"]
    assert list(Corpus(kept.folder)) == BOTH


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/tmp/x", "a/b", "a\\b", ".hidden", "x\n", "-x", "ä", "a" * 65]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"Corpus name .* must be letters, digits"):
        Upload("a.tsv", name)


@pytest.mark.parametrize(
    "file_name",
    ["../a.tsv", "/etc/a.tsv", "a\\b.tsv", "a\0.tsv", "a.zip", "a.tar.gz", "a.gz", "a.tsv.bz2", "tsv", ".tsv", ""],
)
def test_a_file_name_with_a_path_or_an_unknown_ending_is_refused(file_name: str) -> None:
    with pytest.raises(SettingsError, match=r"isn't taken; give a file whose name ends in \.tsv, \.tsv\.gz, \.jsonl"):
        Upload(file_name, "mine")


def test_a_name_that_is_taken_stays_as_it_is(root: Path) -> None:
    store_upload(Upload("a.tsv", "mine"), io.BytesIO(TSV), root=root)
    with pytest.raises(CorpusError, match=r"There is a corpus .*/mine already"):
        store_upload(Upload("b.tsv", "mine"), io.BytesIO(b"3\tA bird sang.\n"), root=root)
    assert list(Corpus(root / "mine")) == BOTH


@pytest.mark.parametrize("leads_somewhere", [True, False])
def test_a_link_in_the_place_of_the_folder_is_not_followed(root: Path, tmp_path: Path, leads_somewhere: bool) -> None:
    outside = tmp_path / "outside"
    if leads_somewhere:
        outside.mkdir()
    root.mkdir()
    (root / "mine").symlink_to(outside)
    with pytest.raises(CorpusError, match="already"):
        store_upload(Upload("a.tsv", "mine"), io.BytesIO(TSV), root=root)
    assert not outside.exists() or list(outside.iterdir()) == []


def test_an_upload_may_have_just_its_limit(root: Path) -> None:
    line = b"1\t" + b"word " * ((MEGABYTE - 2) // 5)
    content = line + b"x" * (MEGABYTE - len(line))
    assert len(content) == 1_048_576  # bytes in one megabyte
    kept = store_upload(Upload("a.tsv", "fits", limit=1), io.BytesIO(content), root=root)
    assert kept.passages == len(kept.first) == 1
    with pytest.raises(CorpusError, match=r"^a\.tsv has more than 1 MB, which is the most for an upload"):
        store_upload(Upload("a.tsv", "larger", limit=1), io.BytesIO(content + b"x"), root=root)
    assert left(root) == ["fits", "fits/collection.tsv"]


def test_few_bytes_that_unpack_to_many_are_refused(root: Path) -> None:
    packed = gzip.compress(b"\0" * (10 * MEGABYTE + 1))  # ten times the limit, and one byte
    assert len(packed) < MEGABYTE // 50
    assert refused(Upload("a.tsv.gz", "mine", limit=1), packed, root).startswith("a.tsv.gz unpacks to more than 10 MB")


def test_a_parquet_file_that_unpacks_to_much_text_is_refused(root: Path) -> None:
    text = "word " * 1000  # 5,000 characters, 2,200 times
    packed = table(id=[str(number) for number in range(2200)], text=[text] * 2200)
    assert len(packed) < MEGABYTE
    assert "unpacks to more than 10 MB" in refused(Upload("a.parquet", "mine", limit=1), packed, root)


@pytest.mark.parametrize(
    ("file_name", "content", "expected"),
    [
        ("a.tsv", b"1\tThe cat sat.\nno tab here\n", "a.tsv:2: 1 tab-separated fields, 2 (id, text) or 3"),
        ("a.tsv", TSV + b"1\tAgain.\n", "a.tsv:3: passage id '1' appeared before"),
        (
            "a.tsv.gz",
            gzip.compress(b"1\tThe cat sat.\n2\t\xff\n", mtime=0),
            "a.tsv.gz:2: byte 3 of the line is no UTF-8",
        ),
        ("a.jsonl", JSONL + b"{]\n", "a.jsonl:3: not JSON"),
        ("a.parquet", table(id=["1", "2"], text=["The cat sat.", " "]), "a.parquet:row 2: passage '2' has no text"),
    ],
)
def test_a_broken_line_is_named_as_the_user_knows_it(root: Path, file_name: str, content: bytes, expected: str) -> None:
    sentence = refused(Upload(file_name, "mine"), content, root)
    assert sentence.startswith(expected)
    assert sentence.endswith(". Mend the line, or have such lines left out.")


def test_broken_lines_are_left_out_where_that_is_asked_for(root: Path) -> None:
    upload = Upload("a.tsv", "mine", skip_bad_lines=True)
    kept = store_upload(upload, io.BytesIO(b"no tab\n" + TSV + b"nor here\n"), root=root)
    assert (kept.passages, kept.left_out) == (2, 2)


@pytest.mark.parametrize(
    ("file_name", "content", "expected"),
    [
        ("a.tsv", b"", "a.tsv holds no passage"),
        ("a.tsv.gz", TSV, "a.tsv.gz can't be unpacked (Not a gzipped file"),
        ("a.tsv.gz", gzip.compress(TSV, mtime=0)[:-9], "a.tsv.gz can't be unpacked (Compressed file ended"),
        ("a.parquet", TSV, "a.parquet can't be read (Parquet magic bytes not found"),
        ("a.parquet", table(id=["1"], words=["The cat sat."]), "a.parquet: fields 'id', 'words' hold no text"),
    ],
)
def test_a_broken_file_is_named_as_the_user_knows_it(root: Path, file_name: str, content: bytes, expected: str) -> None:
    assert refused(Upload(file_name, "mine"), content, root).startswith(expected)


def test_fields_are_found_by_the_names_that_are_given(root: Path) -> None:
    content = table(key=["1", "2"], words=["The cat sat.", "The dog ran."])
    fields = Fields(id="key", text="words")
    kept = store_upload(Upload("a.parquet", "mine", fields=fields), io.BytesIO(content), root=root)
    assert list(Corpus(kept.folder, fields=fields)) == BOTH


@pytest.mark.parametrize("ending", ["tsv", "tsv.gz"])
def test_fields_of_a_form_that_has_none_are_refused(root: Path, ending: str) -> None:
    with pytest.raises(SettingsError, match=rf"^Corpus file a\.{ending} has no field names"):
        store_upload(
            Upload(f"a.{ending}", "mine", fields=Fields(text="x")), io.BytesIO(CONTENT[f".{ending}"]), root=root
        )
    assert left(root) == []


def test_an_upload_that_breaks_off_leaves_nothing(root: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionError("the line is dead")
            return super().read(10)

    with pytest.raises(ConnectionError):
        store_upload(Upload("a.tsv", "mine"), Broken(TSV), root=root)
    assert left(root) == []


@pytest.mark.parametrize(("given", "expected"), [("", 200), ("7", 7), ("007", 7), ("2048", 2048)])
def test_the_limit_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch, given: str, expected: int) -> None:
    monkeypatch.setenv("SECOND_LOOK_UPLOAD_MB", given)
    assert uploads.limit() == expected


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "many", " ", "9999999"])
def test_a_limit_that_is_no_number_of_megabytes_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SECOND_LOOK_UPLOAD_MB", given)
    with pytest.raises(SettingsError, match=r"SECOND_LOOK_UPLOAD_MB is .* give a whole number of megabytes"):
        uploads.limit()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    return tmp_path


def test_folders_are_offered_and_links_files_and_hidden_folders_are_not(elsewhere: Path) -> None:
    assert known_corpora() == [places.sample()]  # the checkout's
    for name in ("data/corpora/b", "data/corpora/a.1", "data/corpora/.a.partial-x", "data/sample", "outside"):
        (elsewhere / name).mkdir(parents=True)
    (elsewhere / "data/corpora/link").symlink_to(elsewhere / "outside")
    (elsewhere / "data/corpora/file").write_text("x")
    assert [str(path.relative_to(elsewhere)) for path in known_corpora()] == [
        "data/sample",
        "data/corpora/a.1",
        "data/corpora/b",
    ]


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("My Passages (2).tsv.gz", "My-Passages-2"),
        ("..x..jsonl", "x"),
        ("данные.tsv", "corpus"),
        ("a" * 99 + ".tsv", "a" * 64),
    ],
)
def test_a_suggested_name_can_be_a_folders(file_name: str, expected: str) -> None:
    assert suggested_name(file_name) == expected
    assert Upload(file_name, suggested_name(file_name)).name == expected


def test_of_two_uploads_with_one_name_at_once_the_second_is_told(tmp_path: Path) -> None:
    class Overtaken(io.BytesIO):
        """A file during whose reading another upload takes the name."""

        def read(self, size: int | None = -1) -> bytes:
            if not (tmp_path / "pets").exists():
                store_upload(Upload("first.tsv", "pets"), io.BytesIO(TSV), root=tmp_path)
            return super().read(size)

    with pytest.raises(
        CorpusError, match=r"Another upload has just become corpus .*pets; give this one another name\."
    ):
        store_upload(Upload("second.jsonl", "pets"), Overtaken(JSONL), root=tmp_path)
    assert [path.name for path in (tmp_path / "pets").iterdir()] == ["collection.tsv"]
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]
