"""The data of a training that was made in this app: people's grades and what is kept beside them, as its files."""

from pathlib import Path

from app.views.train.choice import TrainingDataChoice
from indexing import places
from training.judgments.export import write_feedback
from training.judgments.feedback import FeedbackStore
from training.judgments.kept import write_to_train


def write_own_data(data: TrainingDataChoice, folder: Path, *, root: Path) -> None:
    """Write the chosen ones into the folder, so that a training keeps its own when others are made.

    Raises:
        SettingsError: judgments are chosen that somebody has removed since.
        CorpusError: what is kept can't be read.
    """
    if data.feedback:
        write_feedback(FeedbackStore.open(places.feedback()), folder, root=root)
    for origin in data.kept:
        write_to_train(origin, data.index, folder, FeedbackStore.open(places.feedback()))
