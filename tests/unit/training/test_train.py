"""Training a cross-encoder makes it fit its examples, the same way each time."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder

from indexing.errors import HubError, ModelError
from search.rerank import CrossEncoderReranker
from tests.conftest import PASSAGES
from training.examples import Example
from training.recipes import Ingredient, Recipe, Stage
from training.train import StepReport, new_cross_encoder, save_weights, train_stage

STAGE = Stage("test", (Ingredient("none", "judged", 1),), learning_rate=5e-3)
EXAMPLES = [
    Example("test", "how do bees make honey", (PASSAGES["a1"], PASSAGES["c1"], PASSAGES["d1"]), scores=(6.0, 0.0, 0.0)),
    Example("test", "why does bread rise", (PASSAGES["a1"], PASSAGES["c1"], PASSAGES["d1"]), scores=(0.0, 6.0, 0.0)),
] * 24
pytestmark = pytest.mark.usefixtures("in_float32")


def recipe(base: Path | str) -> Recipe:
    return Recipe(stages=(STAGE,), base=str(base), groups_per_step=4, max_length=64)


@pytest.fixture(scope="module")
def trained(tiny_bi_encoder: Path) -> tuple[CrossEncoder, list[StepReport], float]:
    reports: list[StepReport] = []
    model = new_cross_encoder(recipe(tiny_bi_encoder))
    last = train_stage(model, EXAMPLES, recipe(tiny_bi_encoder), STAGE, report=reports.append)
    return model, reports, last


Trained = tuple[CrossEncoder, list[StepReport], float]


def test_the_loss_falls_over_a_few_steps(trained: Trained) -> None:
    _, reports, last = trained
    assert last < 0.7 * reports[0].loss


def test_every_step_is_reported(trained: Trained) -> None:
    _, reports, _ = trained
    assert [(at.stage, at.step, at.steps) for at in reports] == [("test", step, 12) for step in range(1, 13)]


def test_the_loss_given_back_is_that_of_the_last_tenth(trained: Trained) -> None:
    _, reports, last = trained
    assert last == pytest.approx(reports[-1].loss)  # 12 steps: max(1, 12 // 10) = 1


def test_the_same_seed_gives_the_same_new_model(tiny_bi_encoder: Path) -> None:
    one, two = (new_cross_encoder(recipe(tiny_bi_encoder)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_is_saved_is_served_with_the_same_scores(trained: Trained, tmp_path: Path) -> None:
    model, _, _ = trained
    model.eval()
    pairs = [(EXAMPLES[0].query, passage) for passage in EXAMPLES[0].passages]
    expected = model.predict(pairs, show_progress_bar=False)
    save_weights(model, tmp_path / "saved")
    served = CrossEncoderReranker(str(tmp_path / "saved")).score(EXAMPLES[0].query, EXAMPLES[0].passages)
    assert served.logits == pytest.approx(expected, abs=0.1)  # weights are rounded to bfloat16
    assert served.logits.argmax() == 0


@pytest.mark.parametrize(("base", "error"), [("no-such/model", HubError), ("folder", ModelError)])
def test_a_base_that_cannot_be_loaded_is_named(tmp_path: Path, base: str, error: type[Exception]) -> None:
    name = str(tmp_path) if base == "folder" else base
    with pytest.raises(error, match=name):
        new_cross_encoder(recipe(name))
