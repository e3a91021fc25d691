"""The recipes' losses, from sentence-transformers, and what each of them is a mean over."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.cross_encoder import losses
from sentence_transformers.cross_encoder.losses import NDCGLoss2PPScheme, PListMLELambdaWeight
from torch.nn import Module

from training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from training.fitting.model import PairModel

ALL = -1  # mini_batch_size: all pairs in one call, which the model splits itself
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
"""By Recipe.loss: the class, and its settings.

By default the (P)ListMLE losses treat a list's order as the truth; here they use its labels.
"""

Counter = Callable[[Mapping[str, Any]], float]
"""Counts in some rows the things that a loss is a mean over; the collator calls the labels `label`."""


def make_loss(recipe: Recipe, model: "PairModel") -> Module:
    """The recipe's loss for a model."""
    kind, settings = LOSSES[recipe.loss]
    return kind(model, **({"mini_batch_size": ALL} if recipe.list_loss else {}), **settings)


def counter(recipe: Recipe) -> Counter:
    """The function that counts what the recipe's loss is a mean over."""
    return COUNTERS[recipe.mean_over]


def rows_in(rows: Mapping[str, Any]) -> float:
    """The number of rows."""
    return len(next(iter(rows.values())))


def passages_in(rows: Mapping[str, Any]) -> float:
    """The number of passages in all lists."""
    return sum(len(labels) for labels in rows["label"])


def ordered_pairs_in(rows: Mapping[str, Any]) -> float:
    """The number of pairs of passages in one list of which the first has the higher label."""
    lists = map(torch.as_tensor, rows["label"])
    return sum(float((labels[:, None] > labels[None, :]).sum()) for labels in lists)


COUNTERS: Mapping[str, Counter] = {"rows": rows_in, "passages": passages_in, "ordered pairs": ordered_pairs_in}
"""By Recipe.mean_over."""
