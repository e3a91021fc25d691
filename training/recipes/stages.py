"""Plans of stages: which data each stage trains on, how much of it, and how."""

import re
from dataclasses import dataclass, field, replace

from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from indexing.typed_json import check_types
from training.mining.groups import GroupSettings

KINDS = ("distill", "run", "judged", "questions")
ITSELF = "itself"
"""Name of a teacher: the re-ranker that the stage before trained."""
_JOINED = re.compile(r"\+(?=(?:given|itself)(?:\+|$)|first-stage|late-interaction|reranker:)")  # a path may contain a +
_TEACHER = re.compile(r"given|itself|(?:first-stage|late-interaction)(?::.+)?|reranker:.+")
MOST_LENGTH = 8192  # tokens


@dataclass(frozen=True)
class Ingredient:
    """Groups from one index and one set of queries."""

    index: str
    """Name of the index whose passages are used."""
    kind: str
    """What the targets are. `distill`: the first stage's scores; `run`: those of the run beside the queries; `judged`:
    grades; `questions`: the first stage's scores for questions found in passages, raised for the one that asks."""
    groups: int
    """At most this many groups."""
    queries: str = ""
    """Name of the index whose corpus holds the queries; empty if it is the same one."""
    repeats: int = 1
    """Groups made from each query, each with different passages."""
    ranks: tuple[int, int] = (1, 100)
    """First-stage ranks that passages are taken from, both included."""
    teacher: str = ""
    """The teacher that replaces the first stage for `distill` and `questions`, as a name for teacher.open_teacher;
    several are joined by +, and ITSELF may be one of them."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.kind not in KINDS:
            raise SettingsError(f"ingredient kind {self.kind!r} is unknown; choose one of {', '.join(KINDS)}.")
        for name in ("groups", "repeats"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; give 1 or more.")
        if not 1 <= self.ranks[0] <= self.ranks[1]:
            raise SettingsError(f"ranks is {self.ranks[0]} to {self.ranks[1]}; give a first rank from 1, then a last.")
        unknown = [name for name in self.teachers() if not _TEACHER.fullmatch(name)]
        if unknown:
            raise SettingsError(
                f"teacher {unknown[0]!r} is unknown; give given, first-stage[:BI-ENCODER], "
                f"late-interaction[:BI-ENCODER], reranker:NAME or {ITSELF}, joined by + where there are several."
            )

    def teachers(self) -> list[str]:
        """Names of its teachers; empty if the first stage is the teacher."""
        return _JOINED.split(self.teacher) if self.teacher else []

    def indexes(self) -> set[str]:
        """Names of the indexes whose passages and queries are used."""
        return {self.index, self.queries or self.index}


@dataclass(frozen=True)
class Stage:
    """One pass over shuffled groups, with its own learning rate."""

    name: str
    ingredients: tuple[Ingredient, ...]
    learning_rate: float
    """The peak rate: reached by a linear warm-up over the first tenth of the steps, then falling linearly to 0."""
    seed: int | None = None
    """Seeds the drawing of queries and passages; None for the seed of the plan's mining."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.learning_rate < float("inf"):
            raise SettingsError(f"learning_rate is {self.learning_rate}; give a number above 0.")

    def learns_from_itself(self) -> bool:
        """Whether the re-ranker of the stage before is among the teachers."""
        return any(ITSELF in ingredient.teachers() for ingredient in self.ingredients)

    def with_itself(self, path: str) -> "Stage":
        """The stage with ITSELF replaced by the re-ranker at `path`."""
        before = f"reranker:{path}"

        def resolved(ingredient: Ingredient) -> Ingredient:
            teachers = (before if name == ITSELF else name for name in ingredient.teachers())
            return replace(ingredient, teacher="+".join(teachers))

        return replace(self, ingredients=tuple(map(resolved, self.ingredients)))


@dataclass(frozen=True)
class StagePlan:
    """Everything that determines a training in stages, apart from the hardware."""

    stages: tuple[Stage, ...]
    base: str = DEFAULT_BI_ENCODER
    """The model to start from: a version's id, a hub name or a path; a bi-encoder gets a new head."""
    max_length: int = 160
    """Tokens of a pair in training; serving may use more."""
    groups_per_step: int = 16
    mining: GroupSettings = field(default_factory=GroupSettings)
    dropout: float = 0.0
    seed: int = 17
    learns_from: str = ""
    """Completes the sentence "It learns from …" in the app."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 16 <= self.max_length <= MOST_LENGTH:
            raise SettingsError(f"max_length is {self.max_length}; give 16 to {MOST_LENGTH:,} tokens.")
        if self.groups_per_step < 1:
            raise SettingsError(f"groups_per_step is {self.groups_per_step}; give 1 or more.")
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"dropout is {self.dropout}; give a share from 0 to below 1.")
        if self.seed < 0:
            raise SettingsError(f"seed is {self.seed}; give 0 or more.")
        if self.stages and self.stages[0].learns_from_itself():
            raise SettingsError(
                f"Stage {self.stages[0].name!r} is the first and has no re-ranker before it to learn from; leave "
                f"{ITSELF} out of its teachers."
            )

    def indexes(self) -> set[str]:
        """Names of all indexes that its stages read."""
        return {name for stage in self.stages for ingredient in stage.ingredients for name in ingredient.indexes()}
