"""About what a build will take, told beside its button: by a build that was made here, else by a short measurement."""

from collections.abc import Callable, Hashable
from html import escape
from pathlib import Path

import streamlit as st

from app.background import BackgroundJob, BackgroundJobs, Subject
from app.views.indexes.figures import measured_text, pace_text, passages_text
from app.views.widgets.work import progress_text
from indexing.building.figures import Estimate
from indexing.building.pace import build_pace
from indexing.building.settings import BuildSettings
from indexing.corpus.preview import Preview
from indexing.pretrained import bundled_path
from indexing.progress import Progress
from indexing.records import Passage

LAST_KEY = "indexes_measured"  # session: what was measured last, and its work
SUBJECT = Subject("a measurement of the bi-encoder", "indexes", unit="passages")
MEASURING = "Measuring how fast they are encoded here …"
NOT_HERE = "How long it takes is known once its bi-encoder is on this machine."


@st.cache_resource(show_spinner=False)
def measurements() -> BackgroundJobs[Estimate]:
    """The measurements of all sessions."""
    return BackgroundJobs()


def show_about(preview: Preview, settings: BuildSettings, *, root: Path) -> None:
    """Say how many passages there are and about what a build of them takes; measured first where nothing tells it."""
    pace = build_pace(settings.bi_encoder, root=root)
    passages = passages_text(preview)
    if pace is not None:
        _say(pace_text(preview, pace))
    elif not Path(bundled_path(settings.bi_encoder)).is_dir():
        _say(f"{passages}. {NOT_HERE}")
    elif preview.sample:
        job = _measurement(preview, settings)
        if not job.over:
            st.fragment(_wait, run_every=1)(job, passages)
        elif job.result is not None:
            _say(measured_text(preview, job.result))
        else:
            _say(f"{passages}. How long it takes couldn't be measured: {job.problem or 'it was stopped.'}")


def _measurement(preview: Preview, settings: BuildSettings) -> BackgroundJob[Estimate]:
    """The measurement of this corpus by these settings, made once, however it ended."""
    key = (preview.sample, preview.passages, settings)
    last: tuple[Hashable, BackgroundJob[Estimate]] | None = st.session_state.get(LAST_KEY)
    if last is not None and last[0] == key:
        return last[1]
    job = measurements().start(key, _work(preview.sample, preview.passages, settings), SUBJECT)
    st.session_state[LAST_KEY] = key, job
    return job


def _work(sample: tuple[Passage, ...], count: int, settings: BuildSettings) -> Callable[[Progress], Estimate]:
    def work(_: Progress) -> Estimate:
        from indexing.building.estimate import estimate_by

        return estimate_by(sample, count=max(count, len(sample)), settings=settings)

    return work


def _wait(job: BackgroundJob[Estimate], passages: str) -> None:
    if job.over:
        st.rerun()  # the whole page: its result can be told now
    _say(f"{passages}. {progress_text(job) if job.state == 'waiting' else MEASURING}")


def _say(sentence: str) -> None:
    st.html(f'<div class="sl-quiet" id="indexes-about">{escape(sentence)}</div>')
