"""The evaluate page in every state, on a tiny index with random models."""

import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.turns import PatientPipeline
from app.views.evaluate import view
from app.views.evaluate.results import marker, stage_columns
from app.views.evaluate.view import EvaluationResult, KeptEvaluation
from app.views.widgets.measured.kept_result import read_result
from app.views.widgets.terms import meaning
from indexing import places
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from indexing.judged.qrels import read_qrels
from indexing.records import PassageId, QueryId
from search.load import open_pipeline
from search.served_settings import OWN_DEFAULT
from search.settings import PipelineSettings
from search.trace import SearchTrace
from search.trec import read_run
from tests.conftest import PASSAGES, QRELS, write_lines
from tests.support.pages import html, make_gate_index, sentences, settle, text
from tests.support.versions import make_version
from training.evaluation.comparison import compare_runs
from training.evaluation.evaluate import Evaluation, evaluate_stages
from training.evaluation.html.evaluation import evaluation_html
from training.evaluation.measures import in_order
from training.evaluation.report import ORACLE
from training.evaluation.settings import EvaluationRequest
from training.evaluation.stages import DEFAULT_ROW, STAGES

PAGE = Path(__file__).parents[2] / "app/views/evaluate/page.py"
READ_ONLY = "from app.views.evaluate.view import render\nrender(read_only=True)"
pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory, bi_encoder: BiEncoder, tiny_cross_encoder: Path) -> Path:
    """`dev` with dev and test queries; `binary` with judgments of grade 1 on test only; `bare` without any."""
    folder = tmp_path_factory.mktemp("evaluated")
    root = make_gate_index(folder, bi_encoder, tiny_cross_encoder)
    lines = [f"{key}\t{text}" for key, text in PASSAGES.items()]
    for name in ("binary", "bare"):
        write_lines(folder / name / "collection.tsv", lines)
        settings = BuildSettings(bi_encoder=bi_encoder.name)
        build(Corpus(folder / name), name=name, root=root, settings=settings)
    write_lines(folder / "binary/queries.test.tsv", ["1\thoney", "2\tbread"])
    write_lines(folder / "binary/qrels.test.tsv", ["1 0 a1 1", "2 0 c1 1", "2 0 a1 0"])
    return root


@pytest.fixture
def house(tmp_path: Path, indexes: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to serve from, with the shipped re-ranker and mine/1, whose logits are the opposite."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(indexes))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "dev")
    monkeypatch.delenv("SECOND_LOOK_RERANKER", raising=False)
    make_version(tmp_path / "data", "reranker", tiny_cross_encoder)
    make_version(tmp_path / "data/models", "mine/1", tiny_cross_encoder, sign=-1.0)
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def page(house: Path) -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=60)


def run(page: AppTest, **chosen: Any) -> AppTest:
    """Choose settings, by the names of their widgets, and run to the end."""
    page.run()
    for name, value in chosen.items():
        if name == "depth":
            page.number_input(key="evaluate_depth").set_value(value).run()
        else:
            page.selectbox(key=f"evaluate_{name}").set_value(value).run()
    page.button(key="evaluate_run").click().run()
    return settle(page, "evaluate_run_stop")


def result(page: AppTest) -> EvaluationResult:
    found = page.session_state["evaluate_last"][1].result
    assert isinstance(found, EvaluationResult)
    return found


