"""python -m benchmarks.page: how long a user of the app waits, in headless Chromium on the bundled collection.

From Enter to the first stage and to both lists, from page to page, the server's memory after many searches, and the
way from ten grades to a promoted version. Everything is done in a copy with the shipped re-ranker, which is removed.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver.remote.webdriver import WebDriver

from indexing import atomic, places
from indexing.cli.numbers import real, whole
from indexing.judged.sets import judged_sets
from tests.e2e.browsing import HEADING, all_of, chromium, go_to, press, text_of, until, until_told
from tests.e2e.retraining import begin_training, confirm_promotion, grade
from tests.e2e.searching import figures as search_figures
from tests.e2e.searching import watched_search
from tests.e2e.serving import lay_out, own_environment, served

FIRST, BOTH, LOOP = 0.3, 1.2, 180.0  # bounds in seconds: the medians of both lists, and the whole loop
FIRST_STEP = 60.0  # another: from Start to a training's first step
LONGEST = 900.0  # seconds that a step of the loop may take before it counts as failed
PAGES = ("Compare", "Teach", "Train", "Models", "Evaluate", "Indexes", "Search")
ROUNDS = 3  # of page switches, the first of which loads each page's libraries and isn't counted
TAUGHT, GRADES = "how much stone did armstrong and aldrin bring back", (0, 0, 1, 0, 0, 0, 1, 0, 0, 2)
VERDICTS = ("No objection to promoting it.", "Objection:")
SWITCH = """
const [title, done] = arguments;
const links = [...document.querySelectorAll("[data-testid=stSidebarNavLink]")];
const heading = title === "Search" ? "Second Look" : title;
const began = performance.now();
const watch = new MutationObserver(() => {
  if (document.querySelector(".sl-top h1")?.textContent !== heading) return;
  if (!document.querySelector("[data-test-script-state=notRunning]")) return;
  watch.disconnect();
  requestAnimationFrame(() => done(performance.now() - began));
});
watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
links.find((link) => link.textContent.trim().endsWith(title)).click();
"""


def main() -> int:
    """Measure, print, and write where asked; the exit status says whether the bounds held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", default="sample", help="index of data/sample (%(default)s)")
    parser.add_argument("--queries", type=whole(2), default=20, help="that are timed (%(default)s)")
    parser.add_argument("--searches", type=whole(0), default=200, help="until memory is read (%(default)s)")
    parser.add_argument("--minutes", type=real(above=0), default=1.0, help="that the training has (%(default)s)")
    about = "passages of a dev query that training and gate re-rank (%(default)s)"
    parser.add_argument("--gate-depth", type=whole(1), default=10, help=about)
    parser.add_argument("--no-loop", action="store_true", help="leave out the way from grades to a promotion")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="second-look-page-") as name:
        figures = _measured(Path(name), options)
    for line in report(figures):
        print(line)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"machine            {machine}; load average at the start {load:.1f}")
    if options.json is not None:
        atomic.write_json(options.json, {"machine": machine, "load": round(load, 2), **figures})
    return 0 if holds(figures) else 1


def report(figures: dict[str, Any]) -> Iterator[str]:
    """The lines that are printed."""
    bounds = {"first": f" (bound {FIRST} s)", "both": f" (bound {BOTH} s)"}
    names = {"first": "Enter to first", "both": "Enter to both", "switch": "from page to page"}
    for key, name in names.items():
        timed, bound = figures[key], bounds.get(key, "")
        yield f"{name:<18} median {timed['p50']:.2f} s{bound}, p95 {timed['p95']:.2f} s, of {timed['count']}"
    memory = figures["memory"]
    yield (
        f"memory             {memory['before_mib']:,} MiB after the first search, {memory['after_mib']:,} MiB "
        f"after {memory['searches']:,} more"
    )
    if loop := figures.get("loop"):
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in loop["seconds"].items())
        yield f"Start to 1st step  {loop['first_step']:.0f} s (bound {FIRST_STEP:.0f} s)"
        yield f"grade to promotion {loop['total']:.0f} s (bound {LOOP:.0f} s): {parts}; {loop['verdict']}"
    yield "The bounds hold." if holds(figures) else "A bound is broken."


