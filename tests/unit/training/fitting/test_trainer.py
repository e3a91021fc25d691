"""A step is that of the whole batch, in whatever parts it is computed, and goes on where memory is full."""

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from torch import Tensor

from indexing.errors import TrainingError
from tests.support.forks import Attempt, Forks
from tests.support.tiny_training import Weights, equal, examples, settings, train, weights
from tests.support.two_ranks import WEIGHTS
from training.example import Example
from training.fitting import model as pair_model
from training.fitting.fit import ROWS, FittedModel
from training.fitting.model import PAIRS, PairModel, open_pair_model
from training.fitting.trainer import PairTrainer
from training.recipes.catalog import LOSS_RECIPES
from training.recipes.losses import counter, make_loss
from training.recipes.row_files import read_rows, write_rows

NOISE = ("key.bias", "classifier.bias")
"""A softmax doesn't feel what is added to all: gradients here are 0 but for rounding, which Adam blows up."""


class ScarceModel(PairModel):
    """A model that has memory for the graph of a few pairs only."""

    most = 0
    asked: list[int]  # set anew by each test

    def forward(self, input: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:  # noqa: A002  # the base's name
        if PAIRS in input and torch.is_grad_enabled():
            self.asked.append(len(input[PAIRS].ids))
            if self.asked[-1] > self.most:
                raise torch.OutOfMemoryError("full")
        return super().forward(input, **kwargs)


Scarce = Callable[[int], list[int]]


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> Scarce:
    """Makes every model that is opened have memory for so many pairs; gives the sizes that are asked for."""

    def only(pairs: int) -> list[int]:
        monkeypatch.setattr(ScarceModel, "most", pairs)
        monkeypatch.setattr(ScarceModel, "asked", [], raising=False)
        monkeypatch.setattr(pair_model, "PairModel", ScarceModel)
        sizes: list[int] = ScarceModel.asked
        return sizes

    return only


def three_steps(folder: Path, base: Path, recipe: str, **given: Any) -> FittedModel:
    return train(folder, settings(base, recipe, steps=3, learning_rate=1e-3, **given))


def close(one: Weights, two: Weights, *, within: float) -> bool:
    left = [name for name in one if not name.endswith(NOISE)]
    return all(float((one[name] - two[name]).abs().max()) <= within for name in left)


def moved(one: Weights, base: Path) -> float:
    """How far training took the weights."""
    start = weights(open_pair_model(str(base), max_length=64, dropout=0.0, seed=17))
    return max(float((one[name] - start[name]).abs().max()) for name in one)


@pytest.mark.parametrize("recipe", ["listnet", "bce"])
def test_a_batch_in_parts_is_worth_the_whole(recipe: str, tiny_cross_encoder: Path, tmp_path: Path) -> None:
    whole = weights(three_steps(tmp_path / "whole", tiny_cross_encoder, recipe, batch=4).model)
    parts = weights(three_steps(tmp_path / "parts", tiny_cross_encoder, recipe, batch=4, micro_batch=2).model)
    assert moved(whole, tiny_cross_encoder) > 1e-3
    assert close(whole, parts, within=1e-5)


def shortened(example: Example, passages: int) -> Example:
    """Its first passages."""
    labels, scores = (example.labels or ())[:passages], (example.scores or ())[:passages]
    return Example("tiny", example.query, example.passages[:passages], labels=labels, scores=scores)


@pytest.mark.parametrize(
    "recipe",
    ["listnet", "bce", "distill-margin-mse", "distill-mse", "listmle", "plistmle", "lambda", "ranknet", "adrmse"],
)
def test_gradients_of_parts_add_up_even_where_the_last_one_is_smaller(
    recipe: str, tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    form = LOSS_RECIPES[recipe].form
    given = [shortened(example, 8 - place % 4) for place, example in enumerate(examples())]  # lists of 8 to 5
    write_rows(tmp_path / "rows", given, form, seed=1)
    rows, _ = read_rows(tmp_path / "rows")
    found: list[tuple[float, Tensor]] = []
    for part in (5, 2):  # 5 rows at once, or 2, 2 and 1
        model = open_pair_model(str(tiny_cross_encoder), max_length=64, dropout=0.0, seed=1)
        arguments = CrossEncoderTrainingArguments(
            str(tmp_path / "trainer"), per_device_train_batch_size=5, report_to=[], use_cpu=model.device.type == "cpu"
        )
        trainer = PairTrainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            loss=make_loss(LOSS_RECIPES[recipe], model),
            micro_batch=part,
            whole_batch=False,
            counter=counter(LOSS_RECIPES[recipe]),
        )
        loss = trainer.training_step(model, next(iter(trainer.get_train_dataloader())))
        gradients = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
        found.append((float(loss), torch.cat(gradients)))
    (whole_loss, whole), (part_loss, parts) = found
    assert part_loss == pytest.approx(whole_loss, rel=1e-5)
    assert float(whole.abs().max()) > 1e-2
    assert torch.allclose(whole, parts, atol=1e-5 * float(whole.abs().max()))


def test_where_memory_is_full_the_parts_are_halved_and_the_step_is_the_same(
    tiny_cross_encoder: Path, tmp_path: Path, scarce: Scarce, caplog: pytest.LogCaptureFixture
) -> None:
    expected = weights(three_steps(tmp_path / "parts", tiny_cross_encoder, "listnet", batch=4, micro_batch=2).model)
    asked = scarce(20)  # of 4 lists of 8 passages; two lists fit
    with caplog.at_level(logging.WARNING, logger="training.fitting.trainer"):
        found = weights(three_steps(tmp_path / "full", tiny_cross_encoder, "listnet", batch=4).model)
    assert [record.getMessage() for record in caplog.records if record.name == "training.fitting.trainer"] == [
        "Memory is full: continuing with parts of 2; the batch size stays the same"
    ]
    assert asked == [32, *[16] * 6]  # once too many, then 2 parts in each of 3 steps
    assert equal(found, expected)
    whole = weights(three_steps(tmp_path / "whole", tiny_cross_encoder, "listnet", batch=4, micro_batch=2).model)
    assert close(found, whole, within=1e-5)


def test_memory_that_fills_up_midway_costs_only_that_step_again(
    tiny_cross_encoder: Path, tmp_path: Path, scarce: Scarce
) -> None:
    given = examples()[:7]
    longer = examples()[7]
    asked = settings(tiny_cross_encoder, "listnet", steps=2, batch=4, micro_batch=2, learning_rate=1e-3)
    whole = weights(train(tmp_path / "whole", asked, given=[*given, longer]).model)
    sizes = scarce(12)  # two lists of 8 don't fit, one does
    found = weights(train(tmp_path / "full", asked, given=[*given, longer]).model)
    assert sizes == [16, *[8] * 8]
    assert close(found, whole, within=1e-5)


def test_where_one_row_is_too_much_it_says_what_to_do(tiny_cross_encoder: Path, tmp_path: Path, scarce: Scarce) -> None:
    asked = scarce(7)  # a list has 8
    with pytest.raises(TrainingError, match="one row at a time; give a smaller --max-length"):
        three_steps(tmp_path, tiny_cross_encoder, "listnet", batch=4)
    assert asked == [32, 16, 8]


def test_rows_that_are_each_other_s_negatives_stay_together_and_their_pairs_are_halved(
    tiny_cross_encoder: Path, tmp_path: Path, scarce: Scarce, caplog: pytest.LogCaptureFixture
) -> None:
    asked = scarce(40)  # 6 rows of 1 positive, 5 negatives and 4 of other rows are 60 pairs, 64 at once
    with caplog.at_level(logging.WARNING, logger="training.fitting.trainer"):
        found = weights(three_steps(tmp_path, tiny_cross_encoder, "cmnrl", batch=6, micro_batch=1).model)
    assert "parts of 32" in caplog.text
    assert asked == [60, *[32, 28] * 3]  # that many have a graph at once
    assert moved(found, tiny_cross_encoder) > 1e-3


def test_keeping_no_activations_changes_no_weight(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    whole = weights(three_steps(tmp_path / "whole", tiny_cross_encoder, "listnet", batch=4).model)
    less = three_steps(tmp_path / "less", tiny_cross_encoder, "listnet", batch=4, gradient_checkpointing=True).model
    assert any(getattr(module, "gradient_checkpointing", False) for module in less.modules())
    assert close(weights(less), whole, within=1e-5)


def test_bfloat16_keeps_weights_in_float32(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    whole = three_steps(tmp_path / "whole", tiny_cross_encoder, "listnet", batch=4)
    half = three_steps(tmp_path / "half", tiny_cross_encoder, "listnet", batch=4, precision="bf16")
    assert {tensor.dtype for tensor in half.model.parameters()} == {torch.float32}
    assert half.losses != whole.losses
    assert list(half.losses.values()) == pytest.approx(list(whole.losses.values()), rel=0.05)


# Several processes


def in_two(forks: Forks, folder: Path, base: Path, fault: str = "", **given: Any) -> Attempt:
    """A training of 3 steps in two processes, of two lists each."""
    write_rows(folder / ROWS, examples(), LOSS_RECIPES["listnet"].form, seed=1)
    forks.begin("two ranks", folder=str(folder), base=str(base), given={"fault": fault, **given})
    return forks.end()


@pytest.fixture(scope="module")
def four_lists(tiny_cross_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """What one process makes of the batches of both."""
    return weights(three_steps(tmp_path_factory.mktemp("one"), tiny_cross_encoder, "listnet", batch=4).model)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("", 0),
        ("full in a forward pass", 2),
        ("full in a backward pass", 2),  # gradients are there, which must neither be added up twice nor exchanged
    ],
)
def test_two_processes_train_as_one_with_the_batches_of_both_even_where_the_memory_of_one_is_full(
    fault: str, said: int, forks: Forks, tiny_cross_encoder: Path, tmp_path: Path, four_lists: Weights
) -> None:
    ended = in_two(forks, tmp_path, tiny_cross_encoder, fault)
    assert ended.code == 0, ended.error
    assert "rank 1 ended with 0" in ended.error
    assert ended.error.count("Memory is full: continuing with parts of 1") == said  # each halves
    assert close(load_file(tmp_path / WEIGHTS), four_lists, within=1e-5)


def test_all_processes_stop_where_the_loss_of_one_is_no_number(
    forks: Forks, tiny_cross_encoder: Path, tmp_path: Path
) -> None:
    ended = in_two(forks, tmp_path, tiny_cross_encoder, "nan", save_every=1)
    assert ended.code == 1
    assert ended.error.count("TrainingError('The loss of step 2 is nan: ") == 2
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-1"]


OVERRIDDEN = {
    "add_model_card_callback": ["default_args_dict"],
    "training_step": ["model", "inputs", "num_items_in_batch"],
    "_get_output_dir": ["trial"],
    "_save_checkpoint": ["model", "trial"],
    "_save": ["output_dir", "state_dict"],
    "_load_from_checkpoint": ["checkpoint_path"],
}
"""What PairTrainer replaces of its base, with the arguments that it is called with."""


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_is_replaced_of_the_trainer_is_there_and_takes_the_same_arguments(name: str) -> None:
    base, own = getattr(CrossEncoderTrainer, name), getattr(PairTrainer, name)
    assert own is not base
    assert list(inspect.signature(base).parameters)[1:] == OVERRIDDEN[name]
    inspect.signature(own).bind("self", *OVERRIDDEN[name])


def test_no_other_method_of_the_trainer_is_replaced() -> None:
    replaced = {
        name for name in vars(PairTrainer) if hasattr(CrossEncoderTrainer, name) and callable(vars(PairTrainer)[name])
    }
    assert replaced - {"__init__"} == set(OVERRIDDEN)
