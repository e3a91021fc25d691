"""The strip across the pages, in a real browser: what runs, how far it is, its page, and a button that stops it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from indexing.jobs.build_job import BuildJob
from tests.e2e.browsing import HEADING, all_of, go_to, press, text_of, there, until
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import follow
from tests.support.held_jobs import lay_build, lay_training
from training.jobs.jobs import TrainingJob

STRIP = ".st-key-strip"
ROW = ".st-key-strip_training-1"
OTHER_PAGES = ("Compare", "Teach", "Models", "Evaluate", "Indexes", "Train")
HALF_A_QUERY = "how many peo"
WATCH = """
window.slChanges = 0;
const count = (found) => { window.slChanges += found.length };
new MutationObserver(count).observe(document.querySelector(".st-key-search_query"), {
  attributes: true, childList: true, subtree: true,
});
"""


@pytest.fixture
def at_work(workshop: Workshop) -> Iterator[tuple[Path, Path]]:
    """The folders of a training and a build that could run there; both are gone with the test."""
    folders = lay_training(workshop.folder / "data"), lay_build(workshop.folder / "data", "bees")
    yield folders
    for folder in folders:
        shutil.rmtree(folder)


def test_what_others_begin_shows_on_every_page_leads_to_its_own_and_is_stopped_from_there(
    browser: WebDriver, workshop: Workshop, at_work: tuple[Path, Path]
) -> None:
    training, build = at_work
    browser.get(workshop.address)
    box = all_of(browser, ".st-key-search_query input")[0]
    box.send_keys(HALF_A_QUERY)
    all_of(browser, HEADING)
    browser.execute_script(WATCH)
    assert not text_of(browser, STRIP)
    with ExitStack() as running:
        running.enter_context(TrainingJob.hold(training))
        running.enter_context(BuildJob.hold(build))
        until(browser, "what runs, with nothing pressed", lambda: told(browser))
        assert box.get_attribute("value") == HALF_A_QUERY
        assert browser.execute_script("return window.slChanges") == 0  # the page itself isn't drawn anew
        for page in OTHER_PAGES:
            go_to(browser, page)
            until(browser, f"what runs, on {page}", lambda: told(browser))
        go_to(browser, "Search")
        follow(browser, "Training of mine/1", to="Train")
        assert "job=training-1" in browser.current_url
        go_to(browser, "Compare")
        press(browser, "strip_stop_training-1")
        until(browser, "the stop", lambda: (training / "stop").exists())
        until(browser, "that it stops", lambda: "Stopping" in text_of(browser, ROW))
        assert not (build / "stop").exists()
    until(browser, "the end", lambda: not there(browser, f"{STRIP} .sl-work"))
    assert "Compare" in text_of(browser, HEADING)


def told(browser: WebDriver) -> bool:
    """Whether the strip tells both pieces of work, how far they are, and offers their pages and ends."""
    seen = text_of(browser, STRIP)
    shares = [bar.get_attribute("value") for bar in there(browser, f"{STRIP} progress")]
    return (
        all(words in seen for words in ("Training of mine/1", "step 40 of 80", "about 2 min left"))
        and all(words in seen for words in ("Build of bees", "300 of 900", "about 1 min left"))
        and shares == ["0.5", "0.333"]
        and len(there(browser, f"{STRIP} a")) == seen.count("Stop") == len(shares)
    )
