"""Makes the README's moving picture from the app itself, with the shipped re-ranker: see `--help`."""

import argparse
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from PIL import Image, ImageDraw, ImageFont
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.conftest import REPOSITORY
from tests.e2e.browsing import (
    all_of,
    chromium,
    fill,
    go_to,
    press,
    press_enter_on,
    text_of,
    there,
    until,
    until_told,
)
from tests.e2e.retraining import begin_training, grade
from tests.e2e.searching import search_for
from tests.e2e.serving import lay_out, own_environment, served

WIDTH, HEIGHT = 1000, 700  # pixels of the window, about as wide as a README
CAPTION = 46  # pixels of the band below it
DARK, LIGHT = "#1d2130", "#ffffff"
SMALL, QUALITY = 1_500_000, 82  # bytes that it may have; of WebP, from 0 to 100
QUERY = "how many people live in berlin"
TAUGHT, GRADES = "how much stone did armstrong and aldrin bring back", (0, 0, 1, 0, 0, 0, 1, 0, 0, 2)
DEV_QUERIES, JUDGED_DEPTH, EVALUATED_DEPTH = 40, 10, 50  # few, as the picture is of the pages and not of the figures
VERDICTS = ("No objection to promoting it.", "Objection:")
BESIDE = "[data-testid=stHorizontalBlock]:has(.sl-heading)"
SIDEBAR_END = "return document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right"
CHARTS = "[data-testid=stVegaLiteChart] :is(canvas, svg)"


@dataclass(frozen=True)
class Still:
    """One picture of it."""

    image: Image.Image
    milliseconds: int


