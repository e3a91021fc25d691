"""Which version is served: the gate judges a candidate, and the user promotes it or rolls back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.background import BackgroundJob, BackgroundJobs, Subject
from app.login import user_name
from app.resources import SharedPipeline
from app.turns import PatientPipeline, patient
from app.views.models.changed_queries import show_changed_queries
from app.views.widgets.figures import heading_html
from app.views.widgets.measured.kept_result import KeptResult, keep_result, read_result
from app.views.widgets.notices import hint, note, plain, problem
from app.views.widgets.pickers import (
    judged_splits,
    judgments_fingerprint,
    open_first_stage,
    pick,
    pick_depth,
    pick_index,
)
from app.views.widgets.terms import meaning
from app.views.widgets.work import show_work
from indexing import places
from indexing.errors import SecondLookError
from indexing.manifest import FILE
from indexing.progress import Progress
from search.rerank.cross_encoder import CrossEncoderReranker
from training.versions import expectations as pins
from training.versions import promoted
from training.versions.changed_queries import QueryChanges
from training.versions.gate_settings import DEPTH, SPLIT, GateSettings
from training.versions.measured import FOLDER
from training.versions.promote import Assessment, assess, serve
from training.versions.promoted import Promotion
from training.versions.registry import Version

JUDGED_KEY = "models_judged"  # session: the version judged last, and its job
PENDING_KEY = "models_asking"  # session: the action that waits for confirmation, `promote` or `rollback`
DONE_KEY = "models_said"  # session: what was just done
JUDGE_NOW_KEY = "models_judge_now"  # session: the version that a press on another page asks to judge at once


@dataclass(frozen=True, kw_only=True)
class KeptVerdict:
    """What the gate said of a version, for the next visit."""

    candidate: str
    against: str
    """The version served then; empty for none."""
    dev_set: str
    sentences: tuple[str, ...]
    measure: str = ""
    changes: QueryChanges | None = None
    """None where there was nothing to compare with."""

    @classmethod
    def of(cls, assessment: Assessment) -> "KeptVerdict":
        """What is kept of an assessment."""
        verdict = assessment.verdict
        objections = [f"Objection: {objection}." for objection in verdict.objections]
        return cls(
            candidate=verdict.candidate,
            against=verdict.against,
            dev_set=verdict.dev_set,
            sentences=(
                *_compared_words(assessment),
                *assessment.notes,
                *verdict.cautions,
                *(objections or ["No objection to promoting it."]),
            ),
            measure="" if verdict.comparison is None else verdict.comparison.measure,
            changes=assessment.changes,
        )

    def show_changes(self) -> None:
        """Show the queries that changed most."""
        if self.changes is not None:
            show_changed_queries(self.changes, measure=self.measure, served=self.against, candidate=self.candidate)


@st.cache_resource(show_spinner=False)
def assessments() -> BackgroundJobs[Assessment]:
    """The gate's assessments, of all sessions."""
    return BackgroundJobs()


def show_promotion(versions: Sequence[Version], promotion: Promotion, *, read_only: bool) -> None:
    """Show the fields to judge and promote a version, and to roll back.

    What another page asks to judge is judged now, once: the request is taken from the session before it is followed.
    """
    asked = str(st.session_state.pop(JUDGE_NOW_KEY, ""))
    if read_only:
        hint("This app is read-only: versions are promoted and rolled back on the machine that serves it.")
        return
    candidates = [version for version in versions if not version.fault and version.id != promotion.promoted]
    _judge(candidates, promotion, asked=asked)
    _offer_rollback(promotion)


def _judge(candidates: Sequence[Version], promotion: Promotion, *, asked: str) -> None:
    st.html(
        heading_html("Promote", "no worse on dev queries than the served version, and every pinned expectation holds")
    )
    if not candidates:
        hint("There is no other undamaged version. Train one, and you can promote it here.")
        return
    if asked == promotion.promoted:
        hint(f"{asked} is served already. Choose another version to judge.")
    by_id = {version.id: version for version in candidates}
    first, second, third = st.columns(3)
    with first:
        candidate = pick(
            "Version", list(by_id), key="models_candidate", default=candidates[-1].id, about=meaning("Version")
        )
    with second:
        shared = open_first_stage(pick_index(key="models_gate_index"))
    with third:
        depth = pick_depth(key="models_gate_depth", default=DEPTH)
    if shared is not None and _has_dev(shared):
        pressed = st.button("Judge", key="models_judge", icon=":material/gavel:", help=meaning("Gate"))
        if pressed or asked == candidate:
            _start(by_id[candidate], promotion, shared, depth=depth)
        _show_outcome(candidate, promotion)


