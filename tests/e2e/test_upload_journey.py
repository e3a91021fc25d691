"""An upload that is broken, one that isn't, its index, a search in it, and its end: in a real browser."""

from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from indexing.catalogue import index_names
from indexing.jobs.build_job import BuildJob
from tests.conftest import PASSAGES, write_lines
from tests.e2e.browsing import all_of, press, text_of, there, until, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.searching import reranked, search_for


def test_a_broken_upload_is_named_by_file_and_line_and_a_good_one_is_searched_and_deleted(
    browser: WebDriver, workshop: Workshop, tmp_path: Path
) -> None:
    lines = [f"{key}\t{text}" for key, text in PASSAGES.items()]
    broken = write_lines(tmp_path / "broken.tsv", [*lines[:2], "a passage without its id", *lines[2:]])
    good = write_lines(tmp_path / "bees-and-bread.tsv", lines)
    browser.get(f"{workshop.address}/indexes")
    drop(browser, broken)
    until_told(browser, "broken.tsv:3: 1 tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted.")
    assert "Traceback" not in text_of(browser)
    assert not there(browser, ".st-key-indexes_build")

    drop(browser, good)
    until_told(browser, "Its first passages, as they are read:")
    until_told(browser, "20 passages")
    assert not list(workshop.folder.glob("data/corpora/*"))
    press(browser, "indexes_build")
    until_told(browser, "data/corpora/bees-and-bread contains 20 passages.")
    until(browser, "the bar", lambda: bool(there(browser, "[class*=st-key-indexes_job_] [data-testid=stProgress]")))
    until_told(browser, "Index bees-and-bread is built: 20 passages, 20 of them encoded.")
    assert index_names(workshop.folder / "data/indexes") == ["bees-and-bread", "sample"]
    (job,) = [job for job in BuildJob.all(workshop.folder / "data/jobs") if job.request.name == "bees-and-bread"]
    press(browser, f"indexes_search_{job.name}")
    until(browser, "the search page", lambda: "index=bees-and-bread" in browser.current_url)
    search_for(browser, "how do bees make honey")
    assert "a1" in reranked(browser)

    browser.get(f"{workshop.address}/indexes")
    press(browser, "indexes_delete_bees-and-bread")
    until(
        browser,
        "what goes",
        lambda: "Index bees-and-bread goes, with all it holds: 1 build, " in text_of(browser, "[role=dialog]"),
    )
    press(browser, "indexes_delete_yes")
    until_told(browser, "Index bees-and-bread is deleted; ")
    assert index_names(workshop.folder / "data/indexes") == ["sample"]
    assert (workshop.folder / "data/corpora/bees-and-bread/collection.tsv").is_file()


def drop(browser: WebDriver, file: Path) -> None:
    """Give the page a file in place of the last one."""
    all_of(browser, ".st-key-indexes_upload input")[0].send_keys(str(file))
    until(browser, file.name, lambda: file.name in text_of(browser, ".st-key-indexes_upload"))
