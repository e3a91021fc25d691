"""Opens a re-ranker, or a whole pipeline, by name."""

from pathlib import Path

from indexing import places
from indexing.dense.encoder import BiEncoder
from indexing.index import Index, open_index
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.engines import export_format
from search.rerank.exported import open_exported
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.pair_reranker import PairReranker
from search.rerank.reranker import Reranker, check_reranker
from search.served import DEFAULT_RERANKER, LATE, SHIPPED, late_bi_encoder, reranker_path, version_id
from search.served_settings import settings_in_force
from search.settings import PipelineSettings

SERVED = "served"
"""Stands for the re-ranker, and the settings, of an index's served default."""


def open_reranker(
    name: str | Path = DEFAULT_RERANKER, *, encoder: BiEncoder | None = None
) -> PairReranker | LateInteractionReranker | None:
    """Load a re-ranker, from weights or from an export, by the names that `reranker_path` takes; None for `none`.

    The re-ranker's own name is then `shipped`, a version's id, a hub name, or the last part of another path. `late` is
    late interaction by `encoder`, an index's bi-encoder, or without one by the default bi-encoder.

    Raises:
        HubError, ModelError: it can't be loaded.
    """
    path = reranker_path(str(name))
    if not path:
        return None
    if path == LATE:
        return LateInteractionReranker(encoder or BiEncoder())
    if bi_encoder := late_bi_encoder(path):
        called = Path(bi_encoder).name if Path(bi_encoder).exists() else bi_encoder
        return LateInteractionReranker(BiEncoder(bi_encoder), called=f"{LATE}:{called}")
    shipped = Path(path).absolute() == places.shipped_reranker().absolute()
    called = SHIPPED if shipped else version_id(Path(path))
    if export_format(Path(path)):
        return open_exported(Path(path), called=called)
    return CrossEncoderReranker(path, called=called)


def open_pipeline(
    index: str | Path, *, reranker: str | Path | Reranker | None = SERVED, root: Path | None = None
) -> RetrieveAndRerank:
    """Open an index, the bi-encoder that it was built with, and a re-ranker.

    `index` is a name below `root` (the folder of all indexes), or, without `root`, the path of an index's folder.
    `reranker` is a name or path as `open_reranker` takes it, an object that scores passages, or None for no re-ranker;
    `late` is late interaction by the index's own bi-encoder. Where none is given, the index's served default answers,
    settings and re-ranker; where one is, the settings of its first stage.

    Raises:
        IndexingError: the index, or its served default, is absent or broken.
        HubError, ModelError: a model can't be loaded.
    """
    if root is None and len(Path(index).parts) > 1:
        root, index = Path(index).parent, Path(index).name
    opened = open_index(str(index), root=root)
    served = settings_in_force(str(index), root=root)
    named = str(reranker) if isinstance(reranker, str | Path) else ""
    settings = served.settings_for(None if reranker == SERVED else named)
    return pipeline_on(opened, reranker=served.reranker if reranker == SERVED else reranker, settings=settings)


def pipeline_on(
    index: Index,
    *,
    reranker: str | Path | Reranker | None = DEFAULT_RERANKER,
    settings: PipelineSettings | None = None,
) -> RetrieveAndRerank:
    """A pipeline on an index that is open already, with the settings that it answers by; otherwise as `open_pipeline`.

    Raises:
        IndexingError: the bi-encoder isn't the one that the index was built with.
        HubError, ModelError: a model can't be loaded.
        SettingsError: `reranker` is something else.
    """
    encoder = BiEncoder(index.manifest.bi_encoder)
    if isinstance(reranker, str | Path):
        reranker = open_reranker(reranker, encoder=encoder)
    elif reranker is not None:
        check_reranker(reranker)
    return RetrieveAndRerank(index, encoder, reranker, settings=settings)
