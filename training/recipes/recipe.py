"""What a recipe is: a loss, the rows it learns from, and what it needs. Imports nothing heavy."""

from dataclasses import dataclass

from training.mining.settings import MiningSettings
from training.recipes.rows import FORMS, Form
from training.recipes.stages import StagePlan


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a re-ranker is trained. Code that runs trainings reads these attributes and never compares names."""

    name: str
    learns_from: str
    """Completes the sentence "It learns from …"."""
    loss: str
    """A key of losses.LOSSES, which builds the loss for a model."""
    form_name: str
    """The form of its rows: a key of rows.FORMS."""
    batch: int
    """Rows in one step of the optimizer."""
    learning_rate: float
    """The peak rate."""
    good_for: str
    """When to choose it, in one or two sentences."""
    related: tuple[str, ...] = ()
    """Names of recipes to consider in its place."""
    paper: str
    """Where its loss was published."""
    mean_over: str = "rows"
    """What the loss is a mean over: a key of losses.COUNTERS."""
    whole_batch: bool = False
    """Whether the rows of a batch are each other's negatives, so that a batch can't be computed in parts."""
    needs_index: bool = False
    """Whether it needs an index: DataSettings.index must name one, unless every source is an index."""
    from_passages: bool = False
    """Whether its queries are made from an index's passages; it then reads no judgments and no other source."""
    mixes_grades: bool = False
    """Whether its targets are grades and a teacher's scores together, by DataSettings.target."""
    own_teacher: bool = False
    """Whether it has a fixed teacher, so that no other can be chosen."""
    teaches_itself: bool = False
    """Whether a second pass learns from the mean of the targets and the first pass's own scores."""
    mining: MiningSettings | None = None
    """How it mines negatives for every example with judged passages, in place of DataSettings.mining."""
    plan: StagePlan | None = None
    """Its stages with data of their own; None for a recipe of a single loss."""

    @property
    def form(self) -> Form:
        """The form of its rows."""
        return FORMS[self.form_name]

    @property
    def list_loss(self) -> bool:
        """Whether a row is a list of passages, which the loss compares with each other."""
        return "passages" in self.form.columns

    @property
    def needs_scores(self) -> bool:
        """Whether examples must bring a teacher's scores."""
        return self.form.needs == "scores"

    @property
    def own_examples(self) -> bool:
        """Whether it makes different examples from the same data than most recipes do."""
        return self.from_passages or self.mining is not None

    @property
    def passes(self) -> int:
        """Passes over the rows' queries; steps and minutes are divided among them."""
        return 2 if self.teaches_itself else 1
