"""python -m benchmarks.ablation JUDGED: what each ingredient of training on graded lists gives.

JUDGED holds the judged collections, as for `make reranker`. Every arm is one pass over other lists, or with another
target, from BASE: what shipped before it learned from such lists, which `make reranker` makes on its way. An arm is
measured on TREC DL 2023 (BM25's best 100 of each query), on the bundled dev queries (the first stage's best 20) and on
graded lists that no arm learns from, and on nothing else. The two arms with the best mean are trained by more seeds,
and the weights of all seeds of the best one are averaged. The figures of each query are stored after every arm, and an
arm whose figures are there is neither trained nor scored again, so that it goes on where it was stopped, on another
machine too, until the base changes. --show prints the stored table.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.shipped import chosen_by, kept_runs
from indexing import atomic, places
from indexing.errors import SettingsError
from indexing.records import QueryId
from indexing.words.analyzers import analyzer_for
from search.served import LATE, reranker_fingerprint, reranker_path
from training.data.list_folder import lay_out_lists
from training.data.settings import DataSettings
from training.evaluation.candidates import ndcg
from training.evaluation.significance import bootstrap_interval
from training.mining.negatives import spread
from training.recipes.catalog import DISTILL_LIST
from training.recipes.settings import TrainSettings
from training.source import Source
from training.targets import TargetSettings
from training.train.request import TrainRequest
from training.train.train import train_version
from training.versions.average import average_versions
from training.versions.registry import find_version

GRADED = ("msmarco-graded", "msmarco-graded-2")
ALL = (*GRADED, "msmarco-written", "msmarco-written-2")
PROTECTED = (
    "trec-dl-2019/queries.tsv",
    "msmarco-mini/queries.dev.tsv",
    "more/trec-dl-2023/lists.jsonl.gz",
    "more/protected-queries.sha256",
)
TEACHER = "more/teacher-late/scores.jsonl.gz"
RUNS = ("trec-dl-2021-teacher", "trec-dl-2022-teacher")
LARGER = "mpnet"  # of the two models whose late interaction is in TEACHER
RESULT = Path("benchmarks/results/ablation.json")
SEEDS = (17, 18, 19)
FIRST = "the base"
COMMAND = "python -m benchmarks.ablation"
BASE = "mean-reranker/1"
BEST = 2  # arms that are trained by every seed
LIST_DEPTH, DEV_DEPTH = 100, 20  # passages that are re-ranked of a query of DL 2023, and of a dev query
HELD_OUT, HELD_OUT_LISTS = "graded-held-out", 400
DRAWN, PASSAGES = 8, 8  # lists drawn from each query of RUNS, and the passages of each
Values = Mapping[str, Mapping[QueryId, float]]
"""nDCG@10 by set and query."""


@dataclass(frozen=True)
class Arm:
    """One pass over lists."""

    name: str
    sets: tuple[str, ...]
    lists: int
    """An equal part from each set."""
    target: TargetSettings = field(default_factory=TargetSettings)
    indexes: tuple[str, ...] = ()
    """Whose judged train queries are learned from too."""
    teacher: str = ""
    """The one model of TEACHER that is used; empty: the mean of both."""
    runs: str = ""
    """How lists are drawn from the passages of RUNS, which are learned from too: "at random", "in strata" of their
    scores, or, if empty, not."""

    def version(self, seed: int) -> str:
        """NAME/VERSION of the pass with this seed."""
        return f"ablation-{self.name.replace(',', '').replace(' ', '-')}/{seed}"


ARMS = (
    Arm("1,000 graded", GRADED, 1_000),
    Arm("2,000 graded", GRADED, 2_000),
    Arm("4,000 graded", GRADED, 4_000),
    Arm("2,000 graded, grades alone", GRADED, 2_000, TargetSettings(teacher=0)),
    Arm("2,000 graded, teacher alone", GRADED, 2_000, TargetSettings(grade=0)),
    Arm("2,000 graded, larger teacher", GRADED, 2_000, teacher=LARGER),
    Arm("2,000 graded and written", ALL, 2_000),
    Arm("2,000 graded and runs at random", GRADED, 2_000, runs="at random"),
    Arm("2,000 graded and runs in strata", GRADED, 2_000, runs="in strata"),
    Arm("2,000 graded and the bundled train queries", GRADED, 2_000, indexes=("sample",)),
    Arm("10,000 graded and written", ALL, 10_000),
)


def main() -> None:
    """Train and measure what is missing, or show what is stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judged", type=Path, nargs="?", help="folder of judged collections")
    parser.add_argument("--base", default=BASE, help="NAME/VERSION that every arm starts from (%(default)s)")
    parser.add_argument("--arms", type=int, default=len(ARMS), help="only the first of them (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="of the two best arms (%(default)s)")
    parser.add_argument("--show", action="store_true", help="print the stored table and make nothing")
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures are kept (%(default)s)")
    options = parser.parse_args()
    if options.show:
        if not options.json.is_file():
            raise SettingsError(f"{options.json} doesn't exist; make it: make ablation JUDGED=path")
        print("\n".join(table(json.loads(options.json.read_text(encoding="utf-8")))))
        return
    if options.judged is None:
        raise SettingsError("Say where the judged collections are: make ablation JUDGED=path")
    _Ablation(options.judged, find_version(options.base).id, options.json).run(ARMS[: options.arms], options.seeds)
    print("\n".join(table(json.loads(options.json.read_text(encoding="utf-8")))))


class StoredRows:
    """What was measured, by name, in a file that is written after each."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        """Read the file, if it is of the same base and queries as `about`, which is stored with the rows."""
        self._path, self._about = path, about
        self._rows: dict[str, Values] = {}
        if not path.is_file():
            return
        stored = json.loads(path.read_text(encoding="utf-8"))
        if any(stored.get(key) != about[key] for key in ("base", "queries")):
            print(f"{path} is of another base or other queries, and is made anew.", file=sys.stderr)
            return
        self._rows = stored["rows"]

    def measured(self, name: str, measure: Callable[[], Values]) -> Values:
        """The stored values of this name; without any, those that `measure` gives, which are stored."""
        if name not in self._rows:
            self._rows[name] = measure()
            atomic.write_json(self._path, {**self._about, "rows": self._rows})
        return self._rows[name]


class _Ablation:
    """The sets that are measured on, and the rows measured so far."""

    def __init__(self, judged: Path, base: str, output: Path) -> None:
        self._judged, self._base = judged, base
        english = analyzer_for("english")
        for name, lists in {"trec-dl-2023": self._lists("trec-dl-2023"), HELD_OUT: self._held_out()}.items():
            if not (_runs() / name).is_dir():
                lay_out_lists(lists, _runs() / name, analyzer=english)
        folders = [_runs() / "trec-dl-2023", _runs() / HELD_OUT]
        self._sets = chosen_by(folders, ["sample"], whole=LIST_DEPTH, depth=DEV_DEPTH)
        about = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "base": reranker_fingerprint(reranker_path(base)),
            "queries": {key: len(given.queries) for key, given in self._sets.items()},
        }
        self._rows = StoredRows(output, about)

    def run(self, arms: Sequence[Arm], seeds: Sequence[int]) -> None:
        """Every arm by the first seed, the best arms by the other seeds, and means of weights."""
        self._measure(FIRST, lambda: self._base)
        self._measure("late interaction, untrained", lambda: LATE)
        first = {arm: _mean(self._measure(arm.name, partial(self._trained, arm, seeds[0]))) for arm in arms}
        best = sorted(first, key=lambda arm: -first[arm])[:BEST]
        name = f"{best[0].name}, mean with the base's weights"
        self._measure(name, lambda: self._averaged([self._base, self._trained(best[0], seeds[0])]))
        for arm in best:
            for seed in seeds[1:]:
                self._measure(f"{arm.name}, seed {seed}", partial(self._trained, arm, seed))
        if len(seeds) > 1:
            name = f"{best[0].name}, mean of {len(seeds)} seeds' weights"
            self._measure(name, lambda: self._averaged([self._trained(best[0], seed) for seed in seeds]))

    def _measure(self, name: str, reranker: Callable[[], str]) -> Values:
        values = self._rows.measured(name, lambda: self._scored(reranker()))
        print(f"{name}: {_mean(values):.4f}", file=sys.stderr, flush=True)
        return values

    def _scored(self, reranker: str) -> Values:
        runs = {key: kept_runs(_runs(), key, given, [reranker]) for key, given in self._sets.items()}
        return {key: ndcg(runs[key][reranker], given) for key, given in self._sets.items()}

    def _trained(self, arm: Arm, seed: int) -> str:
        output = places.models() / arm.version(seed)
        if not output.exists():
            taught = (("teacher", str(self._teacher(arm.teacher))),)
            data = DataSettings(
                sources=(
                    *(Source("lists", str(self._lists(name)), taught) for name in arm.sets),
                    *(Source("lists", str(self._drawn(name, arm.runs))) for name in RUNS if arm.runs),
                    *(Source("index", name) for name in arm.indexes),
                ),
                limit=arm.lists // len(arm.sets),
                target=arm.target,
            )
            request = TrainRequest(
                output=output,
                recipe=DISTILL_LIST.name,
                settings=TrainSettings(base=self._base, seed=seed, precision="float32"),
                data=data,
                protect=tuple(self._judged / name for name in PROTECTED if (self._judged / name).is_file()),
            )
            train_version(request, resume=True, command=COMMAND)
        return arm.version(seed)

    def _lists(self, name: str) -> Path:
        return self._judged / "more" / name / "lists.jsonl.gz"

    def _teacher(self, model: str) -> Path:
        """The teachers' scores, or those of one of them in a file of its own."""
        both = self._judged / TEACHER
        if not model:
            return both
        alone = _runs() / f"{model}.jsonl"
        with gzip.open(both, "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        kept = [{key: record[key] for key in ("set", "query_id", model)} for record in records]
        atomic.write_text(alone, "".join(json.dumps(record) + "\n" for record in kept))
        return alone

    def _held_out(self) -> Path:
        """HELD_OUT_LISTS of the last of GRADED, from all over what is behind the most that an arm reads of it."""
        held_out = _runs() / f"{HELD_OUT}.jsonl"
        with gzip.open(self._lists(GRADED[-1]), "rt", encoding="utf-8") as lines:
            rest = list(lines)[max(arm.lists // len(arm.sets) for arm in ARMS) :]
        chosen = (rest[place * len(rest) // HELD_OUT_LISTS] for place in range(HELD_OUT_LISTS))
        atomic.write_text(held_out, "".join(chosen))
        return held_out

    def _drawn(self, name: str, how: str) -> Path:
        """The lists drawn from all queries of one of RUNS, in a file of their own."""
        drawn = _runs() / f"{name} {how}.jsonl"
        with gzip.open(self._lists(name), "rt", encoding="utf-8") as lines:
            parts = [part for line in lines for part in drawn_lists(json.loads(line), how)]
        atomic.write_text(drawn, "".join(json.dumps(part) + "\n" for part in parts))
        return drawn

    def _averaged(self, versions: Sequence[str]) -> str:
        """The version that holds the mean of their weights, named by what is averaged."""
        named = f"ablation-mean/{hashlib.sha256(' '.join(versions).encode()).hexdigest()[:16]}"
        output = places.models() / named
        if not output.exists():
            average_versions([find_version(version) for version in versions], output, command=COMMAND)
        return named


def drawn_lists(record: Mapping[str, Any], how: str) -> Iterator[dict[str, Any]]:
    """DRAWN lists of PASSAGES of one query's scored candidates, all at random or in strata of their scores.

    In strata, half of a list is of the tenth with the best scores and a quarter of the better half.
    """
    best_first = sorted(record["candidates"], key=lambda candidate: -candidate["score"])
    for number in range(1, DRAWN + 1):
        key = f"{record['query_id']}-{number}"
        rng = random.Random(key)
        chosen = spread(best_first, PASSAGES, rng) if how == "in strata" else rng.sample(best_first, PASSAGES)
        yield {"query_id": key, "query": record["query"], "candidates": chosen}


def table(stored: Mapping[str, Any]) -> Iterator[str]:
    """In Markdown, best mean first; each set with its difference from the base, and 95 %."""
    sets = stored["queries"]
    yield f"| | mean | {' | '.join(f'{name} ({count}) | against the base' for name, count in sets.items())} |"
    yield f"|---|---:|{'---:|---|' * len(sets)}"
    base: Values = stored["rows"][FIRST]
    for row, values in sorted(stored["rows"].items(), key=lambda entry: -_mean(entry[1])):
        cells = [f"{_mean(values):.4f}"]
        for name in sets:
            cells.append(f"{fmean(values[name].values()):.4f}")
            cells.append("" if row == FIRST else _difference(values[name], base[name]))
        yield f"| {row} | {' | '.join(cells)} |"


def _difference(values: Mapping[QueryId, float], base: Mapping[QueryId, float]) -> str:
    differences = [value - base[query] for query, value in values.items()]
    low, high = bootstrap_interval(differences)
    return f"{fmean(differences):+.4f} [{low:+.3f}, {high:+.3f}]"


def _mean(found: Values) -> float:
    """The mean over the sets of their means, which is what is chosen by."""
    return fmean(fmean(values.values()) for values in found.values())


def _runs() -> Path:
    return places.runs() / "ablation"


if __name__ == "__main__":
    main()
