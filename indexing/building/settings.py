"""How an index is built, checked once."""

from dataclasses import dataclass, field

from indexing.bm25.settings import Bm25Settings
from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER

ON_EXISTING = ("stop", "skip", "replace")
"""What adding does with a passage whose id the index holds with another text."""


@dataclass(frozen=True)
class BuildSettings:
    """How an index is built."""

    bi_encoder: str = DEFAULT_BI_ENCODER
    """Name on the hub, or path."""
    bm25: Bm25Settings = field(default_factory=Bm25Settings)
    dense: str = "auto"
    """FAISS preset or index_factory string."""
    tokenizer: str = ""
    """Name or path of a re-ranker whose tokens of every passage are stored; empty for none."""
    shard_size: int = 20_000
    """Passages in one file: at most so many are encoded again after a stop."""
    workers: tuple[str, ...] = ()
    """Devices that encode, a process on each; with fewer than two, this process does."""

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise SettingsError(f"shard size is {self.shard_size}; give 1 passage or more.")
