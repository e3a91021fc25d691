"""Which version is served: judge one at the gate, promote it, go back, and what was done before."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.background import Job, Jobs
from app.resources import Opened
from app.turns import PatientPipeline, PatientReranker
from app.views.widgets.notices import hint, note, plain, problem
from app.views.widgets.pickers import (
    judged_splits,
    judgments_fingerprint,
    open_first_stage,
    pick,
    pick_depth,
    pick_index,
)
from app.views.widgets.work import show_work
from indexing import places
from indexing.errors import SecondLookError
from indexing.manifest import FILE
from indexing.progress import Progress
from search.rerank.cross_encoder import CrossEncoderReranker
from training.versions import expectations as pins
from training.versions import promoted
from training.versions.promote import DEPTH, SPLIT, Assessment, assess, serve
from training.versions.promoted import Promotion
from training.versions.registry import Version

JUDGED = "models_judged"  # the session's: the version that was judged last
ASKING = "models_asking"  # the session's: what waits for a yes, `promote` or `rollback`
SAID = "models_said"  # the session's: what was done a moment ago


@st.cache_resource(show_spinner=False)
def assessments() -> Jobs[Assessment]:
    """What the gate found, of all sessions."""
    return Jobs()


def show_promotion(found: Sequence[Version], at: Promotion, *, read_only: bool) -> None:
    """Judge and promote a version, or serve the one before again."""
    if read_only:
        hint("This app is read-only: versions are promoted and rolled back on the machine that serves it.")
        return
    _judge([item for item in found if not item.fault and item.id != at.promoted], at)
    _offer_rollback(at)


def _judge(candidates: Sequence[Version], at: Promotion) -> None:
    st.html(
        '<h3 class="sl-heading">Promote <small>no worse on dev queries than what is served, '
        "and every pinned expectation holds</small></h3>"
    )
    if not candidates:
        hint("There is no other version that is whole; train one, and it can be promoted here.")
        return
    by_id = {item.id: item for item in candidates}
    first, second, third = st.columns(3)
    with first:
        version = pick("Version", list(by_id), key="models_candidate", default=candidates[-1].id)
    with second:
        opened = open_first_stage(pick_index(key="models_gate_index"))
    with third:
        depth = pick_depth(key="models_gate_depth", default=DEPTH)
    if opened is not None and _has_dev(opened):
        if st.button("Judge it", key="models_judge", icon=":material/gavel:"):
            _start(by_id[version], at, opened, depth)
        _outcome(version, at)


def _has_dev(opened: Opened) -> bool:
    splits = judged_splits(opened)
    if splits and SPLIT not in splits:
        name = opened.pipeline.index.manifest.name
        hint(f"The gate needs dev queries; the corpus of index {name} has {', '.join(splits)} only. Choose another.")
    return SPLIT in splits


def _start(version: Version, at: Promotion, opened: Opened, depth: int) -> None:
    for key in (ASKING, "models_force"):
        st.session_state.pop(key, None)
    try:
        pinned = tuple(pins.expectations(places.models() / pins.FILE))
        written = (version.folder / FILE).stat().st_mtime_ns
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    decided_by = (version.id, written, at.promoted, at.at, opened.fingerprint, judgments_fingerprint(opened), depth)
    job = assessments().start((*decided_by, pinned), _work(version.id, opened, depth))
    st.session_state[JUDGED] = (version.id, job)


def _work(version: str, opened: Opened, depth: int) -> Callable[[Progress], Assessment]:
    def judge(progress: Progress) -> Assessment:
        return assess(
            version,
            PatientPipeline(opened.pipeline),
            depth=depth,
            open_model=lambda path: PatientReranker(CrossEncoderReranker(path)),
            progress=progress,
        )

    return judge


def _outcome(version: str, at: Promotion) -> None:
    """What the gate says of the chosen version, and the button that promotes it."""
    kept: tuple[str, Job[Assessment]] | None = st.session_state.get(JUDGED)
    if kept is None or kept[0] != version:
        note("The gate measures it and the served version on the same dev queries; that takes a while.")
        return
    job = kept[1]
    if not show_work(job, key="models_judge") or job.result is None:
        return
    if job.result.seen != at:
        hint(f"{at.promoted} was promoted since {version} was judged; judge it again.")
        return
    _show_verdict(job.result)
    _offer_promotion(job.result)


def _show_verdict(found: Assessment) -> None:
    verdict = found.verdict
    if verdict.comparison is not None:
        note(f"On {verdict.dev_set}:", f"{verdict.comparison.sentence(verdict.candidate, verdict.against)}.")
    elif not verdict.missing:
        note("Nothing is served now, so there is nothing to compare it with.")
    if found.checked:
        kept = sum(item.holds for item in found.checked)
        note(f"{kept:,} of {len(found.checked):,} pinned expectations hold.")
        _show_expectations(found)
    else:
        note("No expectation is pinned.")
    for objection in verdict.objections:
        st.warning(plain(f"Against it: {objection}."), icon=":material/block:")
    if not verdict.objections:
        st.success("Nothing speaks against promoting it.", icon=":material/check:")


def _show_expectations(found: Assessment) -> None:
    columns = {
        "holds": [item.holds for item in found.checked],
        "query": [item.expectation.query for item in found.checked],
        "above": [item.expectation.above.label for item in found.checked],
        "its logit": [item.above for item in found.checked],
        "below": [item.expectation.below.label for item in found.checked],
        "its logit ": [item.below for item in found.checked],
    }
    st.dataframe(columns, hide_index=True, key="models_expectations")


def _offer_promotion(found: Assessment) -> None:
    refused = bool(found.verdict.objections)
    forced = refused and st.checkbox(
        "Promote it in spite of that", key="models_force", help="The reason is recorded beside the promotion."
    )
    label = "Reason (needed, and recorded)" if refused else "Reason (recorded)"
    reason = st.text_input(label, key="models_reason", max_chars=500)
    st.button(
        "Promote …",
        key="models_promote",
        type="primary",
        icon=":material/publish:",
        disabled=refused and not forced,
        on_click=_set_asking,
        args=("promote",),
    )
    question = f"Serve {found.candidate} in place of {found.seen.promoted} from now on?"
    if _confirmed("promote", question):
        _do(lambda: serve(found, by=promoted.person(), reason=reason, force=forced), "is served from now on")


def _offer_rollback(at: Promotion) -> None:
    st.html('<h3 class="sl-heading">Roll back <small>serve the version before again</small></h3>')
    if not at.before:
        note(f"{at.promoted} is served and nothing was promoted before it, so there is no way back.")
        return
    reason = st.text_input("Reason of the rollback (recorded)", key="models_rollback_reason", max_chars=500)
    st.button(
        f"Roll back to {plain(at.before)} …",
        key="models_rollback",
        icon=":material/undo:",
        on_click=_set_asking,
        args=("rollback",),
    )
    if _confirmed("rollback", f"Serve {at.before} again in place of {at.promoted}?"):
        _do(lambda: promoted.rollback(by=promoted.person(), reason=reason.strip()), "is served again")


def _set_asking(what: str) -> None:
    st.session_state[ASKING] = what


def _confirmed(what: str, question: str) -> bool:
    """Ask once more; True in the run in which yes was pressed."""
    if st.session_state.get(ASKING) != what:
        return False
    st.warning(plain(question), icon=":material/help:")
    with st.container(horizontal=True, gap="small"):
        yes = st.button("Yes", key=f"models_{what}_yes", type="primary", width="content")
        st.button("No", key=f"models_{what}_no", on_click=_set_asking, args=("",), width="content")
    return yes


def _do(action: Callable[[], Promotion], done: str) -> None:
    """Promote or roll back, then draw the page anew; or say why not."""
    st.session_state.pop(ASKING, None)
    try:
        now = action()
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    st.session_state[SAID] = f"{now.promoted} {done}; searches use it at once, without a restart."
    st.rerun()
