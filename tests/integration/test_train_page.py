"""The Train page in every state, with a training that runs as a process of its own on tiny models."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.background import BackgroundJob, Subject
from app.views.train import preview
from app.views.train.chart import loss_chart, ndcg_chart, smoothed
from app.views.train.ended import RECENT, latest_ended
from app.views.train.fields import default_values
from app.views.train.measured import measured_words
from app.views.train.preview import OutputProgress, forecasts
from app.views.train.rows import counts_sentences, row_html
from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.jobs.folder import log_end, write_holder, write_status
from indexing.names import DEFAULT_BI_ENCODER
from indexing.records import Passage, PassageId, Query, QueryId
from tests.conftest import PASSAGES, QRELS, REPOSITORY, write_lines
from tests.support.pages import again, html, keys, press, sentences, settle, text
from tests.support.versions import make_version
from tests.unit.training.judgments.by_model.agreements import AGREEMENT
from tests.unit.training.judgments.clicks.logs import swapped, write_log
from training.data.settings import DataSettings
from training.jobs.jobs import TrainingJob
from training.jobs.reporter import PREVIEW
from training.jobs.status import Metric, MetricsFile, TrainingStatus
from training.judgments.by_model.kept import keep_model_grades
from training.judgments.clicks.expected import ClickSettings
from training.judgments.clicks.judge import judge_clicks
from training.judgments.clicks.kept import keep_clicks, remove_clicks
from training.judgments.feedback import FeedbackStore
from training.judgments.imported import keep_imported, read_imported
from training.judgments.kept import BY_MODEL, IMPORTED, remove_kept
from training.recipes.catalog import LOSS_RECIPES
from training.recipes.row_counts import RowCounts
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train.estimate import forecast
from training.train.forecast import Forecast
from training.train.request import DevSettings, TrainRequest
from training.versions.registry import find_version

VIEWS = REPOSITORY / "app/views"
MAIN = f"""
import streamlit as st
st.navigation([
    st.Page({str(VIEWS / "train/page.py")!r}, title="Train", url_path="train", default=True),
    st.Page({str(VIEWS / "models/page.py")!r}, title="Models", url_path="models"),
    st.Page({str(VIEWS / "teach/page.py")!r}, title="Teach", url_path="teach"),
]).run()
"""
READ_ONLY = "from app.views.train.view import render; render(read_only=True)"
WAIT = 120  # seconds until a process is given up; a busy machine starts slowly
DATA = DataSettings(sources=(Source("index", "small"),))
ROW = {"query": "<b>bees</b>", "passages": ["<script>1</script>", "wasps"], "labels": [3.0, 0.0]}
COUNTS = RowCounts({"judged small": 1}, {"protected": 2, "near-duplicate": 0}, rows=1, pairs=2)


@pytest.fixture
def house(tmp_path: Path, built_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, as the repository's root is when the app is started. Its job ends with the test."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(built_root))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "small")
    monkeypatch.delenv("SECOND_LOOK_FEEDBACK", raising=False)
    for name in ("sample", "reranker"):  # neither queries to protect nor weights
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    yield tmp_path
    for _ in range(2):
        for job in TrainingJob.all():
            job.stop()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def page(house: Path) -> AppTest:
    return AppTest.from_file(str(house / "main.py"), default_timeout=60)


@pytest.fixture
def tiny(page: AppTest, tiny_cross_encoder: Path) -> AppTest:
    """The page with three steps of a tiny model chosen."""
    page.session_state["train_base"] = str(tiny_cross_encoder)
    fields = {"steps": 3, "batch": 1, "max_length": 64, "margin": None, "per_query": 3, "dev_depth": 5}
    for name, value in {**fields, "evaluate_every": 2}.items():
        page.session_state[f"train_field_{name}"] = value
    return again(page)


def bars(page: AppTest) -> list[str]:
    return [bar.proto.text.replace("\\", "") for bar in page.get("progress")]


def asked(**given: Any) -> TrainRequest:
    return TrainRequest(output=places.models() / "mine/1", **{"recipe": "listnet", "data": DATA, **given})


def made_job(status: TrainingStatus, *, name: str = "training-1", request: TrainRequest | None = None) -> Path:
    folder = places.jobs() / name
    folder.mkdir(parents=True)
    atomic.write_json(folder / "config.json", (request or asked()).as_json())
    write_status(folder, status)
    return folder


def job_of(folder: Path) -> TrainingJob:
    job = TrainingJob.read(folder)
    assert job is not None
    return job


@contextmanager
def process_of(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that holds a job's lock, as a training's does, and takes no heed of the first SIGTERM."""
    with TrainingJob.hold(folder) as lock:
        process = subprocess.Popen(["sh", "-c", "trap '' TERM; exec sleep 60"], pass_fds=(lock.fileno(),))
        write_holder(lock, process.pid)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ended(folder: Path, state: str) -> TrainingJob:
    """The job, once its process has ended."""
    end = time.monotonic() + WAIT
    while (job := job_of(folder)).alive:
        assert time.monotonic() < end, job
        time.sleep(0.05)
    assert job.state == state, (job, log_end(folder))
    return job


