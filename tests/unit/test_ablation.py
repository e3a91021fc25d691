"""The table of what each ingredient gave, and the figures that it is printed from."""

from pathlib import Path

import pytest

from benchmarks.ablation import ARMS, FIRST, StoredRows, Values, drawn_lists, table
from indexing.records import QueryId

ABOUT = {"machine": "two cores", "base": "weights", "queries": {"a": 2, "b": 1}}


def values(*given: float) -> Values:
    first, second, third = given
    return {"a": {QueryId("1"): first, QueryId("2"): second}, "b": {QueryId("3"): third}}


def test_rows_give_the_mean_and_each_difference_with_its_interval() -> None:
    rows = {FIRST: values(0.4, 0.6, 0.7), "1,000 graded": values(0.43, 0.63, 0.69)}
    lines = list(table({**ABOUT, "rows": rows}))
    assert lines[0] == "| | mean | a (2) | against the base | b (1) | against the base |"
    assert lines[1].count("|") == lines[0].count("|")
    assert lines[2:] == [
        "| 1,000 graded | 0.6100 | 0.5300 | +0.0300 [+0.030, +0.030] | 0.6900 | -0.0100 [-0.010, -0.010] |",
        "| the base | 0.6000 | 0.5000 |  | 0.7000 |  |",
    ]


def test_what_is_stored_is_not_measured_again_until_the_base_changes(tmp_path: Path) -> None:
    path = tmp_path / "ablation.json"
    first = values(0.4, 0.6, 0.7)
    assert StoredRows(path, ABOUT).measured(FIRST, lambda: first) == first

    def never() -> Values:
        raise AssertionError("it was measured again")

    assert StoredRows(path, {**ABOUT, "machine": "another"}).measured(FIRST, never) == first
    with pytest.raises(AssertionError, match="measured again"):
        StoredRows(path, {**ABOUT, "base": "other weights"}).measured(FIRST, never)


def test_every_arm_and_seed_has_a_version_of_its_own() -> None:
    names = [arm.version(seed) for arm in ARMS for seed in (17, 18)]
    assert len(set(names)) == len(names)
    assert "ablation-2000-graded-grades-alone/17" in names


def test_lists_in_strata_have_more_of_the_best_passages_and_none_twice() -> None:
    record = {"query_id": "7", "query": "q", "candidates": [{"text": str(n), "score": n / 100} for n in range(100)]}
    best = {}
    for how in ("at random", "in strata"):
        lists = list(drawn_lists(record, how))
        assert [part["query_id"] for part in lists] == [f"7-{number}" for number in range(1, 9)]
        drawn = [[candidate["text"] for candidate in part["candidates"]] for part in lists]
        assert all(len(set(texts)) == 8 for texts in drawn)
        best[how] = sum(int(text) >= 90 for texts in drawn for text in texts)
    assert best["in strata"] >= 8 * 4 > best["at random"]
