"""The click log that a user gives: read once, and kept in the session as what it says of an index's passages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from indexing import places
from indexing.corpus import upload as uploads
from indexing.errors import SecondLookError, SettingsError
from indexing.index import Index
from training.judgments.clicks.expected import ClickSettings
from training.judgments.clicks.judge import ClickJudgments, judge_clicks
from training.judgments.clicks.received import ENDINGS, ReceivedLog, SentLog, logs_here, received

_READ_KEY = "teach_clicks_read"  # session: what was read, and what it says or why it couldn't be read


@dataclass(frozen=True)
class GivenLog:
    """The files of one log."""

    sent: tuple[SentLog, ...]
    here: tuple[Path, ...]
    """Those that lie on the server."""
    key: tuple[object, ...]
    """Changes with the files."""

    @contextmanager
    def files(self) -> Iterator[tuple[ReceivedLog, list[Path]]]:
        """The files on disk for the block. Raises CorpusError and SettingsError as `received` does."""
        with received(self.sent, limit=uploads.limit()) as log:
            yield log, [*log.paths, *self.here]


def choose_log() -> GivenLog | None:
    """Fields for the log's files; None while none is given. Raises SettingsError for an invalid upload limit."""
    sent = st.file_uploader(
        "Click log",
        type=list(ENDINGS),
        accept_multiple_files=True,
        key="teach_clicks_upload",
        max_upload_size=uploads.limit(),
        help="JSON lines in the form of User Behavior Insights, as OpenSearch keeps them: the queries and the events, "
        f"in one file or in several, plain or .gz. A larger log can be put below {places.click_logs()} on the server.",
    )
    known = {path.name: path for path in logs_here()}
    chosen = []
    if known:
        names = st.multiselect("Or logs on the server", list(known), key="teach_clicks_here")
        chosen = [known[name] for name in names]
    if not sent and not chosen:
        return None
    stats = [path.stat() for path in chosen]
    key = (
        *(file.file_id for file in sent),
        *((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in zip(chosen, stats, strict=True)),
    )
    return GivenLog(tuple(SentLog(file.name, file) for file in sent), tuple(chosen), key)


def read_given(log: GivenLog, index: Index) -> ClickJudgments:
    """What the log says of the index's passages, read only once. Raises SecondLookError for what can't be used."""
    key = (log.key, index.manifest.name, index.manifest.build)
    last: tuple[object, ClickJudgments | str] | None = st.session_state.get(_READ_KEY)
    if last is None or last[0] != key:
        last = key, _read(log, index)
        st.session_state[_READ_KEY] = last
    if isinstance(last[1], str):
        raise SettingsError(last[1])
    return last[1]


def _read(log: GivenLog, index: Index) -> ClickJudgments | str:
    """The judgments, or a sentence on why there are none."""
    try:
        with st.spinner("Reading every line …"), log.files() as (sent, paths):
            judgments = judge_clicks(paths, ClickSettings(), note=_told_below)
            judgments = replace(judgments, notes=tuple(map(sent.named, judgments.notes)))
            return judgments.within(index.manifest.name, holds=index.passages.__contains__)
    except SecondLookError as error:
        return str(error)


def _told_below(_: str) -> None:
    """Nothing: the judgments hold their notes, and the page shows them."""
