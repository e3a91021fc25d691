"""Every page for everybody, in a real browser: axe's rules, the keys, places that stay, and a phone's width."""

from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.e2e.axe import Violation, violations
from tests.e2e.browsing import (
    HEADING,
    all_of,
    fill,
    go_to,
    open_box,
    press,
    press_enter_on,
    text_of,
    there,
    until,
    until_told,
)
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import begin_training

QUERY = "how+many+people+live+in+berlin"
LONG = "how much stone did armstrong and aldrin bring back from the moon in all and where is it kept today"
PAGES = ("Search", "Compare", "Teach", "Train", "Models", "Evaluate", "Indexes")
WIDTHS = (1280, 390)
NARROW = 760  # pixels; on a narrower page the sidebar lies above it, folded
MOST_ABOVE = 900  # pixels above the first card on a phone
SETTLED = """
const done = arguments[0];
const once = (a) => a.playState === "running" && a.effect.getTiming().iterations === 1;
const moving = () => document.getAnimations().some(once);
const wait = () => moving() ? requestAnimationFrame(wait) : setTimeout(done, 60);
requestAnimationFrame(() => requestAnimationFrame(wait));
"""
UNNAMED = """
return [...document.querySelectorAll("[data-testid=stVegaLiteChart]")].map((e) => e.getAttribute("aria-label"));
"""
SMALL = """
const own = ".sl-ask, .sl-more summary, .sl-tab-label, [data-testid=stTooltipHoverTarget] > button";
return [...document.querySelectorAll(own)].filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, r]) => r.width < 24 || r.height < 24).map(([html, r]) => `${html} ${r.width} x ${r.height}`);
"""
PLACES = """
const place = (selector) => { const r = document.querySelector(selector).getBoundingClientRect(); return [r.x, r.y]; };
return [place(".sl-top h1"), place("[data-testid=stSidebarNavLink]")];
"""
FOCUSED = "return document.activeElement.closest('[class*=st-key-]')?.className.match(/st-key-(\\S+)/)[1]"
OPEN_DIALOG = """
const roots = [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean)];
const dialog = roots.map((root) => root.querySelector("dialog[open]")).find(Boolean);
return dialog ? [...dialog.querySelectorAll("dt")].map((e) => e.textContent) : null;
"""

STREAMLIT_S_OWN: dict[tuple[str, str], str] = {}
"""By rule and a part of the element's HTML: what Streamlit's markup breaks and no page can mend, with the reason."""


def test_no_page_or_dialog_breaks_a_rule_in_either_theme_at_either_width(
    browser: WebDriver, workshop: Workshop
) -> None:
    found: dict[Violation, str] = {}
    small: list[str] = []
    unnamed: list[str | None] = []

    def look(name: str) -> None:
        for width, themes in zip(WIDTHS, (("light", "dark"), ("dark", "light")), strict=True):  # each change draws anew
            for theme in themes:
                show(browser, width=width, theme=theme)
                for violation in violations(browser, colors_only=theme == "dark"):
                    found.setdefault(violation, f"{name}, {width} pixels, {theme}")
            small.extend(f"{name}, {width} pixels: {element}" for element in browser.execute_script(SMALL))
        unnamed.extend(label for label in browser.execute_script(UNNAMED) if not label or "Vega" in label)
        show(browser, width=WIDTHS[0], theme="light")

    browser.get(f"{workshop.address}/train")
    look("Train")
    begin_training(browser, name="heard", steps=4, batch=4, limit=4, per_query=2, dev_queries=1, evaluate_every=2)
    until_told(browser, "Version heard/1 is ready.")
    look("Train, done")
    for name, address, step in STATES:
        browser.get(workshop.address + address)
        all_of(browser, HEADING)
        step(browser)
        look(name)
    held = {entry for entry in STREAMLIT_S_OWN for violation in found if is_held(violation, entry)}
    broken = [
        f"{place}: {violation.rule}: {violation.html}\n{violation.why}"
        for violation, place in found.items()
        if not any(is_held(violation, entry) for entry in STREAMLIT_S_OWN)
    ]
    assert not broken, "\n".join(broken)
    assert held == set(STREAMLIT_S_OWN), "Some of the list no longer occurs; take it out."
    assert not small, "\n".join(small)
    assert not unnamed


def test_the_query_is_the_first_stop_and_keys_do_what_their_list_says(browser: WebDriver, workshop: Workshop) -> None:
    browser.get(workshop.address)
    until(browser, "the keys", lambda: bool(there(browser, "html[data-sl-keys]")))
    all_of(browser, HEADING)
    type_key(browser, Keys.TAB)
    assert browser.execute_script(FOCUSED) == "search_query"
    browser.execute_script("document.activeElement.blur()")
    type_key(browser, "/")
    assert browser.execute_script(FOCUSED) == "search_query"
    assert browser.switch_to.active_element.get_attribute("value") == ""
    browser.switch_to.active_element.send_keys("what/why?")
    assert browser.switch_to.active_element.get_attribute("value") == "what/why?"
    browser.execute_script("document.activeElement.blur()")
    type_key(browser, "?")
    assert browser.execute_script(OPEN_DIALOG) == ["/", "?", "Tab", "Enter", "Esc"]


