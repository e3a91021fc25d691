"""Every recipe is there by its name, takes the loss that it says, and trains."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses
from torch.nn import Module

from tests.support.tiny_training import EXAMPLES, examples, settings, train
from training.fitting.model import PairModel, open_pair_model
from training.recipes.catalog import COLD_START, LOSS_RECIPES
from training.recipes.losses import make_loss
from training.recipes.rows import MARGINS, rows_of

TABLE = {
    "bce": ("BinaryCrossEntropyLoss", "pairs"),
    "bce-preprocessed": ("BinaryCrossEntropyLoss", "pairs"),
    "cmnrl": ("CachedMultipleNegativesRankingLoss", "n-tuples"),
    "listnet": ("ListNetLoss", "lists"),
    "lambda": ("LambdaLoss", "lists"),
    "lambda-preprocessed": ("LambdaLoss", "lists"),
    "lambda-hard-neg": ("LambdaLoss", "lists"),
    "listmle": ("ListMLELoss", "lists"),
    "plistmle": ("PListMLELoss", "lists"),
    "ranknet": ("RankNetLoss", "lists"),
    "adrmse": ("ADRMSELoss", "ordered-lists"),
    "distill-mse": ("MSELoss", "scored-pairs"),
    "distill-list": ("ListNetLoss", "scored-lists"),
    "distill-margin-mse": ("MarginMSELoss", "margins"),
    "cold-start": ("ListNetLoss", "scored-lists"),
}
ROWS = {
    "pairs": 8 * EXAMPLES,
    "scored-pairs": 8 * EXAMPLES,
    "n-tuples": 3 * EXAMPLES,
    "margins": MARGINS * EXAMPLES,
    "lists": EXAMPLES,
    "ordered-lists": EXAMPLES,
    "scored-lists": EXAMPLES,
}
STEPS = 12


@pytest.fixture(scope="module")
def model(tiny_cross_encoder: Path) -> PairModel:
    return open_pair_model(str(tiny_cross_encoder), max_length=160, dropout=0.0, seed=1).eval()


def test_every_recipe_is_there_by_its_name() -> None:
    assert set(LOSS_RECIPES) == set(TABLE)
    assert LOSS_RECIPES["cold-start"] is COLD_START


@pytest.mark.parametrize("name", TABLE)
def test_a_recipe_has_its_loss_and_its_rows(model: PairModel, name: str) -> None:
    recipe = LOSS_RECIPES[name]
    assert (type(make_loss(recipe, model)).__name__, recipe.form_name) == TABLE[name]


@pytest.mark.parametrize("name", ["lambda", "lambda-preprocessed", "lambda-hard-neg"])
def test_lambda_weighs_pairs_by_ndcg_loss_2pp(model: PairModel, name: str) -> None:
    loss: Any = make_loss(LOSS_RECIPES[name], model)
    assert type(loss.weighting_scheme).__name__ == "NDCGLoss2PPScheme"


@pytest.mark.parametrize(("name", "weight"), [("listmle", "NoneType"), ("plistmle", "PListMLELambdaWeight")])
def test_likelihood_losses_go_by_labels_and_not_by_the_order_of_a_list(
    model: PairModel, name: str, weight: str
) -> None:
    loss: Any = make_loss(LOSS_RECIPES[name], model)
    assert loss.respect_input_order is False
    assert type(loss.lambda_weight).__name__ == weight
    query, texts, labels = "bees", ["one", "two words", "three"], torch.tensor([0.0, 2.0, 1.0])

    def value(passages: list[str], grades: torch.Tensor) -> float:
        return float(loss([[query], [passages]], [grades]).detach())

    assert value(texts, labels) == pytest.approx(value(texts[::-1], labels.flip(0)), rel=1e-5)
    assert value(texts, labels) != pytest.approx(value(texts, labels.flip(0)), rel=1e-2)


def test_usual_settings_are_those_of_the_field() -> None:
    assert {LOSS_RECIPES[name].learning_rate for name in ("distill-mse", "distill-margin-mse", "adrmse")} == {8e-6}
    plain = {name for name in TABLE if TABLE[name][1] in ("pairs", "n-tuples", "lists")}
    assert {LOSS_RECIPES[name].learning_rate for name in plain} == {2e-5}
    assert {recipe.batch for recipe in LOSS_RECIPES.values()} <= {16, 32, 64}
    assert [name for name, recipe in LOSS_RECIPES.items() if recipe.whole_batch] == ["cmnrl"]


@pytest.mark.parametrize("name", TABLE)
def test_a_recipe_trains_and_its_loss_falls(name: str, tiny_cross_encoder: Path, tmp_path: Path) -> None:
    rows = ROWS[TABLE[name][1]]
    fitted = train(tmp_path, settings(tiny_cross_encoder, name, steps=STEPS, batch=rows))  # every step has all rows
    assert fitted.counts.rows == rows
    assert sorted(fitted.losses) == list(range(1, STEPS + 1))
    assert fitted.losses[STEPS] < 0.95 * fitted.losses[1]


def plain_loss(name: str, plain: CrossEncoder) -> Module:
    """As sentence-transformers makes it where nothing is said."""
    makers: dict[str, Callable[[CrossEncoder], Module]] = {
        "bce": losses.BinaryCrossEntropyLoss,
        "listnet": losses.ListNetLoss,
        "lambda": losses.LambdaLoss,
        "distill-margin-mse": losses.MarginMSELoss,
    }
    return makers[name](plain)


@pytest.mark.parametrize("name", ["bce", "listnet", "lambda", "distill-margin-mse"])
def test_the_loss_is_that_of_a_plain_cross_encoder(model: PairModel, tiny_cross_encoder: Path, name: str) -> None:
    plain = CrossEncoder(str(tiny_cross_encoder), device="cpu", activation_fn=torch.nn.Identity()).eval()
    form = LOSS_RECIPES[name].form
    rows = [row for example in examples()[:3] for row in rows_of(example, form, seed=1)]
    *columns, label = form.columns
    inputs = [[row[column] for row in rows] for column in columns]
    labels: Any = [torch.tensor(row[label]) for row in rows]
    if label == "label":
        labels = torch.stack(labels)
    expected = float(plain_loss(name, plain)([list(column) for column in inputs], labels).detach())
    found = float(make_loss(LOSS_RECIPES[name], model)(inputs, labels).detach())
    assert found == pytest.approx(expected, abs=1e-5)
