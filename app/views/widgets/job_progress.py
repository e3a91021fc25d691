"""How far trainings and builds are, in words and shares, for their own pages and for the strip on every page."""

from app.views.widgets.figures import duration_text
from indexing.jobs.build_job import BuildJob
from training.jobs.jobs import TrainingJob
from training.jobs.status import TrainingStatus

TRAINING_STATES = {
    "queued": "Starting",
    "gathering": "Gathering training data",
    "training": "Training",
    "evaluating": "Measuring on the dev set",
    "stopping": "Stopping after the current step",
    "finished": "Ready",
    "stopped": "Stopped",
    "failed": "Failed",
    "crashed": "Ended unexpectedly",
}
BUILD_PHASES = {
    "fetch": "Fetching from the hub",
    "encode": "Encoding passages",
    "ids": "Writing the id table",
    "bm25": "Building the BM25 index",
    "dense": "Building the FAISS index",
    "recall": "Measuring recall",
}


def training_text(job: TrainingJob) -> str:
    """The state of a training, the phase, the steps or queries done, and the time left of what is counted."""
    status = job.status
    parts = [TRAINING_STATES[job.state]]
    full = 0 < status.total <= status.done
    if status.phase and job.state != "stopping":
        parts.append(f"{status.phase}: all {status.total:,} done, preparing what follows" if full else status.phase)
    if status.state == "training" and status.step:
        parts.append(f"step {status.step:,} of {status.steps:,}")
    if status.done and not full:
        parts.append(f"{status.done:,} of {status.total:,}" if status.total else f"{status.done:,} done")
    if status.left_of_phase is not None and not full:
        parts.append(f"about {duration_text(status.left_of_phase)} left of this part")
    return ", ".join(parts) + " …"


def training_share(status: TrainingStatus) -> float:
    """The share done of the steps, or of what is counted before and after them; 0 where nothing is being counted."""
    if status.state == "training" and status.steps:
        return min(status.step / status.steps, 1.0)
    return status.done / status.total if status.done < status.total else 0.0


def build_text(job: BuildJob) -> str:
    """The phase of a build and, where known, the passages done, their rate and the time left."""
    status = job.status
    if job.state == "stopping":
        return "Stopping at the next safe point …"
    if not status.phase:
        return (
            "Measuring a sample …"
            if job.request.task == "estimate"
            else "Loading the bi-encoder and reading passages …"
        )
    of = f" of {status.total:,}" if status.total else ""
    parts = [f"{BUILD_PHASES.get(status.phase, status.phase)}: {status.done:,}{of}"]
    if status.rate:
        parts.append(f"{status.rate:,.0f} per second")
    if status.seconds_left is not None:
        parts.append(f"about {duration_text(status.seconds_left)} left")
    return ", ".join(parts)


def build_share(job: BuildJob) -> float:
    """The share of the phase that is done; 0 where it is unknown."""
    status = job.status
    return min(status.done / status.total, 1.0) if status.total else 0.0