def _has_dev(shared: SharedPipeline) -> bool:
    """Whether the index has dev queries; if not, the page says so."""
    splits = judged_splits(shared)
    if splits and SPLIT not in splits:
        name = shared.pipeline.index.manifest.name
        hint(
            f"The gate needs dev queries, but the corpus of index {name} has only {', '.join(splits)}. "
            "Choose another index."
        )
    return SPLIT in splits


def _start(version: Version, promotion: Promotion, shared: SharedPipeline, *, depth: int) -> None:
    """Judge the version in the background."""
    for session_key in (PENDING_KEY, "models_force"):
        st.session_state.pop(session_key, None)
    try:
        pinned = tuple(pins.read_expectations(places.models() / pins.FILE))
        written = (version.folder / FILE).stat().st_mtime_ns
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    measured_on = (shared.fingerprint, judgments_fingerprint(shared), depth)
    key = (version.id, written, promotion.promoted, promotion.at, *measured_on, pinned)
    subject = Subject(f"the gate on {version.id}", "models", {"tab": "Promote", "candidate": version.id}, version.id)
    job = assessments().start(key, _work(version.id, shared, depth), subject)
    st.session_state[JUDGED_KEY] = (version.id, job)


def _work(version: str, shared: SharedPipeline, depth: int) -> Callable[[Progress], Assessment]:
    def judge(progress: Progress) -> Assessment:
        assessment = assess(
            version,
            PatientPipeline(shared.pipeline),
            GateSettings(
                depth=depth,
                kept_in=places.runs() / FOLDER,
                open_model=lambda path: patient(CrossEncoderReranker(path)),
            ),
            progress=progress,
        )
        keep_result(kept_name(version), KeptVerdict.of(assessment))
        return assessment

    return judge


def _show_outcome(version: str, promotion: Promotion) -> None:
    """Show the gate's verdict on the chosen version, and the button that promotes it."""
    last: tuple[str, BackgroundJob[Assessment]] | None = st.session_state.get(JUDGED_KEY)
    newest = assessments().newest()
    if (last is None or last[0] != version) and newest is not None and newest.subject.choice == version:
        last = version, newest
    if last is None or last[0] != version:
        _show_kept(version)
        return
    job = last[1]
    if not show_work(job, key="models_judge") or job.result is None:
        return
    if job.result.seen != promotion:
        hint(f"{promotion.promoted} was promoted after {version} was judged. Judge it again.")
        return
    _show_verdict(job.result)
    _offer_promotion(job.result)
    KeptVerdict.of(job.result).show_changes()


def _show_kept(version: str) -> None:
    """What the gate said of this version on an earlier visit, or what it does."""
    kept: KeptResult[KeptVerdict] | None = read_result(kept_name(version), KeptVerdict)
    if kept is None:
        note("The gate measures this version and the served one on the same dev queries, which takes a while.")
        return
    verdict = kept.result
    about = f"{verdict.candidate} against {verdict.against or 'nothing'}, {verdict.dev_set}; measured {kept.measured}"
    st.html(heading_html("Last verdict", about))
    note(*verdict.sentences, "Judge it again to promote it; what was measured is used again.")
    verdict.show_changes()


def kept_name(version: str) -> str:
    """By which the verdict on a version is kept."""
    return f"gate/{version}"


def _compared_words(assessment: Assessment) -> list[str]:
    """The difference with its interval, and how many queries changed; empty where nothing was compared."""
    verdict, changes = assessment.verdict, assessment.changes
    if verdict.comparison is None:
        return []
    compared = f"{verdict.comparison.sentence(verdict.candidate, verdict.against)}."
    return [compared] if changes is None else [compared, changes.sentence()]


