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
FIRST_LINES = 20  # that tell whether a text is a table
FEW, MANY = 0.05, 0.4  # shares of NULs among every other byte of UTF-16 text: of high bytes many, of low ones few


def check_beginning(name: str, content: bytes) -> None:
    """Raise CorpusError if `content`, the beginning of the file `name`, is no UTF-8 text but something known."""
    for magic, (what, action) in MAGIC.items():
        if content.startswith(magic):
            raise CorpusError(f"{name} is {what}, whatever its name says; {action}.")
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), "") or _unmarked(content)
    if encoding:
        raise CorpusError(f"{name} is written in {encoding}; convert it to UTF-8: {conversion(name, encoding)}")


def holds_many(content: bytes) -> str:
    """What a text holds, and what to do with it, if it is no single text but a collection; empty for any other."""
    if content[:EXAMINED].lstrip().startswith(b"<DOC>"):
        return "documents in TREC's form (<DOC>); convert it to JSONL"
    lines = content[: 2 * EXAMINED].removeprefix(b"\xef\xbb\xbf").split(b"\n")[:FIRST_LINES]
    whole = [line for line in (lines[:-1] if len(content) > 2 * EXAMINED else lines) if line.strip()]
    if len(whole) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in whole):
        return "JSON lines; name it .jsonl if each is a passage"
    if len(whole) > 1 and len({line.count(b"\t") for line in whole}) == 1 and b"\t" in whole[0].strip():
        return "a table of values between tabs; name it .tsv if each line is a passage"
    return ""


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
