"""A user's way through the search page in a real browser: type, read both lists, follow a link, use a phone."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from indexing.build import build
from indexing.corpus import Corpus
from indexing.errors import IndexingError
from indexing.index import ROOT, open_index
from indexing.settings import BuildSettings
from search.load import SHIPPED_RERANKER
from tests.tiny_models import make_cross_encoder

REPOSITORY = Path(__file__).parents[2]
QUERY = "how many people live in berlin"
WAIT = 180  # seconds until something that must appear is given up; a busy machine starts slowly
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


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the app is started with: the index of the sample, and a random re-ranker where none is shipped."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SECOND_LOOK_")}
    root = REPOSITORY / ROOT
    try:
        open_index("sample", root=root)
    except IndexingError:  # absent, or of an older program
        root = tmp_path_factory.mktemp("indexes")
        corpus = Corpus(REPOSITORY / "data/sample")
        build(corpus, name="sample", root=root, settings=BuildSettings(), progress=lambda *_: None)
    variables["SECOND_LOOK_INDEX_ROOT"] = str(root)
    if not (REPOSITORY / SHIPPED_RERANKER / "model.safetensors").is_file():
        variables["SECOND_LOOK_RERANKER"] = str(make_cross_encoder(tmp_path_factory.mktemp("model") / "random"))
    return variables


@pytest.fixture(scope="session")
def address(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("streamlit") / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=output, stderr=output)
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    """A fresh Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.fail("This test drives Chromium, which isn't here: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    session = webdriver.Chrome(options=options, service=Service(driver))
    session.set_page_load_timeout(WAIT)
    session.set_script_timeout(WAIT)
    try:
        yield session
    finally:
        session.quit()


def test_a_typed_query_shows_two_lists_in_which_passages_have_moved(browser: WebDriver, address: str) -> None:
    browser.get(address)
    _type(browser, QUERY)
    assert len(_all(browser, ".sl-column-first .sl-card")) == 10
    assert len(_all(browser, ".sl-column-second .sl-card")) == 10
    assert _all(browser, ".sl-column-second .sl-up, .sl-column-second .sl-down")
    first, second = (_all(browser, f".sl-column-{name} .sl-card")[0] for name in ("first", "second"))
    assert first.rect["y"] == second.rect["y"]
    assert first.rect["x"] + first.rect["width"] < second.rect["x"]
    assert "berlin" in browser.current_url
    assert not browser.find_elements(By.CSS_SELECTOR, "[data-testid=stException]")


def test_a_link_opens_the_same_search_and_back_returns_to_it(browser: WebDriver, address: str) -> None:
    browser.get(f"{address}/?q=jaguar&fusion=bm25&shown=3")
    assert len(_all(browser, ".sl-column-first .sl-card")) == 3
    assert _box(browser).get_attribute("value") == "jaguar"
    _type(browser, "titanic")
    _until(browser, "the new query in the link", lambda: "titanic" in browser.current_url)
    browser.back()
    _until(browser, "the query of before", lambda: _box(browser).get_attribute("value") == "jaguar")
    assert "fusion=bm25" in browser.current_url


def test_on_a_phone_nothing_overflows_and_tabs_switch_the_lists(browser: WebDriver, address: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/?q={QUERY.replace(' ', '+')}")
    first, second = (_all(browser, f".sl-column-{name} .sl-card")[0] for name in ("first", "second"))
    for selector in ("html", "[data-testid=stMain]"):
        widths = browser.execute_script(
            "const e = document.querySelector(arguments[0]); return [e.scrollWidth, e.clientWidth]", selector
        )
        assert widths[0] <= widths[1] <= 390
    assert second.is_displayed()
    assert not first.is_displayed()
    _all(browser, "label[for=sl-tab-first]")[0].click()
    assert first.is_displayed()
    assert not second.is_displayed()


def _type(browser: WebDriver, query: str) -> None:
    """Type a query, press Enter, and wait for its lists."""
    _box(browser).send_keys(Keys.CONTROL, "a")
    _box(browser).send_keys(query, Keys.ENTER)
    words = query.split()
    _until(browser, "the query in the link", lambda: all(word in browser.current_url for word in words))
    _all(browser, ".sl-column-first .sl-card")


def _box(browser: WebDriver) -> WebElement:
    return _all(browser, ".st-key-search_query input")[0]


def _all(browser: WebDriver, selector: str) -> list[WebElement]:
    """All elements of a selector, once there is one and the page has come to rest."""

    def found() -> bool:
        resting = browser.find_elements(By.CSS_SELECTOR, "[data-test-script-state=notRunning]")
        return bool(resting and browser.find_elements(By.CSS_SELECTOR, selector))

    _until(browser, selector, found)
    return browser.find_elements(By.CSS_SELECTOR, selector)


def _until(browser: WebDriver, what: str, condition: Callable[[], bool]) -> None:
    WebDriverWait(browser, WAIT).until(lambda _: condition(), message=f"waiting for {what}")


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"The app didn't start: {log.read_text()[-2000:]}")
