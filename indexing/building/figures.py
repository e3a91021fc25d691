"""The figures of an estimate, which pages and jobs read without loading what measures them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """Figures for the whole corpus."""

    passages: int
    sampled: int
    disk: dict[str, float]
    """Bytes of each part of the index."""
    memory: dict[str, float]
    """Bytes of resident memory at the peak of each phase."""
    seconds: dict[str, float]
    """Of each phase."""
    kind: str
    """FAISS's index_factory string."""
    reason: str
    """Why this kind, where it was left to `auto`."""
