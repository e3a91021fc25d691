"""What the rows of a training were made of."""

from dataclasses import dataclass, field


@dataclass
class RowCounts:
    """Examples by source, what was left out, and how many rows and pairs there are."""

    examples: dict[str, int] = field(default_factory=dict)
    """Examples used, by source."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Examples and queries left out, by reason."""
    rows: int = 0
    pairs: int = 0
    """(query, passage) pairs of all rows."""
