"""Every page for everybody, in a real browser: axe's rules, the keys, places that stay, and a phone's width."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from indexing import places
from indexing.jobs.build_job import BuildJob
from tests.conftest import REPOSITORY, write_lines
from tests.e2e.axe import STYLED, Looks, show
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
    tick,
    until,
    until_told,
)
from tests.e2e.conftest import Workshop
from tests.e2e.retraining import begin_training
from tests.support.held_jobs import lay_build, lay_training
from tests.support.versions import make_version
from training.judgments.imported import keep_imported, read_imported
from training.judgments.kept import IMPORTED, remove_kept

QUERY = "how+many+people+live+in+berlin"
FEW = "depth=12&rerank=12"  # of the link: axe reads as many cards as there are, of which each is like the others
LONG = "how much stone did armstrong and aldrin bring back from the moon in all and where is it kept today"
OTHER = "other/1"  # a version
PASSAGE = "1"  # of the sample
PAGES = ("Search", "Compare", "Teach", "Train", "Models", "Evaluate", "Indexes")
MOST_ABOVE = 900  # pixels above the first card on a phone
PLACES = """
const place = (selector) => { const r = document.querySelector(selector).getBoundingClientRect(); return [r.x, r.y]; };
return [place(".sl-top h1"), place("[data-testid=stSidebarNavLink]")];
"""
COVERED = """
const title = document.querySelector(".sl-top h1"), { x, y, bottom } = title.getBoundingClientRect();
return [y + 1, bottom - 1].some((at) => !title.contains(document.elementFromPoint(x + 5, at)));
"""
WATCH = """
window.slPlaces = [];
const look = () => {
  const link = document.querySelector("[data-testid=stSidebarNavLink]");
  if (link) window.slPlaces.push(Math.round(link.getBoundingClientRect().y));
  requestAnimationFrame(look);
};
look();
"""
RUNNING = """
const icon = document.createElement("div");
icon.dataset.testid = "stStatusWidgetRunningIcon";
icon.append(document.createElement("svg"));
document.querySelector(".stApp").append(icon);
return getComputedStyle(icon.firstChild).display;
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
    looks = Looks(browser)
    browser.get(f"{workshop.address}/train")
    looks.look("Train")
    begin_training(browser, name="heard", steps=4, batch=4, limit=4, per_query=2, dev_queries=1, evaluate_every=2)
    until_told(browser, "Version heard/1 is ready.")
    open_box(browser, "train_learned")  # the same rows as in a preview
    looks.look("Train, done")
    look_at(looks, browser, workshop, STATES)
    looks.check(STREAMLIT_S_OWN)


@pytest.mark.usefixtures("used_before")
def test_what_was_done_fails_or_runs_breaks_no_rule_either(browser: WebDriver, workshop: Workshop) -> None:
    looks = Looks(browser)
    look_at(looks, browser, workshop, LATER_STATES)
    with ExitStack() as running:
        for folder in sorted((workshop.folder / "data/jobs").glob(f"{BuildJob.PREFIX}*")):
            running.enter_context(BuildJob.hold(folder))
        look_at(looks, browser, workshop, STATES_AT_WORK)
    looks.check({})


def look_at(
    looks: Looks, browser: WebDriver, workshop: Workshop, states: Sequence[tuple[str, str, Callable[[WebDriver], None]]]
) -> None:
    """Bring the app into each state, by its address and what is done there, and look at it."""
    for name, address, step in states:
        browser.get(workshop.address + address)
        all_of(browser, HEADING)
        step(browser)
        looks.look(name)


