"""Lines are given one at a time, and the first that can't be read is named."""

import gzip
import tarfile
from pathlib import Path

import pytest

from indexing.errors import CorpusError
from tests.conftest import write_lines
from training.data.readers.lines import data_lines, identifier, json_record, split_columns


def pair(line: str) -> list[str]:
    return split_columns(line, "query", "passage")


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    content = "﻿a\tone\r\n\n  b\u200b \tzwei é\n".encode()
    (tmp_path / "plain.tsv").write_bytes(content)
    (tmp_path / "packed.tsv.gz").write_bytes(gzip.compress(content))
    with tarfile.open(tmp_path / "archive.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "plain.tsv", "folder/triples.tsv")
    for name in ("plain.tsv", "packed.tsv.gz", "archive.tar.gz"):
        assert list(data_lines(tmp_path / name, pair)) == [["a", "one"], ["b", "zwei é"]]


def test_an_id_has_nothing_unseen_at_its_ends() -> None:
    assert identifier("\u200b 7\u200e", "qid") == identifier(7.0, "qid") == "7"
    with pytest.raises(ValueError, match="'qid' is empty"):
        identifier("\u200b", "qid")


def test_blank_lines_count_in_line_numbers(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.tsv", ["", "a\tb", "", "only one"])
    with pytest.raises(
        CorpusError,
        match=r"rows\.tsv:4: it has 1 tab-separated fields, not 2 \(query, passage\); correct the line or remove it\.$",
    ):
        list(data_lines(path, pair))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"a\t", "the passage is empty"),
        (b"a\t \xff", "byte 4 of the line is no UTF-8"),
        (b"a\tb\0", "the line holds a NUL byte"),
        (b"a\tb\tc", r"it has 3 tab-separated fields, not 2 \(query, passage\); "),
        (b"a\t" + b"x" * 40, "the line is longer than 30 bytes"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: bytes, fault: str) -> None:
    (tmp_path / "rows.tsv").write_bytes(b"a\tb\n" + line + b"\n")
    with pytest.raises(CorpusError, match=rf"rows\.tsv:2: {fault}"):
        list(data_lines(tmp_path / "rows.tsv", pair, limit=30))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{]", "not JSON"),
        ("{", "the beginning of JSON over several lines"),
        ("[1]", r"^not a JSON object$"),
        ("[" * 100_000, r"^JSON that can't be read \("),
        ('{"a": ' + "1" * 5_000 + "}", r"^JSON that can't be read \("),
    ],
)
def test_a_line_that_is_not_a_json_object_is_refused(line: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        json_record(line)


def test_lines_before_the_end_of_a_truncated_file_are_returned_first(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{number}\tb\n" for number in range(50_000)).encode())
    (tmp_path / "rows.tsv.gz").write_bytes(whole[: len(whole) // 2])
    rows = data_lines(tmp_path / "rows.tsv.gz", pair)
    assert next(rows) == ["0", "b"]
    with pytest.raises(CorpusError, match=r"rows\.tsv\.gz can't be read \(.*\); fetch or compress it again\.$"):
        list(rows)


def test_a_gz_file_that_is_not_compressed_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.tsv.gz", ["a\tb"])
    with pytest.raises(CorpusError, match="can't be read"):
        list(data_lines(path, pair))
