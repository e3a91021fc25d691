"""python -m benchmarks.ablation JUDGED: what each ingredient of training on graded lists gives.

JUDGED holds the judged collections, as for `make lists-reranker`. Every arm is one pass from the shipped re-ranker over
other lists, or with another target; it is measured on the sets that are chosen by, TREC DL 2023 and the bundled dev
queries, and on nothing else. The two arms with the best mean are trained by more seeds, and the weights of all seeds of
the best one are averaged. Versions and runs that are there are neither made nor scored again, so that it goes on where
it was stopped; the table is written after every arm. --show prints the stored one.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.shipped import chosen_by, kept_runs
from indexing import atomic, places
from indexing.errors import SettingsError
from indexing.records import QueryId
from indexing.words.analyzers import analyzer_for
from search.served import LATE, SHIPPED
from training.data.list_folder import lay_out_lists
from training.data.settings import DataSettings
from training.evaluation.candidates import ndcg
from training.evaluation.significance import bootstrap_interval
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
RESULT = Path("benchmarks/results/ablation.json")
SEEDS = (17, 18, 19)
COMMAND = "python -m benchmarks.ablation"
BASE = "what ships"
BEST = 2  # arms that are trained by every seed


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

    def version(self, seed: int) -> str:
        """NAME/VERSION of the pass with this seed."""
        return f"ablation-{self.name.replace(',', '').replace(' ', '-')}/{seed}"


ARMS = (
    Arm("1,000 graded", GRADED, 1_000),
    Arm("2,000 graded", GRADED, 2_000),
    Arm("4,000 graded", GRADED, 4_000),
    Arm("4,000 graded, grades alone", GRADED, 4_000, TargetSettings(teacher=0)),
    Arm("4,000 graded, teacher alone", GRADED, 4_000, TargetSettings(grade=0)),
    Arm("4,000 graded and written", ALL, 4_000),
    Arm("4,000 graded and the bundled train queries", GRADED, 4_000, indexes=("sample",)),
    Arm("10,000 graded and written", ALL, 10_000),
)


def main() -> None:
    """Train and measure what is missing, or show what is stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judged", type=Path, nargs="?", help="folder of judged collections")
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
    _Ablation(options.judged, options.json).run(ARMS[: options.arms], options.seeds)
    print("\n".join(table(json.loads(options.json.read_text(encoding="utf-8")))))


class _Ablation:
    """The sets that are measured on, and the rows measured so far."""

    def __init__(self, judged: Path, output: Path) -> None:
        self._judged, self._output = judged, output
        folder = _runs() / "trec-dl-2023"
        if not folder.is_dir():
            lay_out_lists(judged / "more/trec-dl-2023/lists.jsonl.gz", folder, analyzer=analyzer_for("english"))
        self._sets = chosen_by([folder], ["sample"])
        self._rows: list[dict[str, Any]] = []
        self._base: Mapping[str, Mapping[QueryId, float]] = {}

    def run(self, arms: Sequence[Arm], seeds: Sequence[int]) -> None:
        """Every arm by the first seed, the best ones by all, and the mean of the best one's weights."""
        self._base = self._measure(BASE, SHIPPED)
        self._measure("late interaction, untrained", LATE)
        first = {arm: _mean(self._measure(arm.name, self._trained(arm, seeds[0]))) for arm in arms}
        best = sorted(first, key=lambda arm: -first[arm])[:BEST]
        for arm in best:
            for seed in seeds[1:]:
                self._measure(f"{arm.name}, seed {seed}", self._trained(arm, seed))
        if len(seeds) > 1:
            self._measure(f"{best[0].name}, mean of {len(seeds)} seeds' weights", self._averaged(best[0], seeds))

    def _measure(self, name: str, reranker: str) -> Mapping[str, Mapping[QueryId, float]]:
        """By set and query, nDCG@10; the row is added, and all rows so far are written."""
        found: dict[str, Mapping[QueryId, float]] = {}
        for key, given in self._sets.items():
            found[key] = ndcg(kept_runs(_runs(), key, given, [reranker])[reranker], given)
        self._rows.append({"name": name, "mean": _mean(found), "sets": dict(self._figures(found))})
        queries = {key: len(given.queries) for key, given in self._sets.items()}
        atomic.write_json(self._output, {"machine": _machine(), "queries": queries, "rows": self._rows})
        print(f"{name}: {_mean(found):.4f}", file=sys.stderr, flush=True)
        return found

    def _figures(self, found: Mapping[str, Mapping[QueryId, float]]) -> Iterator[tuple[str, dict[str, Any]]]:
        """By set, the mean, and its difference from what ships with the interval."""
        for key, values in found.items():
            figures: dict[str, Any] = {"ndcg@10": fmean(values.values())}
            if self._base:
                differences = [value - self._base[key][query] for query, value in values.items()]
                figures |= {"difference": fmean(differences), "interval": list(bootstrap_interval(differences))}
            yield key, figures

    def _trained(self, arm: Arm, seed: int) -> str:
        output = places.models() / arm.version(seed)
        if not output.exists():
            more = self._judged / "more"
            taught = (("teacher", str(self._judged / TEACHER)),)
            lists = [Source("lists", str(more / name / "lists.jsonl.gz"), taught) for name in arm.sets]
            data = DataSettings(
                sources=(*lists, *(Source("index", name) for name in arm.indexes)),
                limit=arm.lists // len(arm.sets),
                target=arm.target,
            )
            request = TrainRequest(
                output=output,
                recipe=DISTILL_LIST.name,
                settings=TrainSettings(base=SHIPPED, seed=seed, precision="float32"),
                data=data,
                protect=tuple(self._judged / name for name in PROTECTED if (self._judged / name).is_file()),
            )
            train_version(request, resume=True, command=COMMAND)
        return arm.version(seed)

    def _averaged(self, arm: Arm, seeds: Sequence[int]) -> str:
        version = f"{arm.version(0).rpartition('/')[0]}-mean/{len(seeds)}"
        output = places.models() / version
        if not output.exists():
            average_versions([find_version(arm.version(seed)) for seed in seeds], output, command=COMMAND)
        return version


def table(stored: Mapping[str, Any]) -> Iterator[str]:
    """In Markdown, in the order of the arms; each set with its difference from what ships."""
    sets = stored["queries"]
    yield f"| | mean | {' | '.join(f'{name} ({count}) | against what ships' for name, count in sets.items())} |"
    yield f"|---|---:|{'---:|---|' * len(sets)}"
    for row in stored["rows"]:
        cells = [f"{row['mean']:.4f}"]
        for name in sets:
            figures = row["sets"][name]
            cells.append(f"{figures['ndcg@10']:.4f}")
            low, high = figures.get("interval", (0, 0))
            cells.append(f"{figures['difference']:+.4f} [{low:+.3f}, {high:+.3f}]" if "interval" in figures else "")
        yield f"| {row['name']} | {' | '.join(cells)} |"


def _mean(found: Mapping[str, Mapping[QueryId, float]]) -> float:
    """The mean over the sets of their means, which is what is chosen by."""
    return fmean(fmean(values.values()) for values in found.values())


def _runs() -> Path:
    return places.runs() / "ablation"


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
