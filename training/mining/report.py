"""Counts mined negatives and the candidates that each rule dropped, and compares positive and negative scores."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from training.mining.negatives import RULES, MinedQuery

BINS = 20
BAR_LENGTH = 40  # characters of the longest bar
SUMMED_FIELDS = (
    *("queries", "without_positive", "without_negative", "too_few", "unreturned"),
    *("judged_negatives", "not_drawn", "rescored"),
)
"""Fields of a report that are sums over queries."""


@dataclass(frozen=True, kw_only=True)
class MiningReport:
    """The result of mining a set of queries."""

    scale: str
    """Scale of the scores, such as `bm25` or `logits of NAME`; margins, limits and histograms use it."""
    protected: int
    """Queries left out because they must never be trained on."""
    absent: int
    """Judged passages that the index lacks, counted once for each judgment."""
    queries: int
    """Queries mined, including those counted below."""
    without_positive: int
    """Queries whose positives the index lacks; they yield nothing."""
    without_negative: int
    """Queries whose candidates were all dropped by the rules; they yield nothing."""
    too_few: int
    """Queries with at least one negative, but fewer than requested."""
    positives: int
    unreturned: int
    """Positives that the first stage didn't return."""
    candidates: int
    """Passages that the first stage returned: the sum of negatives, dropped and not drawn."""
    negatives: int
    judged_negatives: int
    """Negatives that are judged 0 or less."""
    not_drawn: int
    """Candidates that passed the rules but weren't drawn."""
    rescored: int
    """Passages that the re-ranker scored."""
    dropped: Mapping[str, int]
    """Number of candidates that each rule dropped."""
    edges: tuple[float, ...]
    """Bounds of the histograms' bins, ascending, one more than there are bins; empty if nothing was scored."""
    positive_counts: tuple[int, ...]
    """Positives in each bin."""
    negative_counts: tuple[int, ...]
    """Negatives in each bin."""


class Tally:
    """Counts mined queries as they pass through; needs 4 bytes of memory per score."""

    def __init__(self, *, per_query: int, scale: str, protected: int = 0, absent: int = 0) -> None:
        """`per_query` is the number of negatives requested for each query; for the rest see MiningReport."""
        self._per_query, self._scale, self._protected, self._absent = per_query, scale, protected, absent
        self._sums = dict.fromkeys(SUMMED_FIELDS, 0)
        self._dropped = dict.fromkeys(RULES, 0)
        self._positives, self._negatives = array("f"), array("f")

    def watch(self, mined: Iterable[MinedQuery]) -> Iterator[MinedQuery]:
        """Pass the queries through and count them."""
        for query in mined:
            self.add(query)
            yield query

    def add(self, mined: MinedQuery) -> None:
        """Count one query."""
        sums = self._sums
        sums["queries"] += 1
        sums["without_positive"] += not mined.positives
        sums["without_negative"] += bool(mined.positives) and not mined.negatives
        sums["too_few"] += 0 < len(mined.negatives) < self._per_query
        sums["unreturned"] += sum(positive.rank is None for positive in mined.positives)
        sums["judged_negatives"] += mined.judged_negatives
        sums["not_drawn"] += mined.not_drawn
        sums["rescored"] += mined.rescored
        for rule, count in mined.dropped.items():
            self._dropped[rule] += count
        self._positives.extend(positive.score for positive in mined.positives)
        self._negatives.extend(negative.score for negative in mined.negatives)

    def report(self) -> MiningReport:
        """The counts so far."""
        positives = np.frombuffer(self._positives, dtype=np.float32)  # (positives,) float32
        negatives = np.frombuffer(self._negatives, dtype=np.float32)  # (negatives,) float32
        both = np.concatenate([positives, negatives]).astype(np.float64)
        edges = np.histogram_bin_edges(both, bins=BINS) if len(both) else np.empty(0)
        counts = [np.histogram(part, bins=edges)[0].tolist() if len(both) else [] for part in (positives, negatives)]
        return MiningReport(
            scale=self._scale,
            protected=self._protected,
            absent=self._absent,
            positives=len(positives),
            candidates=len(negatives) + self._sums["not_drawn"] + sum(self._dropped.values()),
            negatives=len(negatives),
            dropped=dict(self._dropped),
            edges=tuple(edges.tolist()),
            positive_counts=tuple(counts[0]),
            negative_counts=tuple(counts[1]),
            **self._sums,
        )


def describe(report: MiningReport) -> str:
    """The report as lines of text for people to read."""
    lines = [
        f"{report.negatives:,} negatives ({report.judged_negatives:,} of them judged 0) for "
        f"{report.queries - report.without_positive - report.without_negative:,} of {report.queries:,} queries; "
        f"{report.too_few:,} have fewer than requested, {report.without_negative:,} none, "
        f"{report.without_positive:,} no positive in the index; {report.protected:,} protected ones were left out",
        f"{report.positives:,} positives, {report.unreturned:,} of them not returned by the first stage",
        f"{report.candidates:,} candidates, {report.rescored:,} passages re-scored; dropped:",
        *(f"  {rule:<16} {count:>12,}" for rule, count in report.dropped.items()),
        f"  {'(not drawn)':<16} {report.not_drawn:>12,}",
        f"Scores ({report.scale}):",
    ]
    if report.absent:
        lines.insert(2, f"Judged passages that the index lacks: {report.absent:,}")
    longest = max((*report.positive_counts, *report.negative_counts, 1))
    counts = zip(report.edges, report.edges[1:], report.positive_counts, report.negative_counts, strict=False)
    for low, high, positives, negatives in counts:
        for label, count in (("positives", positives), ("negatives", negatives)):
            place = f"{low:>9.4g} to {high:<9.4g}" if label == "positives" else " " * 22
            lines.append(
                f"{place} {label} {'█' * round(BAR_LENGTH * count / longest):<{BAR_LENGTH}} {count:>9,}".rstrip()
            )
    return "\n".join(lines)
