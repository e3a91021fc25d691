"""The table of what each ingredient gave, and the figures that it is printed from."""

from pathlib import Path

import pytest

from benchmarks.ablation import ARMS, StoredRows, Values, table
from indexing.records import QueryId

ABOUT = {"machine": "two cores", "base": "weights", "queries": {"a": 2, "b": 1}}


def values(*given: float) -> Values:
    first, second, third = given
    return {"a": {QueryId("1"): first, QueryId("2"): second}, "b": {QueryId("3"): third}}


def test_rows_give_the_mean_and_each_difference_with_its_interval() -> None:
    rows = {"what ships": values(0.4, 0.6, 0.7), "1,000 graded": values(0.43, 0.63, 0.69)}
    lines = list(table({**ABOUT, "rows": rows}))
    assert lines[0] == "| | mean | a (2) | against what ships | b (1) | against what ships |"
    assert lines[1].count("|") == lines[0].count("|")
    assert lines[2] == "| what ships | 0.6000 | 0.5000 |  | 0.7000 |  |"
    assert lines[3] == (
        "| 1,000 graded | 0.6100 | 0.5300 | +0.0300 [+0.030, +0.030] | 0.6900 | -0.0100 [-0.010, -0.010] |"
    )


def test_what_is_stored_is_not_measured_again_until_the_base_changes(tmp_path: Path) -> None:
    path = tmp_path / "ablation.json"
    first = values(0.4, 0.6, 0.7)
    assert StoredRows(path, ABOUT).measured("what ships", lambda: first) == first

    def never() -> Values:
        raise AssertionError("it was measured again")

    assert StoredRows(path, {**ABOUT, "machine": "another"}).measured("what ships", never) == first
    with pytest.raises(AssertionError, match="measured again"):
        StoredRows(path, {**ABOUT, "base": "other weights"}).measured("what ships", never)


def test_every_arm_and_seed_has_a_version_of_its_own() -> None:
    names = [arm.version(seed) for arm in ARMS for seed in (17, 18)]
    assert len(set(names)) == len(names)
    assert "ablation-2000-graded-grades-alone/17" in names
