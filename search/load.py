"""Finds the re-ranker to serve and opens a whole pipeline by name."""

from pathlib import Path

from indexing import places
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from indexing.index import open_index
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import POINTER, SHIPPED, VERSION, promoted_version, version_id

NO_RERANKER = "none"
DEFAULT_RERANKER = "default"


def reranker_path(name: str = DEFAULT_RERANKER, *, models: Path | None = None, shipped: Path | None = None) -> str:
    """The path or hub name to load: `default` is the promoted model, else the shipped one; `none` is empty.

    `shipped` is the shipped one, NAME/VERSION a trained one where there is one; any other name is taken as it is.

    Raises:
        ModelError: promoted.json names a model that isn't there; or there is no shipped one.
    """
    if name == NO_RERANKER:
        return ""
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    if VERSION.fullmatch(name) and (models / name).is_dir():
        return str(models / name)
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


def open_reranker(name: str = DEFAULT_RERANKER) -> CrossEncoderReranker | None:
    """Load a re-ranker; None for `none`. A version is called by its id."""
    path = reranker_path(name)
    if not path:
        return None
    return CrossEncoderReranker(path, called=version_id(Path(path)))


def open_pipeline(index: str, *, reranker: str = DEFAULT_RERANKER, root: Path | None = None) -> RetrieveAndRerank:
    """Open an index, its own bi-encoder, and a re-ranker.

    Raises:
        IndexingError, ModelError, HubError: as each of them says.
    """
    opened = open_index(index, root=root)
    return RetrieveAndRerank(opened, BiEncoder(opened.manifest.bi_encoder), open_reranker(reranker))
