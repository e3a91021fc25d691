"""The evaluate page decides whether re-ranking is worth it, on a tiny index judged as its re-ranker ranks."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from app.views.evaluate import deciding
from app.views.evaluate.verdict import report_html
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from search.calibration.served import is_calibrated
from search.served_settings import served_settings
from tests.conftest import PASSAGES
from tests.support.html_reports import checked
from tests.support.pages import again, html, keys, make_gate_index, press, sentences, settle
from tests.support.versions import make_version
from training.choosing.contenders import FirstStageChoice, Grid
from training.choosing.decide import Decision, decide
from training.choosing.kept_decision import last_decision

PAGE = Path(__file__).parents[2] / "app/views/evaluate/page.py"
READ_ONLY = "from app.views.evaluate.view import render\nrender(read_only=True)"
MANY = {
    f"{place}-{start}": " ".join(text.split()[start : start + 3])
    for place, text in enumerate(PASSAGES.values())
    for start in (0, 3)
}
GRID = Grid(first_stages=(FirstStageChoice(),), depths=(10,), shares=(0.5,))
WORK = "evaluate_decide_work_stop"
CALIBRATING = "evaluate_calibrate_work_stop"
pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory, bi_encoder: BiEncoder, tiny_cross_encoder: Path) -> Path:
    """`dev` with two queries for each passage, judged as the cross-encoder ranks."""
    return make_gate_index(tmp_path_factory.mktemp("decided"), bi_encoder, tiny_cross_encoder, dev=MANY)


@pytest.fixture(scope="module")
def home(indexes: Path, tiny_cross_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to serve from, on whose page a decision was taken."""
    folder = tmp_path_factory.mktemp("home")
    make_version(folder, "reranker", tiny_cross_encoder)
    with pytest.MonkeyPatch.context() as patch:
        _point_to(folder, indexes, patch)
        patch.setattr("indexing.precision.fastest_dtype", lambda on: torch.float32)
        page = decided(opened_page())
        assert page.dataframe
        yield folder
    st.cache_resource.clear()


