"""The Search page: type a query, read the lists, and see when each of them appeared."""

from typing import Any

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.browsing import all_of, text_of, until

# What the page showed since Enter was pressed, in its order: `dim`, what stood there fades to that opacity after so
# many milliseconds; `first`, the first stage beside empty cards; `both`, both lists. `at`: milliseconds since Enter.
RECORD = """
const seen = window.slSeen = [];
let began = null, before = null;
const tell = (what, more) => {
  if (seen.some((one) => one.what === what)) return;
  const one = { what, at: null, ...more };
  seen.push(one);
  requestAnimationFrame(() => { one.at = performance.now() - began; });
};
const look = () => {
  const lists = document.querySelector(".sl-results");
  if (began === null || !lists) return;
  const old = lists.closest("[data-stale=true]");
  if (old) {
    const fade = old.getAnimations().find((one) => one.transitionProperty === "opacity");
    const end = fade?.effect.getKeyframes().at(-1).opacity;
    if (fade) tell("dim", { opacity: Number(end), after: fade.effect.getTiming().delay });
    return;
  }
  if (lists.innerHTML === before) return;
  const cards = (name, empty) => lists.querySelectorAll(`.sl-column-${name} .sl-card${empty}`).length;
  const empty = cards("second", ".sl-waiting");
  tell(empty ? "first" : "both", { first: cards("first", ""), second: cards("second", "[data-passage]"), empty });
};
window.slWatch?.disconnect();
window.slWatch = new MutationObserver(look);
window.slWatch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
window.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  began = performance.now();
  before = document.querySelector(".sl-results")?.innerHTML;
}, { capture: true, once: true });
"""
SEEN = "return window.slSeen.every((one) => one.at !== null) ? window.slSeen : []"


def watched_search(browser: WebDriver, query: str) -> list[dict[str, Any]]:
    """Search, and tell what appeared when until both lists stood there, as `RECORD` says."""
    box = query_box(browser)
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(query)
    browser.execute_script(RECORD)
    box.send_keys(Keys.ENTER)
    until(browser, "both lists", lambda: any(one["what"] == "both" for one in browser.execute_script(SEEN)))
    seen: list[dict[str, Any]] = browser.execute_script(SEEN)
    return seen


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
