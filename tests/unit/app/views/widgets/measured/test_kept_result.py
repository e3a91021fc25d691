"""What a page showed last is there on the next visit, with what it is of."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.views.widgets.measured.kept_result import FOLDER, KeptResult, keep_result, read_result
from indexing import places
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
