"""The soak's verdict, by arithmetic: memory after the settling time against the end, and both ends' waiting times."""

import pytest

from benchmarks.soak import Reading, Search, holds, report, resident, summary
from indexing.errors import SettingsError

MINUTE = 60.0
MEGABYTE = 1 << 20


def figures(*, end: int = 104, slow: float = 1.0) -> dict[str, float]:
    """Of 30 minutes: 100 MiB after 5 minutes, `end` at the end; waits of .1 to 2.1 s, `slow` times that at the end."""
    readings = [
        Reading(0.0, 50 * MEGABYTE),
        Reading(5 * MINUTE + 3, 100 * MEGABYTE),
        Reading(29.9 * MINUTE, end * MEGABYTE),
    ]
    waits = [place / 10 for place in range(1, 22)]
    searches = [Search(MINUTE, wait) for wait in waits]
    searches += [Search(15 * MINUTE, 100.0)]  # neither in the first nor in the last ten minutes
    searches += [Search(25 * MINUTE, wait * slow) for wait in waits]
    return summary(searches, readings, seconds=30 * MINUTE) | {"minutes": 30.0, "trainings": 3.0}


def test_growth_is_from_the_settled_memory_to_the_end() -> None:
    assert figures()["growth"] == pytest.approx(0.04)
    assert holds(figures())
    assert not holds(figures(end=105))


def test_the_last_thirds_p95_is_compared_with_the_firsts() -> None:
    assert figures()["first_p50_seconds"] == 1.1
    assert figures()["first_p95_seconds"] == pytest.approx(2.09)
    assert figures(slow=1.2)["slowdown"] == pytest.approx(1.2)
    assert holds(figures(slow=1.199))
    assert not holds(figures(slow=1.3))


def test_the_report_says_what_was_measured_and_whether_it_holds() -> None:
    lines = list(report(figures()))
    assert lines[1] == "memory    100 MiB after 5.0 minutes, 104 MiB at the end: +4.0% (bound +5%)"
    assert lines[2] == "first     10.0 minutes: p50 1,100 ms, p95 2,090 ms"
    assert lines[-1] == "The bounds hold."
    assert list(report(figures(end=120)))[-1] == "A bound is broken."


def test_this_process_is_in_memory() -> None:
    assert resident() > 10 * MEGABYTE


def test_too_few_searches_have_no_percentile() -> None:
    with pytest.raises(SettingsError, match=r"had 1 and 0 searches, and 20 of each are needed .* give more --minutes"):
        summary([Search(0.0, 1.0)], [Reading(0.0, MEGABYTE)], seconds=60)