@pytest.fixture
def used_before(
    workshop: Workshop, tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A second version, an index that can't be opened, a training and builds that ended early, kept judgments."""
    home = workshop.folder / "data"
    monkeypatch.setenv(places.HOME, str(home))
    made = [
        make_version(home / "models", OTHER, tiny_cross_encoder).parent,
        write_lines(home / "indexes/broken/current", ["gone"]).parent,
        lay_training(home),
        *(lay_build(home, name) for name in ("ants", "bees", "crabs", "doves")),
    ]
    ratings = write_lines(tmp_path / "ratings.csv", ["query,docid,rating", f"wax,{PASSAGE},2"])
    keep_imported(read_imported(ratings), "sample", build="another")
    yield
    remove_kept(IMPORTED, "sample")
    for folder in (*made, home / "runs/shown"):
        shutil.rmtree(folder, ignore_errors=True)


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
    until(browser, "the style", lambda: bool(browser.execute_script(STYLED)))
    all_of(browser, HEADING)
    browser.execute_script(WATCH)
    found = {}
    for page in PAGES:
        go_to(browser, page)
        all_of(browser, HEADING)
        found[page] = browser.execute_script(PLACES)
    assert all(place == found["Search"] for place in found.values()), found
    assert len(set(browser.execute_script("return window.slPlaces"))) == 1  # also while one page gives way to the next


def test_nothing_covers_the_title_where_the_navigation_is_folded(browser: WebDriver, workshop: Workshop) -> None:
    browser.get(workshop.address)
    all_of(browser, HEADING)
    fold = all_of(browser, "[data-testid=stSidebarCollapseButton] button")[0]
    browser.execute_script("arguments[0].click()", fold)  # it shows only under a pointer
    until(browser, "the navigation to be folded", lambda: bool(there(browser, "[data-testid=stExpandSidebarButton]")))
    until(browser, "the title to be seen whole", lambda: not browser.execute_script(COVERED))


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
    until(browser, "the style", lambda: bool(browser.execute_script(STYLED)))
    moves = browser.execute_script("return getComputedStyle(arguments[0]).transitionDuration", button)
    picture = browser.execute_script(RUNNING)
    if asked == "reduce":
        assert moves in ("0s", "0.001s")
        assert picture == "none"
    else:
        assert moves != "0.001s"
        assert picture != "none"


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


def removing(browser: WebDriver) -> None:
    press(browser, "train_remove")
    all_of(browser, ".st-key-train_remove_yes button")


def removing_kept(browser: WebDriver) -> None:
    open_box(browser, "teach_exchange")
    press(browser, "teach_imported_remove")
    all_of(browser, ".st-key-teach_imported_remove_yes button")


def compared(browser: WebDriver) -> None:
    press(browser, "models_compare")
    until_told(browser, "Won / lost / tied")


def judged(browser: WebDriver) -> None:
    press(browser, "models_judge")
    all_of(browser, ".st-key-models_promote button")
    if there(browser, ".st-key-models_force"):  # else one press promotes it
        tick(browser, "models_force")
        press(browser, "models_promote")
        all_of(browser, ".st-key-models_promote_yes button")


def dropped(browser: WebDriver) -> None:
    all_of(browser, ".st-key-indexes_upload input")[0].send_keys(str(REPOSITORY / "data/sample/collection.tsv"))
    until_told(browser, "Its first passages, as they are read:")


def nothing_found(browser: WebDriver) -> None:
    all_of(browser, ".st-key-search_by_meaning button")


def failed(browser: WebDriver) -> None:
    until(browser, "the error", lambda: bool(there(browser, "[data-testid=stAlertContentError]")))


def all_work(browser: WebDriver) -> None:
    open_box(browser, "strip_rest")
    all_of(browser, ".st-key-strip_rest .sl-work")


def figures(browser: WebDriver) -> None:
    press(browser, "evaluate_run")
    until_told(browser, "Where losses arise")
    all_of(browser, "[data-testid=stVegaLiteChart] svg")


STATES: tuple[tuple[str, str, Callable[[WebDriver], None]], ...] = (
    ("Search", "/", nothing),
    ("Search, the keys", "/", keys),
    ("Search, found", f"/?q={QUERY}&{FEW}", cards),
    ("Search, why", f"/?q={QUERY}&{FEW}", why),
    ("Search, grading", f"/?q={QUERY}&{FEW}", grades),
    ("Compare", f"/compare?q={QUERY}&{FEW}", cards),
    ("Teach", "/teach", nothing),
    ("Teach, grading", "/teach?blind=0", passages),
    ("Models", "/models", nothing),
    ("Models, history", "/models?tab=History", nothing),
    ("Evaluate", "/evaluate?split=dev&depth=5", figures),
    ("Indexes", "/indexes", nothing),
    ("Indexes, delete", "/indexes", deleting),
    ("Indexes, judgments", "/indexes", judgments),
)
LATER_STATES: tuple[tuple[str, str, Callable[[WebDriver], None]], ...] = (
    ("Search, nothing found", "/?q=xyzzy&fusion=bm25", nothing_found),
    ("Search, failed", f"/?q={QUERY}&index=broken", failed),
    ("Teach, removing", "/teach", removing_kept),
    ("Train, removing", "/train?job=training-1", removing),
    ("Models, compared", f"/models?tab=Compare&version={OTHER}&depth=5", compared),
    ("Models, judged", f"/models?tab=Promote&candidate={OTHER}&gate.depth=5", judged),
)
STATES_AT_WORK: tuple[tuple[str, str, Callable[[WebDriver], None]], ...] = (
    ("Search, at work", f"/?q={QUERY}&{FEW}", all_work),
    ("Indexes, at work", "/indexes", dropped),
)
