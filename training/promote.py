"""Promotes a version in one step: judges it, and serves it unless something speaks against it."""

from pathlib import Path

from indexing.errors import SettingsError
from search.load import MODELS, SHIPPED_RERANKER
from search.pipeline import RetrieveAndRerank
from training.assess import DEPTH, Progress, assess, serve
from training.pointer import Promotion


def promote(
    version: str,
    pipeline: RetrieveAndRerank,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    models: Path = MODELS,
    shipped: Path = SHIPPED_RERANKER,
    depth: int = DEPTH,
    progress: Progress,
) -> Promotion:
    """Serve a version, if nothing speaks against it, or by `force` with a reason, which is recorded.

    `pipeline` gives the first stage; dev queries are those beside its index's corpus, expectations those pinned in
    the folder of all models.

    Raises:
        SettingsError: forced without a reason, or there are no dev queries.
        ModelError: it is damaged, is promoted already, is refused by the gate, or another was promoted meanwhile.
    """
    if force and not reason.strip():
        raise SettingsError("--force needs a --reason, which is recorded beside the promotion; say why.")
    found = assess(version, pipeline, models=models, shipped=shipped, depth=depth, progress=progress)
    return serve(found, by=by, reason=reason, force=force, models=models, shipped=shipped)
