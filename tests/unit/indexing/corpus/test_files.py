"""A corpus's files are found in a folder, and its lines inside of archives, without unpacking them to disk."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.folder import NAMES, corpus_files, find_corpus
from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId
from tests.conftest import write_lines

CAT = Passage(PassageId("1"), "The cat sat.")
DOG = Passage(PassageId("2"), "The dog ran.")
TSV = b"1\tThe cat sat.\n2\tThe dog ran.\n"
JSONL = b'{"_id": "1", "title": "", "text": "The cat sat."}\n{"_id": "2", "title": "", "text": "The dog ran."}\n'


def archive(path: Path, members: dict[str, bytes]) -> Path:
    """A gzip-packed tar file with these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as packed:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def named(folder: Path, name: str) -> Path:
    """A collection of the two passages in the form that its name says."""
    content = TSV if "tsv" in name or "tar" in name or "tgz" in name else JSONL
    if "csv" in name:
        content = b"id,text\n1,The cat sat.\n2,The dog ran.\n"
    if name.endswith(".zip"):
        with zipfile.ZipFile(folder / name, "w") as packed:
            packed.writestr("scifact/corpus.jsonl", JSONL)
            packed.writestr("scifact/queries.jsonl", JSONL)
            packed.writestr("scifact/qrels/test.tsv", "x")
            packed.writestr("__MACOSX/scifact/._corpus.jsonl", "x")
        return folder / name
    if name.endswith((".tar.gz", ".tgz")):
        return archive(folder / name, {"collection.tsv": content})
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder / name


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_stands_for_the_collection_in_it(tmp_path: Path, name: str) -> None:
    named(tmp_path, name)
    write_lines(tmp_path / "queries.tsv", ["9\tnot a passage"])
    assert list(Corpus(tmp_path)) == [CAT, DOG]


def test_what_a_folder_may_hold_is_known() -> None:
    assert set(NAMES) >= {"collection.tsv", "collection.tsv.gz", "corpus.jsonl", "corpus.jsonl.gz", "collection.tar.gz"}


def test_an_unpacked_collection_is_read_before_a_packed_one(tmp_path: Path) -> None:
    named(tmp_path, "collection.tar.gz")
    assert corpus_files(tmp_path) == [tmp_path / "collection.tar.gz"]
    named(tmp_path, "collection.tsv")
    assert corpus_files(tmp_path) == [tmp_path / "collection.tsv"]


def test_queries_and_qrels_beside_text_files_are_no_passages(tmp_path: Path) -> None:
    for name in ("1.txt", "2.txt", "below/qrels.txt", "qrels.txt", "qrels.test.txt", "queries.txt"):
        write_lines(tmp_path / name, ["x"])
    (tmp_path / "folder.txt").mkdir()
    assert corpus_files(tmp_path) == [tmp_path / name for name in ("1.txt", "2.txt", "below/qrels.txt")]


@pytest.mark.parametrize("name", ["c.tar.gz", "c.tgz"])
@pytest.mark.parametrize("member", ["collection.tsv", "./collection.tsv", "msmarco/collection.tsv", "only.tsv"])
def test_the_collection_in_an_archive_is_read(tmp_path: Path, name: str, member: str) -> None:
    members = {"README.md": b"# Read me", member: TSV, "queries.train.tsv": b"9\tnot a passage\n"}
    assert list(Corpus(archive(tmp_path / name, members))) == [CAT, DOG]


@pytest.mark.parametrize("member", ["corpus.jsonl", "scifact/corpus.jsonl", "passages.jsonl"])
def test_json_lines_in_an_archive_are_read(tmp_path: Path, member: str) -> None:
    path = archive(tmp_path / "c.tar.gz", {"scifact/queries.jsonl": JSONL, member: JSONL, "qrels/test.txt": b"x"})
    assert list(Corpus(path)) == [CAT, DOG]


def test_ms_marcos_own_archive_holds_queries_and_qrels_too(tmp_path: Path) -> None:
    members = {"collection.tsv": TSV, "qrels.dev.small.tsv": b"9\t0\t1\t1\n", "queries.dev.small.tsv": b"9\tcats\n"}
    assert list(Corpus(archive(tmp_path / "collectionandqueries.tar.gz", members))) == [CAT, DOG]


def test_what_macos_adds_to_an_archive_is_no_collection(tmp_path: Path) -> None:
    members = {"._collection.tsv": b"\0", "folder/._only.tsv": b"\0", "only.tsv": TSV}
    assert list(Corpus(archive(tmp_path / "c.tar.gz", members))) == [CAT, DOG]


@pytest.mark.parametrize("member", ["collection.tsv", "folder/only.tsv"])
def test_a_bad_line_in_an_archive_is_named_with_both(tmp_path: Path, member: str) -> None:
    path = archive(tmp_path / "c.tar.gz", {member: TSV + b"no tab here\n"})
    with pytest.raises(CorpusError, match=f"{path}/{member}:3: 1 tab-separated"):
        list(Corpus(path))


def test_a_repeat_is_told_over_the_members_of_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tgz", {"a/collection.tsv": TSV, "b/collection.tsv": b"3\tx\n2\tagain\n"})
    with pytest.raises(CorpusError, match=f"{path}/b/collection.tsv:2: passage id '2' appeared before"):
        list(Corpus(path))


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"README.md": b"x"}, "no .tsv and no .jsonl"),
        ({"one.tsv": TSV, "two.tsv": TSV}, "one.tsv, two.tsv"),
        ({"queries.tsv": TSV}, "no .tsv and no .jsonl"),
    ],
)
def test_an_archive_without_a_collection_is_told(tmp_path: Path, members: dict[str, bytes], told: str) -> None:
    path = archive(tmp_path / "c.tar.gz", members)
    with pytest.raises(CorpusError, match=f"{path} holds none of collection.tsv.*{told}"):
        list(Corpus(path))


