"""The settings by which a version is judged before it is promoted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.rerank.reranker import Reranker

SPLIT = "dev"
DEPTH = 50  # passages re-ranked for each query, as in the app


def _open_version(folder: str) -> "Reranker":
    from search.rerank.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(folder)


@dataclass(frozen=True, kw_only=True)
class GateSettings:
    """How a version is judged, and where versions are stored."""

    depth: int = DEPTH
    """Passages re-ranked for each dev query."""
    models: Path | None = None
    """Folder of all models; None for the default one."""
    shipped: Path | None = None
    """The re-ranker that comes with the program; None for the default one."""
    kept_in: Path | None = None
    """Folder of kept measurements, which are used again; None measures everything now and keeps nothing."""
    open_model: "Callable[[str], Reranker]" = _open_version
    """Opens the re-ranker in a folder."""