def _show_verdict(assessment: Assessment) -> None:
    verdict = assessment.verdict
    if verdict.comparison is not None:
        note(f"On {verdict.dev_set}:", *_compared_words(assessment))
        if assessment.notes:
            note(*assessment.notes)
        for sentence in verdict.cautions:
            st.warning(plain(sentence), icon=":material/visibility_off:")
    elif not verdict.missing:
        note("No version is served now, so there is nothing to compare with.")
    if assessment.checked:
        holding = sum(check.holds for check in assessment.checked)
        note(f"{holding:,} of {len(assessment.checked):,} pinned expectations hold.")
        _show_expectations(assessment)
    else:
        note("No expectations are pinned.")
    for objection in verdict.objections:
        st.warning(plain(f"Objection: {objection}."), icon=":material/block:")
    if not verdict.objections:
        st.success("No objection to promoting it.", icon=":material/check:")


def _show_expectations(assessment: Assessment) -> None:
    columns = {
        "holds": [check.holds for check in assessment.checked],
        "query": [check.expectation.query for check in assessment.checked],
        "above": [check.expectation.above.label for check in assessment.checked],
        "logit above": [check.above for check in assessment.checked],
        "below": [check.expectation.below.label for check in assessment.checked],
        "logit below": [check.below for check in assessment.checked],
    }
    st.dataframe(columns, hide_index=True, key="models_expectations")


def _offer_promotion(assessment: Assessment) -> None:
    """Show the button that promotes it: at once, or after a confirmation where the gate objects."""
    refused = bool(assessment.verdict.objections)
    forced = refused and st.checkbox(
        "Promote it anyway", key="models_force", help="The reason is recorded with the promotion."
    )
    label = "Reason (required and recorded)" if refused else "Reason (recorded)"
    reason = st.text_input(label, key="models_reason", max_chars=500)
    pressed = st.button(
        f"Promote {plain(assessment.candidate)}{' …' if refused else ''}",
        key="models_promote",
        type="primary",
        icon=":material/publish:",
        disabled=refused and not forced,
        help=meaning("Promote"),
        on_click=_set_pending,
        args=("promote" if refused else "",),
    )
    question = f"The gate objects. Serve {assessment.candidate} instead of {assessment.seen.promoted} all the same?"
    if (forced and _confirmed("promote", question)) if refused else pressed:
        _do(lambda: serve(assessment, by=_person(), reason=reason, force=forced), "is now served")


def _offer_rollback(promotion: Promotion) -> None:
    st.html(heading_html("Roll back", "serve the previous version again"))
    if not promotion.before:
        note(f"{promotion.promoted} is served and no version was promoted before it, so you can't roll back.")
        return
    reason = st.text_input("Reason for the rollback (recorded)", key="models_rollback_reason", max_chars=500)
    st.button(
        f"Roll back to {plain(promotion.before)} …",
        key="models_rollback",
        icon=":material/undo:",
        help=meaning("Roll back"),
        on_click=_set_pending,
        args=("rollback",),
    )
    if _confirmed("rollback", f"Serve {promotion.before} again instead of {promotion.promoted}?"):
        _do(lambda: promoted.rollback(by=_person(), reason=reason.strip()), "is served again")


def _person() -> str:
    """Who promotes: the user who is logged in, else the one whose account the app runs under."""
    return user_name() or promoted.person()


def _set_pending(action: str) -> None:
    st.session_state[PENDING_KEY] = action


def _confirmed(action: str, question: str) -> bool:
    """Ask for confirmation; True in the run in which Yes was pressed."""
    if st.session_state.get(PENDING_KEY) != action:
        return False
    st.warning(plain(question), icon=":material/help:")
    with st.container(horizontal=True, gap="small"):
        yes = st.button("Yes", key=f"models_{action}_yes", type="primary", width="content")
        st.button("No", key=f"models_{action}_no", on_click=_set_pending, args=("",), width="content")
    return yes


def _do(action: Callable[[], Promotion], outcome: str) -> None:
    """Promote or roll back, then redraw the page; or show why it failed."""
    st.session_state.pop(PENDING_KEY, None)
    try:
        promotion = action()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.session_state[DONE_KEY] = f"{promotion.promoted} {outcome}. Searches use it immediately, without a restart."
    st.rerun()
