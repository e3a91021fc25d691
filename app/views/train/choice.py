"""A training as a user set it, as one value that becomes a request."""

from dataclasses import dataclass
from pathlib import Path

from indexing.errors import SettingsError
from indexing.names import NAME
from training.data.questions import ColdStart
from training.data.readers.hub import HUB_DATA
from training.data.settings import DataSettings
from training.jobs.jobs import next_output
from training.judgments.export import FEEDBACK_FILE
from training.judgments.kept import Origin
from training.mining.settings import MiningSettings
from training.recipes.catalog import find_loss_recipe
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train.request import DevSettings, TrainRequest


@dataclass(frozen=True, kw_only=True)
class TrainingDataChoice:
    """What a training learns from."""

    index: str
    judged: bool
    """Whether to use the index's judged train queries."""
    feedback: bool
    """Whether to use the grades from the Teach page."""
    kept: tuple[Origin, ...]
    """Whose judgments that are kept for the index, beside people's grades, to use."""
    hub: bool
    """Whether to use the recipe's data on the hub."""
    limit: int
    """Most examples of each source."""
    teacher: str
    """The model whose scores are learned; empty for the scores of the data."""
    queries: int
    """How many queries a cold start makes."""
    mining: MiningSettings


@dataclass(frozen=True, kw_only=True)
class TrainingChoice:
    """A training as a user set it."""

    name: str
    recipe: str
    settings: TrainSettings
    data: TrainingDataChoice
    dev: DevSettings | None
    whole: bool = True
    """Whether the settings' minutes count everything: gathering, mining and measuring too."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise SettingsError(
                f"A version can't be called {self.name[:80]!r}; give letters, digits, '.', '_' or '-', at most 64 of "
                "them, the first a letter or a digit."
            )

    def request(self, folder: Path, *, root: Path) -> TrainRequest:
        """The training as a request for the next free version number, with the files of `own_data` in `folder`.

        Raises:
            SettingsError: no data is chosen.
        """
        chosen, recipe = self.data, find_loss_recipe(self.recipe)
        by_id = chosen.hub and recipe.name in HUB_DATA and HUB_DATA[recipe.name].rows is not None
        mined = recipe.mining is not None and (chosen.hub or chosen.feedback)
        data = DataSettings(
            sources=self._sources(folder),
            index=chosen.index if recipe.from_passages or by_id or mined else "",
            limit=chosen.limit,
            teacher=chosen.teacher,
            mining=chosen.mining,
            cold=ColdStart(queries=chosen.queries, seed=self.settings.seed),
        )
        output = next_output(self.name)
        return TrainRequest(
            output=output,
            recipe=self.recipe,
            settings=self.settings,
            data=data,
            dev=self.dev,
            root=root,
            whole=self.whole,
        )

    def _sources(self, folder: Path) -> tuple[Source, ...]:
        judged, feedback = Source("index", self.data.index), Source("feedback", str(folder / FEEDBACK_FILE))
        if find_loss_recipe(self.recipe).from_passages:
            return (judged,)
        chosen = {
            judged: self.data.judged,
            feedback: self.data.feedback,
            **{self._kept(origin, folder): True for origin in self.data.kept},
            Source("hub"): self.data.hub,
        }
        sources = tuple(source for source, is_chosen in chosen.items() if is_chosen)
        if not sources:
            raise SettingsError(
                "No training data is chosen; choose the index's judged queries, your own judgments, clicks or the "
                "hub's data."
            )
        return sources

    def _kept(self, origin: Origin, folder: Path) -> Source:
        files = (("queries", str(folder / origin.queries)), ("qrels", str(folder / origin.qrels)))
        return Source("judged", self.data.index, files)
