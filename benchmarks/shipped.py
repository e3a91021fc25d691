"""python -m benchmarks.shipped: which re-ranker and mix should ship, by the mean of nDCG@10 on the sets chosen by.

The sets are folders of lists to re-rank (--lists; TREC DL 2023 by `training prepare --lists`) and the dev splits of
indexes (--dev). Every re-ranker is measured alone, and mixed by each share with late interaction and with the cosine,
both standardized by query as search does; each is compared with the best, so that no difference by chance decides.
What was scored is kept in OUTPUT as TREC runs and isn't scored again. Test splits, and the years that the choice is
judged by, don't belong here.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from indexing import atomic, places
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.progress import Bars
from indexing.records import QueryId, Run
from search.fuse import interpolate
from search.load import open_reranker
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker, Scores
from search.served import LATE, reranker_fingerprint, reranker_path
from search.trec import read_run, write_run
from training.data.open_indexes import OpenIndexes
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.evaluation.significance import Interval, interval_over_sets
from training.targets import as_logits
from training.train.inputs import dev_lists
from training.train.request import DevSettings

SHARES = tuple(round(step / 10, 1) for step in range(1, 10))
COSINE = "dense"
DEPTH = 50  # passages of a dev query that are re-ranked, as search does
WHOLE = 1_000  # of a list: all of it
UNTRAINED = (LATE, COSINE)


@dataclass(frozen=True)
class Measured:
    """One pipeline on every set."""

    reranker: str
    mix: str
    share: float
    """The re-ranker's share; 1 for it alone."""
    values: Mapping[str, Mapping[QueryId, float]]
    """nDCG@10 by set and query."""

    @property
    def ndcg(self) -> dict[str, float]:
        """The mean of each set."""
        return {name: fmean(of.values()) for name, of in self.values.items()}

    @property
    def mean(self) -> float:
        """Over the sets."""
        return fmean(self.ndcg.values())

    def behind(self, best: "Measured") -> Interval:
        """The 95 % interval of this mean minus the best one's, over the same queries."""
        return interval_over_sets(
            [[of[query] - best.values[name][query] for query in of] for name, of in self.values.items()]
        )

    @property
    def name(self) -> str:
        """As printed."""
        return self.reranker if self.share == 1 else f"{self.reranker} {self.share:g} + {self.mix}"


class CosineScorer:
    """The bi-encoder's cosines, in the form of a re-ranker's scores."""

    name = COSINE

    def __init__(self, encoder: BiEncoder) -> None:
        self._encoder = encoder

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """The cosine of each passage, as a logit."""
        return Scores(as_logits(self._encoder.encode_passages(passages) @ self._encoder.encode_query(query)))


def main() -> None:
    """Score, measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rerankers", nargs="+", metavar="RERANKER", help="shipped, NAME/VERSION or a path")
    parser.add_argument("--lists", type=Path, nargs="*", default=[], help="folders as evaluate --trec reads them")
    parser.add_argument("--dev", nargs="*", default=["sample"], metavar="INDEX", help="(%(default)s)")
    parser.add_argument("--output", type=Path, default=places.runs() / "shipped", help="folder of runs (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    sets = chosen_by(options.lists, options.dev)
    scorers = (*UNTRAINED, *options.rerankers)
    runs = {name: kept_runs(options.output, name, given, scorers) for name, given in sets.items()}
    found = sorted(measure(sets, runs, options.rerankers), key=lambda measured: -measured.mean)
    print("\n".join(table(found, list(sets))))
    if options.json is not None:
        figures = [
            {"pipeline": entry.name, "mean": entry.mean, "minus_best": entry.behind(found[0]), **entry.ndcg}
            for entry in found
        ]
        counts = {name: len(given.queries) for name, given in sets.items()}
        atomic.write_json(options.json, {"queries": counts, "ndcg@10": figures})


def chosen_by(
    lists: Sequence[Path], dev: Sequence[str], *, whole: int = WHOLE, depth: int = DEPTH
) -> dict[str, Candidates]:
    """The sets, by name: folders of lists, cut to `whole`, and the first stage's `depth` best of the dev queries of
    indexes."""
    indexes = OpenIndexes()
    folders = {folder.name: Candidates.read(folder, depth=whole) for folder in lists}
    return folders | {f"{name} dev": dev_lists(DevSettings(name, "dev", WHOLE, depth), indexes) for name in dev}


def measure(
    sets: Mapping[str, Candidates], runs: Mapping[str, Mapping[str, Run]], rerankers: Sequence[str]
) -> Iterator[Measured]:
    """Late interaction and the cosine alone, each re-ranker alone, and its mixtures."""
    for name in (*UNTRAINED, *rerankers):
        yield Measured(name, "", 1, _ndcg(sets, {key: runs[key][name] for key in sets}))
    for name in rerankers:
        for mix in (LATE, COSINE):
            for share in SHARES:
                mixed = {key: mixture(runs[key][name], runs[key][mix], share=share) for key in sets}
                yield Measured(name, mix, share, _ndcg(sets, mixed))


def mixture(first: Run, second: Run, *, share: float) -> Run:
    """Each query's two orders of the same passages, mixed; `share` is the first one's."""
    return {query: interpolate(ranking, second[query], weight=share) for query, ranking in first.items()}


def table(found: Sequence[Measured], sets: Sequence[str]) -> Iterator[str]:
    """In Markdown, best first."""
    yield f"| pipeline | mean | minus the best, 95 % | {' | '.join(sets)} |"
    yield f"|---|---:|---|{'---:|' * len(sets)}"
    for entry in found:
        low, high = entry.behind(found[0])
        by_set = " | ".join(f"{entry.ndcg[name]:.4f}" for name in sets)
        yield f"| {entry.name} | {entry.mean:.4f} | {low:+.4f} to {high:+.4f} | {by_set} |"


def _ndcg(sets: Mapping[str, Candidates], runs: Mapping[str, Run]) -> dict[str, Mapping[QueryId, float]]:
    return {name: ndcg(runs[name], given) for name, given in sets.items()}


def kept_runs(folder: Path, name: str, given: Candidates, scorers: Sequence[str]) -> dict[str, Run]:
    """The order of a set by each re-ranker or one of UNTRAINED; what `folder` has isn't scored again."""
    encoder, runs = BiEncoder(), dict[str, Run]()

    def opened(scorer: str) -> Reranker:
        if scorer == COSINE:
            return CosineScorer(encoder)
        reranker = LateInteractionReranker(encoder) if scorer == LATE else open_reranker(scorer)
        if reranker is None:
            raise SettingsError(f"{scorer} names no re-ranker; give shipped, NAME/VERSION or a path.")
        return reranker

    for scorer in scorers:
        weights = encoder.fingerprint if scorer in (LATE, COSINE) else reranker_fingerprint(reranker_path(scorer))
        kept = folder / f"{given.fingerprint()}.{scorer.replace('/', '-')}.{weights}.trec"
        if not kept.is_file():
            print(f"{scorer} on {name} ...", file=sys.stderr, flush=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            with Bars("queries") as bars:
                write_run(kept, reranked(given, opened(scorer), progress=bars), tag="second-look")
        runs[scorer] = read_run(kept)
    return runs


if __name__ == "__main__":
    main()
