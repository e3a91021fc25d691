"""The verdict on re-ranking, in one sentence of three kinds, from the best pipelines with and without a re-ranker."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from indexing.notes import counted
from indexing.records import QueryId
from search.served_words import first_stage_words
from training.choosing.choose import Compared, pick
from training.choosing.contenders import Contender
from training.choosing.latency import Latency
from training.choosing.stopping import Stopping
from training.evaluation.paired import BETTER, LEAST_QUERIES, WORSE, PairedComparison
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import Interval

Kind = Literal["re-rank", "don't re-rank", "can't tell"]
WORTH = 0.01
"""The least gain in nDCG@10 that is worth re-ranking: an interval that ends below it says not to."""
Z_SUM = 1.96 + 0.84  # a two-sided test at 5 % finds a difference of so many standard errors in 80 % of samples


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pipeline of the comparison."""

    name: str
    index: str
    contender: Contender
    choosing: Mapping[QueryId, float] = field(repr=False)
    """nDCG@10 by query, of the half that it was chosen on."""
    comparing: Mapping[QueryId, float] = field(repr=False)
    interval: Interval
    """Of its mean on the comparing half."""
    compared: Compared | None = None
    """With the best one without a re-ranker, on the comparing half; None for that one."""
    latency: Latency | None = None
    """None for a list of another system, which isn't made here."""
    stopping: Stopping | None = None
    """What stopping early saves and costs; None for a pipeline that reads all candidates."""

    @property
    def mean(self) -> float:
        """Mean nDCG@10 on the comparing half."""
        return float(np.mean(list(self.comparing.values())))

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "name": self.name,
            "index": self.index,
            "run": self.contender.run,
            "reranker": self.contender.reranker,
            "settings": asdict(self.contender.settings),
            "ndcg@10": self.mean,
            "interval": list(self.interval),
            "per_query": dict(self.comparing),
            "versus_baseline": None if self.compared is None else self.compared.as_json(),
            "milliseconds": None if self.latency is None else self.latency._asdict(),
            "stopping": None if self.stopping is None else self.stopping.as_json(),
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to do."""

    kind: Kind
    sentence: str
    further: int = 0
    """Queries to label before it can be told; 0 where it can."""
    tells: float | None = None
    """The difference that the judged queries tell, in nDCG@10."""


def pick_row(rows: Sequence[Row]) -> int:
    """The place of the row to serve, by the choosing half: the cheapest that is as good as the best."""
    values = np.array([list(row.choosing.values()) for row in rows])  # (rows, queries)
    return pick(values, [row.contender.pairs for row in rows])


def judge(reranked: Row, baseline: Row, *, judged: int) -> Verdict:
    """Compare the best pipeline with a re-ranker, which was compared with the baseline, and say what follows.

    `judged` counts all judged queries, both halves.
    """
    if reranked.compared is None:
        raise ValueError("the re-ranked row wasn't compared with the baseline")
    paired = reranked.compared.paired
    change = f"{paired.difference:+.4f} {MAIN_MEASURE} [{paired.interval.low:+.4f}, {paired.interval.high:+.4f}]"
    if paired.outcome == BETTER:
        cost = _milliseconds(reranked, baseline)
        return Verdict(
            kind="re-rank", sentence=f"Re-rank {described(reranked)}: {change}{cost} against {described(baseline)}."
        )
    enough = paired.queries >= LEAST_QUERIES
    if paired.outcome == WORSE or (enough and paired.interval.high < WORTH):
        why = "it loses" if paired.outcome == WORSE else f"it gains less than {WORTH:g}"
        return Verdict(
            kind="don't re-rank",
            sentence=f"Don't re-rank: serve {described(baseline)}; re-ranking {described(reranked)} gives {change}, "
            f"so {why}.",
        )
    return _unsure(paired, _differences(reranked, baseline), change, judged=judged)


def _unsure(paired: PairedComparison, differences: Sequence[float], change: str, *, judged: int) -> Verdict:
    spread = float(np.std(differences, ddof=1)) if len(differences) > 1 else 0.0
    tells = Z_SUM * spread / math.sqrt(len(differences))
    sought = max(abs(paired.difference), WORTH)
    needed = max(math.ceil((Z_SUM * spread / sought) ** 2), LEAST_QUERIES)
    further = max(2 * needed - judged, 2 * LEAST_QUERIES - judged, 1)  # half of them choose
    told = f"tell a difference of {tells:.3f}" if len(differences) >= LEAST_QUERIES else "are too few"
    sentence = (
        f"Can't tell: {counted(judged, 'judged query', 'judged queries')} (of which {paired.queries} compare) {told}, "
        f"and re-ranking gives {change}; label about {counted(further, 'more query', 'more queries')}."
    )
    return Verdict(kind="can't tell", sentence=sentence, further=further, tells=tells)


def described(row: Row) -> str:
    """A pipeline in words, as in `the fused list's best 20 with shipped, 30 % of the score and 70 % cosine`."""
    contender, settings = row.contender, row.contender.settings
    source = f"{contender.run}'s list" if contender.run else first_stage_words(settings)
    index = f" of {row.index}" if row.name.startswith(f"{row.index}: ") else ""
    if not contender.reranks:
        return f"{source}{index}"
    by = {"fused": "", "dense": " by cosine", "late": " by late interaction"}[settings.rerank_order]
    words = f"the best {settings.rerank_depth} of {source}{index}{by} with {contender.reranker}"
    if settings.rerank_weight == 1:
        return words
    other = {"fused": "first stage", "dense": "cosine", "late": "late interaction"}[settings.rerank_mix]
    return f"{words} ({settings.rerank_weight:.0%} of the score, {1 - settings.rerank_weight:.0%} {other})"


def _differences(row: Row, baseline: Row) -> list[float]:
    return [row.comparing[query] - baseline.comparing[query] for query in baseline.comparing]


def _milliseconds(row: Row, baseline: Row) -> str:
    if row.latency is None or baseline.latency is None:
        return ""
    return f", {row.latency.p50 - baseline.latency.p50:+.0f} ms a query,"
