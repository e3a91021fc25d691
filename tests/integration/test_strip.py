"""The strip on every page: what runs, how far it is, a link, a button that stops it; and nothing where nothing runs."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import strip
from app.background import BackgroundJobs, Subject, running_jobs
from app.strip import RunningWork, running_work, work_html
from indexing import atomic, places
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import STATUS, write_status
from indexing.progress import Progress
from tests.support.pages import again, keys, text
from training.data.settings import DataSettings
from training.jobs.jobs import TrainingJob
from training.jobs.status import TrainingStatus
from training.source import Source
from training.train.request import TrainRequest

PAGE = """
import streamlit as st
from app.strip import show_strip
def page():
    st.write("a page")
    show_strip()
st.navigation([st.Page(page, title="Any", url_path="any", default=True), *(
    st.Page(f"{VIEWS}/{name}/page.py", title=name, url_path=name) for name in ("train", "indexes", "evaluate")
)]).run()
"""
LONG = 10.0  # seconds after which a test gives up
STATUS_NOW = TrainingStatus(state="training", step=40, steps=80, seconds_left=150.0)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    places.jobs().mkdir(parents=True)
    script = tmp_path / "main.py"
    script.write_text(PAGE.replace("{VIEWS}", str(Path(strip.__file__).parent / "views")), encoding="utf-8")
    yield AppTest.from_file(str(script), default_timeout=60)
    st.cache_resource.clear()


def training_folder(status: TrainingStatus = STATUS_NOW) -> Path:
    folder = places.jobs() / "training-1"
    folder.mkdir()
    data = DataSettings(sources=(Source("index", "small"),))
    request = TrainRequest(output=places.models() / "mine/1", recipe="listnet", data=data)
    atomic.write_json(folder / "config.json", request.as_json())
    write_status(folder, status)
    return folder


def links(page: AppTest) -> list[tuple[str, str, str]]:
    found = [link.proto for link in page.get("page_link")]
    return [(link.label, link.page, link.query_string) for link in found]


def test_nothing_is_drawn_and_nothing_is_read_again_where_nothing_runs(page: AppTest) -> None:
    training_folder()  # whose process has ended
    again(page)
    assert running_work() == []
    assert links(page) == []
    assert keys(page) == set()


def test_a_training_is_named_linked_and_stopped(page: AppTest) -> None:
    folder = training_folder()
    with TrainingJob.hold(folder):
        again(page)
        assert links(page) == [("Training of mine/1", "train", "job=training-1")]
        assert "Training, step 40 of 80 … about 2 min left, not counting evaluations" in text(page)
        page.button(key="strip_stop_training-1").click()
        again(page)
        assert (folder / "stop").exists()
        assert page.button(key="strip_stop_training-1").label == "Stop now"
    again(page)
    assert links(page) == []


def test_a_build_says_how_long_it_still_takes(page: AppTest) -> None:
    folder = places.jobs() / "build-1"
    folder.mkdir()
    atomic.write_json(folder / "config.json", BuildJob.request_as_json(BuildRequest(name="bees", corpus="here")))
    write_status(folder, BuildStatus(state="running", phase="encode", done=300, total=900, rate=10.0))
    with BuildJob.hold(folder):
        again(page)
        assert links(page) == [("Build of bees", "indexes", "")]
        assert "Encoding passages: 300 of 900, 10 per second, about 1 min left" in text(page)  # 600 / 10 s
        assert '<progress max="1" value="0.333"' in text(page)


def test_a_status_that_cannot_be_read_breaks_no_page(page: AppTest) -> None:
    folder = training_folder()
    with TrainingJob.hold(folder):
        (folder / STATUS).write_text("{", encoding="utf-8")
        again(page)
        assert links(page) == []


def test_work_that_waits_names_what_it_waits_for(page: AppTest) -> None:
    let_go, jobs = threading.Event(), BackgroundJobs[str]()

    def held(progress: Progress) -> str:
        while not let_go.wait(0.002):
            progress("dev", 0, 4)
        return "done"

    first = jobs.start("a", held, Subject("the evaluation of the dev split", "evaluate"))
    end = time.monotonic() + LONG
    while not first.progress.phase:
        assert time.monotonic() < end
        time.sleep(0.002)
    jobs.start("b", held, Subject("the gate on mine/1", "models"))
    try:
        assert [work.about for work in running_work()] == [
            "dev: 0 of 4 queries",
            "Waiting for the evaluation of the dev split to finish …",
        ]
    finally:
        let_go.set()
    while running_jobs():
        assert time.monotonic() < end
        time.sleep(0.002)
    assert running_work() == []
    assert again(page)


def test_names_are_data() -> None:
    work = RunningWork(key="x", subject=Subject('<b>"'), about="<script>", share=0.5, stop=lambda: None, label="Stop")
    assert "<script>" not in work_html(work)
    assert "<b>" not in work_html(work)


def test_a_phase_that_is_full_is_told_as_over(page: AppTest) -> None:
    status = TrainingStatus(state="gathering", phase="dev queries", done=8, total=8, phase_started=100.0, updated=110.0)
    folder = training_folder(status)
    with TrainingJob.hold(folder):
        (work,) = running_work()
        assert work.about == "Gathering training data, dev queries: all 8 done, preparing what follows …"
        assert work.share == 0.0
        write_status(folder, replace(status, phase="mine small", done=10, total=40))
        (work,) = running_work()
        assert (
            work.about == "Gathering training data, mine small, 10 of 40, about 30 s left of this part …"
        )  # 30 * 10/10
        assert work.share == 0.25
