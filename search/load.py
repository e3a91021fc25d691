"""Finds the re-ranker to serve and opens a whole pipeline by name."""

from pathlib import Path

from indexing import places
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from indexing.index import open_index
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.engines import export_format
from search.rerank.exported import open_exported
from search.rerank.pair_reranker import PairReranker
from search.rerank.reranker import Reranker
from search.served import (
    NUMBERED,
    POINTER,
    SHIPPED,
    VERSION,
    absent_version,
    promoted_version,
    version_id,
    version_ids,
)

NO_RERANKER = "none"
DEFAULT_RERANKER = "default"


def reranker_path(name: str = DEFAULT_RERANKER, *, models: Path | None = None, shipped: Path | None = None) -> str:
    """The path or hub name to load: `default` is the promoted model, else the shipped one; `none` is empty.

    `shipped` is the shipped one, NAME/VERSION a trained one or an export where it exists; NAME/NUMBER must exist, any
    other name is taken as it is.

    Raises:
        ModelError: promoted.json names a model that isn't there; there is no such version; or there is no shipped one.
    """
    if name == NO_RERANKER:
        return ""
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    if VERSION.fullmatch(name) and (models / name).is_dir():
        return str(models / name)
    if NUMBERED.fullmatch(name) and not Path(name).exists():
        raise absent_version(name, [SHIPPED, *version_ids(models)], models)
    if name not in (DEFAULT_RERANKER, SHIPPED):
        return name
    version = promoted_version(models) if name == DEFAULT_RERANKER else SHIPPED
    if version != SHIPPED:
        promoted = models / version
        if not (promoted / "config.json").is_file():
            raise ModelError(
                f"{models / POINTER} names {promoted}, which isn't there; "
                "go back with `python -m training rollback`, or delete it to serve the shipped re-ranker."
            )
        return str(promoted)
    if not (shipped / "model.safetensors").is_file():
        raise ModelError(
            f"There is no re-ranker in {shipped}; name one with --reranker, "
            "such as cross-encoder/ms-marco-MiniLM-L6-v2, or search without: --reranker none."
        )
    return str(shipped)


def open_reranker(name: str | Path = DEFAULT_RERANKER) -> PairReranker | None:
    """Load a re-ranker, from weights or from an export, by the names that `reranker_path` takes; None for `none`.

    Its own name is then `shipped`, a version's id, a hub name, or the last part of another path.

    Raises:
        HubError, ModelError: it can't be loaded.
    """
    path = reranker_path(str(name))
    if not path:
        return None
    shipped = Path(path).absolute() == places.shipped_reranker().absolute()
    called = SHIPPED if shipped else version_id(Path(path))
    if export_format(Path(path)):
        return open_exported(Path(path), called=called)
    return CrossEncoderReranker(path, called=called)


def open_pipeline(
    index: str | Path, *, reranker: str | Path | Reranker | None = DEFAULT_RERANKER, root: Path | None = None
) -> RetrieveAndRerank:
    """Open an index, the bi-encoder that it was built with, and a re-ranker.

    `index` is a name below `root` (the folder of all indexes), or, without `root`, the path of an index's folder.
    `reranker` is a name or path as `open_reranker` takes it, an object that scores passages, or None to go without.

    Raises:
        IndexingError: the index is absent or broken.
        HubError, ModelError: a model can't be loaded.
    """
    if root is None and len(Path(index).parts) > 1:
        root, index = Path(index).parent, Path(index).name
    opened = open_index(str(index), root=root)
    if isinstance(reranker, str | Path):
        reranker = open_reranker(reranker)
    return RetrieveAndRerank(opened, BiEncoder(opened.manifest.bi_encoder), reranker)
