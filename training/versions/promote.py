"""Decides whether a version may be served, and serves it: the assessment, the promotion, and its record."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from indexing import places
from indexing.errors import ModelError, SettingsError
from indexing.index import judged_split
from indexing.manifest import Manifest
from indexing.notes import Note, log_note
from indexing.progress import Progress, relabel, silent
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from search.served import SHIPPED
from training.evaluation.candidates import Candidates, first_stage_lists, ndcg
from training.evaluation.paired import PairedComparison, compare_paired
from training.evaluation.settings import MAIN_MEASURE
from training.versions import expectations as pins
from training.versions import promoted as pointer
from training.versions.changed_queries import QueryChanges, changed_queries
from training.versions.expectations import Expectation, ExpectationCheck
from training.versions.gate import Verdict
from training.versions.gate_settings import SPLIT, GateSettings
from training.versions.measured import measured_run
from training.versions.promoted import Promotion
from training.versions.registry import Version, find_version

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """One version, judged against the version that was promoted at that time."""

    candidate: str
    seen: Promotion
    """What was promoted when it was judged."""
    verdict: Verdict
    checked: tuple[ExpectationCheck, ...]
    """Every pinned expectation, with the candidate's logits."""
    settings: GateSettings
    notes: tuple[str, ...] = ()
    """What was left out of the dev queries, and where judgments and index don't fit, in sentences."""
    changes: QueryChanges | None = None
    """How the dev queries changed; None where there was nothing to compare with."""


def promote_version(
    version: str,
    pipeline: Pipeline,
    settings: GateSettings | None = None,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    progress: Progress = silent,
) -> Promotion:
    """Serve a version from now on if the gate has no objection, or by `force` with a reason, which is recorded.

    The gate compares it with the promoted version on the dev queries of the index's corpus, both re-ranking the
    first-stage lists of `pipeline`, and checks every pinned expectation. `by` is the person who promotes it.

    Raises:
        SettingsError: `force` has no reason, or there are no dev queries.
        ModelError: it is damaged, already promoted, or refused by the gate, or another version was promoted meanwhile.
    """
    if force and not reason.strip():
        raise SettingsError("--force needs a --reason, which is recorded with the promotion.")
    assessment = assess(version, pipeline, settings, progress=progress)
    for sentence in assessment.verdict.cautions:
        log_note(sentence)
    return serve(assessment, by=by, reason=reason, force=force)


def assess(
    version: str, pipeline: Pipeline, settings: GateSettings | None = None, *, progress: Progress = silent
) -> Assessment:
    """Measure a version against the promoted one, and check every expectation; nothing is changed.

    Raises:
        SettingsError: there are no dev queries, or an expectation can't be read.
        ModelError: it is missing or damaged, can't be loaded, or is already promoted.
    """
    settings = settings or GateSettings()
    models = settings.models or places.models()
    candidate, seen = _candidate(version, settings)
    expectations = pins.read_expectations(models / pins.FILE)
    promoted, missing = _promoted(seen.promoted, settings)
    judged = judged_split(pipeline.index, SPLIT, advice="give another --index")
    lists = first_stage_lists(pipeline, judged, depth=settings.depth, progress=progress)
    reranker = settings.open_model(str(candidate.folder))
    checked = tuple(pins.check(expectations, reranker, pipeline.index.passages))
    used: list[str] = []
    compared, changes = _compare(candidate, reranker, promoted, settings, lists, used.append, progress)
    verdict = Verdict(
        candidate=candidate.id,
        against="" if promoted is None else promoted.id,
        dev_set=_dev_set(pipeline.index.manifest, settings),
        comparison=compared,
        missing=missing,
        expectations=len(checked),
        failed=tuple(check.sentence() for check in checked if not check.holds),
    )
    return Assessment(
        candidate=candidate.id,
        seen=seen,
        verdict=verdict,
        checked=checked,
        settings=settings,
        notes=_told(lists.notes, used),
        changes=changes,
    )


def _candidate(version: str, settings: GateSettings) -> tuple[Version, Promotion]:
    """The version, and what is promoted in its place."""
    models = settings.models or places.models()
    candidate = find_version(version, models, shipped=settings.shipped)
    seen = pointer.current_promotion(models)
    if seen.promoted == candidate.id:
        raise ModelError(f"{candidate.id} is already served, since {seen.at or 'the beginning'}.")
    return candidate, seen


def _dev_set(manifest: Manifest, settings: GateSettings) -> str:
    return f"index {manifest.name}, build {manifest.build}, {SPLIT} split, depth {settings.depth}"


def _told(before: tuple[str, ...], used: Sequence[str]) -> tuple[str, ...]:
    """All notes, once those on what was used again are logged, as the others were."""
    for sentence in used:
        log_note(sentence)
    return (*before, *used)


def _compare(
    candidate: Version,
    reranker: Reranker,
    promoted: Version | None,
    settings: GateSettings,
    lists: Candidates,
    note: Note,
    progress: Progress,
) -> tuple[PairedComparison | None, QueryChanges | None]:
    """The candidate against the promoted version on the same lists, and how the queries changed; None without one.

    `note` is told what was measured before.
    """
    if promoted is None:
        return None, None
    openers: list[tuple[Version, Callable[[], Reranker]]] = [
        (candidate, lambda: reranker),
        (promoted, lambda: settings.open_model(str(promoted.folder))),
    ]
    runs, values = [], []
    for version, open_model in openers:
        run = measured_run(
            version.folder,
            lists,
            open_model,
            kept_in=settings.kept_in,
            name=version.id,
            note=note,
            progress=relabel(progress, f"re-rank by {version.id}"),
        )
        runs.append(run)
        values.append(ndcg(run, lists))
    changes = changed_queries(lists, candidate=runs[0], served=runs[1], after=values[0], before=values[1])
    return compare_paired(values[0], values[1], measure=MAIN_MEASURE), changes


def serve(assessment: Assessment, *, by: str, reason: str = "", force: bool = False) -> Promotion:
    """Serve the version that was judged if there is no objection, or by `force` with a reason.

    Raises:
        SettingsError: `force` has no reason.
        ModelError: the gate refuses it; or, since it was judged, it was damaged, an expectation was pinned or removed,
            or another version was promoted.
    """
    verdict, settings = assessment.verdict, assessment.settings
    models = settings.models or places.models()
    if force and not reason.strip():
        raise SettingsError("Promoting against the verdict needs a reason, which is recorded; give one.")
    if verdict.refusal and not force:
        raise ModelError(verdict.refusal)
    candidate = find_version(assessment.candidate, models, shipped=settings.shipped)
    _check_unchanged(pins.read_expectations(models / pins.FILE), assessment)
    return pointer.set_promoted(
        candidate.id,
        seen=assessment.seen,
        verdict={**asdict(verdict), "objections": list(verdict.objections)},
        by=by,
        reason=reason.strip(),
        forced=bool(verdict.refusal),
        models=models,
    )


def _check_unchanged(expectations: Sequence[Expectation], assessment: Assessment) -> None:
    if [expectation.key for expectation in expectations] != [check.expectation.key for check in assessment.checked]:
        raise ModelError(
            f"Expectations were pinned or removed since {assessment.candidate} was judged; judge it again."
        )


def _promoted(version: str, settings: GateSettings) -> tuple[Version | None, str]:
    """The promoted version, or None with why it can't be measured (empty if no version is served at all)."""
    if version == SHIPPED and not (settings.shipped or places.shipped_reranker()).exists():
        return None, ""
    try:
        return find_version(version, settings.models, shipped=settings.shipped), ""
    except ModelError as error:
        log.warning("%s", error)
        return None, str(error)
