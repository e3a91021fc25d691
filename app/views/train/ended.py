"""The training that ended last, which is shown on arrival until this user dismisses it."""

import json
import time
from collections.abc import Mapping, Sequence

from indexing import atomic
from training.jobs.jobs import TrainingJob

RECENT = 24 * 3600.0  # seconds for which it is shown
FILE = "dismissed.json"  # in the job's folder: by user, the end that was dismissed


def latest_ended(jobs: Sequence[TrainingJob], *, user: str) -> TrainingJob | None:
    """The training that ended last, if that was within a day and the user hasn't dismissed it.

    Older ones stay in the list alone, so that dismissing one doesn't bring up another.
    """
    latest = max((job for job in jobs if not job.alive), key=lambda job: job.status.updated, default=None)
    if latest is None or time.time() - latest.status.updated > RECENT:
        return None
    return None if _dismissed(latest).get(user) == latest.status.updated else latest


def dismiss(job: TrainingJob, *, user: str) -> None:
    """Show it to this user no more, unless it is resumed and ends again. Raises CorpusError if that can't be kept."""
    if job.folder.is_dir():
        atomic.write_json(job.folder / FILE, {**_dismissed(job), user: job.status.updated})


def _dismissed(job: TrainingJob) -> Mapping[str, float]:
    try:
        values = json.loads((job.folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
