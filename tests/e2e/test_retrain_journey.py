"""From a bad result to a re-ranker that is served, and back, in a real browser and without a restart.

Each page has a link to the next, and the last one to the same query.
"""

from selenium.webdriver.remote.webdriver import WebDriver

from tests.e2e.browsing import text_of, there, until, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import begin_training, follow, grade, grade_on_card, promote, roll_back
from tests.e2e.searching import figures, reranked, search_for
from training.judgments.feedback import FeedbackStore
from training.versions.registry import find_version

CHARTS = ".st-key-train_job [data-testid=stVegaLiteChart] :is(canvas, svg)"
QUERY = "how much stone did armstrong and aldrin bring back"
GRADES = (3, 0, 1, 0, 2, 0, 0, 1, 0, 0)


def test_ten_grades_become_a_version_that_is_served_and_taken_back(browser: WebDriver, workshop: Workshop) -> None:
    browser.get(workshop.address)
    search_for(browser, QUERY)
    assert "shipped" in figures(browser)
    before = reranked(browser)
    feedback = workshop.folder / "data/feedback/feedback.sqlite3"

    grade_on_card(browser, rank=1, given=0, rater="Bea")
    (kept,) = FeedbackStore.open(feedback).grades()
    assert (kept.query, kept.passage_id, kept.grade, kept.rater) == (QUERY, before[0], 0, "bea")
    follow(browser, "Grade this query's other passages on Teach", to="Teach")
    until_told(browser, "1 of 10")  # the query, the rater and the grade came along

    grade(browser, QUERY, GRADES, rater="Ann")
    assert "is protected" not in text_of(browser)
    until_told(browser, "All 10 passages of this query are graded.")
    assert [item.grade for item in FeedbackStore.open(feedback).grades()] == [0, *GRADES]

    follow(browser, "Improve the served model with these grades", to="Train")
    begin_training(browser, graded=True, learning_rate=0.001, steps=30, batch=2, limit=30, dev_queries=5, dev_depth=5)
    until(browser, "the loss's curve", lambda: bool(there(browser, CHARTS)))
    until_told(browser, "Version mine/1 is ready. Its nDCG@10 on the dev set is")
    until(browser, "both curves", lambda: len(there(browser, CHARTS)) == 2)
    made = find_version("mine/1", workshop.folder / "data/models")
    assert made.manifest.examples["listnet"] == {"judged sample": 30, "feedback feedback.jsonl": 1}

    promote(browser)
    follow(browser, "Search with it", to="Second Look")
    until(browser, "the new version's search", lambda: "mine/1" in figures(browser))
    assert QUERY.split()[-2] in browser.current_url
    assert reranked(browser) != before

    roll_back(browser)
    follow(browser, "Search with it", to="Second Look")
    until(browser, "the old version's search", lambda: "mine/1" not in figures(browser))
    assert reranked(browser) == before
