"""An upload that is broken, one that isn't, its index, and a search in it: in a real browser."""

from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from indexing.catalogue import index_names
from tests.conftest import PASSAGES, write_lines
from tests.e2e.browsing import all_of, press, text_of, there, until, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.searching import reranked, search_for


def test_a_broken_upload_is_named_by_file_and_line_and_a_good_one_can_be_searched(
    browser: WebDriver, workshop: Workshop, tmp_path: Path
) -> None:
    lines = [f"{key}\t{text}" for key, text in PASSAGES.items()]
    broken = write_lines(tmp_path / "broken.tsv", [*lines[:2], "a passage without its id", *lines[2:]])
    good = write_lines(tmp_path / "bees-and-bread.tsv", lines)
    browser.get(f"{workshop.address}/indexes")
    choose_source(browser, "Upload a file")
    upload(browser, broken)
    (told,) = all_of(browser, "[data-testid=stAlert]")
    assert "broken.tsv:3: 1 tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted." in told.text
    assert "Traceback" not in text_of(browser)
    assert not list(workshop.folder.glob("data/corpora/*"))
    assert not there(browser, ".st-key-indexes_build")

    upload(browser, good)
    until_told(browser, "data/corpora/bees-and-bread contains 20 passages.")
    press(browser, "indexes_build")
    until(browser, "the bar", lambda: bool(there(browser, "[class*=st-key-indexes_job_] [data-testid=stProgress]")))
    until_told(browser, "Index bees-and-bread is built: 20 passages, 20 of them encoded.")
    assert index_names(workshop.folder / "data/indexes") == ["bees-and-bread", "sample"]
    press(browser, "indexes_search_bees-and-bread")
    until(browser, "the search page", lambda: "index=bees-and-bread" in browser.current_url)
    search_for(browser, "how do bees make honey")
    assert "a1" in reranked(browser)


def choose_source(browser: WebDriver, words: str) -> None:
    """Say where the passages come from."""
    (label,) = (item for item in all_of(browser, ".st-key-indexes_source label") if item.text == words)
    label.click()


def upload(browser: WebDriver, file: Path) -> None:
    """Send a file in place of the last one, and have it checked."""
    all_of(browser, ".st-key-indexes_upload input")[0].send_keys(str(file))
    until(browser, file.name, lambda: file.name in text_of(browser, ".st-key-indexes_upload"))
    press(browser, "indexes_keep")
