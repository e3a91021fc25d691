"""Settings of a training: everything but the recipe and the data."""

from dataclasses import dataclass, fields

from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from indexing.typed_json import check_types
from training.recipes.catalog import find_loss_recipe
from training.recipes.recipe import Recipe

PRECISIONS = ("auto", "bf16", "float32")
POSITIVE = ("learning_rate", "epochs", "steps", "minutes", "batch", "micro_batch")
MOST = 10**10  # of any number
MOST_SEED = 2**31 - 1  # below NumPy's limit, because second passes and rounds add to it


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of one training. For None in `learning_rate` and `batch`, the recipe's own value applies."""

    base: str = DEFAULT_BI_ENCODER
    """The model to start from: a hub name, a path or a version's id; a bi-encoder gets a new head."""
    learning_rate: float | None = None
    """The peak rate: reached by a linear warm-up, then falling linearly to 0."""
    epochs: float | None = None
    """Times that each row is seen, at most where `minutes` are given too; None for once, or as `steps` or `minutes`
    say."""
    steps: int | None = None
    """Optimizer steps, for a cold start those of both passes together; None to train for `epochs`."""
    minutes: float | None = None
    """Time to train, without evaluations, all passes together; how many steps fit is measured at the start. None for
    no limit."""
    batch: int | None = None
    """Rows in one step of the optimizer, on each device."""
    micro_batch: int | None = None
    """Rows whose graph is in memory at once; their gradients are summed over a batch. None for the whole batch."""
    max_length: int = 160
    """Tokens of a pair in training; serving may use more."""
    warmup: float = 0.1
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = 0.01
    dropout: float = 0.0
    """0 trains faster on a CPU, where random numbers are drawn on one thread."""
    precision: str = "auto"
    """`auto` measures which format this machine computes fastest in; even with `bf16`, weights stay in float32."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of storing them: less memory, a third more time."""
    save_every: int = 100
    """Steps between checkpoints; 0 for none."""
    evaluate_every: int = 0
    """Steps between evaluations on the dev set, of which the best weights are used in the end; 0 for none."""
    patience: int = 0
    """Stop after this many evaluations without improvement; 0 to train to the end."""
    seed: int = 17

    def __post_init__(self) -> None:
        check_types(self)
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision {self.precision!r} is unknown; choose one of {', '.join(PRECISIONS)}.")
        for name in POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SettingsError(f"{name} is {value}; give a number above 0.")
        for name in ("save_every", "evaluate_every", "patience", "seed", "weight_decay"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"{name} is {getattr(self, name)}; give 0 or more.")
        if self.seed > MOST_SEED:
            raise SettingsError(f"seed is {self.seed}; give at most {MOST_SEED:,}.")
        for name in (*POSITIVE, "save_every", "evaluate_every", "patience", "weight_decay"):
            if (getattr(self, name) or 0) > MOST:
                raise SettingsError(f"{name} is {str(getattr(self, name))[:40]}; give at most {MOST:,}.")
        for name in ("warmup", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; give a share from 0 to below 1.")
        if not 16 <= self.max_length <= 8192:
            raise SettingsError(f"max_length is {self.max_length}; give 16 to 8,192 tokens.")
        if self.patience and not self.evaluate_every:
            raise SettingsError(f"patience is {self.patience} but nothing is evaluated; give evaluate_every too.")

    def by(self, recipe: str) -> "FitSettings":
        """The same settings for a pass that minimizes a recipe's loss on its form of rows."""
        return FitSettings(recipe=recipe, **{entry.name: getattr(self, entry.name) for entry in fields(TrainSettings)})


@dataclass(frozen=True, kw_only=True)
class FitSettings(TrainSettings):
    """Settings of one pass over rows: those of a training, and the recipe whose loss and rows it uses."""

    recipe: str
    """A key of catalog.LOSS_RECIPES."""

    def __post_init__(self) -> None:
        find_loss_recipe(self.recipe)
        super().__post_init__()

    @property
    def loss_recipe(self) -> Recipe:
        """The recipe: loss, form of rows and usual settings."""
        return find_loss_recipe(self.recipe)

    @property
    def rows_a_step(self) -> int:
        """Rows in one step of the optimizer, on each device."""
        return self.batch or self.loss_recipe.batch

    @property
    def peak_rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or self.loss_recipe.learning_rate
