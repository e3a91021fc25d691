"""The data of a training that people made in this app: grades and judgments from clicks, as files of its own."""

from pathlib import Path

from app.views.train.choice import TrainingDataChoice
from indexing import places
from indexing.errors import SettingsError
from training.judgments.clicks.kept import clicks_to_train, kept_clicks, write_clicks_to_train
from training.judgments.export import write_feedback
from training.judgments.feedback import FeedbackStore


def write_own_data(data: TrainingDataChoice, folder: Path, *, root: Path) -> None:
    """Write the chosen ones into the folder, so that a training keeps its own when others are made.

    Raises:
        SettingsError: clicks are chosen that somebody has removed since.
        CorpusError: what is kept can't be read.
    """
    if data.feedback:
        write_feedback(FeedbackStore.open(places.feedback()), folder, root=root)
    if data.clicks:
        kept = kept_clicks(data.index)
        if kept is None:
            raise SettingsError(f"No judgments from clicks are kept for {data.index} any more; choose other data.")
        write_clicks_to_train(clicks_to_train(kept, FeedbackStore.open(places.feedback())), folder)
