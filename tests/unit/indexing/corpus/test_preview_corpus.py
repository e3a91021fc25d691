"""A corpus on this machine is counted in every form, from a few of its bytes, and a faulty file is named."""

import io
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus import preview as previews
from indexing.corpus import preview_corpus as corpora
from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.preview import SAMPLED, Preview
from indexing.corpus.preview_corpus import preview_corpus
from indexing.errors import CorpusError
from tests.conftest import write_lines
from tests.unit.indexing.corpus.test_preview import LINES


def look(path: Path, fields: Fields | None = None) -> Preview:
    found = preview_corpus(path, fields=fields)
    assert found is not None
    return found


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """A zip archive, or a packed tar archive, as the name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, content in members.items():
                zipped.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_rows(path: Path, ids: range, *, column: str = "text") -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": [str(number) for number in ids], column: ["word"] * len(ids)}), path)


def test_one_file_is_counted_as_it_is_read(small_corpus: Path) -> None:
    found = look(small_corpus)
    assert (found.passages, found.whole, found.files, found.looked) == (20, True, 1, 1)
    assert found.first == tuple(list(Corpus(small_corpus))[:3])
    assert found.sample == tuple(Corpus(small_corpus))


def test_of_a_folder_of_texts_the_files_and_their_bytes_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100, 180):
        write_lines(tmp_path / "texts" / f"{number}.txt", [f"word {number}"])  # 9 bytes with the end of the line
    found = look(tmp_path / "texts")
    assert [passage.text for passage in found.first] == ["word 100", "word 101", "word 102"]
    assert (found.passages, found.text_bytes, found.files, found.whole) == (80, 80 * 9, 80, False)
    assert len(found.sample) == SAMPLED
    monkeypatch.setattr(corpora, "SECONDS", -1.0)
    assert look(tmp_path / "texts").text_bytes == 80 * 9  # the first one's bytes, 80 times


@pytest.mark.parametrize("name", ["collection.zip", "collection.tar.gz"])
def test_an_archive_is_counted_by_the_sizes_that_it_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(previews, "BEGINNING", 3_000)
    file = pack(tmp_path / name, {"queries.tsv": b"1\tq\n", "deep/collection.tsv": LINES})
    found = look(tmp_path)
    assert [passage.id for passage in found.first] == ["1000", "1001", "1002"]
    assert (found.passages, found.text_bytes, found.whole) == (1_000, 1_000 * (4 + 9), False)
    pack(file, {"a/corpus.tsv": LINES[:150], "b/corpus.tsv": LINES[150:]})
    found = look(tmp_path)
    assert (found.passages, found.files, found.looked, found.whole) == (1_000, 2, 2, False)
    assert f"{file}: a/corpus.tsv, b/corpus.tsv are read as one corpus" in found.notes[0]
    two = b"zz\tThe cat sat.\nno tab\n"
    pack(file, {"a/corpus.tsv": LINES[:150], "b/corpus.tsv": two})
    assert [passage.id for passage in look(tmp_path).first] == ["1000", "zz", "1001"]
    assert look(tmp_path).faults[0].startswith(f"{file}/b/corpus.tsv:2: 1 tab-separated fields")
    pack(file, {"a/corpus.tsv": LINES[:150], "b/corpus.tsv": b""})
    assert (look(tmp_path).passages, look(tmp_path).whole) == (10, True)
    pack(file, {"mine.ndjson": b'{"id": "7", "text": "The cat sat."}\n'})
    assert [(passage.id, passage.text) for passage in look(tmp_path).first] == [("7", "The cat sat.")]
    pack(file, {"deep/collection.tsv": b"no tab\n"})
    assert look(tmp_path).faults[0].startswith(f"{file}/deep/collection.tsv:1: 1 tab-separated fields")
    pack(file, {"one.tsv": LINES, "two.tsv": LINES})
    with pytest.raises(CorpusError, match=r"but one\.tsv, two\.tsv; unpack it, and give one file"):
        look(tmp_path)


def test_an_archive_that_takes_long_to_list_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "collection.tar.gz", {"collection.tsv": LINES})
    monkeypatch.setattr(corpora, "SECONDS", -1.0)
    assert preview_corpus(tmp_path) is None


def test_several_files_are_counted_by_their_rows_and_shown_in_turn(tmp_path: Path) -> None:
    for number in range(5):
        write_rows(tmp_path / "data" / f"{number}.parquet", range(1_000 * number, 1_000 * number + 10 + number))
    found = look(tmp_path / "data")
    assert [passage.id for passage in found.first] == ["0", "2000", "4000"]  # of the first, the middle, the last file
    assert (found.passages, found.files, found.looked, found.whole) == (10 + 11 + 12 + 13 + 14, 5, 3, False)
    write_rows(tmp_path / "two" / "a.parquet", range(2))
    write_rows(tmp_path / "two" / "b.parquet", range(10, 12))
    found = look(tmp_path / "two")
    assert [passage.id for passage in found.first] == ["0", "10", "1"]
    assert (found.passages, found.looked, found.whole) == (4, 2, True)
    write_rows(tmp_path / "two" / "c.parquet", range(0))  # as several writers leave it
    assert (look(tmp_path / "two").passages, look(tmp_path / "two").whole) == (4, True)


def test_a_faulty_file_behind_the_first_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "1.parquet", range(9))
    write_rows(tmp_path / "2.parquet", range(10, 19), column="picture")
    for number in (3, 4, 5):
        write_rows(tmp_path / f"{number}.parquet", range(10 * number, 10 * number + 9))
    with pytest.raises(CorpusError, match=r"2\.parquet: .*picture"):
        look(tmp_path)
    (tmp_path / "2.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(CorpusError, match=r"2\.parquet can't be read"):
        look(tmp_path)