class Camera:
    """Takes pictures of the page as it is and writes below them what is seen."""

    def __init__(self, browser: WebDriver, kept: Path | None) -> None:
        self._browser, self._kept = browser, kept
        self._font = ImageFont.load_default(size=20)
        self.stills: list[Still] = []

    def take(self, caption: str, *, seconds: float, at: str = "") -> None:
        """One picture; with `at` the element of that selector stands at the top, else the page's beginning."""
        show = "document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
        if at:
            all_of(self._browser, at)
            show = f"document.querySelector('{at}').scrollIntoView(); {show.replace('To(0, 0)', 'By(0, -70)')}"
        self._browser.execute_script(show)
        self._browser.execute_script("document.activeElement.blur()")
        page = Image.open(BytesIO(self._browser.get_screenshot_as_png())).convert("RGB")
        image = Image.new("RGB", (page.width, page.height + CAPTION), DARK)
        image.paste(page, (0, 0))
        ImageDraw.Draw(image).text((16, page.height + CAPTION // 2), caption, fill=LIGHT, font=self._font, anchor="lm")
        if self._kept is not None:
            image.save(self._kept / f"{len(self.stills):02}.png")
        self.stills.append(Still(image, round(seconds * 1000)))

    def save(self, path: Path) -> None:
        """All pictures as one that moves. Raises ValueError where it is too large."""
        first, *others = [still.image for still in self.stills]
        times = [still.milliseconds for still in self.stills]
        first.save(path, save_all=True, append_images=others, duration=times, loop=0, quality=QUALITY, method=6)
        if path.stat().st_size > SMALL:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes, more than {SMALL:,}; lower QUALITY.")


def main() -> None:
    """Lay out a folder, serve the app in it, walk through it, and save the picture."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.walk_through", description=__doc__)
    parser.add_argument("output", type=Path, help="the picture to make, such as docs/walk_through.webp")
    parser.add_argument("--minutes", type=float, default=0.7, help="time to train (%(default)s)")
    parser.add_argument("--stills", type=Path, help="a folder to put each picture in, too")
    options = parser.parse_args()
    if options.stills:
        options.stills.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="second-look-walk-") as name:
        folder = lay_out(Path(name), index=REPOSITORY / "data/indexes/sample", dev_queries=DEV_QUERIES)
        shutil.copytree(REPOSITORY / "data/reranker", folder / "data/reranker")
        with (
            served(folder, own_environment(), folder / "log.txt") as address,
            chromium(folder / "profile") as browser,
        ):
            camera = Camera(browser, options.stills)
            _walk(browser, camera, address, minutes=options.minutes)
    camera.save(options.output)


def _walk(browser: WebDriver, camera: Camera, address: str, *, minutes: float) -> None:
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(address)
    for step in (_search, _compare, _teach):
        step(browser, camera)
    _train(browser, camera, minutes=minutes)
    for step in (_models, _evaluate, _indexes):
        step(browser, camera)


def _search(browser: WebDriver, camera: Camera) -> None:
    search_for(browser, QUERY)
    _fold_sidebar(browser)
    camera.take("Search: the first stage's ranking beside the re-ranked one", seconds=2.5)
    all_of(browser, CHARTS)
    camera.take("What moved, and how the time was spent", seconds=2, at=".st-key-search_movement, " + CHARTS)
    all_of(browser, ".sl-column-second .sl-ask")[0].send_keys(Keys.ENTER)
    all_of(browser, ".sl-why table")
    until(browser, "the words", lambda: bool(there(browser, ".sl-piece")))
    camera.take("Why? BM25's terms, the nearest sentence, the re-ranker's words", seconds=2.2)
    _close(browser)
    press_enter_on(browser, ".sl-column-second .sl-to-grade")
    all_of(browser, ".st-key-card_grade_0 button")
    camera.take("Grade: a bad result is graded on its card", seconds=1.8)
    _close(browser)


def _close(browser: WebDriver) -> None:
    """Close the dialog that is open."""
    there(browser, "[data-testid=stDialog] button[aria-label=Close]")[0].click()
    until(browser, "the dialog to be gone", lambda: not there(browser, "[data-testid=stDialog]"))


def _compare(browser: WebDriver, camera: Camera) -> None:
    go_to(browser, "Compare")
    fill(browser, "compare_query", QUERY)
    all_of(browser, CHARTS)
    camera.take("Compare: any two pipelines on one query", seconds=1.8)


def _teach(browser: WebDriver, camera: Camera) -> None:
    def shown(place: int) -> None:
        if place == 6:
            camera.take("Teach: grade passages, blind, by four keys", seconds=2)

    grade(browser, TAUGHT, GRADES, rater="Ann", seen=shown)


def _train(browser: WebDriver, camera: Camera, *, minutes: float) -> None:
    few: dict[str, Any] = {"batch": 4, "limit": 100, "dev_queries": 10, "dev_depth": JUDGED_DEPTH, "evaluate_every": 10}
    begin_training(browser, graded=True, minutes=minutes, **few)
    for share in (0.15, 0.4, 0.7):
        until(browser, f"{share:.0%} of the steps", partial(_is_done, browser, share))
        camera.take("Train: live curves, beside the model that is served", seconds=0.9)
    until_told(browser, "is ready. Its nDCG@10 on the dev set is")
    all_of(browser, CHARTS)
    camera.take("A new version, measured on the dev queries", seconds=1.8)


def _models(browser: WebDriver, camera: Camera) -> None:
    press(browser, "train_promote")
    until(browser, "a verdict", lambda: any(words in text_of(browser) for words in VERDICTS))
    camera.take("Models: the gate judges it on dev queries; promote, or roll back", seconds=2)


def _evaluate(browser: WebDriver, camera: Camera) -> None:
    browser.get(urljoin(browser.current_url, f"/evaluate?split=dev&depth={EVALUATED_DEPTH}"))
    press(browser, "evaluate_run")
    until_told(browser, "Where losses arise")
    all_of(browser, CHARTS)
    camera.take("Evaluate: every stage with its interval, tested against BM25", seconds=2, at=".sl-heading")
    camera.take("What depth gives and costs, and where losses arise", seconds=2, at=BESIDE)


def _indexes(browser: WebDriver, camera: Camera) -> None:
    go_to(browser, "Indexes")
    all_of(browser, "[class*=st-key-indexes_search_]")
    camera.take("Indexes: what is built; upload a corpus, build another", seconds=1.8)


def _is_done(browser: WebDriver, share: float) -> bool:
    """Whether the page shows such a share of the steps, or that there is a version."""
    said = text_of(browser, ".st-key-train_job")
    step = re.search(r"step ([\d,]+) of ([\d,]+)", said)
    if step is None:
        return " is ready." in said
    done, steps = (int(number.replace(",", "")) for number in step.groups())
    return done >= share * steps


def _fold_sidebar(browser: WebDriver) -> None:
    """Leave the page's width to the lists."""
    folded = there(browser, "[data-testid=stSidebarCollapseButton] button")
    if folded:
        browser.execute_script("arguments[0].click()", folded[0])
        until(browser, "the sidebar to be out of sight", lambda: browser.execute_script(SIDEBAR_END) <= 1)


if __name__ == "__main__":
    main()
