"""Tells by a file's first bytes what it is if it isn't UTF-8 text, so that it is refused by name."""

import shlex
from collections.abc import Mapping

from indexing.errors import CorpusError

MAGIC: Mapping[bytes, tuple[str, str]] = {
    b"\x1f\x8b": ("packed by gzip", "rename it so that it ends in .gz"),
    b"PK\x03\x04": ("a zip archive", "rename it so that it ends in .zip, or unpack it"),
    b"BZh": ("packed by bzip2", "unpack it"),
    b"\xfd7zXZ\0": ("packed by xz", "unpack it"),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "unpack it"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it"),
    b"Rar!\x1a": ("a rar archive", "unpack it"),
    b"PAR1": ("a Parquet file", "rename it so that it ends in .parquet"),
    b"ARROW1\0": ("an Arrow file", "write it as Parquet or JSONL"),
    b"%PDF-": ("a PDF", "convert it to text"),
    b"SQLite format 3\0": ("an SQLite database", "write its table as JSONL"),
    b"\xd0\xcf\x11\xe0": ("a file of an old office program", "save it as text or CSV"),
}
"""What files begin with, what they are, and what to do."""
MARKS = ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
EXAMINED = 4_096  # bytes
FEW, MANY = 0.05, 0.4  # shares of NULs among every other byte of UTF-16 text: of high bytes many, of low ones few


def check_beginning(name: str, content: bytes) -> None:
    """Raise CorpusError if `content`, the beginning of the file `name`, is no UTF-8 text but something known."""
    for magic, (what, action) in MAGIC.items():
        if content.startswith(magic):
            raise CorpusError(f"{name} is {what}, whatever its name says; {action}.")
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), "") or _unmarked(content)
    if encoding:
        raise CorpusError(f"{name} is written in {encoding}; convert it to UTF-8: {conversion(name, encoding)}")


def conversion(name: str, encoding: str) -> str:
    """The command that converts a file to UTF-8."""
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > NEW"


def _unmarked(content: bytes) -> str:
    """The kind of UTF-16 of text without a byte-order mark; empty for anything else."""
    examined = content[: EXAMINED // 2 * 2]
    pairs = len(examined) // 2
    if pairs < 4:
        return ""
    low, high = examined[0 : 2 * pairs : 2].count(0) / pairs, examined[1 : 2 * pairs : 2].count(0) / pairs
    if high >= MANY and low <= FEW:
        return "UTF-16LE"
    return "UTF-16BE" if low >= MANY and high <= FEW else ""
