"""The benchmark of the pages: its summary, its bounds, and what it prints."""

from typing import Any

import pytest

from benchmarks.page import holds, report, summary


def figures(*, first: float = 0.2, both: float = 1.0, loop: float = 150.0, step: float = 20.0) -> dict[str, Any]:
    return {
        "first": summary([first, first]),
        "both": summary([both, both]),
        "switch": summary([0.1, 0.3]),
        "memory": {"before_mib": 900, "after_mib": 950, "searches": 200},
        "loop": {
            "total": loop,
            "seconds": {"training": loop - 60, "gate": 60.0},
            "first_step": step,
            "verdict": "no objection",
        },
    }


def test_the_median_and_the_95th_percentile() -> None:
    timed = summary([float(value) for value in range(101)])
    assert timed == {"p50": 50.0, "p95": 95.0, "count": 101}


@pytest.mark.parametrize(
    ("changed", "held"),
    [
        ({}, True),
        ({"first": 0.31}, False),
        ({"both": 1.21}, False),
        ({"loop": 181.0}, False),
        ({"step": 61.0}, False),
    ],
)
def test_each_bound_can_be_broken(changed: dict[str, float], held: bool) -> None:
    measured = figures(**changed)
    assert holds(measured) == held
    lines = list(report(measured))
    assert lines[-1] == ("The bounds hold." if held else "A bound is broken.")
    assert "memory             900 MiB after the first search, 950 MiB after 200 more" in lines


def test_the_loop_may_be_left_out() -> None:
    measured = figures(loop=1000.0)
    del measured["loop"]
    assert holds(measured)
    assert not any("promotion" in line for line in report(measured))