# The form


def test_the_form_is_ready_to_start(page: AppTest) -> None:
    again(page)
    assert page.selectbox(key="train_recipe").value == "listnet"
    assert page.selectbox(key="train_index").value == "small"
    assert page.selectbox(key="train_base").value == DEFAULT_BI_ENCODER
    assert page.checkbox(key="train_field_judged").label == "The 2 judged train queries of small"
    assert page.checkbox(key="train_field_judged").value
    assert page.checkbox(key="train_field_feedback").disabled
    shown = text(page)
    assert (
        "It starts from the bi-encoder, with a new head and learns from the 2 judged train queries of small." in shown
    )
    assert "About 10 minutes in all: gathering, mining, training and measuring are counted." in shown
    assert "The weights that rank 1 dev queries best are kept." in shown
    assert [(box.label, box.proto.expanded) for box in page.expander] == [("Expert", False)]
    assert [link.proto.page for link in page.get("page_link")] == ["teach"]
    assert not page.checkbox(key="train_field_hub").value
    assert "dev split of small (1 queries)" in page.checkbox(key="train_field_dev").label
    assert page.number_input(key="train_field_minutes").value == 10
    assert page.number_input(key="train_field_minutes").label == "Minutes in all"
    assert page.number_input(key="train_field_learning_rate").value is None
    assert page.number_input(key="train_field_learning_rate").placeholder == "2.0e-05, the recipe's"
    assert "No served model to start from: " in text(page)
    assert "No trainings yet." in sentences(page)
    assert not page.error


def test_every_recipe_says_what_it_learns_from_and_asks_for_what_it_needs(page: AppTest) -> None:
    again(page)
    for name, recipe in LOSS_RECIPES.items():
        page.selectbox(key="train_recipe").select(name)
        again(page)
        assert f"{name} learns from {recipe.learns_from}." in text(page)
        assert not page.error
        needed = {box.key for box in page.selectbox} & {"train_teacher"}
        assert needed == ({"train_teacher"} if recipe.form.needs == "scores" and name != "cold-start" else set())
        assert any(box.key == "train_field_queries" for box in page.number_input) == (name == "cold-start")


def test_the_current_model_is_the_base_where_there_is_one(page: AppTest, house: Path, tiny_cross_encoder: Path) -> None:
    folder = make_version(house / "data/models", "old/1", tiny_cross_encoder)
    atomic.write_json(house / "data/models/promoted.json", {"promoted": "old/1"})
    again(page)
    assert page.selectbox(key="train_base").value == str(folder)
    assert "The served version (old/1)" in page.selectbox(key="train_base").options


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("name", "../escaped", "A version can't be called '../escaped'"),
        ("name", "", "A version can't be called ''"),
        ("first_rank", 500, "ranks are 500 to 100; give two from 1 to 10,000, the lower one first."),
        (
            "judged",
            False,
            "No training data is chosen; choose the index's judged queries, your own judgments, clicks or the hub's "
            "data.",
        ),
    ],
)
def test_a_training_that_cannot_be_is_not_begun(page: AppTest, field: str, value: object, expected: str) -> None:
    page.session_state[f"train_field_{field}"] = value
    again(page)
    press(page, "train_start")
    assert expected in sentences(page)
    assert TrainingJob.all() == []


def test_what_was_chosen_is_there_after_another_page(page: AppTest) -> None:
    again(page)
    page.number_input(key="train_field_minutes").set_value(7.0)
    page.selectbox(key="train_recipe").select("lambda")
    again(page)
    train, models = (
        next(key for key, row in page._registered_pages.items() if row["page_name"] == name)
        for name in ("Train", "Models")
    )
    for page_hash in (models, train):
        page._page_hash = page_hash
        again(page)
    assert page.number_input(key="train_field_minutes").value == 7
    assert page.selectbox(key="train_recipe").value == "lambda"


