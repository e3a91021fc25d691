"""What a user does with the browser: wait for what must appear, read it, type, press, and go to another page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.serving import WAIT

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
]
DRAWN_ANEW = (ElementClickInterceptedException, ElementNotInteractableException, StaleElementReferenceException)
LEFT_THE_DOCUMENT = "does not belong to the document"  # the same of a page that is being left, by its words alone
POLL = 0.3  # seconds between two looks, which cost the one core that there may be
RESTING = "[data-test-script-state=notRunning]"
HEADING = ".sl-top h1"
CENTRE = "arguments[0].scrollIntoView({block: 'center'})"
HOLDS = """
const text = document.querySelector("[data-testid=stMain]")?.textContent.replace(/\\s+/g, " ") ?? "";
return arguments[0].some((sentence) => text.includes(sentence));
"""


@contextmanager
def chromium(profile: Path) -> Iterator[WebDriver]:
    """A fresh browser, which ends with the block."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        raise AssertionError("Chromium isn't here: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    session = webdriver.Chrome(options=options, service=Service(driver))
    session.set_page_load_timeout(WAIT)
    session.set_script_timeout(WAIT)
    try:
        yield session
    finally:
        session.quit()


def until(browser: WebDriver, what: str, condition: Callable[[], bool], *, longest: float = WAIT) -> None:
    """Wait until it holds, so many seconds at the longest; what is drawn anew just now doesn't hold yet."""

    def holds(_: WebDriver) -> bool:
        try:
            return condition()
        except DRAWN_ANEW:
            return False
        except WebDriverException as error:
            if LEFT_THE_DOCUMENT in (error.msg or ""):
                return False
            raise

    WebDriverWait(browser, longest, poll_frequency=POLL).until(holds, message=f"waiting for {what}")


def all_of(browser: WebDriver, selector: str) -> list[WebElement]:
    """All elements of a selector, once there is one and the page has come to rest."""
    until(browser, selector, lambda: bool(there(browser, RESTING) and there(browser, selector)))
    return there(browser, selector)


def there(browser: WebDriver, selector: str) -> list[WebElement]:
    """All elements of a selector that are there at this moment."""
    return browser.find_elements(By.CSS_SELECTOR, selector)


def text_of(browser: WebDriver, selector: str = "[data-testid=stMain]") -> str:
    """All text that can be seen of the first such element; empty where there is none."""
    found = there(browser, selector)
    return found[0].text if found else ""


def until_told(browser: WebDriver, *sentences: str, longest: float = WAIT) -> None:
    """Wait until the page says one of them, so many seconds at the longest.

    What can be seen is worked out only once the page holds it: that takes half of a core, which is computed on.
    """

    def told() -> bool:
        if not browser.execute_script(HOLDS, sentences):
            return False
        seen = text_of(browser)
        return any(sentence in seen for sentence in sentences)

    try:
        until(browser, " or ".join(f"“{sentence}”" for sentence in sentences), told, longest=longest)
    except TimeoutException as error:
        raise AssertionError(f"{error.msg}; the page says:\n{text_of(browser)}") from error


def press(browser: WebDriver, key: str) -> None:
    """Press the button of this key."""
    _click(browser, f".st-key-{key} button")


def press_enter_on(browser: WebDriver, selector: str) -> None:
    """Press Enter on the first such element as soon as it can be pressed."""

    def pressed() -> bool:
        all_of(browser, selector)[0].send_keys(Keys.ENTER)
        return True

    until(browser, f"{selector} to be pressed", pressed)


def open_box(browser: WebDriver, key: str) -> None:
    """Unfold the expander of this key."""
    _click(browser, f".st-key-{key} summary")


def open_tab(browser: WebDriver, title: str) -> None:
    """Show the tab of this title."""

    def opened() -> bool:
        tabs = {tab.text: tab for tab in all_of(browser, "[role=tab]")}
        if title not in tabs:
            return False
        tabs[title].click()
        return True

    until(browser, f"the tab {title}", opened)


def tick(browser: WebDriver, key: str) -> None:
    """Tick the box of this key."""
    _click(browser, f".st-key-{key} label")
    until(browser, f"{key} to be ticked", lambda: bool(there(browser, f".st-key-{key} input:checked")))


def fill(browser: WebDriver, key: str, value: object) -> None:
    """Type into the field of this key, in place of what it holds, and press Enter."""

    def typed() -> bool:
        field = all_of(browser, f".st-key-{key} input")[0]
        browser.execute_script(CENTRE, field)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(str(value))
        held = field.get_attribute("value") == str(value)
        field.send_keys(Keys.ENTER)
        return held

    until(browser, f"{key} to hold {value}", typed)


def go_to(browser: WebDriver, title: str) -> None:
    """Open a page by its name at the top, unless it is open, and wait for its heading."""
    heading = "Second Look" if title == "Search" else title
    if heading not in text_of(browser, HEADING):
        until(browser, f"the link to {title}", lambda: _followed(browser, title))
    until(browser, f"the page {title}", lambda: heading in text_of(browser, HEADING))


def _followed(browser: WebDriver, title: str) -> bool:
    for folded in there(browser, "[data-testid=stExpandSidebarButton]"):
        folded.click()
    links = [link for link in there(browser, "[data-testid=stSidebarNavLink]") if link.text.split()[-1:] == [title]]
    for link in links:
        link.click()
    return bool(links)


def _click(browser: WebDriver, selector: str) -> None:
    """Click the first such element as soon as nothing lies above it."""

    def clicked() -> bool:
        element = all_of(browser, selector)[0]
        browser.execute_script(CENTRE, element)
        element.click()
        return True

    until(browser, f"{selector} to be clicked", clicked)
