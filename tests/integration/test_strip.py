"""The strip on every page: what runs, how far it is, a link, a button that stops it; and nothing where nothing runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import strip
from app.background import BackgroundJobs, Subject, running_jobs
from app.strip import RunningWork, running_work, work_html
from indexing.jobs.build_job import BuildJob
from indexing.jobs.folder import STATUS, write_status
from indexing.progress import Progress
from tests.support.held_jobs import lay_build, lay_training
from tests.support.pages import again, keys, text
from training.jobs.jobs import TrainingJob
from training.jobs.status import TrainingStatus

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


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    script = tmp_path / "main.py"
    script.write_text(PAGE.replace("{VIEWS}", str(Path(strip.__file__).parent / "views")), encoding="utf-8")
    yield AppTest.from_file(str(script), default_timeout=60)
    st.cache_resource.clear()


def links(page: AppTest) -> list[tuple[str, str, str]]:
    found = [link.proto for link in page.get("page_link")]
    return [(link.label, link.page, link.query_string) for link in found]


def test_nothing_is_drawn_where_nothing_runs(page: AppTest, tmp_path: Path) -> None:
    lay_training(tmp_path)  # whose process has ended
    again(page)
    assert running_work() == []
    assert links(page) == []
    assert keys(page) == set()


def test_a_training_is_named_linked_and_stopped(page: AppTest, tmp_path: Path) -> None:
    folder = lay_training(tmp_path)
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


def test_a_build_says_how_long_it_still_takes(page: AppTest, tmp_path: Path) -> None:
    with BuildJob.hold(lay_build(tmp_path, "bees")):
        again(page)
        assert links(page) == [("Build of bees", "indexes", "")]
        assert "Encoding passages: 300 of 900, 10 per second, about 1 min left" in text(page)  # 600 / 10 s
        assert '<progress max="1" value="0.333"' in text(page)


def test_what_is_beyond_the_first_three_is_folded_and_can_be_stopped_too(page: AppTest, tmp_path: Path) -> None:
    folders = [lay_build(tmp_path, name) for name in ("ants", "bees", "crabs", "doves", "eels")]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(BuildJob.hold(folder))
        again(page)
        assert len(links(page)) == len(folders)
        (rest,) = page.expander
        assert rest.label == "and 2 more"
        assert {button.key for button in rest.button} == {"strip_stop_build-ants", "strip_stop_build-bees"}
        rest.button(key="strip_stop_build-ants").click()
        again(page)
        assert [(folder / "stop").exists() for folder in folders] == [True, False, False, False, False]


def test_a_status_that_cannot_be_read_breaks_no_page(page: AppTest, tmp_path: Path) -> None:
    folder = lay_training(tmp_path)
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


@pytest.mark.usefixtures("page")
def test_a_phase_that_is_full_is_told_as_over(tmp_path: Path) -> None:
    status = TrainingStatus(state="gathering", phase="dev queries", done=8, total=8, phase_started=100.0, updated=110.0)
    folder = lay_training(tmp_path, status=status)
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