def test_title_and_navigation_stay_in_place_from_page_to_page(browser: WebDriver, workshop: Workshop) -> None:
    browser.get(workshop.address)
    places = {}
    for page in PAGES:
        go_to(browser, page)
        all_of(browser, HEADING)
        places[page] = browser.execute_script(PLACES)
    assert all(place == places["Search"] for place in places.values()), places


def test_a_phone_shows_the_first_card_soon_and_a_long_query_whole(browser: WebDriver, workshop: Workshop) -> None:
    show(browser, width=390, theme="light")
    browser.get(f"{workshop.address}/compare?q={QUERY}")
    card = all_of(browser, ".sl-column-first .sl-card")[0]
    assert card.rect["y"] < MOST_ABOVE
    box = all_of(browser, ".st-key-compare_query input")[0]
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(LONG)
    assert "Press Enter" not in text_of(browser, "[data-testid=stForm]")


@pytest.mark.parametrize("asked", ["reduce", "no-preference"])
def test_nothing_moves_where_the_system_asks_for_it(browser: WebDriver, workshop: Workshop, asked: str) -> None:
    features = [{"name": "prefers-reduced-motion", "value": asked}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(workshop.address)
    button = all_of(browser, ".st-key-search_submit button")[0]
    moves = browser.execute_script("return getComputedStyle(arguments[0]).transitionDuration", button)
    if asked == "reduce":
        assert moves in ("0s", "0.001s")
    else:
        assert moves != "0.001s"


def show(browser: WebDriver, *, width: int, theme: str) -> None:
    """A window of this width, in the system's theme, once nothing moves."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < NARROW}
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_async_script(SETTLED)


def is_held(violation: Violation, entry: tuple[str, str]) -> bool:
    """Whether an entry of the list is about this."""
    return violation.rule == entry[0] and entry[1] in violation.html


def type_key(browser: WebDriver, key: str) -> None:
    """Press a key on the page itself, outside every field."""
    there(browser, "body")[0].send_keys(key)


def nothing(_: WebDriver) -> None:
    """The page as it comes."""


def cards(browser: WebDriver) -> None:
    all_of(browser, ".sl-column-second .sl-card")
    all_of(browser, "[data-testid=stVegaLiteChart] svg")


def why(browser: WebDriver) -> None:
    press_enter_on(browser, ".sl-column-second .sl-ask")
    all_of(browser, ".sl-why table")


def grades(browser: WebDriver) -> None:
    press_enter_on(browser, ".sl-column-second .sl-to-grade")
    all_of(browser, ".st-key-card_grade_0 button")


def keys(browser: WebDriver) -> None:
    until(browser, "the keys", lambda: bool(there(browser, "html[data-sl-keys]")))
    type_key(browser, "?")


def passages(browser: WebDriver) -> None:
    fill(browser, "teach_rater", "Ann")
    fill(browser, "teach_query", "jaguar")
    all_of(browser, ".st-key-teach_sheet .sl-card")
    for box in ("teach_exchange", "teach_judge", "teach_exports"):
        open_box(browser, box)


def deleting(browser: WebDriver) -> None:
    press(browser, "indexes_delete_sample")
    all_of(browser, ".st-key-indexes_delete_yes button")


def judgments(browser: WebDriver) -> None:
    press(browser, "indexes_judgments_sample")
    until(browser, "the dialog", lambda: "Add queries with judgments" in text_of(browser, "[role=dialog]"))


def figures(browser: WebDriver) -> None:
    press(browser, "evaluate_run")
    until_told(browser, "Where losses arise")
    all_of(browser, "[data-testid=stVegaLiteChart] svg")


STATES: tuple[tuple[str, str, Callable[[WebDriver], None]], ...] = (
    ("Search", "/", nothing),
    ("Search, the keys", "/", keys),
    ("Search, found", f"/?q={QUERY}", cards),
    ("Search, why", f"/?q={QUERY}", why),
    ("Search, grading", f"/?q={QUERY}", grades),
    ("Compare", f"/compare?q={QUERY}", cards),
    ("Teach", "/teach", nothing),
    ("Teach, grading", "/teach?blind=0", passages),
    ("Models", "/models", nothing),
    ("Models, promote", "/models?tab=Promote", nothing),
    ("Models, history", "/models?tab=History", nothing),
    ("Evaluate", "/evaluate?split=dev&depth=5", figures),
    ("Indexes", "/indexes", nothing),
    ("Indexes, delete", "/indexes", deleting),
    ("Indexes, judgments", "/indexes", judgments),
)
