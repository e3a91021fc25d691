"""The benchmark of deciding counts every pipeline of a grid and adds up each step's seconds."""

import pytest

from benchmarks.decide import StepTimes, pipelines, table
from training.choosing.contenders import FirstStageChoice, Grid


def test_every_pipeline_of_a_grid_is_counted() -> None:
    grid = Grid(
        rerankers=("x",),
        first_stages=(FirstStageChoice(),),
        depths=(10, 20),
        orders=("fused",),
        shares=(0.5,),
        late=False,
    )
    # the first stage; at each depth alone, mixed with the fused score and with the cosine
    assert pipelines(grid) == 1 + 2 * 3


def test_each_steps_seconds_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 3.0, 7.0, 8.0])
    monkeypatch.setattr("benchmarks.decide.time.perf_counter", lambda: next(clock))
    times = StepTimes()
    for phase in ("k1 and b", "first stage", "late, depth 10", "milliseconds"):
        times(phase, 1, 1)
    assert times.seconds == {"search": 3.0, "read": 4.0, "time": 1.0}
    row = {"queries": 8, "pipelines": 1200, "seconds": 8.0, **times.seconds}
    assert table([row]).splitlines()[-1] == "| 8 | 1,200 | 8.0 | 3.0 | 4.0 | 0.0 | 1.0 |"
