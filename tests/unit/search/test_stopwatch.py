"""Laps add up by stage and keep the order in which the stages ran."""

import time

import pytest

from search.stopwatch import Stopwatch


def test_laps_cover_the_time_from_the_start_without_a_gap() -> None:
    before = time.perf_counter()
    clock = Stopwatch()
    time.sleep(0.01)
    clock.lap("bm25")
    clock.lap("fuse")
    after = time.perf_counter()
    assert list(clock.seconds) == ["bm25", "fuse"]
    assert 0.01 <= clock.seconds["bm25"] <= sum(clock.seconds.values()) <= after - before


def test_a_second_lap_of_a_stage_adds_to_its_first() -> None:
    clock = Stopwatch({"bm25": 1.0, "load": 2.0})
    clock.lap("load")
    assert list(clock.seconds) == ["bm25", "load"]
    assert clock.seconds["bm25"] == 1.0
    assert clock.seconds["load"] == pytest.approx(2.0, abs=0.5)
    assert clock.seconds["load"] > 2.0


def test_the_seconds_it_counts_on_from_stay_as_they_are() -> None:
    earlier = {"load": 2.0}
    Stopwatch(earlier).lap("load")
    assert earlier == {"load": 2.0}