def test_before_a_run_the_page_says_what_it_would_take(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert page.selectbox(key="evaluate_split").value == "dev"
    assert "6 queries, up to 300 (query, passage) pairs to score." in html(page)  # 6 dev queries, depth 50, as Search
    assert "Press Run to evaluate. A bar shows the progress, and you can leave the page meanwhile." in html(page)
    assert not page.dataframe


def test_a_link_holds_what_is_set_and_starts_nothing(page: AppTest, house: Path) -> None:
    version = str(house / "data/models/mine/1")
    link = {"split": "test", "depth": "7", "measure": "MRR@10", "baseline": "dense", "reranker": version}
    for name, value in link.items():
        page.query_params[name] = value
    page.run()
    assert page.selectbox(key="evaluate_split").value == "test"
    assert page.number_input(key="evaluate_depth").value == 7
    assert {name: page.query_params[name] for name in link} == link
    assert "Press Run" in html(page)
    page.selectbox(key="evaluate_measure").set_value("MAP").run()
    assert page.query_params["measure"] == "MAP"


def test_what_a_link_cannot_choose_is_told(page: AppTest) -> None:
    for name, value in {"split": "<i>x", "depth": "0", "index": "gone"}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    told = unescape(html(page))
    assert "The link's split “<i>x” isn't available here; dev is used." in told
    assert "The link's depth “0” isn't available here; 50 is used." in told
    assert "The link's index “gone” isn't available here; dev is used." in told


def test_every_stage_is_measured_as_the_command_does(page: AppTest, house: Path, indexes: Path) -> None:
    run(page, split="test", depth=10)
    expected = evaluate_stages(
        open_pipeline("dev", root=indexes), EvaluationRequest(split="test", depth=10, served=OWN_DEFAULT)
    )
    table = page.dataframe[0].value
    assert list(table["stage"]) == [*STAGES, DEFAULT_ROW, ORACLE]
    systems = expected.reports[0].comparison.systems
    for name in ("nDCG@10", "MRR@10", "MAP", "R@10", "Judged@10"):
        assert list(table[name]) == pytest.approx([measured.means[name] for measured in systems.values()])
    helps = {name: column.get("help") for name, column in json.loads(page.dataframe[0].proto.columns).items()}
    assert helps["MRR@10"] == meaning("MRR@10")
    assert helps["R@10"] == meaning("R@10, R@100, R@1000")
    assert helps["95 %"] == helps["95 % of difference"] == meaning("95 % interval")
    assert meaning("p") in helps["p (Holm)"]
    assert "R@1000" not in table  # as deep as the lists are it repeats R@10
    assert table["tested"][0] == "baseline"
    assert table["tested"][len(STAGES) + 1] == "reference"
    assert result(page).evaluation.shares == expected.shares
    assert "when mixed with late interaction; each was chosen on the dev split." in html(page)


def test_significance_is_marked(page: AppTest, house: Path) -> None:
    run(page, depth=10, reranker=str(house / "data/models/mine/1"), baseline="re-ranked")
    table = page.dataframe[0].value
    rows = table.set_index("stage")
    assert rows["tested"]["re-ranked"] == "baseline"
    found = result(page).evaluation.reports[0].comparison.versus
    assert set(found) == {*STAGES} - {"re-ranked"}
    for name, versus in found.items():
        low, high = versus.interval
        assert rows["tested"][name] == ("▲ better" if low > 0 else "▼ worse" if high < 0 else "· no difference shown")
        assert rows["difference"][name] == f"{versus.difference:+.4f}"
        assert rows["won / lost / tied"][name] == " / ".join(map(str, versus.outcomes))


def test_better_and_worse_are_told_from_chance() -> None:
    qrels = {QueryId(str(number)): {PassageId("a"): 1} for number in range(8)}
    orders = {"base": "bac", "better": "abc", "worse": "bca", "same": "bac", "oracle": "abc"}
    runs = {name: dict.fromkeys(qrels, in_order([PassageId(key) for key in order])) for name, order in orders.items()}
    oracle = {"oracle": runs.pop("oracle")}
    found = compare_runs(runs, qrels, baseline="base", minimum_grade=1, references=oracle)
    # eight queries that all differ the same way: the interval excludes zero; p = 2 / 2^8 = 0.0078, after Holm's
    # correction for three tests 0.0234
    told = {"base": "baseline", "better": "▲ better", "worse": "▼ worse", "same": "· no difference shown"}
    assert {name: marker(found, name) for name in found.systems} == {**told, "oracle": "reference"}
    table = stage_columns(found)
    assert dict(zip(table["stage"], table["p (Holm)"], strict=True))["better"] == "0.0234"
    assert table["difference"][0] == ""


def test_losses_and_queries_are_shown(page: AppTest) -> None:
    run(page, split="test", depth=2)
    losses = result(page).evaluation.reports[0].attribution
    shown = unescape(html(page))
    assert f"{losses.means['lost to recall']:.4f} is lost because passages weren't retrieved" in shown
    table = page.dataframe[1].value
    assert len(table) == 2
    assert list(table["lost to recall"]) == pytest.approx(
        [losses.losses[key].to_recall for key in _ids(page, list(table["query"]))]
    )
    assert set(table["loses most to"]) <= {"recall", "ranking", "both alike", "nothing"}
    assert table["open"][0].startswith("./?q=")
    assert "index=dev&depth=2&rerank=2&reranker=default" in table["open"][0]
    page.selectbox(key="evaluate_system").select("dense").run()
    assert "dense" in page.dataframe[1].value
    assert "lost to recall" not in page.dataframe[1].value  # losses are of the re-ranked stage


def _ids(page: AppTest, texts: list[str]) -> list[Any]:
    by_text = {query.text: query.id for query in result(page).evaluation.reports[0].queries}
    return [by_text[text] for text in texts]


def test_downloads_hold_what_was_measured(page: AppTest, tmp_path: Path) -> None:
    run(page, split="test", depth=10)
    keys = [button.key for button in page.download_button]
    names = ("runs", "qrels", "figures", "report")
    assert keys == [f"evaluate_download_{name}" for name in names]
    found = result(page)
    with zipfile.ZipFile(io.BytesIO(found.files.archive)) as archive:
        archive.extractall(tmp_path)
    assert read_qrels(tmp_path / "qrels.txt") == QRELS["test"]
    assert (tmp_path / "qrels.txt").read_bytes() == found.files.qrels
    reranked = read_run(tmp_path / "runs/re-ranked.trec")
    report = found.evaluation.reports[0]
    assert {query: ranking.passage_ids for query, ranking in reranked.items()} == {
        query: ranking.passage_ids for query, ranking in report.runs["re-ranked"].items()
    }


def test_each_split_comes_with_what_it_is_for(page: AppTest) -> None:
    page.run()
    assert "for reporting" not in html(page)
    page.selectbox(key="evaluate_split").select("test").run()
    assert (
        "The test split is for reporting. A depth, weight or model that was chosen by looking at it seems better than "
        "it is: choose by the dev split instead."
    ) in html(page)
    assert "8 queries (including the dev split, on which the re-ranker's share is chosen" in unescape(
        html(page)
    )  # 6 of dev, 2 of test


def test_judgments_of_one_grade_are_counted_from_it_on(page: AppTest) -> None:
    page.run()
    assert page.selectbox(key="evaluate_grade").value == "2"
    run(page, index="binary", depth=10)
    assert page.selectbox(key="evaluate_grade").options == ["1"]
    assert not sentences(page)
    assert list(page.dataframe[0].value["stage"]) == [
        *STAGES[:5],
        DEFAULT_ROW,
        ORACLE,
    ]  # no dev queries, so no share is chosen
    assert "Without dev queries the re-ranker isn't mixed with another score." in text(page)


def test_a_collection_without_judged_queries_says_so(page: AppTest) -> None:
    page.run().selectbox(key="evaluate_index").select("bare").run()
    assert not page.exception
    assert "The corpus of index bare has no judged queries" in sentences(page)
    assert "evaluate_run" not in [button.key for button in page.button]


def test_an_absent_index_says_what_to_run(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "nothing")
    page.run()
    assert not page.exception
    assert "“Build” on the Indexes page" in sentences(page)


def test_a_reranker_that_cannot_be_loaded_is_told_and_can_be_tried_again(page: AppTest, house: Path) -> None:
    (house / "empty").mkdir()
    page.session_state["evaluate_reranker"] = str(house / "empty")  # typed in
    page.run().button(key="evaluate_run").click().run()
    assert not page.exception
    assert f"Re-ranker {house / 'empty'} holds no config.json." in sentences(page)
    assert not page.dataframe
    shutil.copytree(house / "data/reranker", house / "empty", dirs_exist_ok=True)
    page.button(key="evaluate_retry").click().run()
    page.button(key="evaluate_run").click().run()
    assert settle(page, "evaluate_run_stop").dataframe


class Counted:
    """The evaluation itself, counted; it waits while it is held."""

    def __init__(self) -> None:
        self.times = 0
        self.free = threading.Event()
        self.free.set()

    def __call__(self, pipeline: Any, request: EvaluationRequest, *, keep: Any, progress: Any) -> Evaluation:
        self.times += 1
        count = 3  # at once; then none while it waits
        while not self.free.wait(0.005):
            progress("dev", count, 6)
            count = 0
        return evaluate_stages(pipeline, request, keep=keep, progress=progress)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted()
    monkeypatch.setattr(view, "evaluate_stages", counted)
    yield counted
    counted.free.set()  # a thread that waits would hold up every other test's work


def test_the_same_is_not_evaluated_twice_in_any_session(page: AppTest, counted: Counted) -> None:
    run(page, depth=10)
    page.run()
    assert counted.times == 1
    other = run(AppTest.from_file(str(PAGE), default_timeout=60), depth=10)
    assert other.dataframe
    assert counted.times == 1
    run(other, depth=9)
    assert counted.times == 2


def test_a_promoted_model_is_evaluated_anew(page: AppTest, counted: Counted, house: Path) -> None:
    run(page, depth=10)
    before = result(page)
    (house / "data/models/promoted.json").write_text('{"promoted": "mine/1"}', encoding="utf-8")
    run(page)
    assert counted.times == 2
    assert result(page).evaluation.reranker == "mine/1"
    assert before.evaluation.reranker == "shipped"


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query that was searched to be measured."""
    asked: list[str] = []
    plain = PatientPipeline.search

    def search(pipeline: PatientPipeline, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        asked.append(query)
        return plain(pipeline, query, settings)

    monkeypatch.setattr(PatientPipeline, "search", search)
    return asked


AGAIN = (
    "The lists and times of 6 queries of dev, dev were measured before with the same model, depth and build; they are "
    "used again."
)


def test_what_was_measured_once_is_read_after_a_restart_and_for_another_measure(
    page: AppTest, searched: list[str], house: Path
) -> None:
    run(page, depth=10)
    assert len(searched) == 6
    assert AGAIN not in text(page)
    tables, report = [frame.value for frame in page.dataframe], result(page).evaluation.as_json()
    charts = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    assert len(charts) == 5

    st.cache_resource.clear()  # as where the server was started anew
    shown = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not shown.exception
    assert "Shown below: the dev split of dev, depth 10, by nDCG@10, measured 20" in text(shown)
    assert [frame.value.to_dict() for frame in shown.dataframe] == [table.to_dict() for table in tables]
    assert [chart.proto.spec for chart in shown.get("vega_lite_chart")] == charts
    assert [button.key for button in shown.download_button] == [
        "evaluate_download_figures",
        "evaluate_download_report",
    ]
    kept = read_result("evaluation", KeptEvaluation)
    assert kept is not None
    assert kept.result.evaluation.as_json() == report
    assert evaluation_html(kept.result.evaluation, at="today") == evaluation_html(result(page).evaluation, at="today")

    run(shown, depth=10, measure="MRR@10", baseline="dense")
    assert len(searched) == 6
    assert AGAIN in text(shown)
    assert list(shown.dataframe[0].value["nDCG@10"]) == list(tables[0]["nDCG@10"])
    assert "evaluate_download_runs" in [button.key for button in shown.download_button]

    (house / "data/models/promoted.json").write_text('{"promoted": "mine/1"}', encoding="utf-8")
    run(shown)
    assert len(searched) == 12
    assert AGAIN not in text(shown)
    run(shown, depth=9)
    assert len(searched) == 18


def test_kept_figures_that_were_damaged_are_not_shown(page: AppTest) -> None:
    run(page, depth=5)
    st.cache_resource.clear()
    path = places.runs() / "shown/evaluation.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"depth": 5', '"depth": 6'), encoding="utf-8")
    shown = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not shown.exception
    assert not shown.dataframe
    assert "Press Run to evaluate." in text(shown)


def test_other_settings_keep_the_result_and_say_so(page: AppTest) -> None:
    run(page, depth=10)
    page.number_input(key="evaluate_depth").set_value(20).run()
    assert page.dataframe
    assert (
        "Shown below: the dev split of dev, depth 10, by nDCG@10. Press Run to evaluate the settings above."
    ) in html(page)


def test_progress_is_shown_and_the_work_can_be_stopped(page: AppTest, counted: Counted) -> None:
    counted.free.clear()
    page.run().button(key="evaluate_run").click().run()
    job = page.session_state["evaluate_last"][1]
    while job.progress.total == 0:
        page.run()
    assert page.run().get("progress")[0].proto.text.replace("\\", "") == "dev: 3 of 6 queries"
    assert page.get("progress")[0].proto.value == 50
    page.button(key="evaluate_run_stop").click().run()
    settle(page, "evaluate_run_stop")
    assert "Stopped; no results were kept. You can start it again at any time." in sentences(page)
    assert not page.dataframe
    counted.free.set()
    page.button(key="evaluate_run").click().run()
    assert settle(page, "evaluate_run_stop").dataframe


def test_what_fails_is_one_sentence(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> Evaluation:
        raise ModelError("Re-ranker x gave a score that isn't a finite number; choose another.")

    monkeypatch.setattr(view, "evaluate_stages", failing)
    run(page, depth=10)
    assert "Re-ranker x gave a score that isn't a finite number; choose another." in sentences(page)
    assert not page.dataframe


def test_a_read_only_app_takes_no_other_reranker(house: Path) -> None:
    page = AppTest.from_string(READ_ONLY, default_timeout=60)
    page.session_state["evaluate_reranker"] = "nobody/no-such-model"
    page.run()
    assert not page.exception
    assert ("This app is read-only: you can evaluate the re-rankers listed here, but not load others.") in html(page)
    assert page.selectbox(key="evaluate_reranker").options == [
        "served (shipped)",
        "shipped",
        "mine/1",
        "late interaction",
    ]
    assert page.selectbox(key="evaluate_reranker").value == "default"
    page.number_input(key="evaluate_depth").set_value(5).run()
    page.button(key="evaluate_run").click().run()
    assert settle(page, "evaluate_run_stop").dataframe
