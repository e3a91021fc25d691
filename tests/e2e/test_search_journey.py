"""A user's way through the search page in a real browser: type, read, ask why, follow a link, use a phone."""

from urllib.parse import quote

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from search.trace import NOTHING_ANSWERS
from tests.e2e.browsing import all_of, press_enter_on, text_of, there, until, until_told
from tests.e2e.searching import query_box, search_for, watched_search

QUERY = "how many people live in berlin"
OTHER, ANOTHER = "what does a lighthouse keeper do", "how do bees make honey"


def test_a_typed_query_shows_two_lists_in_which_passages_have_moved(browser: WebDriver, address: str) -> None:
    browser.get(address)
    search_for(browser, QUERY)
    assert len(all_of(browser, ".sl-column-first .sl-card")) == 10
    assert len(all_of(browser, ".sl-column-second .sl-card")) == 10
    assert all_of(browser, ".sl-column-second .sl-up, .sl-column-second .sl-down")
    first, second = (all_of(browser, f".sl-column-{name} .sl-card")[0] for name in ("first", "second"))
    assert first.rect["y"] == second.rect["y"]
    assert first.rect["x"] + first.rect["width"] < second.rect["x"]
    assert "berlin" in browser.current_url
    assert not there(browser, "[data-testid=stException]")


def test_the_first_stage_stands_there_while_the_passages_are_read(browser: WebDriver, address: str) -> None:
    browser.get(f"{address}/?q=jaguar&rerank=10")
    all_of(browser, ".sl-column-second .sl-card")
    _, usual, thorough = all_of(browser, ".st-key-search_thoroughness [role=radio]")
    assert not there(browser, ".st-key-search_thoroughness [aria-checked=true]")
    assert " s" in usual.text
    browser.execute_script("arguments[0].focus()", thorough)
    thorough.send_keys(Keys.SPACE)  # so that reading takes a while
    until(browser, "the depth in the link", lambda: "rerank=100" in browser.current_url)
    assert all_of(browser, ".st-key-search_thoroughness [aria-checked=true]") == [thorough]
    assert browser.switch_to.active_element == thorough

    # where the cores are busy elsewhere, a browser may have two changes at once to draw, and shows the last alone
    watched = (watched_search(browser, query) for query in (QUERY, OTHER, ANOTHER))
    dimmed, first, both = next(seen for seen in watched if len(seen) == 3)
    assert (dimmed["what"], first["what"], both["what"]) == ("dim", "first", "both")
    assert dimmed["opacity"] < 0.5
    assert dimmed["after"] <= 100  # milliseconds
    assert (first["first"], first["second"], first["empty"]) == (10, 0, 10)
    assert (both["first"], both["second"], both["empty"]) == (10, 10, 0)
    assert dimmed["at"] <= first["at"] < both["at"]
    top = [card.rect["y"] for card in all_of(browser, ".sl-results .sl-card[data-passage]")]
    assert top[0] == top[10]  # each card in the place that was kept for it


def test_why_a_passage_has_its_rank_is_told_on_the_press_of_a_key(browser: WebDriver, address: str) -> None:
    browser.get(f"{address}/?q={QUERY.replace(' ', '+')}")
    press_enter_on(browser, ".sl-column-second .sl-ask")
    (table,) = all_of(browser, ".sl-why table")
    assert "berlin" in table.text
    until(browser, "the re-ranker's words", lambda: bool(there(browser, ".sl-piece")))


def test_a_link_opens_the_same_search_and_back_returns_to_it(browser: WebDriver, address: str) -> None:
    browser.get(f"{address}/?q=jaguar&fusion=bm25&shown=3")
    assert len(all_of(browser, ".sl-column-first .sl-card")) == 3
    assert query_box(browser).get_attribute("value") == "jaguar"
    search_for(browser, "titanic")
    until(browser, "the new query in the link", lambda: "titanic" in browser.current_url)
    browser.back()
    until(browser, "the query of before", lambda: query_box(browser).get_attribute("value") == "jaguar")
    assert "fusion=bm25" in browser.current_url


def test_on_a_phone_nothing_overflows_and_tabs_switch_the_lists(browser: WebDriver, address: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/?q={QUERY.replace(' ', '+')}")
    first, second = (all_of(browser, f".sl-column-{name} .sl-card")[0] for name in ("first", "second"))
    for selector in ("html", "[data-testid=stMain]"):
        widths = browser.execute_script(
            "const e = document.querySelector(arguments[0]); return [e.scrollWidth, e.clientWidth]", selector
        )
        assert widths[0] <= widths[1] <= 390
    assert second.is_displayed()
    assert not first.is_displayed()
    all_of(browser, "label[for=sl-tab-first]")[0].click()
    assert first.is_displayed()
    assert not second.is_displayed()


def test_what_means_nothing_is_answered_by_nothing_from_the_first_start(browser: WebDriver, address: str) -> None:
    for query in ("xqzvw plortk gnaaf", "🦄"):
        browser.get(f"{address}/?q={quote(query)}")
        until_told(browser, NOTHING_ANSWERS)
    browser.get(f"{address}/?q={QUERY.replace(' ', '+')}")
    assert all_of(browser, ".sl-column-second .sl-card")
    assert NOTHING_ANSWERS not in text_of(browser)
