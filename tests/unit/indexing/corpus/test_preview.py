"""The beginning of a file shows its passages and about how many there are, and nothing of it stays on disk."""

import gzip
import io
import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus import preview as previews
from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.corpus.preview import Preview, preview
from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId
from tests.unit.indexing.corpus.test_upload import BOTH, CONTENT, TSV

LINES = b"".join(b"%d\tword %04d\n" % (number, number) for number in range(1_000, 2_000))  # 1,000 lines of 15 bytes


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at a file has a folder of its own, which is gone afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def look(content: bytes, name: str = "mine.tsv", fields: Fields | None = None) -> Preview:
    found = preview(name, io.BytesIO(content), size=len(content), fields=fields)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    return found


@pytest.mark.parametrize("ending", CONTENT)
def test_a_small_file_is_read_whole_in_every_form(ending: str) -> None:
    found = look(CONTENT[ending], f"mine{ending.upper()}")
    assert list(found.first) == BOTH
    assert (found.passages, found.whole, found.faults) == (2, True, ())
    assert found.text_bytes == 2 * 13  # an id of one byte and a text of twelve, twice


def test_a_large_file_is_counted_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "BEGINNING", 3_000)
    found = look(LINES)
    assert [passage.id for passage in found.first] == ["1000", "1001", "1002"]
    assert (found.passages, found.text_bytes, found.whole) == (1_000, 1_000 * (4 + 9), False)


def test_a_large_packed_file_is_counted_by_how_much_of_it_was_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "BEGINNING", 300_000)
    noise = random.Random(7)
    lines = b"".join(b"%d\t%s\n" % (number, noise.randbytes(30).hex().encode()) for number in range(20_000))
    found = look(gzip.compress(lines), "mine.tsv.gz")  # about 1.3 MB, of which 0.3 are unpacked
    assert not found.whole
    assert found.passages == pytest.approx(20_000, rel=0.05)


def test_rows_of_parquet_are_counted_by_the_file_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "ROWS", 10)
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [str(n) for n in range(10, 99)], "text": ["word"] * 89}), sink)
    found = look(sink.getvalue(), "mine.parquet")
    assert (found.passages, found.text_bytes, found.whole) == (89, 89 * 6, False)


def test_a_line_that_cannot_be_read_is_named_as_the_user_named_its_file() -> None:
    found = look(TSV + b"no tab here\n", "My file.tsv")
    assert found.faults == ("My file.tsv:3: 1 tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted",)
    assert list(found.first) == BOTH


def test_where_a_file_is_cut_no_line_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    record = b'1%d,"a text\nof two ""lines"", or so"\r\n'
    content = b"id,text\r\n" + b"".join(record % number for number in range(100, 200))
    for beginning in range(200, 240):  # every place in a record, which has 37 bytes
        monkeypatch.setattr(previews, "BEGINNING", beginning)
        found = look(content, "mine.csv")
        assert found.faults == ()
        assert (
            found.first[0] == Passage(PassageId("1100"), 'a text of two "lines", or so') or found.first[0].id == "1100"
        )
        assert 95 <= found.passages <= 105


def test_a_file_of_which_nothing_can_be_read_is_refused_or_tells_its_lines() -> None:
    with pytest.raises(CorpusError, match=r"^mine\.tsv holds no passage that can be read"):
        look(b"")
    assert look(b"no tab\nnor here\n").faults[0].startswith("mine.tsv:1: ")
    with pytest.raises(CorpusError, match=r"^mine\.tsv is packed by gzip"):
        look(gzip.compress(TSV))
    with pytest.raises(CorpusError, match=r"^mine\.tsv\.gz can't be read"):
        look(TSV, "mine.tsv.gz")
    with pytest.raises(CorpusError, match=r"^mine\.parquet can't be read"):
        look(TSV, "mine.parquet")
    with pytest.raises(SettingsError, match="isn't taken"):
        look(TSV, "mine.gz")


def test_named_fields_are_read() -> None:
    found = look(b'{"key": "7", "body": "The cat sat."}\n', "mine.jsonl", Fields(id="key", text="body"))
    assert found.first == (Passage(PassageId("7"), "The cat sat."),)


def test_a_first_record_of_many_lines_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "BEGINNING", 50)
    found = look(b'id,text\n1,"' + b"a line\n" * 40 + b'"\n' + b"2,short\n" * 100, "mine.csv")
    assert [(passage.id, len(passage.text)) for passage in found.first] == [("1", 40 * 7 - 1)]
    assert not found.whole


def test_of_long_rows_of_parquet_few_are_decoded() -> None:
    sink = io.BytesIO()
    texts = [f"{number} {'x' * 1_000_000}" for number in range(8)]
    pq.write_table(pa.table({"id": list("12345678"), "text": texts}), sink, use_dictionary=False)
    found = look(sink.getvalue(), "mine.parquet")
    assert (found.passages, len(found.first), found.whole) == (8, 3, False)


def test_a_column_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"], "text": ["word"]}), sink, store_schema=False)
    content = sink.getvalue().replace(b"text", b"tex\x9f")
    with pytest.raises(CorpusError, match=r"^mine\.parquet can't be read"):
        look(content, "mine.parquet")
    (tmp_path / "mine.parquet").write_bytes(content)
    with pytest.raises(CorpusError, match=r"mine\.parquet can't be read"):
        list(Corpus(tmp_path / "mine.parquet"))
