"""Promotes a version: checks its files, measures it against the promoted one, tries every expectation, decides."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from indexing.errors import ModelError, SettingsError
from indexing.judged import judged_sets
from search.load import MODELS, SHIPPED, SHIPPED_RERANKER
from search.pipeline import RetrieveAndRerank
from search.rerank import CrossEncoderReranker
from training import expectations as pins
from training import pointer
from training.candidates import first_stage_lists, ndcg, reranked
from training.evaluate import Candidates
from training.first_stage import open_corpus_folder
from training.gate import Verdict, compare
from training.pointer import Promotion
from training.registry import Version, find

SPLIT = "dev"
DEPTH = 50  # passages re-ranked of each query, as the app does
Progress = Callable[[str, int, int], None]
"""Called with the phase, queries done and queries in all."""
log = logging.getLogger(__name__)


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
    candidate = find(version, models, shipped=shipped)
    seen = pointer.current(models)
    if seen.promoted == candidate.id:
        raise ModelError(f"{candidate.id} is promoted already, since {seen.at or 'the beginning'}.")
    every = pins.expectations(models / pins.FILE)
    theirs, missing = _promoted(seen.promoted, models, shipped)
    verdict = judge(candidate, theirs, pipeline, pinned=every, depth=depth, progress=progress, missing=missing)
    if verdict.refusal and not force:
        raise ModelError(verdict.refusal)
    row = {**asdict(verdict), "objections": list(verdict.objections)}
    forced = bool(verdict.refusal)
    return pointer.set_promoted(
        candidate.id, seen=seen, verdict=row, by=by, reason=reason.strip(), forced=forced, models=models
    )


def judge(
    candidate: Version,
    promoted: Version | None,
    pipeline: RetrieveAndRerank,
    *,
    pinned: Sequence[pins.Expectation],
    depth: int,
    progress: Progress,
    missing: str = "",
) -> Verdict:
    """What speaks for and against a version; without a promoted one, `missing` says why it can't be measured.

    Raises:
        ModelError: a version can't be loaded.
        SettingsError: the corpus has no dev queries.
    """
    lists = _lists(pipeline, depth=depth, progress=partial(progress, "first stage"))
    build = pipeline.index.manifest
    dev_set = f"index {build.name}, build {build.build}, {SPLIT} split, depth {depth}"
    ours = CrossEncoderReranker(str(candidate.folder))
    checked = pins.check(pinned, ours, pipeline.index.passages)
    failed = tuple(item.sentence() for item in checked if not item.holds)
    if promoted is None:
        return Verdict(candidate.id, "", dev_set, None, missing, len(checked), failed)
    theirs = CrossEncoderReranker(str(promoted.folder))
    one, two = (
        ndcg(reranked(lists, reranker, progress=partial(progress, f"re-rank by {name}")), lists)
        for reranker, name in ((ours, candidate.id), (theirs, promoted.id))
    )
    return Verdict(candidate.id, promoted.id, dev_set, compare(one, two), "", len(checked), failed)


def _lists(pipeline: RetrieveAndRerank, *, depth: int, progress: Callable[[int, int], None]) -> Candidates:
    sets = judged_sets(open_corpus_folder(pipeline.index))
    if SPLIT not in sets:
        raise SettingsError(
            f"The corpus of index {pipeline.index.manifest.name} has no judged {SPLIT} queries (there: {list(sets)}); "
            "give another --index."
        )
    return first_stage_lists(pipeline, sets[SPLIT], depth=depth, progress=progress)


def _promoted(version: str, models: Path, shipped: Path) -> tuple[Version | None, str]:
    """The promoted version, or why it can't be measured: empty where none is served at all."""
    if version == SHIPPED and not shipped.exists():
        return None, ""
    try:
        return find(version, models, shipped=shipped), ""
    except ModelError as error:
        log.warning("%s", error)
        return None, str(error)
