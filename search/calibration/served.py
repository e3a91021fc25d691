"""Whether what an index serves by default is calibrated, told from names and files alone."""

from dataclasses import replace
from pathlib import Path

from indexing.catalogue import current_build
from indexing.manifest import Manifest
from search.calibration.curve import CalibratedPipeline
from search.calibration.shipped import shipped_calibration
from search.calibration.stored import calibrations
from search.served import NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import ServedSettings, served_settings


def is_calibrated(index: str, *, root: Path | None = None) -> bool:
    """Whether a calibration holds for what an index serves now. Raises IndexingError, ModelError."""
    folder = current_build(index, root=root)
    shipped = shipped_calibration(Manifest.load(folder))
    known = (*calibrations(index, root=root), *([] if shipped is None else [shipped]))
    if not known:
        return False
    served = served_settings(index, root=root) or ServedSettings()
    plain = served.reranker == NO_RERANKER or served.settings.rerank_depth == 0
    own = CalibratedPipeline(
        settings=replace(served.settings, rerank_depth=0) if plain else served.settings,
        fingerprint=NO_RERANKER if plain else reranker_fingerprint(reranker_path(served.reranker)),
        build=folder.name,
    )
    return any(not one.differs_from(own) for one in known)
