"""Decides whether a version may be served, and serves it: the assessment, the promotion, and its record."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from indexing import places
from indexing.errors import ModelError, SettingsError
from indexing.index import judged_split
from indexing.progress import Progress, relabel, silent
from search.pipeline import Pipeline
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.reranker import Reranker
from search.served import SHIPPED
from training.evaluation.candidates import Candidates, first_stage_lists, ndcg, reranked
from training.evaluation.measures import MAIN_MEASURE
from training.evaluation.paired import compare_paired
from training.versions import expectations as pins
from training.versions import promoted as pointer
from training.versions.expectations import Checked, Expectation
from training.versions.gate import Verdict
from training.versions.promoted import Promotion
from training.versions.registry import Version, find

SPLIT = "dev"
DEPTH = 50  # passages re-ranked of each query, as the app does
OpenModel = Callable[[str], Reranker]
"""Gives the re-ranker of a folder."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assessment:
    """One version, judged against what was promoted then."""

    candidate: str
    seen: Promotion
    """What was promoted when it was judged."""
    verdict: Verdict
    checked: tuple[Checked, ...]
    """Every expectation that was pinned, with the candidate's logits."""


def assess(
    version: str,
    pipeline: Pipeline,
    *,
    models: Path | None = None,
    shipped: Path | None = None,
    depth: int = DEPTH,
    open_model: OpenModel = CrossEncoderReranker,
    progress: Progress = silent,
) -> Assessment:
    """Measure a version against the promoted one, and try every expectation; nothing is changed.

    `pipeline` gives the first stage; dev queries are those beside its index's corpus, expectations those pinned in
    the folder of all models.

    Raises:
        SettingsError: there are no dev queries, or an expectation can't be read.
        ModelError: it is absent, is damaged, can't be loaded, or is promoted already.
    """
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    candidate = find(version, models, shipped=shipped)
    seen = pointer.current(models)
    if seen.promoted == candidate.id:
        raise ModelError(f"{candidate.id} is promoted already, since {seen.at or 'the beginning'}.")
    pinned = pins.expectations(models / pins.FILE)
    promoted, missing = _promoted(seen.promoted, models, shipped)
    lists = _lists(pipeline, depth=depth, progress=progress)
    build = pipeline.index.manifest
    dev_set = f"index {build.name}, build {build.build}, {SPLIT} split, depth {depth}"
    ours = open_model(str(candidate.folder))
    checked = pins.check(pinned, ours, pipeline.index.passages)
    failed = tuple(item.sentence() for item in checked if not item.holds)
    if promoted is None:
        verdict = Verdict(
            candidate=candidate.id,
            against="",
            dev_set=dev_set,
            comparison=None,
            missing=missing,
            expectations=len(checked),
            failed=failed,
        )
        return Assessment(candidate.id, seen, verdict, tuple(checked))
    theirs = open_model(str(promoted.folder))
    one, two = (
        ndcg(reranked(lists, reranker, progress=relabel(progress, f"re-rank by {name}")), lists)
        for reranker, name in ((ours, candidate.id), (theirs, promoted.id))
    )
    verdict = Verdict(
        candidate=candidate.id,
        against=promoted.id,
        dev_set=dev_set,
        comparison=compare_paired(one, two, measure=MAIN_MEASURE),
        expectations=len(checked),
        failed=failed,
    )
    return Assessment(candidate.id, seen, verdict, tuple(checked))


def serve(
    assessment: Assessment,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    models: Path | None = None,
    shipped: Path | None = None,
) -> Promotion:
    """Serve the version that was judged, if nothing speaks against it, or by `force` with a reason.

    Raises:
        SettingsError: forced without a reason.
        ModelError: the gate refuses it; or since it was judged, it was damaged, an expectation was pinned or removed,
            or another version was promoted.
    """
    models, verdict = models or places.models(), assessment.verdict
    if force and not reason.strip():
        raise SettingsError("Promoting in spite of the verdict needs a reason, which is recorded; say why.")
    if verdict.refusal and not force:
        raise ModelError(verdict.refusal)
    candidate = find(assessment.candidate, models, shipped=shipped)
    _check_unchanged(pins.expectations(models / pins.FILE), assessment)
    row = {**asdict(verdict), "objections": list(verdict.objections)}
    forced = bool(verdict.refusal)
    return pointer.set_promoted(
        candidate.id, seen=assessment.seen, verdict=row, by=by, reason=reason.strip(), forced=forced, models=models
    )


def _check_unchanged(pinned: Sequence[Expectation], assessment: Assessment) -> None:
    if [item.key for item in pinned] != [item.expectation.key for item in assessment.checked]:
        raise ModelError(
            f"Expectations were pinned or removed since {assessment.candidate} was judged; judge it again."
        )


def _lists(pipeline: Pipeline, *, depth: int, progress: Progress) -> Candidates:
    judged = judged_split(pipeline.index, SPLIT, advice="give another --index")
    return first_stage_lists(pipeline, judged, depth=depth, progress=progress)


def _promoted(version: str, models: Path, shipped: Path) -> tuple[Version | None, str]:
    """The promoted version, or why it can't be measured: empty where none is served at all."""
    if version == SHIPPED and not shipped.exists():
        return None, ""
    try:
        return find(version, models, shipped=shipped), ""
    except ModelError as error:
        log.warning("%s", error)
        return None, str(error)


def promote(
    version: str,
    pipeline: Pipeline,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    models: Path | None = None,
    shipped: Path | None = None,
    depth: int = DEPTH,
    progress: Progress = silent,
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
