"""The Search page: type a query, and read the lists."""

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.browsing import all_of, text_of, until


def search_for(browser: WebDriver, query: str) -> None:
    """Type a query, press Enter, and wait for its lists."""
    query_box(browser).send_keys(Keys.CONTROL, "a")
    query_box(browser).send_keys(query, Keys.ENTER)
    words = query.split()
    until(browser, "the query in the link", lambda: all(word in browser.current_url for word in words))
    all_of(browser, ".sl-column-first .sl-card")


def query_box(browser: WebDriver) -> WebElement:
    """Where the query is typed."""
    return all_of(browser, ".st-key-search_query input")[0]


def reranked(browser: WebDriver) -> list[str]:
    """Ids of the passages that are shown, in the re-ranked order."""
    cards = all_of(browser, ".sl-column-second .sl-card")
    return [str(card.get_attribute("data-passage")) for card in cards]


def figures(browser: WebDriver) -> str:
    """The line of figures above the lists."""
    return text_of(browser, ".sl-figures")