@pytest.fixture
def page(home: Path, indexes: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page on return."""
    _point_to(home, indexes, monkeypatch)
    (indexes / "dev/served.json").unlink(missing_ok=True)
    return opened_page()


@pytest.fixture
def new_page(
    tmp_path: Path, indexes: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AppTest]:
    """The page where nothing was decided yet."""
    make_version(tmp_path, "reranker", tiny_cross_encoder)
    _point_to(tmp_path, indexes, monkeypatch)
    yield opened_page()
    st.cache_resource.clear()


def _point_to(home: Path, indexes: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SECOND_LOOK_HOME", str(home))
    patch.setenv("SECOND_LOOK_INDEX_ROOT", str(indexes))
    patch.setenv("SECOND_LOOK_INDEX", "dev")
    patch.delenv("SECOND_LOOK_RERANKER", raising=False)
    patch.setattr(deciding, "GRID", GRID)


def opened_page() -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    page.query_params["show"] = "decide"
    return page


def decided(page: AppTest) -> AppTest:
    again(page)
    page.selectbox(key="evaluate_budget").select("10 min").run()
    press(page, "evaluate_decide")
    return settle(page, WORK)


def test_a_decision_is_shown_served_taken_back_and_there_on_return(page: AppTest) -> None:
    again(page)
    kept = last_decision("dev")
    assert kept is not None
    assert kept.figures["verdict"] == "re-rank"
    assert kept.figures["sentence"] in sentences(page).replace("\\", "")
    table = page.dataframe[0].value
    assert {"first stage", "default", "late", "served now"} <= set(table["pipeline"])
    assert list(table["nDCG@10"]) == [row["ndcg@10"] for row in kept.figures["pipelines"]]
    assert (table["ms p50"].dropna() > 0).all()
    assert "Gain against time" in html(page)
    assert "the program's own default, which wasn't chosen on this index" in _text(page)
    assert "evaluate_decide_back" not in keys(page)
    build = kept.figures["builds"]["dev"]
    assert f"{len(MANY)} judged dev queries, of which {kept.figures['comparing']} compare, build {build}" in _text(page)

    press(page, "evaluate_decide_serve")
    served = served_settings("dev")
    assert served is not None
    assert kept.served is not None
    assert served.settings == kept.served.settings
    assert served.build == kept.figures["builds"]["dev"]
    assert f"chosen on {len(MANY)} dev queries" in _text(page)
    assert "dev answers with what was decided." in sentences(page)
    assert "Its scores are calibrated: expected calibration error" in _text(settle(page, CALIBRATING))
    assert is_calibrated("dev")

    press(page, "evaluate_decide_back")
    assert served_settings("dev") is None
    assert "dev answers as before." in sentences(page)
    assert "Its scores are calibrated" not in _text(page)
    press(page, "evaluate_decide_serve")  # what was calibrated holds again, and isn't done again
    assert CALIBRATING not in keys(page)
    assert is_calibrated("dev")
    press(page, "evaluate_decide_back")

    assert list(page.dataframe[0].value["pipeline"]) == list(table["pipeline"])


def test_a_read_only_app_changes_nothing(page: AppTest) -> None:
    again(page)
    reader = AppTest.from_string(READ_ONLY, default_timeout=60)
    reader.query_params["show"] = "decide"
    again(reader)
    assert reader.dataframe
    assert "evaluate_decide_serve" not in keys(reader)
    assert [button.key for button in reader.download_button] == ["evaluate_decide_report"]
    assert reader.selectbox(key="evaluate_budget").options == ["20 s", "1 min"]


def test_a_decision_that_fails_is_one_sentence(new_page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> Decision:
        raise ModelError("Re-ranker x gave no finite number for each pair; choose another.")

    monkeypatch.setattr(deciding, "decide", failing)
    page = again(new_page)
    assert "Nothing has been decided for dev yet." in sentences(page)
    assert not page.dataframe
    decided(page)
    assert "Re-ranker x gave no finite number for each pair; choose another." in sentences(page)
    assert last_decision("dev") is None


def test_a_decision_can_be_stopped_and_nothing_is_kept(new_page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, free = threading.Event(), threading.Event()

    def waiting(*arguments: Any, progress: Any, **others: Any) -> Decision:
        begun.set()
        free.wait(30)
        return decide(*arguments, progress=progress, **others)

    monkeypatch.setattr(deciding, "decide", waiting)
    page = again(new_page)
    press(page, "evaluate_decide")
    assert begun.wait(30)
    press(page, WORK)
    free.set()
    settle(page, WORK)
    assert "Stopped; no results were kept." in sentences(page)
    assert last_decision("dev") is None


def test_a_rebuilt_index_says_that_the_decision_is_of_another_build(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = last_decision("dev")
    assert kept is not None
    build = kept.figures["builds"]["dev"]
    monkeypatch.setattr("app.views.evaluate.verdict.current_build", lambda _: Path("another"))
    assert f"This was decided on build {build} of dev, which has been rebuilt since; decide again." in _text(
        again(page)
    )


def test_the_report_to_download_has_the_verdict_and_every_pipeline(page: AppTest) -> None:
    kept = last_decision("dev")
    assert kept is not None
    read = checked(report_html(kept, "dev"), basis=f"index dev, build {kept.figures['builds']['dev']}")
    assert kept.figures["sentence"] in read.text
    assert {row["name"] for row in kept.figures["pipelines"]} <= {row[0] for row in read.rows}
    older = {name: value for name, value in kept.figures.items() if name != "builds"}
    assert "build not recorded" in report_html(replace(kept, figures=older), "dev")


def _text(page: AppTest) -> str:
    return html(page).replace("&#x27;", "'")
