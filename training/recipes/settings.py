"""How a re-ranker is trained: everything but the recipe and the data."""

from dataclasses import dataclass, fields

from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from training.recipes.catalog import find_loss_recipe
from training.recipes.recipe import Recipe

PRECISIONS = ("auto", "bf16", "float32")
MOST_SEED = 2**31 - 1  # below what numpy takes, as second passes and rounds count on from it


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of one training. Where a value is None, the recipe's own applies."""

    base: str = DEFAULT_BI_ENCODER
    """The model to start from: a hub name, a path or a version's id; a bi-encoder gets a new head."""
    learning_rate: float | None = None
    """Peak, after a linear warm-up; falls linearly to 0."""
    epochs: float = 1.0
    """Times that each row is seen, unless `steps` or `minutes` set another end."""
    steps: int | None = None
    """Steps of the optimizer, those of a cold start's two passes together; None for `epochs` of each."""
    minutes: float | None = None
    """Time to train, both passes together, without evaluations: how many steps fit is measured at the start; None for
    no such limit."""
    batch: int | None = None
    """Rows in one step of the optimizer, on each device."""
    micro_batch: int | None = None
    """Rows whose graph is in memory at once; gradients are summed up to a whole batch. None for the whole batch."""
    max_length: int = 160
    """Tokens of a pair while training; serving may take more."""
    warmup: float = 0.1
    """Share of the steps."""
    weight_decay: float = 0.01
    dropout: float = 0.0
    """0 trains faster on a CPU, which draws the random numbers on one thread."""
    precision: str = "auto"
    """`auto` takes what this machine computes fastest, measured; `bf16` keeps weights in float32 all the same."""
    gradient_checkpointing: bool = False
    """Compute activations twice and keep none of them: less memory, a third more time."""
    save_every: int = 100
    """Steps between checkpoints; 0 for none."""
    evaluate_every: int = 0
    """Steps between evaluations on the dev set, the best weights being kept; 0 for none."""
    patience: int = 0
    """Evaluations without a better one after which training stops; 0 to go on to the end."""
    seed: int = 17

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision {self.precision!r} is unknown; choose one of {', '.join(PRECISIONS)}.")
        for name in ("learning_rate", "epochs", "steps", "minutes", "batch", "micro_batch"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SettingsError(f"{name} is {value}; give a number above 0.")
        for name in ("save_every", "evaluate_every", "patience", "seed", "weight_decay"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} is {getattr(self, name)}; give 0 or more.")
        if self.seed > MOST_SEED:
            raise SettingsError(f"seed is {self.seed}; give at most {MOST_SEED:,}.")
        for name in ("warmup", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; give a share from 0 to below 1.")
        if not 16 <= self.max_length <= 8192:
            raise SettingsError(f"max_length is {self.max_length}; give 16 to 8,192 tokens.")
        if self.patience and not self.evaluate_every:
            raise SettingsError(f"patience is {self.patience} but nothing is evaluated; give evaluate_every too.")

    def by(self, recipe: str) -> "FitSettings":
        """The same settings for a pass that learns by a recipe's loss, on its form of rows."""
        return FitSettings(recipe=recipe, **{item.name: getattr(self, item.name) for item in fields(TrainSettings)})


@dataclass(frozen=True, kw_only=True)
class FitSettings(TrainSettings):
    """Settings of one pass over rows: those of a training, and whose loss is minimized on which form of rows."""

    recipe: str
    """One of catalog.LOSS_RECIPES."""

    def __post_init__(self) -> None:
        find_loss_recipe(self.recipe)
        super().__post_init__()

    @property
    def loss_recipe(self) -> Recipe:
        """Loss, rows and usual settings."""
        return find_loss_recipe(self.recipe)

    @property
    def rows_a_step(self) -> int:
        """Rows in one step of the optimizer, on each device."""
        return self.batch or self.loss_recipe.batch

    @property
    def peak_rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or self.loss_recipe.learning_rate