def test_every_field_of_the_form_has_a_default_that_is_drawn(page: AppTest) -> None:
    again(page)
    drawn = {
        str(widget.key).removeprefix("train_field_")
        for widget in [*page.number_input, *page.checkbox, *page.text_input, *page.selectbox]
        if str(widget.key).startswith("train_field_")
    }
    assert drawn == default_values().keys() - {"queries"}  # which only a cold start makes


# The preview


def previewed(page: AppTest) -> AppTest:
    press(page, "train_preview")
    end = time.monotonic() + WAIT
    while not page.session_state["train_forecast"][1].over:
        assert time.monotonic() < end
        time.sleep(0.05)
    return again(page)


def test_a_preview_shows_rows_and_counts_and_estimates(tiny: AppTest) -> None:
    previewed(tiny)
    shown = text(tiny)
    assert "how do bees make honey" in shown
    assert PASSAGES["a1"] in shown
    assert "2 rows with 8 (query, passage) pairs, from 2 of judged small." in shown  # 1 positive, 3 others and so on
    assert "<small>Steps</small><b>3</b>" in shown
    assert "<small>Pairs</small><b>12</b>" in shown  # 3 steps * 1 row * 4 pairs
    assert "<small>Passes</small><b>1.5</b>" in shown  # 3 rows of 2
    assert "estimated from the longest pairs; free: " in shown
    assert "The settings have changed since; press Preview again." not in shown
    tiny.number_input(key="train_field_minutes").set_value(7.0)
    again(tiny)
    assert "The settings have changed since; press Preview again." in text(tiny)
    assert TrainingJob.all() == []


