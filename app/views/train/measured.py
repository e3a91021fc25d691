"""What the figures of a training are of, in words: the judged set, its queries, the depth and the build."""

from pathlib import Path

from indexing.catalogue import current_build
from indexing.errors import ModelError, SecondLookError
from indexing.notes import counted
from training.jobs.jobs import TrainingJob
from training.versions.manifest import VersionManifest


def measured_words(job: TrainingJob) -> str:
    """As the version's manifest records it, else as it was asked for; empty where nothing is measured."""
    if recorded := _recorded(job):
        return recorded
    dev = job.request.dev
    if dev is None:
        return ""
    queries = counted(dev.queries, "query", "queries")
    return f"{dev.index} {dev.split}, up to {queries}, depth {dev.depth:,}, build {_build(job, dev.index)}"


def _recorded(job: TrainingJob) -> str:
    """What the manifest says of each judged set; empty where there is no version yet, or it doesn't say."""
    if not job.status.version:
        return ""
    try:
        sets = VersionManifest.load(Path(job.status.version)).measured_on
    except ModelError:
        return ""
    return "; ".join(f"{name}, {known.words()}" for name, known in sets.items())


def _build(job: TrainingJob, index: str) -> str:
    """The build that is searched since before the training began; of a later one, the training may know nothing."""
    try:
        folder = current_build(index, root=job.request.root)
        since = (folder.parent / "current").stat().st_mtime
    except (SecondLookError, OSError):
        return "not recorded"
    return folder.name if since <= job.status.started else "not recorded"
