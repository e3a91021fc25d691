"""Pipelines are chosen on one half of the queries, the cheapest among equals, and compared on the other."""

import numpy as np
import pytest

from indexing.records import QueryId
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from training.choosing.choose import Halves, choose, compare_with, pick
from training.choosing.contenders import Contender
from training.choosing.grid import GridValues


def queries(count: int) -> list[QueryId]:
    return [QueryId(str(number)) for number in range(count)]


def test_the_halves_hold_every_query_once_and_depend_on_the_seed() -> None:
    halves = Halves.of(queries(21), seed=3)
    assert (len(halves.choosing), len(halves.comparing)) == (10, 11)
    assert sorted([*halves.choosing, *halves.comparing]) == sorted(queries(21))
    assert halves == Halves.of(reversed(queries(21)), seed=3) != Halves.of(queries(21), seed=4)


def test_the_cheapest_within_one_standard_error_is_picked() -> None:
    best = np.array([0.9, 0.5, 0.7, 0.5])
    # differences .1, -.1, .3, .1: mean .1, deviation .163, standard error .082: not as good
    worse = best - np.array([0.1, -0.1, 0.3, 0.1])
    # differences .2, -.2, .3, -.1: mean .05, deviation .238, standard error .119: as good
    equal = best - np.array([0.2, -0.2, 0.3, -0.1])
    values = np.stack([best, worse, equal])
    assert pick(values, [3, 1, 2]) == 2
    assert pick(values, [3, 1, 4]) == 0
    assert pick(values, [2, 1, 2]) == 0  # costs tie: the better one


def test_a_constant_loss_is_never_equal_however_small() -> None:
    assert pick(np.array([[0.5, 0.7], [0.499, 0.699]]), [2, 1]) == 0


def test_one_query_alone_is_decided_by_its_value() -> None:
    assert pick(np.array([[0.5], [0.7], [0.7]]), [1, 3, 2]) == 2


def test_a_pipeline_is_chosen_by_the_queries_that_are_named() -> None:
    first, second = (Contender(reranker="r", settings=PipelineSettings(rerank_depth=depth)) for depth in (10, 20))
    values = GridValues([first, second], queries(4), np.array([[0.2, 0.9, 0.2, 0.9], [0.8, 0.1, 0.8, 0.1]]))
    assert choose(values, [QueryId("0"), QueryId("2")], [0, 1]) == second
    assert choose(values, [QueryId("1"), QueryId("3")], [0, 1]) == first
    assert choose(values, [QueryId("0"), QueryId("2")], [0]) == first


def test_what_a_query_costs_counts_late_interaction_too() -> None:
    def pairs(reranker: str, settings: PipelineSettings) -> int:
        return Contender(reranker=reranker, settings=settings).pairs

    twenty = PipelineSettings(rerank_depth=20)
    by_late = PipelineSettings(rerank_depth=20, rerank_order="late")
    mixed = PipelineSettings(rerank_depth=20, rerank_mix="late", rerank_weight=0.5)
    assert pairs(NO_RERANKER, twenty) == 0
    assert [pairs("cross", settings) for settings in (twenty, mixed, by_late)] == [20, 20 + 20, 20 + 100]
    assert [pairs("late", settings) for settings in (twenty, by_late)] == [20, 100]


def test_each_is_compared_with_the_baseline_and_corrected_by_holm() -> None:
    baseline = dict.fromkeys(queries(8), 0.5)
    better = dict.fromkeys(queries(8), 0.6)
    mixed = {query: 0.5 + (0.1 if int(query) % 2 else -0.1) for query in queries(8)}
    compared = compare_with(baseline, {"better": better, "mixed": mixed})
    # all of 8 signs alike: 2 of 2^8 assignments are as extreme; two tests, the smaller p counts twice
    assert compared["better"].p == pytest.approx(2 / 2**8)
    assert compared["better"].holm == pytest.approx(2 * 2 / 2**8)
    assert (compared["better"].paired.outcome, compared["mixed"].paired.outcome) == ("better", "no difference shown")
    assert compared["mixed"].p == compared["mixed"].holm == 1