def test_a_preview_tells_what_is_left_of_what_it_counts() -> None:
    told: list[tuple[str, int, int]] = []
    report = OutputProgress(lambda *one: told.append(one))
    for line in ("training forecast", "mine x: 5 of 1,200", "mine x: 5 of 1,200", "mine x: 9 of 1,200"):
        report(line)
    assert told == [("training forecast", 0, 0), ("mine x", 5, 1200), ("mine x", 0, 1200), ("mine x", 4, 1200)]
    report("mine x: 1,200 of 1,200")
    report("mine y: 2 of 1,200")
    assert told[4:] == [("mine x: 1,200 of 1,200", 0, 0), ("mine y", 2, 1200)]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecasts begin at once: a process of its own is started in the test before."""

    def here(request: TrainRequest, folder: Path, *, on_output: Callable[[str], None]) -> Forecast:
        return forecast(replace(request, output=folder / "version"), progress=lambda phase, *_: on_output(phase))

    monkeypatch.setattr(preview, "forecast_apart", here)


@pytest.mark.usefixtures("in_this_process")
def test_a_preview_that_fails_says_why(page: AppTest) -> None:
    page.session_state["train_base"] = "nobody/no-such-model"
    previewed(again(page))
    assert "Re-ranker 'nobody/no-such-model' is no folder here" in sentences(page)


def test_a_preview_that_waits_links_what_it_waits_for_and_ends_with_a_start_after_a_reload(
    page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    first = BackgroundJob(lambda _: end.wait(WAIT), Subject("the preview of another", "train"))
    first.start()
    press(again(page), "train_preview")
    waiting = page.session_state["train_forecast"][1]
    again(page)
    assert "Show the preview of another" in [link.proto.label for link in page.get("page_link")]
    monkeypatch.setattr(TrainingJob, "start", lambda *_, **__: None)
    monkeypatch.setattr(preview, "_is_open", lambda _: True)  # another one's tab, which shows it
    reloaded = again(AppTest.from_file(str(house / "main.py"), default_timeout=60))
    press(reloaded, "train_start")
    assert not waiting.stopping
    monkeypatch.setattr(preview, "_is_open", lambda _: False)
    press(reloaded, "train_start")
    assert waiting.stopping
    assert not first.stopping
    end.set()


@pytest.mark.usefixtures("in_this_process")
def test_my_judgments_are_learned_from(tiny: AppTest, house: Path) -> None:
    store = FeedbackStore.open(places.feedback(), protected_share=0.0)
    for passage, grade in (("b1", 3), ("b4", 0)):
        kept = Passage(PassageId(passage), PASSAGES[passage])
        store.grade("who sees the flash", kept, grade=grade, rater="ann", index="small", build="b")
    again(tiny)
    assert tiny.checkbox(key="train_field_feedback").label == "My judgments: 2 grades"
    tiny.checkbox(key="train_field_feedback").check()
    tiny.checkbox(key="train_field_judged").uncheck()
    previewed(again(tiny))
    assert "1 rows with 2 (query, passage) pairs, from 1 of feedback feedback.jsonl." in text(tiny)
    assert "who sees the flash" in text(tiny)


@pytest.mark.usefixtures("in_this_process")
def test_clicks_are_learned_from_only_where_they_are_ticked(tiny: AppTest, house: Path) -> None:
    assert tiny.checkbox(key="train_field_clicks").disabled
    FeedbackStore.open(places.feedback(), protected_share=0.0)
    log = write_log(house / "log.jsonl", *swapped("who sees the flash", "b1", "b4"))
    keep_clicks(judge_clicks([log], ClickSettings()), "small", build="b")
    again(tiny)
    assert tiny.checkbox(key="train_field_clicks").label == "2 judgments of 1 query from clicks"
    assert not tiny.checkbox(key="train_field_clicks").value
    assert "from clicks" not in text(tiny)
    tiny.checkbox(key="train_field_clicks").check()
    tiny.checkbox(key="train_field_judged").uncheck()
    previewed(again(tiny))
    assert "learns from the 2 judgments of 1 query from clicks." in text(tiny)
    assert "from 1 of clicks small." in text(tiny)
    assert "who sees the flash" in text(tiny)
    remove_clicks("small")
    again(tiny)
    assert tiny.checkbox(key="train_field_clicks").disabled


@pytest.mark.usefixtures("in_this_process")
def test_what_a_file_and_a_model_say_is_learned_from_only_where_it_is_ticked(tiny: AppTest, house: Path) -> None:
    FeedbackStore.open(places.feedback(), protected_share=0.0)
    file = write_lines(
        house / "ratings.csv", ["query,docid,rating", "who sees the flash,b1,3", "who sees the flash,b4,0"]
    )
    keep_imported(read_imported(file), "small", build="b")
    asked = Query(QueryId("m1"), "what hunts other insects")
    grades = {PassageId("a4"): 3, PassageId("a1"): 0, PassageId("a2"): 0}
    keep_model_grades({asked.id: grades}, [asked], AGREEMENT, "small", build="b")
    again(tiny)
    labels = [tiny.checkbox(key=f"train_field_{name}").label for name in ("clicks", "imported", "model")]
    assert labels == [
        "Judgments from clicks: none kept for this index yet",
        "2 judgments of 1 query from a file",
        "3 judgments of 1 query by a model",
    ]
    assert not any(tiny.checkbox(key=f"train_field_{name}").value for name in ("imported", "model"))
    tiny.checkbox(key="train_field_judged").uncheck()
    tiny.checkbox(key="train_field_imported").check()
    tiny.checkbox(key="train_field_model").check()
    previewed(again(tiny))
    assert "the 2 judgments of 1 query from a file and the 3 judgments of 1 query by a model" in text(tiny)
    assert "from 1 of imported small, 1 of model:tiny small." in text(tiny)
    for origin in (IMPORTED, BY_MODEL):
        remove_kept(origin, "small")


def test_rows_are_data_in_every_form() -> None:
    assert "<b>bees" not in row_html(ROW)
    assert "&lt;script&gt;1&lt;/script&gt;" in row_html(ROW)
    assert "<b>3</b><span>&lt;script" in row_html(ROW)
    triple = {"query": "q", "positive": "<i>", "negative": "no", "label": 1.25}
    assert "margin 1.250" in row_html(triple)
    assert "<b>positive</b><span>&lt;i&gt;</span>" in row_html(triple)
    assert "<b>0.5</b><span>text</span>" in row_html({"query": "q", "passage": "text", "label": 0.5})
    tuple_row = {"query": "q", "positive": "p", "negative_1": "n", "negative_2": "m"}
    assert row_html(tuple_row).count("<b>negative</b>") == 2
    assert counts_sentences(COUNTS)[1] == "Left out: 2 protected."


# A training


def test_a_training_runs_in_its_own_process_and_its_version_can_be_judged(
    tiny: AppTest, house: Path, tiny_cross_encoder: Path
) -> None:
    make_version(house / "data/models", "old/1", tiny_cross_encoder)
    atomic.write_json(house / "data/models/promoted.json", {"promoted": "old/1"})
    press(tiny, "train_start")
    (job,) = TrainingJob.all()
    assert tiny.query_params["job"] == job.name
    assert "train_stop" in keys(tiny)
    number = int((job.folder / "lock").read_text())
    assert os.getsid(number) == number != os.getsid(0)  # a signal to the server's group doesn't reach it
    press(tiny, "train_start")
    assert f"Training {job.name} (listnet, to make {places.models()}/mine/1) is running" in sentences(tiny)
    second = again(AppTest.from_file(str(house / "main.py"), default_timeout=60))  # another tab, without the link
    assert "train_stop" in keys(second)
    assert TrainingJob.all()[0].request.settings.steps == 3
    found = ended(job.folder, "finished")
    again(tiny)
    assert "Version mine/1 is ready. Its nDCG@10 on the dev set is" in sentences(tiny)
    assert "; that of old/1 is " in sentences(tiny)
    manifest = find_version("mine/1").manifest
    measured = manifest.measured_on["small dev"]
    assert (measured.queries, measured.depth) == (len(QRELS["dev"]), 5)
    assert measured.build == manifest.data[0].build
    assert f"nDCG@10 is measured on small dev, {measured.words()}." in text(tiny)
    assert re.search(rf"nDCG@10 \d\.\d{{4}} on small dev, {measured.words()}, recipe listnet", text(tiny))  # the list
    assert found.status.step == 3
    assert "Training data: 2 rows, 8 pairs" in [expander.label for expander in tiny.expander]
    assert len(tiny.get("vega_lite_chart")) + len(tiny.get("arrow_vega_lite_chart")) == 2
    assert find_version("mine/1").manifest.settings["batch"] == 1
    assert "train_stop" not in keys(tiny)
    tiny.session_state["models_gate_depth"] = 50  # what was chosen there before
    press(tiny, "train_promote")
    assert tiny.selectbox(key="models_candidate").value == "mine/1"
    assert tiny.selectbox(key="models_gate_index").value == "small"
    assert tiny.number_input(key="models_gate_depth").value == 5
    settle(tiny, "models_judge_stop")
    assert f"On index small, build {measured.build}, dev split, depth 5:" in text(tiny)  # it was judged at once


RUNNING = TrainingStatus(
    state="training", step=40, steps=80, loss=0.5, learning_rate=2e-5, pairs_per_second=120.0, seconds_left=150.0,
    ndcg=0.61, best_ndcg=0.62, current="old/1", current_ndcg=0.6, memory=1_500_000_000,
)  # fmt: skip


def test_a_running_training_shows_how_far_it_is(page: AppTest) -> None:
    folder = made_job(replace(RUNNING, updated=time.time()))
    metrics = MetricsFile(folder)
    for step in range(1, 41):
        metrics.add(Metric(step, 1.0, 2e-5, 0.6 + step / 4000 if step % 20 == 0 else None))
    atomic.write_json(folder / PREVIEW, {"rows": [ROW], "counts": vars(COUNTS)})
    with TrainingJob.hold(folder):
        again(page)
        assert bars(page) == ["Training, step 40 of 80 …"]
        shown = text(page)
        for name, value in {
            "Loss": "1.0000", "Learning rate": "2.0e-05", "nDCG@10, dev": "0.6100", "Served version": "0.6000",
            "Pairs per second": "120", "Time left": "2 min", "Memory": "1.5 GB",
        }.items():  # fmt: skip
            assert f"<small>{name}</small><b>{value}</b>" in shown
        assert "mine/1" in shown
        assert "train_stop" in keys(page)
        assert "train_resume" not in keys(page)
        assert "<script>1" not in html(page)
        assert "It last wrote" not in shown
        write_status(
            folder, replace(RUNNING, state="gathering", phase="mine small", done=12, updated=time.time() - 300)
        )
        again(page)
        assert bars(page) == ["Gathering training data, mine small, 12 done …"]
        assert "The last report was 5 min ago." in text(page)
        write_status(folder, replace(RUNNING, state="gathering", phase="mine small", done=12, total=48))
        again(page)
        assert bars(page) == ["Gathering training data, mine small, 12 of 48 …"]
    write_status(
        folder, replace(RUNNING, state="finished", version=str(places.models() / "mine/1"), ndcg=0.65, seconds_left=0.0)
    )
    again(page)
    told = "Version mine/1 is ready. Its nDCG@10 on the dev set is 0.6500; that of old/1 is 0.6000."
    assert told in sentences(page)
    assert bars(page) == []


def test_a_training_is_asked_to_stop_and_then_ended(page: AppTest) -> None:
    folder = made_job(RUNNING)
    with process_of(folder) as process:
        press(again(page), "train_stop")
        assert bars(page) == ["Stopping after the current step, step 40 of 80 …"]
        assert page.button(key="train_stop").label == "Stop now"
        assert process.poll() is None
        press(page, "train_stop")
        assert process.wait(10) == -signal.SIGKILL
    page.query_params["job"] = folder.name
    again(page)
    assert "Stopped. The training can be resumed from its last checkpoint." in sentences(page)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            RUNNING,
            "The process ended unexpectedly: it was killed, the machine restarted, or memory ran out. "
            "The training can be resumed from its last checkpoint.",
        ),
        (replace(RUNNING, state="failed", error="Memory is full <b>."), "Memory is full <b>."),
    ],
)
def test_a_training_that_broke_off_says_so_with_the_logs_end(
    page: AppTest, status: TrainingStatus, expected: str
) -> None:
    folder = made_job(status)
    (folder / "log.txt").write_text("step 39\nKilled\n", encoding="utf-8")
    page.query_params["job"] = folder.name
    again(page)
    assert expected in sentences(page)
    assert page.code[0].value == "step 39\nKilled"
    assert {"train_resume", "train_remove_yes"} <= keys(page)
    assert "train_promote" not in keys(page)
    with process_of(made_job(RUNNING, name="training-2")):
        press(page, "train_resume")
        assert f"Training training-2 (listnet, to make {places.models()}/mine/1) is running" in sentences(page)
    press(page, "train_remove_yes")
    assert [job.name for job in TrainingJob.all()] == ["training-2"]
    assert expected not in sentences(page)


def test_a_stopped_training_can_go_on(page: AppTest) -> None:
    made_job(replace(RUNNING, state="stopped"))
    press(again(page), "train_show_training-1")
    assert "Stopped. The training can be resumed from its last checkpoint." in sentences(page)
    assert "train_resume" in keys(page)


def test_what_ended_meanwhile_is_shown_until_this_user_dismisses_it(
    page: AppTest, house: Path, tiny_cross_encoder: Path
) -> None:
    version = make_version(house / "data/models", "mine/1", tiny_cross_encoder)
    done = replace(RUNNING, state="finished", version=str(version), updated=time.time() - 3600)
    made_job(replace(done, updated=time.time() - 7200))
    newest = made_job(done, name="training-2")
    again(page)
    assert page.query_params["job"] == "training-2"
    assert "Version mine/1 is ready." in sentences(page)
    assert {"train_promote", "train_compare", "train_dismiss"} <= keys(page)
    press(page, "train_dismiss")
    assert "job" not in page.query_params
    assert "train_promote" not in keys(page)  # the one before it doesn't come up instead
    another = again(AppTest.from_file(str(house / "main.py"), default_timeout=60))
    assert "train_promote" not in keys(another)
    assert latest_ended(TrainingJob.all(), user="another@example.org") == job_of(newest)
    write_status(newest, replace(done, updated=time.time()))  # it was resumed and has ended again
    assert "train_dismiss" in keys(again(another))


def test_what_ended_more_than_a_day_ago_is_in_the_list_alone(page: AppTest) -> None:
    made_job(replace(RUNNING, state="finished", updated=time.time() - RECENT - 60))
    again(page)
    assert "train_dismiss" not in keys(page)
    assert "train_show_training-1" in keys(page)


def test_trainings_are_listed_newest_first(page: AppTest) -> None:
    made_job(replace(RUNNING, state="finished", ndcg=0.65, started=1_760_000_000.0))
    other = asked(recipe="bce", settings=TrainSettings(base="x/<i>y</i>"))
    made_job(TrainingStatus(state="failed", error="No."), name="training-2", request=other)
    again(page)
    shown = [element.body for element in page.html if "sl-badge" in element.body]
    assert ">Failed</span>" in shown[0]
    assert "from &lt;i&gt;y&lt;/i&gt;, training-2" in shown[0]
    assert ">Ready</span>" in shown[1]
    assert "2025-10-09 08:53, nDCG@10 0.6500, recipe listnet, 40 of 80 steps" in shown[1]  # 1,760,000,000 s


def test_a_figure_is_of_what_was_asked_for_until_a_version_records_it(page: AppTest, built_root: Path) -> None:
    build = current_build("small", root=built_root).name
    request = asked(dev=DevSettings(index="small", queries=7, depth=9), root=built_root)
    folder = made_job(replace(RUNNING, state="stopped", started=time.time()), request=request)
    assert measured_words(job_of(folder)) == f"small dev, up to 7 queries, depth 9, build {build}"
    again(page)
    assert f"nDCG@10 0.6100 on small dev, up to 7 queries, depth 9, build {build}, recipe" in text(page)
    write_status(folder, replace(RUNNING, state="stopped", started=1.0))  # the index was built since
    assert measured_words(job_of(folder)) == "small dev, up to 7 queries, depth 9, build not recorded"
    assert measured_words(job_of(made_job(RUNNING, name="training-2"))) == ""


def test_a_link_to_no_job_is_passed_over(page: AppTest) -> None:
    made_job(TrainingStatus(state="failed", error="No."))
    page.query_params["job"] = "../../etc"
    again(page)
    assert "train_remove_yes" not in keys(page)
    assert not page.error


def test_read_only_shows_the_list_alone(house: Path) -> None:
    folder = made_job(RUNNING)
    with TrainingJob.hold(folder):
        page = again(AppTest.from_string(READ_ONLY, default_timeout=60))
    assert "This app is read-only and starts no training. Start your own copy to train a re-ranker." in sentences(page)
    assert "mine/1" in text(page)
    assert "Training</span>" in html(page)
    assert keys(page) == set()
    assert not page.checkbox
    assert forecasts()._jobs == {}


# The charts


def data_of(chart: Any) -> list[list[dict[str, Any]]]:
    """The rows of each layer; those that all share are the whole chart's."""
    found = [layer.data if chart.data is alt.Undefined else chart.data for layer in chart.layer]
    return [data["values"] for data in found]


