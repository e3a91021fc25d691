"""What a training will take is reckoned before it begins, from a few rows and a few timed steps."""

from dataclasses import replace
from pathlib import Path

import pytest
from sentence_transformers import CrossEncoder

from indexing import precision
from indexing.errors import HubError, ModelError
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.fitting.memory import LIBRARIES, Shape, free_bytes, memory_bytes, model_shape
from training.mining.settings import MiningSettings
from training.recipes.losses import CACHED_PAIRS
from training.recipes.settings import FitSettings, TrainSettings
from training.source import Source
from training.train import estimate as module
from training.train.estimate import forecast, steps_to_do
from training.train.inputs import gather_inputs
from training.train.request import DevSettings, TrainRequest
from training.train.workspace import hold_workspace

SHAPE = Shape(parameters=1_000, layers=2, hidden=8, heads=2)


@pytest.fixture
def small(tmp_path: Path, built_root: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> TrainRequest:
    """A training on the index `small`, whose train split has two queries of four passages each."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    (tmp_path / "sample").mkdir()  # without queries that are protected
    settings = TrainSettings(base=str(tiny_cross_encoder), minutes=0.5, batch=1, max_length=64)
    data = DataSettings(sources=(Source("index", "small"),), mining=MiningSettings(per_query=3, relative_margin=None))
    output = tmp_path / "version"
    return TrainRequest(output=output, recipe="listnet", settings=settings, data=data, root=built_root)


@pytest.mark.parametrize(
    ("given", "rows", "expected"),
    [
        ({"minutes": 2}, None, 240),  # 120 s / 0.5 s
        ({"minutes": 2}, 16, 240),  # however few rows there are
        ({"minutes": 2, "steps": 100}, None, 100),
        ({"minutes": 2, "steps": 1_000}, None, 240),
        ({"minutes": 2, "epochs": 3}, 160, 30),  # 3 * 160 / 16
        ({"steps": 7}, None, 7),
        ({}, 161, 11),  # 161 / 16, rounded up
        ({}, None, 0),  # nobody knows
    ],
)
def test_steps_are_those_that_training_plans(given: dict[str, float], rows: float | None, expected: int) -> None:
    settings = FitSettings(recipe="listnet", batch=16, **given)  # type: ignore[arg-type]  # numbers all
    assert steps_to_do(settings, 0.5, rows=rows) == expected


def test_a_cold_start_passes_twice_over_its_rows() -> None:
    assert steps_to_do(FitSettings(recipe="cold-start", batch=16), 0.5, rows=160) == 20


def test_memory_is_that_of_the_parameters_and_of_the_pairs_that_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "device", lambda: "cpu")
    settings = FitSettings(recipe="listnet", batch=4, precision="float32")

    def taken(settings: FitSettings, lengths: list[int]) -> float:
        return memory_bytes(settings, SHAPE, pairs_a_row=5, lengths=lengths) - LIBRARIES

    # a pair of 10 tokens: 10 * (34 * 8 + 5 * 2 * 10) = 3,720 bytes a layer in 16 bits; 4 rows * 5 pairs, 2 layers
    assert taken(settings, [10, 10]) == pytest.approx(16_000 + 20 * 2 * 3_720 * 2)
    assert taken(replace(settings, precision="bf16"), [10]) == pytest.approx(16_000 + 20 * 2 * 3_720 * 1.25)
    assert taken(replace(settings, micro_batch=1), [10]) == pytest.approx(16_000 + 5 * 2 * 3_720 * 2)
    # of the input alone: 2 * 8 * 10 bytes
    assert taken(replace(settings, gradient_checkpointing=True), [10]) == pytest.approx(16_000 + 20 * 2 * 160 * 2)
    cached = replace(settings, recipe="cmnrl", batch=1_000)
    assert taken(cached, [10]) == pytest.approx(16_000 + CACHED_PAIRS * 2 * 3_720 * 2)


def test_a_models_shape_is_known_without_its_weights(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    loaded = sum(parameter.numel() for parameter in CrossEncoder(str(tiny_cross_encoder)).model.parameters())
    assert model_shape(str(tiny_cross_encoder)) == Shape(loaded, layers=1, hidden=32, heads=2)
    with pytest.raises(ModelError, match=str(tmp_path)):
        model_shape(str(tmp_path))
    with pytest.raises(HubError, match="no-such/model"):
        model_shape("no-such/model")


def test_a_forecast_mines_for_the_training_that_follows(small: TrainRequest) -> None:
    phases: list[str] = []
    forecast(small, progress=lambda *_: None)
    begun = replace(small, output=small.output.with_name("another"))
    with hold_workspace(begun.output, resume=False) as workspace:
        gather_inputs(begun, workspace, progress=lambda name, *_: phases.append(name))
    assert "mine small (2 of 2 queries mined before)" in phases


def test_a_forecast_holds_rows_counts_and_estimates(small: TrainRequest) -> None:
    phases: dict[str, int] = {}
    asked = replace(small, dev=DevSettings("small", queries=1, depth=5))
    found = forecast(asked, progress=lambda name, count, _: phases.update({name: phases.get(name, 0) + count}))
    assert phases == {"mine small": 2, "time a few steps": 0}
    assert {row["query"] for row in found.rows} == {"how do bees make honey", "why does bread rise"}
    assert found.counts.rows == 2
    a_step = found.seconds["training"] / found.steps
    assert found.steps == pytest.approx(30 / a_step, abs=1)  # half a minute
    assert found.pairs == found.steps * 4
    assert found.passes == found.steps / 2
    # the current model's and the version's: 2 * 5 pairs, each a third of a training step's fourth
    assert found.seconds["evaluating"] == pytest.approx(2 * 5 * a_step / 4 / 3)
    assert found.seconds["gathering"] > 0
    assert 0 < found.memory < found.free == pytest.approx(free_bytes(), rel=0.5)


def test_nothing_is_timed_where_memory_would_not_do(small: TrainRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda: 1e6)
    found = forecast(small)
    assert (found.steps, found.pairs) == (0, 0)
    assert list(found.seconds) == ["gathering"]


def test_a_few_queries_stand_for_all(small: TrainRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUERIES", 1)
    found = forecast(replace(small, settings=replace(small.settings, steps=6)))
    assert found.counts.rows == 1
    assert found.passes == 3  # 6 rows of 2, one of which was gathered
    cold = replace(small.settings, steps=6)
    data = DataSettings(sources=(Source("index", "small"),), cold=ColdStart(queries=4))
    found = forecast(replace(small, output=small.output.with_name("2"), recipe="cold-start", settings=cold, data=data))
    assert found.passes == 6 / (found.counts.rows * 4)


def test_a_forecast_of_minutes_that_count_everything_takes_no_longer(
    small: TrainRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "seconds_a_step", lambda *_: 0.01)
    dev = DevSettings("small", "dev", 4, 10)
    whole = replace(small, whole=True, dev=dev, settings=replace(small.settings, minutes=1.0, evaluate_every=10))
    seconds = forecast(whole).seconds
    # 4 * 10 pairs are scored in the time of 40 / 3 / 4 steps on 4 pairs each
    assert seconds["evaluating"] == pytest.approx((2 + seconds["training"] / 0.01 // 10) * 0.01 * 40 / 3 / 4)
    assert sum(seconds.values()) == pytest.approx(60, abs=1)
    assert seconds["training"] < 50
