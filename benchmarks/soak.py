"""python -m benchmarks.soak: does the app keep its memory and its pace? Eight searchers, a training beside, 30 minutes.

The searchers open their pipeline as the Search page does, in this one process, and draw queries of data/sample's dev
split by a seed. Between searches each thinks, so long that the searches alone keep the machine busy for a third of the
time. The training runs in processes of its own, one after another. Resident memory is read every ten seconds.

Ends with 1 if memory grew, or searches slowed down, by more than the bounds below.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from streamlit.logger import set_log_level

from app import resources
from app.memory import limit_arenas
from indexing import atomic, places
from indexing.cli.numbers import real, whole
from indexing.errors import SettingsError
from indexing.jobs.folder import NICENESS
from indexing.judged.sets import judged_sets
from search.served import DEFAULT_RERANKER
from search.settings import PipelineSettings

SEARCHERS = 8
BUSY = 1 / 3  # of the time that searches alone may take
EVERY = 10.0  # seconds between two readings of memory
GROWTH, SLOWDOWN = 0.05, 1.2  # bounds
SETTLED, WINDOW = 1 / 6, 1 / 3  # of the whole time: 5 and 10 minutes of 30
FEWEST = 20  # searches in each window
MEGABYTE = 1 << 20
TRAINING = ("--recipe", "lambda", "--limit", "200", "--minutes", "1", "--precision", "float32")


class Search(NamedTuple):
    """One search: when it began, and how long its user waited, both in seconds."""

    began: float
    waited: float


class Reading(NamedTuple):
    """Resident memory: when it was read, in seconds, and how many bytes it was."""

    at: float
    resident: int


def main() -> int:
    """Soak, print, and write where asked; the exit status says whether the bounds held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", default="sample", help="index of data/sample (%(default)s)")
    parser.add_argument("--minutes", type=real(above=0), default=30.0, help="(%(default)s)")
    parser.add_argument("--seed", type=whole(0), default=17, help="of queries and pauses (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    limit_arenas()  # as the app does
    set_log_level("error")  # Streamlit warns that its caches are used without its server
    queries = [query.text for query in judged_sets(places.sample())["dev"].queries]
    think = _thinking_time(options.index, queries)
    print(
        f"{SEARCHERS} searchers, {options.minutes:g} minutes, {think:.1f} s between searches, a training beside",
        flush=True,
    )
    with _trainings(options.index) as trainings:
        searches, readings = _soak(options.index, queries, seconds=options.minutes * 60, think=think, seed=options.seed)
    figures = summary(searches, readings, seconds=options.minutes * 60)
    figures |= {"minutes": options.minutes, "searchers": SEARCHERS, "think_seconds": think, "trainings": len(trainings)}
    for line in report(figures):
        print(line)
    if options.json is not None:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        memory = [[round(reading.at), reading.resident] for reading in readings]
        atomic.write_json(options.json, {"machine": machine, **figures, "resident": memory})
    return 0 if holds(figures) else 1


def summary(searches: Sequence[Search], readings: Sequence[Reading], *, seconds: float) -> dict[str, float]:
    """Memory after a sixth of the time and at the end, and waiting times in the first and the last third."""
    settled = min(readings, key=lambda reading: abs(reading.at - seconds * SETTLED)).resident
    first = [search.waited for search in searches if search.began < seconds * WINDOW]
    last = [search.waited for search in searches if search.began >= seconds * (1 - WINDOW)]
    if min(len(first), len(last)) < FEWEST or not readings:
        raise SettingsError(
            f"The first and the last third had {len(first)} and {len(last)} searches, and {FEWEST} of each are needed "
            "for a 95th percentile; give more --minutes, or wait until the machine is free."
        )
    figures = {
        "searches": float(len(searches)),
        "settled_bytes": float(settled),
        "end_bytes": float(readings[-1].resident),
        "growth": readings[-1].resident / settled - 1,
    }
    for name, waited in (("first", first), ("last", last)):
        figures[f"{name}_p50_seconds"] = statistics.median(waited)
        figures[f"{name}_p95_seconds"] = statistics.quantiles(waited, n=20)[-1]
    return figures | {"slowdown": figures["last_p95_seconds"] / figures["first_p95_seconds"]}


def holds(figures: dict[str, float]) -> bool:
    """Whether memory and pace stayed within the bounds."""
    return figures["growth"] < GROWTH and figures["slowdown"] <= SLOWDOWN


def report(figures: dict[str, float]) -> Iterator[str]:
    """The lines that are printed."""
    minutes = figures["minutes"]
    settled, end = (figures[f"{name}_bytes"] / MEGABYTE for name in ("settled", "end"))
    yield f"searches  {figures['searches']:,.0f}, beside {figures['trainings']:.0f} trainings"
    yield (
        f"memory    {settled:,.0f} MiB after {minutes * SETTLED:.1f} minutes, {end:,.0f} MiB at the end: "
        f"{figures['growth']:+.1%} (bound {GROWTH:+.0%})"
    )
    for name in ("first", "last"):
        p50, p95 = (figures[f"{name}_{part}_seconds"] * 1000 for part in ("p50", "p95"))
        yield f"{name:<9} {minutes * WINDOW:.1f} minutes: p50 {p50:,.0f} ms, p95 {p95:,.0f} ms"
    yield f"p95       last / first {figures['slowdown']:.2f} (bound {SLOWDOWN})"
    yield "The bounds hold." if holds(figures) else "A bound is broken."


def _thinking_time(index: str, queries: Sequence[str]) -> float:
    """Seconds between a searcher's searches, from the time that the first searches take alone."""
    took = []
    for query in queries[:12]:
        began = time.perf_counter()
        _search(index, query)
        took.append(time.perf_counter() - began)
    return SEARCHERS * min(took) / BUSY


def _search(index: str, query: str) -> None:
    resources.open_pipeline(index, DEFAULT_RERANKER).search(query, PipelineSettings())


def _soak(
    index: str, queries: Sequence[str], *, seconds: float, think: float, seed: int
) -> tuple[list[Search], list[Reading]]:
    """Search and read memory until the time is over. Raises what a search raised."""
    begun, over = time.perf_counter(), threading.Event()
    searches: list[Search] = []
    readings: list[Reading] = []
    failures: list[Exception] = []

    def search(random: Random) -> None:
        try:
            while not over.wait(random.expovariate(1 / think)):
                before = time.perf_counter()
                _search(index, random.choice(queries))
                searches.append(Search(before - begun, time.perf_counter() - before))
        except Exception as error:  # raised below, where the main thread sees it
            failures.append(error)
            over.set()

    threads = [threading.Thread(target=search, args=(Random(f"{seed} {number}"),)) for number in range(SEARCHERS)]
    for thread in threads:
        thread.start()
    while (left := begun + seconds - time.perf_counter()) > 0 and not over.wait(min(left, EVERY)):
        readings.append(Reading(time.perf_counter() - begun, resident()))
    over.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return searches, readings


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _trainings(index: str) -> Iterator[list[int]]:
    """Small trainings in processes of their own, one after another, until the block ends; the exit statuses so far.

    Their versions go into a folder that is removed.
    """
    over, statuses = threading.Event(), list[int]()
    with tempfile.TemporaryDirectory(prefix="second-look-soak-") as home:
        roots = {"SECOND_LOOK_HOME": home, "SECOND_LOOK_INDEX_ROOT": str(places.indexes().absolute())}

        def train() -> None:
            while not over.is_set():
                output = Path(home) / f"models/soak/{len(statuses) + 1}"
                words = ["training", "train", *TRAINING, "--data", f"index:{index}", "--output", str(output)]
                process = subprocess.Popen(
                    ["nice", "-n", str(NICENESS), sys.executable, "-m", *words],  # as the app starts its own
                    env={**os.environ, **roots},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                while process.poll() is None and not over.wait(0.5):
                    pass
                process.terminate()
                statuses.append(process.wait())
                if statuses[-1] and not over.is_set():
                    print(f"A training ended with {statuses[-1]}.", file=sys.stderr)
                    over.wait(EVERY)

        thread = threading.Thread(target=train)
        thread.start()
        try:
            yield statuses
        finally:
            over.set()
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
