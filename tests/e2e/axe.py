"""axe-core in the browser: what of WCAG 2.2, A and AA, a page breaks as it is now, wide and narrow, light and dark."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver.remote.webdriver import WebDriver

PACKAGE = "axe-playwright-python"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {name: {"enabled": True} for name in ("target-size", "heading-order", "page-has-heading-one")},
    "resultTypes": ["violations"],
    "preload": False,
}
OF_COLORS = {**OPTIONS, "runOnly": {"type": "rule", "values": ("color-contrast", "link-in-text-block")}, "rules": {}}
RUN = """
const [options, done] = arguments;
axe.run(document, options).then(
  ({ violations }) => done(violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => [id, node.target.flat().join(" "), node.html.slice(0, 200), node.failureSummary]))),
  (error) => done([["failed", "", "", String(error)]]));
"""
WIDTHS = (1280, 390)
NARROW = 760  # pixels; on a narrower page the sidebar lies above it, folded
SETTLED = """
const done = arguments[0];
const once = (a) => a.playState === "running" && a.effect.getTiming().iterations === 1;
const moving = () => document.getAnimations().some(once);
const wait = () => moving() ? requestAnimationFrame(wait) : setTimeout(done, 60);
requestAnimationFrame(() => requestAnimationFrame(wait));
"""
STYLED = "return getComputedStyle(document.querySelector('.stApp')).getPropertyValue('--sl-accent')"
UNNAMED = """
return [...document.querySelectorAll("[data-testid=stVegaLiteChart]")].map((e) => e.getAttribute("aria-label"));
"""
SMALL = """
const own = ".sl-ask, .sl-more summary, .sl-tab-label, [data-testid=stTooltipHoverTarget] > button";
return [...document.querySelectorAll(own)].filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, r]) => r.width < 24 || r.height < 24).map(([html, r]) => `${html} ${r.width} x ${r.height}`);
"""


class Violation(NamedTuple):
    """An element that breaks a rule."""

    rule: str
    target: str
    """Its selector."""
    html: str
    why: str


class Looks:
    """What was found wrong with what a browser shows, at every width and in both themes."""

    def __init__(self, browser: WebDriver) -> None:
        self._browser = browser
        self._found: dict[Violation, str] = {}
        self._small: list[str] = []
        self._unnamed: list[str] = []

    def look(self, name: str) -> None:
        """Look at the page as it is now; it is shown wide and light again after that."""
        for width, themes in zip(WIDTHS, (("light", "dark"), ("dark", "light")), strict=True):  # each change draws anew
            for theme in themes:
                show(self._browser, width=width, theme=theme)
                for violation in violations(self._browser, colors_only=theme == "dark"):
                    self._found.setdefault(violation, f"{name}, {width} pixels, {theme}")
            self._small.extend(f"{name}, {width} pixels: {one}" for one in self._browser.execute_script(SMALL))
        labels = self._browser.execute_script(UNNAMED)
        self._unnamed.extend(f"{name}: {label}" for label in labels if not label or "Vega" in label)
        show(self._browser, width=WIDTHS[0], theme="light")

    def check(self, own: Mapping[tuple[str, str], str]) -> None:
        """Fail where anything was found but what the list of Streamlit's own holds, and where that holds too much."""
        held = {entry for entry in own for violation in self._found if is_held(violation, entry)}
        broken = [
            f"{place}: {violation.rule}: {violation.html}\n{violation.why}"
            for violation, place in self._found.items()
            if not any(is_held(violation, entry) for entry in own)
        ]
        assert not broken, "\n".join(broken)
        assert held == set(own), "Some of the list no longer occurs; take it out."
        assert not self._small, "\n".join(self._small)
        assert not self._unnamed, "\n".join(self._unnamed)


def violations(browser: WebDriver, *, colors_only: bool = False) -> list[Violation]:
    """What axe finds in the page as it is now; the script is put into it once.

    With `colors_only` only the rules run whose answer another theme can change.
    """
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(_script())
    options = OF_COLORS if colors_only else OPTIONS
    return [Violation(*found) for found in browser.execute_async_script(RUN, options)]


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


def _script() -> str:
    try:
        path = distribution(PACKAGE).locate_file("axe_playwright_python/axe.min.js")
    except PackageNotFoundError as error:
        raise AssertionError(f"axe-core isn't here: pip install --no-deps -c constraints.txt {PACKAGE}") from error
    return Path(str(path)).read_text(encoding="utf-8")