def holds(figures: dict[str, Any]) -> bool:
    """Whether a user waits no longer than the bounds say."""
    loop = figures.get("loop", {"total": 0.0, "first_step": 0.0})
    waited: list[tuple[float, float]] = [
        (figures["first"]["p50"], FIRST),
        (figures["both"]["p50"], BOTH),
        (loop["total"], LOOP),
        (loop["first_step"], FIRST_STEP),
    ]
    return all(seconds <= bound for seconds, bound in waited)


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and number of these times."""
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return {"p50": statistics.median(seconds), "p95": p95, "count": len(seconds)}


def _measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All figures, of an app that is served in this folder."""
    queries = [query.text for query in judged_sets(places.sample())["dev"].queries]
    lay_out(folder, index=places.indexes() / options.index, dev_queries=len(queries))
    shutil.copytree(places.shipped_reranker(), folder / "data/reranker")
    with (
        served(folder, own_environment(), folder / "log.txt") as address,
        chromium(folder / "profile") as browser,
    ):
        server = _process_at(urlsplit(address).port or 0)
        browser.get(address)
        all_of(browser, HEADING)
        figures = _searches(browser, server, queries, options)
        figures["switch"] = summary(_switches(browser))
        if not options.no_loop:
            figures["loop"] = _loop(browser, minutes=options.minutes, depth=options.gate_depth)
    return figures


def _searches(browser: WebDriver, server: int, queries: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """Times of queries that are spread over all, and the server's memory once the others were asked too."""
    first, *others = queries
    watched_search(browser, first)  # the first search opens index and models
    before = _resident(server)
    every = max(1, len(others) // options.queries)
    timed = others[::every][: options.queries]
    times: dict[str, list[float]] = {"first": [], "both": []}
    for query in timed:
        seen = {one["what"]: one["at"] / 1000 for one in watched_search(browser, query)}
        times["both"].append(seen["both"])
        times["first"].append(seen.get("first", seen["both"]))  # both at once where nothing had to be read
    rest = [query for query in others if query not in timed][: max(0, options.searches - len(timed))]
    for query in rest:
        watched_search(browser, query)
    memory = {"before_mib": before, "after_mib": _resident(server), "searches": len(timed) + len(rest)}
    return {**{name: summary(values) for name, values in times.items()}, "memory": memory}


def _switches(browser: WebDriver) -> list[float]:
    """Seconds from the press on a page's name until that page stands there."""
    seconds = []
    for turn in range(ROUNDS):
        for page in PAGES:
            waited = browser.execute_async_script(SWITCH, page) / 1000
            if turn:
                seconds.append(waited)
    return seconds


def _loop(browser: WebDriver, *, minutes: float, depth: int) -> dict[str, Any]:
    """Seconds of each step from ten grades to the same query answered by what learned from them."""
    seconds: dict[str, float] = {}
    first_step = 0.0

    def timed(name: str, step: Callable[[], None]) -> None:
        began = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - began

    def train() -> None:
        nonlocal first_step
        begin_training(browser, graded=True, minutes=minutes, dev_depth=depth)
        began = time.perf_counter()
        until_told(browser, ", step ", "is ready.", longest=LONGEST)
        first_step = time.perf_counter() - began
        until_told(browser, "is ready. Its nDCG@10 on the dev set is", longest=LONGEST)

    def judge() -> None:
        press(browser, "train_promote")
        until_told(browser, *VERDICTS, longest=LONGEST)

    def search() -> None:
        go_to(browser, "Search")
        until(browser, "the new version's search", lambda: "mine/1" in search_figures(browser))

    timed("grading", lambda: grade(browser, TAUGHT, GRADES, rater="Ann"))
    timed("training", train)
    timed("gate", judge)
    refused = "Objection:" in text_of(browser)
    reason = "to see how long it takes"
    timed("promotion", lambda: confirm_promotion(browser, reason=reason, forced=refused))
    timed("search", search)
    verdict = "the gate objected, and it was promoted anyway" if refused else "the gate had no objection"
    settings = {"minutes": minutes, "depth": depth, "verdict": verdict}
    return {"total": sum(seconds.values()), "seconds": seconds, "first_step": first_step, **settings}


def _process_at(port: int) -> int:
    """The id of the process that serves the app at this port."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if b"streamlit" in words and str(port).encode() in words:
            return int(entry.parent.name)
    raise AssertionError(f"No process serves the app at port {port}.")


def _resident(process: int) -> int:
    """MiB of a process that are in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


if __name__ == "__main__":
    sys.exit(main())
