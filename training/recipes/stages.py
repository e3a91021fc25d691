"""Recipes: which data in what amounts, and how it is trained on."""

from dataclasses import dataclass, field, replace

from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from training.mining.groups import GroupSettings

KINDS = ("distill", "run", "judged", "questions")
ITSELF = "itself"
"""A teacher that is the re-ranker of the stage before."""


@dataclass(frozen=True)
class Ingredient:
    """Groups from one index and one set of queries."""

    index: str
    """Name of the index whose passages are used."""
    kind: str
    """What the targets are: `distill` the first stage's scores, `run` those of the run beside the queries, `judged`
    grades, `questions` the first stage's for questions that passages ask, more for the passage that asks."""
    groups: int
    """At most so many groups."""
    queries: str = ""
    """Name of the index whose corpus holds the queries; empty for the same one."""
    repeats: int = 1
    """Groups made of one query, with other passages each time."""
    ranks: tuple[int, int] = (1, 100)
    """First-stage ranks that passages are taken from."""
    teacher: str = ""
    """Gives the targets of `distill` and `questions` in the first stage's place, as teacher.open_teacher reads it; one
    of several joined by + may be ITSELF."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"ingredient kind {self.kind!r} is unknown; choose of {', '.join(KINDS)}.")

    def indexes(self) -> set[str]:
        """Names of the indexes whose passages and queries are used."""
        return {self.index, self.queries or self.index}


@dataclass(frozen=True)
class Stage:
    """One pass over shuffled groups, with its own learning rate."""

    name: str
    ingredients: tuple[Ingredient, ...]
    learning_rate: float
    """Peak, after a linear warm-up over the first tenth; falls linearly to 0."""
    seed: int | None = None
    """Of the draws of queries and passages; None: that of the recipe's mining."""

    def learns_from_itself(self) -> bool:
        """Whether the re-ranker of the stage before is among the teachers."""
        return any(ITSELF in item.teacher.split("+") for item in self.ingredients)

    def with_itself(self, path: str) -> "Stage":
        """The stage with the re-ranker at `path` in the place of ITSELF."""
        before = f"reranker:{path}"
        return replace(
            self,
            ingredients=tuple(
                replace(item, teacher="+".join(before if one == ITSELF else one for one in item.teacher.split("+")))
                for item in self.ingredients
            ),
        )


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training, but the hardware."""

    stages: tuple[Stage, ...]
    base: str = DEFAULT_BI_ENCODER
    max_length: int = 160
    """Tokens of a pair in training; serving may take more."""
    groups_per_step: int = 16
    mining: GroupSettings = field(default_factory=GroupSettings)
    dropout: float = 0.0
    seed: int = 17

    def __post_init__(self) -> None:
        if self.stages and self.stages[0].learns_from_itself():
            raise SettingsError(
                f"Stage {self.stages[0].name!r} is the first and has no re-ranker before it to learn from; leave "
                f"{ITSELF} out of its teachers."
            )
