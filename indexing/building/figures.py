"""The figures of an estimate, apart from the code that measures them: pages and jobs can import this cheaply."""

from dataclasses import dataclass

from indexing.dense.settings import PRESETS


@dataclass(frozen=True)
class Estimate:
    """What building the whole corpus is expected to take."""

    passages: int
    sampled: int
    disk: dict[str, float]
    """Bytes of each part of the index."""
    memory: dict[str, float]
    """Bytes of resident memory at the peak of each phase."""
    seconds: dict[str, float]
    """Expected duration of each phase."""
    kind: str
    """FAISS's index_factory string."""
    reason: str
    """Why this kind was chosen, if the preset was `auto`; else empty."""


def least_bytes(passages: int, *, dim: int, dense: str) -> int:
    """Bytes that finishing an index takes at least, whatever parts of another build it can use: FAISS and ids."""
    return passages * ((dim if dense in PRESETS else 0) + 12)  # a byte a dimension or more; a hash and a row
