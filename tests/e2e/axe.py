"""axe-core in the browser: what of WCAG 2.2, A and AA, a page breaks as it is now."""

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


class Violation(NamedTuple):
    """An element that breaks a rule."""

    rule: str
    target: str
    """Its selector."""
    html: str
    why: str


def violations(browser: WebDriver, *, colors_only: bool = False) -> list[Violation]:
    """What axe finds in the page as it is now; the script is put into it once.

    With `colors_only` only the rules run whose answer another theme can change.
    """
    if not browser.execute_script("return 'axe' in window"):
        browser.execute_script(_script())
    options = OF_COLORS if colors_only else OPTIONS
    return [Violation(*found) for found in browser.execute_async_script(RUN, options)]


def _script() -> str:
    try:
        path = distribution(PACKAGE).locate_file("axe_playwright_python/axe.min.js")
    except PackageNotFoundError as error:
        raise AssertionError(f"axe-core isn't here: pip install --no-deps -c constraints.txt {PACKAGE}") from error
    return Path(str(path)).read_text(encoding="utf-8")
