"""The loss is listwise cross-entropy, whatever the batches it is computed in."""

import math
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.losses import ListNetLoss

from tests.conftest import PASSAGES
from training.loss import ListwiseLoss

QUERIES = ["how do bees make honey", "why does bread rise"]
# by length 1, 3, 2, 0, 4: an order that isn't its own inverse, so that putting logits back the wrong way shows
LISTS = [["wasps", PASSAGES["a1"] + PASSAGES["a2"], "Bees make honey."], [PASSAGES["c1"], "d"]]
TARGETS = [torch.tensor([6.0, 2.0, 0.0]), torch.tensor([3.0, 1.0])]


@pytest.fixture(scope="module")
def model(tiny_cross_encoder: Path) -> CrossEncoder:
    loaded: CrossEncoder = CrossEncoder(str(tiny_cross_encoder), device="cpu", activation_fn=torch.nn.Identity())
    loaded.eval()
    return loaded


def value(model: CrossEncoder, **settings: int) -> float:
    return float(ListwiseLoss(model, max_length=128, **settings)((QUERIES, LISTS), TARGETS).detach())


def test_it_is_the_cross_entropy_computed_by_hand(model: CrossEncoder) -> None:
    losses = []
    for query, passages, targets in zip(QUERIES, LISTS, TARGETS, strict=True):
        pairs = [(query, passage) for passage in passages]
        logits = [float(logit) for logit in model.predict(pairs, show_progress_bar=False)]
        aims = [math.exp(target) / sum(math.exp(other) for other in targets) for target in targets]
        odds = [math.exp(logit) / sum(math.exp(other) for other in logits) for logit in logits]
        losses.append(-sum(aim * math.log(odd) for aim, odd in zip(aims, odds, strict=True)))
    assert value(model) == pytest.approx(sum(losses) / 2, abs=1e-5)


def test_it_is_sentence_transformers_listnet_loss(model: CrossEncoder) -> None:
    expected = ListNetLoss(model)([QUERIES, LISTS], TARGETS)  # lists of 3 and of 2 passages
    assert value(model) == pytest.approx(float(expected.detach()), abs=1e-5)


@pytest.mark.parametrize("budget", [1, 40, 100, 100_000])
def test_it_does_not_depend_on_the_batches(model: CrossEncoder, budget: int) -> None:
    assert value(model, token_budget=budget) == pytest.approx(value(model), abs=1e-5)


@pytest.mark.parametrize("budget", [1, 100_000])
def test_its_gradient_is_sentence_transformers(model: CrossEncoder, budget: int) -> None:
    gradients = []
    for loss, inputs in ((ListNetLoss(model), [QUERIES, LISTS]), (
        ListwiseLoss(model, max_length=128, token_budget=budget), (QUERIES, LISTS),
    )):  # fmt: skip
        model.zero_grad()
        loss(inputs, TARGETS).backward()
        gradients.append(torch.cat([part.grad.flatten() for part in model.parameters() if part.grad is not None]))
    assert gradients[0].abs().max() > 1e-3
    assert torch.allclose(gradients[0], gradients[1], atol=1e-4)


def test_only_differences_between_targets_count(model: CrossEncoder) -> None:
    moved = ListwiseLoss(model, max_length=128)((QUERIES, LISTS), [targets + 5 for targets in TARGETS])
    assert float(moved.detach()) == pytest.approx(value(model), abs=1e-5)
