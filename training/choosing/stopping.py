"""Learns on one half of the queries when re-ranking may stop early, and measures on the other what that costs.

The lead at which it stops is the smallest for which, there and at every larger one, (changed + 1) / (queries + 1) is
at most the risk; changed are the queries whose first ten places would be others (after Angelopoulos et al. 2024,
conformal risk control, whose bound holds for new queries where a larger lead never changes more).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from indexing.notes import counted
from indexing.records import Qrels, QueryId, Run
from search.rerank.stopping import TOP, Course
from search.served import LATE
from training.choosing.contenders import Contender
from training.choosing.gathered import GatheredQuery
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import Interval, bootstrap_interval

EARLY = "stopping early"
RISK = 0.05
"""Share of queries whose first ten places may be others than with all candidates read."""


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """What stopping early saves and costs, against reading every candidate."""

    stop: float
    """The lead at which it stops, as `PipelineSettings.rerank_stop`."""
    learned_on: int
    """Queries of the half that it was learned on."""
    learned_changed: int
    """Those among them whose first ten places are others."""
    queries: int
    """Of the other half, to which everything below refers."""
    changed: int
    pairs: float
    """Read for a query, on average, by the re-ranker and, where it is needed, by late interaction."""
    all_pairs: float
    """The same without stopping."""
    lost: float
    """Mean nDCG@10 without stopping minus that with it."""
    lost_interval: Interval
    """Of 95 %."""

    @property
    def saved(self) -> float:
        """Share of the pairs that needn't be read."""
        return 1 - self.pairs / self.all_pairs if self.all_pairs else 0.0

    def sentence(self, name: str) -> str:
        """All of it in words."""
        low, high = self.lost_interval
        return (
            f"Stopping early ({name}, at a lead of {self.stop:.2f}) saves {self.saved:.0%} of the pairs and loses "
            f"{self.lost:+.4f} {MAIN_MEASURE} [{low:+.4f}, {high:+.4f}] on the comparing half, where the first {TOP} "
            f"places of {self.changed} of {counted(self.queries, 'query', 'queries')} are others; where it was "
            f"learned, of {self.learned_changed} of {self.learned_on}, for a risk of at most {RISK:.0%}."
        )

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "stop": self.stop,
            "risk": RISK,
            "learned_on": self.learned_on,
            "learned_changed": self.learned_changed,
            "queries": self.queries,
            "changed": self.changed,
            "pairs": self.pairs,
            "all_pairs": self.all_pairs,
            "saved": self.saved,
            "ndcg@10_lost": self.lost,
            "interval": list(self.lost_interval),
        }


def learn_stop(courses: Sequence[Sequence[Course]]) -> float | None:
    """The lead at which re-ranking may stop, from every query's courses; None where nothing would be saved."""
    moved = [[_first(course) != _first(query[-1]) for course in query] for query in courses]
    places = [len(query) - 1 for query in courses]  # of the course that each query stops with
    before = [(query[place].lead, row, place) for row, query in enumerate(courses) for place in range(len(query) - 1)]
    found, changed = None, 0
    for lead, at_once in groupby(sorted(before, reverse=True), key=lambda course: course[0]):
        for _, row, place in at_once:
            if place < places[row]:
                changed += moved[row][place] - moved[row][places[row]]
                places[row] = place
        if lead < 0 or (changed + 1) / (len(courses) + 1) > RISK:
            break
        found = lead
    return found


def measure_stop(
    contender: Contender,
    choosing: Sequence[GatheredQuery],
    comparing: Sequence[GatheredQuery],
    qrels: Qrels,
) -> Stopping | None:
    """Learn on the choosing half when a pipeline may stop, and measure it on the other; None if it saves nothing.

    Late interaction that orders the candidates has read all of them before the first block. Raises SettingsError if
    something that the pipeline needs wasn't gathered.
    """
    settings = contender.settings
    if contender.reranker == LATE and settings.rerank_order == "late":
        return None
    others = contender.pairs - settings.rerank_depth  # that late interaction reads beside the re-ranker
    learned = [query.courses(contender) for query in choosing]
    stop = learn_stop(learned)
    if stop is None or not comparing:
        return None
    found = {query.query.id: query.courses(contender) for query in comparing}
    stopped = {query: _stopped(courses, stop) for query, courses in found.items()}
    changed = {query: _first(stopped[query]) != _first(courses[-1]) for query, courses in found.items()}
    whole = {query: courses[-1] for query, courses in found.items()}
    first, second = (
        ndcg_of({query: course.ranking for query, course in one.items()}, qrels) for one in (whole, stopped)
    )
    losses = [first[query] - second[query] for query in found]
    return Stopping(
        stop=stop,
        learned_on=len(learned),
        learned_changed=sum(_first(_stopped(courses, stop)) != _first(courses[-1]) for courses in learned),
        queries=len(found),
        changed=sum(changed.values()),
        pairs=others + sum(course.read for course in stopped.values()) / len(found),
        all_pairs=others + sum(course.read for course in whole.values()) / len(found),
        lost=sum(losses) / len(losses),
        lost_interval=bootstrap_interval(losses),
    )


def stopping_early(contender: Contender, stop: float) -> Contender:
    """The same pipeline, stopping at this lead."""
    return replace(contender, settings=replace(contender.settings, rerank_stop=stop))


def _stopped(courses: Sequence[Course], stop: float) -> Course:
    return next(course for course in courses if course.lead >= stop)


def _first(course: Course) -> tuple[str, ...]:
    return course.ranking.passage_ids[:TOP]


def ndcg_of(run: Run, qrels: Qrels) -> dict[QueryId, float]:
    """nDCG@10 of each query of a run."""
    judged = {query: qrels[query] for query in run}
    return dict(measure_run(run, judged, minimum_grade=1, names=[MAIN_MEASURE]).per_query[MAIN_MEASURE])
