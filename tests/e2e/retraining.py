"""The way from grades to a served re-ranker, in a browser: teach, train, judge and promote, roll back."""

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import parse_qs, urlsplit

from selenium.webdriver.remote.webdriver import WebDriver

from app.views.widgets.passage.judgment import GRADES
from tests.e2e.browsing import (
    HEADING,
    all_of,
    fill,
    go_to,
    open_box,
    open_tab,
    press,
    press_enter_on,
    text_of,
    there,
    tick,
    until,
    until_told,
)

NOT_FOLDED = ("minutes",)
"""Fields of the Train page that lie above its expander."""


def grade_on_card(browser: WebDriver, *, rank: int, given: int, rater: str) -> None:
    """Grade the passage at this rank of the re-ranked list, in the dialog that its card opens."""
    press_enter_on(browser, f".sl-column-second .sl-card:nth-child({rank}) .sl-to-grade")
    fill(browser, "card_rater", rater)
    press(browser, f"card_grade_{given}")
    until(browser, "the grade", lambda: f"Stored: “{GRADES[given]}”, by" in text_of(browser, "[role=dialog]"))


def follow(browser: WebDriver, label: str, *, to: str) -> None:
    """Follow the link with these words to the page with this heading."""

    def followed() -> bool:
        for link in there(browser, "[data-testid=stPageLink-NavLink]"):
            if label in link.text:
                link.click()
        return to in text_of(browser, HEADING)

    until(browser, f"the link “{label}” to {to}", followed)


def grade(
    browser: WebDriver,
    query: str,
    grades: Sequence[int],
    *,
    rater: str,
    seen: Callable[[int], None] = lambda _: None,
) -> None:
    """Grade the first passages of a query on the Teach page: the first half by keys, the others by buttons.

    `seen` is called with the place of each before it is graded.
    """
    go_to(browser, "Teach")
    fill(browser, "teach_rater", rater)
    fill(browser, "teach_query", query)
    all_of(browser, ".st-key-teach_sheet .sl-card")[0].click()  # out of the field, in which digits are text
    for place, given in enumerate(grades):
        button = f"teach_grade_{place}_{given}"
        all_of(browser, f".st-key-{button} button")
        seen(place)
        if place < len(grades) // 2:
            there(browser, "body")[0].send_keys(str(given))
        else:
            press(browser, button)
        until(browser, f"{place + 1} grades", partial(_shows, browser, f"{place + 1} of {len(grades)}"))


def _shows(browser: WebDriver, figure: str) -> bool:
    return figure in text_of(browser, ".sl-figures")


def begin_training(browser: WebDriver, *, graded: bool = False, clicked: bool = False, **fields: object) -> None:
    """Fill the form of the Train page and press Start.

    `graded` learns from people's grades too, as the page says itself; `clicked` ticks the judgments from clicks.
    """
    go_to(browser, "Train")
    if graded:
        until_told(browser, "Improve the served model with my judgments")
    if fields.keys() - set(NOT_FOLDED):
        open_box(browser, "train_expert")
    if clicked:
        tick(browser, "train_field_clicks")
    for name, value in fields.items():
        fill(browser, f"train_field_{name}", value)
    before = _job_of_link(browser)  # of a training that ended and is shown
    press(browser, "train_start")
    until(browser, "the new training's link", lambda: _job_of_link(browser) not in ("", before))
    all_of(browser, ".st-key-train_job")


def _job_of_link(browser: WebDriver) -> str:
    return parse_qs(urlsplit(browser.current_url).query).get("job", [""])[0]


def promote(browser: WebDriver) -> None:
    """From a training that has ended to the Models page, where its version is judged at once; serve it."""
    press(browser, "train_promote")
    until_told(browser, "No objection to promoting it.")
    confirm_promotion(browser, reason="it learned from ten grades")


def confirm_promotion(browser: WebDriver, *, reason: str, forced: bool = False) -> None:
    """Serve the version that was judged, for this reason; `forced` although the gate objects."""
    fill(browser, "models_reason", reason)
    if forced:
        tick(browser, "models_force")
    press(browser, "models_promote")
    if forced:
        press(browser, "models_promote_yes")
    until_told(browser, "is now served. Searches use it immediately, without a restart.")


def roll_back(browser: WebDriver) -> None:
    """Serve the version before again."""
    go_to(browser, "Models")
    open_tab(browser, "Promote")
    press(browser, "models_rollback")
    press(browser, "models_rollback_yes")
    until_told(browser, "is served again. Searches use it immediately, without a restart.")
