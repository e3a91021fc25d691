"""Two people use the app at once, each in a browser of their own: what one does never shows up with the other."""

from pathlib import Path

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.e2e.browsing import HEADING, all_of, chromium, text_of, until, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import follow, grade_on_card
from tests.e2e.searching import query_box, reranked, search_for
from training.judgments.feedback import FeedbackStore

SAME = "jaguar"
OTHER = "how many people live in berlin"


def test_two_people_search_and_grade_at_once(browser: WebDriver, workshop: Workshop, tmp_path: Path) -> None:
    with chromium(tmp_path / "second") as second:
        for each in (browser, second):
            each.get(workshop.address)
            all_of(each, HEADING)
        query_box(second).send_keys(OTHER, Keys.ENTER)  # under way while the other one asks
        search_for(browser, SAME)
        until(second, "the other lists", lambda: "berlin" in text_of(second, ".sl-results").lower())
        assert "berlin" not in text_of(browser, ".sl-results").lower()
        assert SAME not in second.current_url

        search_for(second, SAME)
        assert reranked(second) == reranked(browser)
        grade_on_card(browser, rank=1, given=2, rater="Cyd")
        grade_on_card(second, rank=1, given=0, rater="Dan")
        found = FeedbackStore.open(workshop.folder / "data/feedback/feedback.sqlite3").grades()
        kept = {(one.rater, one.passage_id, one.grade) for one in found if one.query == SAME}
        first = reranked(browser)[0]
        assert kept == {("cyd", first, 2), ("dan", first, 0)}  # each their own: neither overwrites the other's

        follow(second, "Grade this query's other passages on Teach", to="Teach")
        until_told(second, "1 of 10")
        assert all_of(second, ".st-key-teach_rater input")[0].get_attribute("value") == "dan"
