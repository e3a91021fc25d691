"""Lines are read from plain and gzipped files, with their numbers; what is no file of lines is refused."""

import gzip
import os
from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged import lines
from indexing.judged.lines import text_lines
from indexing.judged.rows import fields_of


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_numbered_however_they_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, packed: bool
) -> None:
    monkeypatch.setattr(lines, "BLOCK", block)
    data = "\ufeffähm\r\n\n \nzwei\n\ufeffdrei".encode()
    (tmp_path / "file").write_bytes(gzip.compress(data) if packed else data)
    assert list(text_lines(tmp_path / "file")) == [(1, "ähm"), (4, "zwei"), (5, "drei")]


def test_the_line_that_is_no_text_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 8)
    (tmp_path / "file").write_bytes(b"one\ntwo\nthr\xe9e\nfour\n")
    with pytest.raises(CorpusError, match=r"file:3: byte 4 of the line is no UTF-8, and would be 'é' in Latin-1"):
        list(text_lines(tmp_path / "file"))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        ("1\tä\n".encode("utf-16"), "UTF-16"),
        ("1\tab\n".encode("utf-16-be"), "UTF-16"),
        (b"PK\x03\x04rest", "zip"),
        (b"a\rb\rc", "old Macintosh"),
        (gzip.compress(b"a\n" * 99, mtime=0)[:-4], "broken or cut-off"),
        (b"ab\0", ":1: the line holds a NUL byte"),
        (bytes(257) + b"ustar" + bytes(250), "tar archive"),
    ],
)
def test_other_files_are_named(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(CorpusError, match=what):
        list(text_lines(tmp_path / "file"))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "is a folder"), (tmp_path / "pipe", "is a pipe"), (Path("/dev/zero"), "a device")):
        with pytest.raises(CorpusError, match=what):
            list(text_lines(path))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("1 0 a 2", ["1", "0", "a", "2"]),
        ("  1   0 a\t", ["1   0 a"]),
        ("q1\tuser guide 1\t1\t\t", ["q1", "user guide 1", "1"]),
        ("q1\t\ta\t1", ["q1", "", "a", "1"]),
        ("1 0 a\u00a0b 2", ["1", "0", "a\u00a0b", "2"]),
    ],
)
def test_tabs_split_where_there_are_any(text: str, fields: list[str]) -> None:
    assert fields_of(text) == fields
