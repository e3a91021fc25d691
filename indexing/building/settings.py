"""The settings of a build, checked when created."""

from dataclasses import dataclass, field

from indexing.bm25.settings import Bm25Settings
from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from indexing.store.token_forms import check_form
from indexing.typed_json import check_types
from indexing.words.languages import check_language

ON_EXISTING = ("stop", "skip", "replace")
"""What to do with an added passage whose id the index holds with another text."""


@dataclass(frozen=True)
class BuildSettings:
    """How an index is built."""

    bi_encoder: str = DEFAULT_BI_ENCODER
    """Hub name or local path."""
    bm25: Bm25Settings = field(default_factory=Bm25Settings)
    dense: str = "auto"
    """FAISS preset or index_factory string."""
    tokenizer: str = ""
    """Hub name or local path of a re-ranker whose tokens of every passage are stored; empty for none."""
    language: str = "auto"
    """One of Snowball's by name, `none`, or `auto` for that of most sampled passages."""
    shard_size: int = 20_000
    """Passages per shard; at most this many are encoded again after a stop."""
    workers: tuple[str, ...] = ()
    """Devices to encode on, one process each; with fewer than two, this process encodes."""
    token_vectors: str = ""
    """`int8` or `int4`: also store each passage's token vectors, for late interaction; empty for none."""

    def __post_init__(self) -> None:
        check_types(self)
        check_language(self.language)
        check_form(self.token_vectors)
        if self.shard_size < 1:
            raise SettingsError(f"shard size is {self.shard_size}; give 1 passage or more.")
