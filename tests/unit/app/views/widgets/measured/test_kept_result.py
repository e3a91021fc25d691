"""What a page showed last is there on the next visit, with what it is of."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from app.views.widgets.measured.kept_result import (
    FOLDER,
    keep_result,
    read_result,
)
from indexing import places
from indexing.records import Query, QueryId


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    return tmp_path


class Pair(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Whole:
    """Of every kind of value that results have."""

    by_query: Mapping[QueryId, float]
    pairs: Sequence[Pair]
    outcome: Literal["better", "worse"]
    queries: Sequence[Query]
    left: Pair | None = None


WHOLE = Whole({QueryId("1"): 0.5, QueryId("2"): 1.0}, (Pair(0.1, 0.2),), "worse", (Query(QueryId("1"), "miód"),))


@pytest.mark.parametrize("content", ["", "[]", '{"result": {}}', '{"result": {}, "checksum": "1", "measured": "now"}'])
def test_what_cannot_be_read_is_as_if_it_were_not_there(content: str) -> None:
    keep_result("comparison", WHOLE)
    path = places.runs() / FOLDER / "comparison.json"
    assert json.loads(path.read_text())["result"]["outcome"] == "worse"
    path.write_text(content)
    assert read_result("comparison", Whole) is None


def test_a_disk_that_refuses_is_no_fault_of_the_result(home: Path) -> None:
    (home / "runs").write_text("a file")
    keep_result("comparison", WHOLE)
    assert read_result("comparison", Whole) is None


def test_a_result_is_read_as_it_was_kept() -> None:
    assert read_result("comparison", Whole) is None
    keep_result("comparison", WHOLE)
    kept = read_result("comparison", Whole)
    assert kept is not None
    assert kept.result == WHOLE
    assert kept.measured.endswith("UTC")
    keep_result("comparison", replace(WHOLE, left=Pair(0, 1)))
    newer = read_result("comparison", Whole)
    assert newer is not None
    assert newer.result.left == (0, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"by_query": {"1": "much"}},
        {"pairs": [[0.1]]},
        {"outcome": "fine"},
        {"queries": 3},
        {"more": 1},
    ],
)
def test_a_result_of_another_form_is_as_if_it_were_not_there(change: dict[str, Any]) -> None:
    """As where it was kept by an older program, whose checksum holds."""
    keep_result("comparison", WHOLE)
    path = places.runs() / FOLDER / "comparison.json"
    result = json.loads(path.read_text(encoding="utf-8"))["result"] | change
    checksum = hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"measured": "now", "result": result, "checksum": checksum}), encoding="utf-8")
    assert read_result("comparison", Whole) is None
