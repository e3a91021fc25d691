"""Is re-ranking worth it here? Decided in a browser, served, seen on the Search page, and taken back."""

import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from indexing.index import open_index
from indexing.judged.queries import read_queries
from search.calibration.stored import calibrations, forget_calibrations
from search.retrieve import retrieve_bm25
from search.served_settings import forget, served_settings
from tests.conftest import write_lines
from tests.e2e.axe import Looks
from tests.e2e.browsing import all_of, press, text_of, there, until_told
from tests.e2e.conftest import DEV_QUERIES, Workshop

SEARCH = "?q=honey"
DECIDE = "evaluate?show=decide&budget=20+s"
OWN_DEFAULT = "the program's own default, which wasn't chosen on this index"


@pytest.fixture
def judged_as_bm25_ranks(workshop: Workshop) -> Iterator[None]:
    """Only BM25's first passage answers each dev query, so nothing can be gained by re-ranking."""
    sample, root = workshop.folder / "data/sample", workshop.folder / "data/indexes"
    qrels = sample / "qrels.dev.tsv"
    before = qrels.read_text(encoding="utf-8")
    index = open_index("sample", root=root)
    firsts = {
        query.id: retrieve_bm25(index, query.text, depth=1).ranking.passage_ids[0]
        for query in read_queries(sample / "queries.dev.tsv")
    }
    write_lines(qrels, [f"{query} 0 {passage} 1" for query, passage in firsts.items()])
    yield
    qrels.write_text(before, encoding="utf-8")
    shutil.rmtree(workshop.folder / "data/runs/decide", ignore_errors=True)
    if calibrations("sample", root=root):
        forget_calibrations("sample", root=root)
    if served_settings("sample", root=root):
        forget("sample", root=root)


@pytest.mark.usefixtures("judged_as_bm25_ranks")
def test_a_decision_changes_the_default_and_is_taken_back(browser: WebDriver, workshop: Workshop) -> None:
    root, looks = workshop.folder / "data/indexes", Looks(browser)
    browser.get(f"{workshop.address}/{SEARCH}")
    until_told(browser, OWN_DEFAULT)
    assert all_of(browser, ".sl-column-second .sl-card")

    browser.get(f"{workshop.address}/{DECIDE}")
    press(browser, "evaluate_decide")
    until_told(browser, "Don't re-rank: serve BM25;")
    looks.look("Evaluate, decided")
    press(browser, "evaluate_decide_serve")
    until_told(browser, "sample answers with what was decided.")
    served = served_settings("sample", root=root)
    assert served is not None
    assert (served.reranker, served.settings.fusion) == ("none", "bm25")
    until_told(browser, "Its scores are calibrated")
    looks.look("Evaluate, served")
    looks.check({})

    browser.get(f"{workshop.address}/{SEARCH}")
    until_told(browser, f"BM25, not re-ranked: chosen on {DEV_QUERIES} dev queries.")
    assert not there(browser, ".sl-column-second .sl-card")

    browser.get(f"{workshop.address}/{DECIDE}")
    until_told(browser, "Don't re-rank: serve BM25;")  # kept, on return
    press(browser, "evaluate_decide_back")
    until_told(browser, "sample answers as before.")
    assert served_settings("sample", root=root) is None
    browser.get(f"{workshop.address}/{SEARCH}")
    until_told(browser, OWN_DEFAULT)
    assert all_of(browser, ".sl-column-second .sl-card")
    assert "chosen on" not in text_of(browser).replace(OWN_DEFAULT, "")
