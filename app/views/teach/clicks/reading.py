"""The click log that a user gives: read once, and kept in the session as what it says of an index's passages."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from app.views.teach.readings import forget, read_within
from indexing import places
from indexing.corpus import upload as uploads
from indexing.index import Index
from indexing.notes import silent_note
from training.judgments.clicks.expected import ClickSettings
from training.judgments.clicks.judge import ClickJudgments, judge_clicks
from training.judgments.clicks.received import ENDINGS, logs, logs_here
from training.judgments.received import SentFile, received

SLOTS = ("teach_clicks_read", "teach_clicks_fit")  # session: the log as it was read, and of it what an index holds
_UPLOAD, _HERE = "teach_clicks_upload", "teach_clicks_here"


@dataclass(frozen=True)
class GivenLog:
    """The files of one log."""

    sent: tuple[SentFile, ...]
    here: tuple[Path, ...]
    """Those that lie on the server."""
    key: Hashable
    """Changes with the files."""


def choose_log() -> GivenLog | None:
    """Fields for the log's files; None while none is given. Raises SettingsError for an invalid upload limit."""
    sent = st.file_uploader(
        "Click log",
        type=list(ENDINGS),
        accept_multiple_files=True,
        key=_UPLOAD,
        on_change=_forget_removed,
        max_upload_size=uploads.limit(),
        help="JSON lines in the form of User Behavior Insights, as OpenSearch keeps them: the queries and the events, "
        f"in one file or in several, plain or .gz. A larger log can be put below {places.click_logs()} on the server.",
    )
    known = {path.name: path for path in logs_here()}
    chosen = []
    if known:
        names = st.multiselect("Or logs on the server", list(known), key=_HERE, on_change=_forget_removed)
        chosen = [known[name] for name in names]
    if not sent and not chosen:
        return None
    stats = [path.stat() for path in chosen]
    key = (
        *(file.file_id for file in sent),
        *((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in zip(chosen, stats, strict=True)),
    )
    return GivenLog(tuple(SentFile(file.name, file) for file in sent), tuple(chosen), key)


def read_given(log: GivenLog | None, index: Index) -> ClickJudgments | None:
    """What the log says of the index's passages, read only once; without a log, what the last one said, if any.

    Raises:
        SettingsError: it can't be used.
    """
    return read_within(SLOTS, log, _read, index, key=lambda log: log.key)


def _forget_removed() -> None:
    """Forget the log when the user has taken its last file away, which a change of the page doesn't."""
    if not st.session_state.get(_UPLOAD) and not st.session_state.get(_HERE):
        forget(*SLOTS)


def _read(log: GivenLog) -> ClickJudgments:
    with (
        st.spinner("Reading every line …"),
        received(log.sent, logs(), limit=uploads.limit()) as sent,
    ):
        judgments = judge_clicks([*sent.paths, *log.here], ClickSettings(), note=silent_note)
        return replace(judgments, notes=tuple(map(sent.named, judgments.notes)))