def test_a_folder_called_as_a_collection_in_an_archive_is_none(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as packed:
        entry = tarfile.TarInfo("collection.tsv")
        entry.type = tarfile.DIRTYPE
        packed.addfile(entry)
    with pytest.raises(CorpusError, match="holds none of"):
        list(Corpus(tmp_path / "c.tar.gz"))


MANY = b"".join(b"%d\tpassage %d\n" % (number, number * 7919) for number in range(5000))


def test_an_archive_that_is_cut_off_is_named_after_the_passages_before(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", {"collection.tsv": MANY})
    path.write_bytes(path.read_bytes()[:-4000])
    passages = iter(Corpus(path))
    assert next(passages).id == "0"
    with pytest.raises(CorpusError, match=f"{path} can't be read .*pack it again"):
        list(passages)


def test_an_archive_that_was_damaged_is_named(tmp_path: Path) -> None:
    # a byte of what gzip stores as it is: only the checksum at the end of the file can tell
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as packed:
        entry = tarfile.TarInfo("collection.tsv")
        entry.size = 40_000
        packed.addfile(entry, io.BytesIO(b"1\t" + b"x" * 39_998))
    (tmp_path / "c.tar.gz").write_bytes(gzip.compress(inner.getvalue(), compresslevel=0))
    content = bytearray((tmp_path / "c.tar.gz").read_bytes())
    content[20_000] ^= 1
    (tmp_path / "c.tar.gz").write_bytes(bytes(content))
    with pytest.raises(CorpusError, match=r"c\.tar\.gz can't be read"):
        list(Corpus(tmp_path / "c.tar.gz"))


@pytest.mark.parametrize("content", [TSV, gzip.compress(TSV * 100, mtime=0), b""])
def test_a_file_that_is_called_an_archive_and_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.tar.gz").write_bytes(content)
    with pytest.raises(CorpusError, match=r"c\.tar\.gz"):
        list(Corpus(tmp_path / "c.tar.gz"))


def test_fields_of_a_table_in_an_archive_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "c.tar.gz", {"collection.tsv": TSV})
    with pytest.raises(SettingsError, match="has no field names"):
        list(Corpus(path, fields=Fields(id="pid")))


def test_an_archive_is_never_held_whole(tmp_path: Path) -> None:
    lines = b"".join(b"%d\t%b\n" % (number, b"x" * 1_000) for number in range(20_000))
    path = archive(tmp_path / "c.tar.gz", {"collection.tsv": lines})
    tracemalloc.start()
    assert sum(1 for _ in Corpus(path)) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(lines) / 2  # 20 MB; chunks of 2 MB, as read and as parsed


def test_nothing_of_an_archive_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "given/c.tar.gz", {"collection.tsv": TSV})
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    passages = iter(Corpus(path))
    next(passages)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_other_files_beside_texts_are_described_by_their_endings(tmp_path: Path) -> None:
    for name in ("a.txt", "b.md", "c.md", "deep/d.pdf", ".hidden", ".git/config", "queries.tsv"):
        write_lines(tmp_path / name, ["text"])
    told = find_corpus(tmp_path).notes
    assert told[0] == (
        f"Of folder {tmp_path} only the .txt files are read; left out: 2 .md, 1 .pdf (such as b.md). If they hold "
        "passages, convert them to .txt, or give a table of them: --corpus FILE."
    )


@pytest.mark.parametrize(
    "names", [["a.txt", "queries.tsv"], ["collection.tsv", "README.md", "LICENSE.txt", "query_kinds.tsv", "info.json"]]
)
def test_nothing_is_described_where_all_texts_are_read_or_a_table_is_the_corpus(
    tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        write_lines(tmp_path / name, ["1\ttext"])
    assert find_corpus(tmp_path).notes == ()
    assert find_corpus(tmp_path / names[0]).notes == ()


def test_a_folder_with_a_table_under_another_name_is_refused_with_that_name(tmp_path: Path) -> None:
    for name in ("mine.tsv", "queries.tsv", "qrels.test.tsv", "readme.md"):
        write_lines(tmp_path / name, ["1\ttext"])
    with pytest.raises(CorpusError, match=r"it does hold mine\.tsv: give the file itself, --corpus .*/mine\.tsv\.$"):
        corpus_files(tmp_path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (TSV, r"a table of values between tabs; name it \.tsv"),
        (TSV * 1_000, r"a table of values between tabs; name it \.tsv"),
        (JSONL, r"JSON lines; name it \.jsonl"),
        (b"\n<DOC>\n<DOCNO>1</DOCNO>\n<TEXT>The cat sat.</TEXT>\n</DOC>\n", r"documents in TREC's form \(<DOC>\)"),
    ],
)
def test_a_text_that_holds_many_passages_is_refused_alone_and_told_among_others(
    tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "many.txt").write_bytes(content)
    with pytest.raises(CorpusError, match=f"would be read as one passage, but it holds {what}"):
        list(Corpus(tmp_path / "many.txt"))
    write_lines(tmp_path / "other.txt", ["The cat sat.", "", "\tIt slept."])
    corpus = Corpus(tmp_path)
    assert [passage.id for passage in corpus] == ["many", "other"]
    assert "is read as one passage, though it holds" in corpus.notes[0]
    assert len(corpus.notes) == 1
