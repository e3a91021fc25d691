"""From a click log to a training that learns from it, in a real browser."""

from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from tests.e2e.axe import show, violations
from tests.e2e.browsing import all_of, go_to, open_box, press, text_of, until_told
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import begin_training
from tests.unit.training.judgments.clicks.logs import Record, search, write_log
from training.versions.registry import find_version

QUERY = "how many hours of daylight does anchorage get in june"
BEST, OTHER = "2", "3"  # passages of the sample that are shown for it


def test_a_click_log_is_judged_kept_and_trained_on(browser: WebDriver, workshop: Workshop, tmp_path: Path) -> None:
    browser.get(f"{workshop.address}/teach")
    open_box(browser, "teach_clicks")
    log = write_log(tmp_path / "shop.jsonl", *(record for number in range(20) for record in searches(number)))
    all_of(browser, ".st-key-teach_clicks_upload input")[0].send_keys(str(log))
    all_of(browser, ".sl-clicked li")
    all_of(browser, ".st-key-teach_clicks [data-testid=stVegaLiteChart] svg")
    # place 1 is clicked 12 times of 40, place 2 8 times of 40
    assert (
        "20 × 0.300 + 20 × 0.200 = 10.00. It got 20 clicks, 2.00 times as many: at least 2 is grade 3 (answers)."
        in text_of(browser)
    )
    assert not violations(browser)
    show(browser, width=390, theme="dark")
    assert not violations(browser, colors_only=True)
    show(browser, width=1280, theme="light")
    go_to(browser, "Indexes")
    go_to(browser, "Teach")
    open_box(browser, "teach_clicks")
    until_told(browser, "Read earlier: shop.jsonl.")
    press(browser, "teach_clicks_keep")
    until_told(browser, "Kept 2 judgments of 1 query, marked as clicks.")

    begin_training(browser, clicked=True, name="clicked", steps=1, batch=1, limit=1, per_query=2, dev_queries=1)
    until_told(browser, "Version clicked/1 is ready.")
    made = find_version("clicked/1", workshop.folder / "data/models")
    assert made.manifest.examples["listnet"] == {"judged sample": 1, "clicks sample": 1}


def searches(number: int) -> list[Record]:
    """Two searches, with either passage first; the best one is clicked 12 times of 20 there, and 8 of 20 below."""
    return [
        *search(f"a{number}", QUERY, (BEST, OTHER), [BEST] * (number < 12)),
        *search(f"b{number}", QUERY, (OTHER, BEST), [BEST] * (number < 8)),
    ]