def test_the_loss_is_smoothed_by_its_past() -> None:
    # a span of 5: each earlier value weighs 1 - 2 / 6 = 2/3 of the one after it
    assert smoothed([3.0, 0.0]) == pytest.approx([3.0, (2 / 3 * 3.0 + 0.0) / (2 / 3 + 1)])
    assert smoothed([1.0] * 500) == pytest.approx([1.0] * 500)


def test_a_long_line_is_thinned_and_keeps_its_end() -> None:
    metrics = [Metric(step, float(step), 1e-5) for step in range(1, 1002)]
    drawn = data_of(loss_chart(metrics))[0]
    assert len(drawn) == 335  # every third of 1,001, the first and the 1,000th among them, and the last
    assert [drawn[0]["step"], drawn[-1]["step"]] == [1, 1001]


def test_the_current_model_is_a_line_beside_the_measured_points() -> None:
    metrics = [Metric(1, None, 1e-5), Metric(2, 0.1, 1e-5, 0.4), Metric(4, 0.1, 1e-5, 0.5)]
    rows = data_of(ndcg_chart(metrics, "old/1", 0.45))
    assert rows[0] == [{"step": 2, "ndcg": 0.4}, {"step": 4, "ndcg": 0.5}]
    assert rows[-1] == [{"ndcg": 0.45, "name": "served version: old/1"}]
    told = ndcg_chart(metrics, "old/1", 0.45, measured="small dev, 2 queries").to_dict()["description"]
    assert told.startswith("nDCG@10 on small dev, 2 queries. step 2: 0.4000; step 4: 0.5000.")
    assert len(data_of(ndcg_chart(metrics, "", None))) == 2


def test_both_charts_have_the_same_steps() -> None:
    metrics = [Metric(step, 1.0, 1e-5, 0.5 if step == 4 else None) for step in range(1, 8)]
    for chart in (loss_chart(metrics), ndcg_chart(metrics, "", None)):
        assert [layer["encoding"]["x"]["scale"]["domain"] for layer in chart.to_dict()["layer"]] == [[0, 7]] * 2
