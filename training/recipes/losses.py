"""The recipes by name: which of sentence-transformers' losses, on rows of which form, with which usual settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from sentence_transformers.cross_encoder import losses
from sentence_transformers.cross_encoder.losses import NDCGLoss2PPScheme, PListMLELambdaWeight
from torch.nn import Module

from training.recipes.rows import FORMS, Form

if TYPE_CHECKING:
    from training.fitting.model import PairModel

ALL = -1  # mini_batch_size: every pair in one call, which the model itself splits
CACHED_PAIRS = 64  # pairs whose graph is held at once by the cached loss


Counted = Callable[[Mapping[str, Any]], float]
"""How much of what a loss is a mean over some rows hold; the collator names their labels `label`."""


def rows_in(rows: Mapping[str, Any]) -> float:
    """Rows."""
    return len(next(iter(rows.values())))


def passages_in(rows: Mapping[str, Any]) -> float:
    """Passages of lists."""
    return sum(len(labels) for labels in rows["label"])


def ordered_pairs_in(rows: Mapping[str, Any]) -> float:
    """Pairs of passages of one list, the first with the higher label."""
    lists = map(torch.as_tensor, rows["label"])
    return sum(float((labels[:, None] > labels[None, :]).sum()) for labels in lists)


@dataclass(frozen=True)
class LossRecipe:
    """A loss and the rows it learns from."""

    form_name: str
    """One of rows.FORMS."""
    loss: Callable[["PairModel"], Module]
    batch: int
    """Rows in one step of the optimiser."""
    learning_rate: float
    about: str
    """For people: what it learns from."""
    counted: Counted = rows_in
    """What the loss is a mean over."""
    whole_batch: bool = False
    """Whether the rows of a batch are each other's negatives, so that a batch can't be computed in parts."""

    @property
    def form(self) -> Form:
        """The rows."""
        return FORMS[self.form_name]


def _list_loss(make: Callable[..., Module], **settings: object) -> Callable[["PairModel"], Module]:
    return lambda model: make(model, mini_batch_size=ALL, **settings)


COLD_START = "cold-start"
_LAMBDA = _list_loss(losses.LambdaLoss, weighting_scheme=NDCGLoss2PPScheme())
_GRADED = "lists of graded passages"


def _lambda(about: str) -> LossRecipe:
    return LossRecipe("lists", _LAMBDA, 16, 2e-5, about, counted=ordered_pairs_in)


LOSS_RECIPES: Mapping[str, LossRecipe] = {
    "bce": LossRecipe("pairs", losses.BinaryCrossEntropyLoss, 64, 2e-5, "pairs, relevant or not"),
    "bce-preprocessed": LossRecipe("pairs", losses.BinaryCrossEntropyLoss, 64, 2e-5, "pairs as the hub has them"),
    "cmnrl": LossRecipe(
        "n-tuples",
        lambda model: losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=CACHED_PAIRS),
        16,
        2e-5,
        "a relevant passage against 5 mined and 4 of other queries",
        whole_batch=True,
    ),
    "listnet": LossRecipe("lists", _list_loss(losses.ListNetLoss), 16, 2e-5, _GRADED),
    "lambda": _lambda(f"{_GRADED}, weighed by nDCG"),
    "lambda-preprocessed": _lambda("lists as the hub has them, weighed by nDCG"),
    "lambda-hard-neg": _lambda("lists with negatives mined from our index"),
    "listmle": LossRecipe("lists", _list_loss(losses.ListMLELoss, respect_input_order=False), 16, 2e-5, _GRADED),
    "plistmle": LossRecipe(
        "lists",
        _list_loss(losses.PListMLELoss, lambda_weight=PListMLELambdaWeight(), respect_input_order=False),
        16,
        2e-5,
        f"{_GRADED}, first places first",
    ),
    "ranknet": LossRecipe(
        "lists", _list_loss(losses.RankNetLoss), 16, 2e-5, f"{_GRADED}, pair by pair", counted=ordered_pairs_in
    ),
    "adrmse": LossRecipe(
        "ordered-lists", _list_loss(losses.ADRMSELoss), 16, 8e-6, "lists in a teacher's order", counted=passages_in
    ),
    "distill-mse": LossRecipe("scored-pairs", losses.MSELoss, 64, 8e-6, "a teacher's score of each pair"),
    COLD_START: LossRecipe("scored-lists", _list_loss(losses.ListNetLoss), 16, 5e-5, "the first stage, no judgment"),
    "distill-margin-mse": LossRecipe("margins", losses.MarginMSELoss, 32, 8e-6, "a teacher's margins"),
}
"""By the names of the field's training scripts. Learning rates are those usual for training on the whole of MS MARCO.

The (P)ListMLE losses would take a list's order for the truth; here they are told to go by its labels.
"""
