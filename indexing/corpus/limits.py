"""How much of a corpus is in memory at once while it is read."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReadLimits:
    """Bounds on what is read at once."""

    line: int = 10_000_000
    """Bytes of a line, or characters of a Parquet row; a longer one is a broken file, not a passage."""
    chunk: int = 2_000_000
    """Bytes of lines whose ids are checked together."""
    batch_rows: int = 4_096
    """Rows of a Parquet file that are decoded together."""
    batch_bytes: int = 4_000_000
    """Bytes of such a batch over all columns; long rows come in smaller batches."""
    faults: int = 1_000
    """Lines left out that are described; further ones are only counted."""


LIMITS = ReadLimits()
LONGEST_ID = 1_000
"""Characters of a passage's id; a longer one is a text in the wrong column."""
