"""What a page showed last is there on the next visit, with what it is of."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from streamlit.testing.v1 import AppTest

from app.views.widgets.measured.kept_result import (
    FOLDER,
    KeptResult,
    keep_result,
    keep_whole,
    read_result,
    read_whole,
)
from indexing import places
from indexing.records import Query, QueryId
from tests.support.pages import text

RESULT = KeptResult(
    about="sample, dev split, 209 judged queries, depth 50, build b7",
    columns={"stage": ["BM25", "dense"], "nDCG@10": [0.4, 0.5]},
    sentences=("By nDCG@10.",),
)
SHOWN = """
from app.views.widgets.measured.kept_result import read_result, show_result
show_result(read_result("gate/mine/1"), key="kept", title="Last verdict", advice="Judge it again.")
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    return tmp_path


def test_it_is_shown_with_what_it_is_of_and_when_it_was_measured() -> None:
    assert read_result("gate/mine/1") is None
    keep_result("gate/mine/1", RESULT)
    page = AppTest.from_string(SHOWN, default_timeout=60).run()
    assert not page.exception
    shown = text(page)
    assert "Last verdict" in shown
    assert "sample, dev split, 209 judged queries, depth 50, build b7; measured 20" in shown
    assert "By nDCG@10." in shown
    assert "Judge it again." in shown
    assert list(page.dataframe[0].value["nDCG@10"]) == [0.4, 0.5]
    assert list(page.dataframe[0].value.columns) == ["stage", "nDCG@10"]  # as it was measured, not by the alphabet


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"about": "x"}', '{"about": "x", "columns": {"a": [1], "b": []}, "sentences": [], "measured": "now"}'],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(content: str) -> None:
    keep_result("evaluation", RESULT)
    path = places.runs() / FOLDER / "evaluation.json"
    assert json.loads(path.read_text())["about"] == RESULT.about
    path.write_text(content)
    assert read_result("evaluation") is None


def test_a_disk_that_refuses_is_no_fault_of_the_result(home: Path) -> None:
    (home / "runs").write_text("a file")
    keep_result("evaluation", RESULT)
    assert read_result("evaluation") is None
    keep_whole("evaluation", RESULT)
    assert read_whole("evaluation", Whole) is None


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


def test_a_whole_result_is_read_as_it_was_kept() -> None:
    assert read_whole("comparison", Whole) is None
    keep_whole("comparison", WHOLE)
    kept = read_whole("comparison", Whole)
    assert kept is not None
    assert kept.result == WHOLE
    assert kept.measured.endswith("UTC")
    keep_whole("comparison", replace(WHOLE, left=Pair(0, 1)))
    newer = read_whole("comparison", Whole)
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
def test_a_whole_result_of_another_form_is_as_if_it_were_not_there(change: dict[str, Any]) -> None:
    """As where it was kept by an older program, whose checksum holds."""
    keep_whole("comparison", WHOLE)
    path = places.runs() / FOLDER / "comparison.json"
    result = json.loads(path.read_text(encoding="utf-8"))["result"] | change
    checksum = hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"measured": "now", "result": result, "checksum": checksum}), encoding="utf-8")
    assert read_whole("comparison", Whole) is None
