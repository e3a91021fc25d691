"""The losses of the recipes, from sentence-transformers, built for a model when it is there to train."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.cross_encoder import losses
from sentence_transformers.cross_encoder.losses import NDCGLoss2PPScheme, PListMLELambdaWeight
from torch.nn import Module

from training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from training.fitting.model import PairModel

ALL = -1  # mini_batch_size: every pair in one call, which the model itself splits
CACHED_PAIRS = 64  # pairs whose graph is in memory at once with the cached loss

LOSSES: Mapping[str, tuple[Callable[..., Module], Mapping[str, Any]]] = {
    "binary cross-entropy": (losses.BinaryCrossEntropyLoss, {}),
    "cached multiple negatives ranking": (
        losses.CachedMultipleNegativesRankingLoss,
        {"mini_batch_size": CACHED_PAIRS},
    ),
    "listnet": (losses.ListNetLoss, {}),
    "lambda": (losses.LambdaLoss, {"weighting_scheme": NDCGLoss2PPScheme()}),
    "listmle": (losses.ListMLELoss, {"respect_input_order": False}),
    "plistmle": (losses.PListMLELoss, {"lambda_weight": PListMLELambdaWeight(), "respect_input_order": False}),
    "ranknet": (losses.RankNetLoss, {}),
    "adr-mse": (losses.ADRMSELoss, {}),
    "mse": (losses.MSELoss, {}),
    "margin-mse": (losses.MarginMSELoss, {}),
}
"""By the name that Recipe.loss has: the class, and its settings.

The (P)ListMLE losses would take a list's order for the truth; here they go by its labels.
"""

Counter = Callable[[Mapping[str, Any]], float]
"""How many of the things that a loss is a mean over some rows hold; the collator names their labels `label`."""


def make_loss(recipe: Recipe, model: "PairModel") -> Module:
    """The recipe's loss for a model."""
    kind, settings = LOSSES[recipe.loss]
    return kind(model, **({"mini_batch_size": ALL} if recipe.list_loss else {}), **settings)


def counter(recipe: Recipe) -> Counter:
    """Counts what the recipe's loss is a mean over."""
    return COUNTERS[recipe.mean_over]


def rows_in(rows: Mapping[str, Any]) -> float:
    """The number of rows, whatever each holds."""
    return len(next(iter(rows.values())))


def passages_in(rows: Mapping[str, Any]) -> float:
    """The number of passages in all lists."""
    return sum(len(labels) for labels in rows["label"])


def ordered_pairs_in(rows: Mapping[str, Any]) -> float:
    """The number of pairs of passages of one list, the first with the higher label."""
    lists = map(torch.as_tensor, rows["label"])
    return sum(float((labels[:, None] > labels[None, :]).sum()) for labels in lists)


COUNTERS: Mapping[str, Counter] = {"rows": rows_in, "passages": passages_in, "ordered pairs": ordered_pairs_in}
"""By the name that Recipe.mean_over has."""
