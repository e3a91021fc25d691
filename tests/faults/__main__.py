"""python -m tests.faults: run the generated faults, each in a process of its own, and print a table by area."""

import os

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")  # before libraries load

import argparse
import importlib
import json
import pkgutil
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import tests.faults
from indexing.errors import SecondLookError
from tests.faults.fault import Area, Fault, HoleError, LostError
from tests.support.forked import Ended, call_forked

SEED = 20261130
WORKERS = 2
VERDICTS = ("silent wrong answers", "hangs", "tracebacks", "process died", "holes", "lost")
LIGHT = ("words", "corpora", "judged_files", "fusion")
"""Areas that need no model: they run first, while a process is small, and so soon forked."""
FRAMEWORK = {"fault", "__main__", "test_faults"}


@dataclass
class AreaResult:
    """How the cases of one area ended."""

    area: str
    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """A line for each case that didn't pass."""
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        """Cases that ended well."""
        return self.cases - sum(self.verdicts.values())


def area_names() -> list[str]:
    """The modules of areas: the light ones, and the others by name."""
    found = {module.name for module in pkgutil.iter_modules(tests.faults.__path__)} - FRAMEWORK
    return [*LIGHT, *sorted(found.difference(LIGHT))]


def verdict(ended: Ended) -> str:
    """One of VERDICTS, or an empty string for a case that passed."""
    if ended.hung:
        return "hangs"
    if ended.signal:
        return "process died"
    if ended.error is None:
        return ""
    if isinstance(ended.error, HoleError):
        return "holes"
    if isinstance(ended.error, LostError):
        return "lost"
    # a refusal where an answer was due is as wrong as an answer where a refusal was
    return "silent wrong answers" if isinstance(ended.error, AssertionError | SecondLookError) else "tracebacks"


def attempt(fault: Fault, place: Path) -> Ended:
    """Run one case in a forked process, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        return call_forked(lambda: fault.run(folder), limit=fault.limit)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_area(name: str, *, seed: int, share: int, only: str, place: Path) -> AreaResult:
    """Run every `share`-th case of one area; `only` keeps those whose name holds it."""
    area: Area = importlib.import_module(f"tests.faults.{name}")
    shared = place / name
    shared.mkdir()
    area.prepare(shared)
    chosen = [fault for fault in _chosen(area, seed, share) if only in fault.name]
    result = AreaResult(area.AREA, len(chosen))
    with ThreadPoolExecutor(WORKERS) as pool:
        for fault, ended in zip(chosen, pool.map(lambda fault: attempt(fault, place), chosen), strict=True):
            result.seconds += ended.seconds
            if kind := verdict(ended):
                result.verdicts[kind] += 1
                result.failures.append(_failure(area.AREA, fault, ended, kind))
    return result


def _chosen(area: Area, seed: int, share: int) -> Iterator[Fault]:
    for number, fault in enumerate(area.faults(Random(f"{seed} {area.AREA}"))):
        if number % share == 0:
            yield fault


def _failure(area: str, fault: Fault, ended: Ended, kind: str) -> str:
    lines = [f"{area}: {fault.name}: {kind}, {ended.seconds:.1f} s: {ended.error!r}"[:1000]]
    if kind == "tracebacks":
        lines.append(ended.trace)
    if kind in ("process died", "hangs"):
        lines.append(f"signal {ended.signal}; stderr: {ended.err[-500:]}")
    return "\n".join(lines)


def table(results: Sequence[AreaResult]) -> str:
    """The results as a Markdown table, with their sums."""
    total = AreaResult("all", sum(result.cases for result in results))
    for result in results:
        total.verdicts.update(result.verdicts)
    rows = [
        [result.area, str(result.cases), str(result.passed), *(str(result.verdicts[kind]) for kind in VERDICTS)]
        for result in [*results, total]
    ]
    head = ["area", "cases", "passed", *VERDICTS]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def main() -> int:
    """Run what the options name; 1 if any case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="(%(default)s)")
    parser.add_argument("--share", type=int, default=1, help="run every SHARE-th case (all)")
    parser.add_argument("--area", action="append", choices=area_names(), help="only this area; may be repeated")
    parser.add_argument("--only", default="", help="only cases whose name holds this text")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="second-look-faults-") as place:
        os.environ["SECOND_LOOK_HOME"] = str(Path(place) / "home")
        for name in options.area or area_names():
            result = run_area(name, seed=options.seed, share=options.share, only=options.only, place=Path(place))
            results.append(result)
            print(f"{result.area}: {result.passed} of {result.cases} in {result.seconds:.0f} s", file=sys.stderr)
            print("".join(f"{failure}\n" for failure in result.failures), end="", file=sys.stderr)
    print(f"Seed {options.seed}, every case" if options.share == 1 else f"Seed {options.seed}, every {options.share}th")
    print(table(results))
    if options.json:
        rows = [{"area": result.area, "cases": result.cases, "failures": result.failures} for result in results]
        options.json.write_text(json.dumps(rows), encoding="utf-8")
    return 1 if any(result.failures for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
