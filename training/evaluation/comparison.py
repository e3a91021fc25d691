"""Compares systems on the same queries: every measure, and each system tested against one of them, the baseline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexing.errors import SettingsError
from indexing.judged.fit import check_answers, listed
from indexing.notes import counted
from indexing.records import Qrels, QueryId, Run
from training.evaluation.measures import RECALL_CUTOFFS, RunMeasures, measure_run, relevant_grade
from training.evaluation.paired import Outcome, PairedComparison, compare_paired
from training.evaluation.settings import MAIN_MEASURE, MEASURES
from training.evaluation.significance import (
    Interval,
    Outcomes,
    bootstrap_interval,
    holm,
    outcomes,
    randomization_test,
    t_test,
)


@dataclass(frozen=True, kw_only=True)
class Versus:
    """One system against the baseline, by the comparison's measure."""

    paired: PairedComparison
    """The comparison that decides whether the system is better."""
    p_randomization: float
    p_t: float
    holm_randomization: float
    """The same p after Holm's correction for all systems that are tested against this baseline."""
    holm_t: float
    outcomes: Outcomes

    @property
    def difference(self) -> float:
        """Mean over the queries of the system's value minus the baseline's."""
        return self.paired.difference

    @property
    def interval(self) -> Interval:
        """95 % bootstrap interval of the mean difference."""
        return self.paired.interval

    @property
    def outcome(self) -> Outcome:
        """Whether the system is better than the baseline, judged by that interval."""
        return self.paired.outcome


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several systems measured in the same way."""

    measure: str
    """The measure that is tested and has intervals."""
    baseline: str
    minimum_grade: int
    depth: int
    """Number of passages in the longest ranking, references excluded."""
    systems: Mapping[str, RunMeasures]
    intervals: Mapping[str, Interval]
    """95 % bootstrap interval of each system's mean."""
    versus: Mapping[str, Versus]
    """By system, all but the baseline and the references."""
    absent: Mapping[str, int]
    """By system, the number of judged queries without a result; they count 0."""
    notes: tuple[str, ...] = ()
    """Where runs and judgments don't fit, in sentences."""

    def differences(self, system: str) -> dict[QueryId, float]:
        """By query, the system's value minus the baseline's."""
        ours, theirs = (self.systems[name].per_query[self.measure] for name in (system, self.baseline))
        return {query: ours[query] - theirs[query] for query in theirs}


def compare_runs(
    runs: Mapping[str, Run],
    qrels: Qrels,
    *,
    baseline: str,
    minimum_grade: int | None = None,
    measure: str = MAIN_MEASURE,
    references: Mapping[str, Run] | None = None,
) -> Comparison:
    """Measure every run over the queries of `qrels`; `references`, such as an oracle, are measured but not tested.

    `minimum_grade` is the least grade that MRR, MAP and recall count as relevant; None for what `relevant_grade` says.

    Raises:
        SettingsError: the measure is unknown, the baseline isn't one of the runs, a run answers no judged query, or two
            systems have the same name.
    """
    if measure not in MEASURES:
        raise SettingsError(f"Measure {measure!r} is unknown; choose from {', '.join(MEASURES)}.")
    minimum_grade = relevant_grade(qrels, minimum_grade)
    all_runs = {**runs, **(references or {})}
    _check(runs, references or {}, qrels, baseline=baseline)
    systems = {name: measure_run(run, qrels, minimum_grade=minimum_grade) for name, run in all_runs.items()}
    return Comparison(
        measure=measure,
        baseline=baseline,
        minimum_grade=minimum_grade,
        depth=max((len(run[query]) for run in runs.values() for query in qrels if query in run), default=0),
        systems=systems,
        intervals={
            name: bootstrap_interval(list(measured.per_query[measure].values())) for name, measured in systems.items()
        },
        versus=_test_against({name: systems[name] for name in runs}, baseline, measure),
        absent={name: len(_unanswered(run, qrels)) for name, run in all_runs.items()},
        notes=tuple(_holes(all_runs, qrels)),
    )


def _unanswered(run: Run, qrels: Qrels) -> tuple[QueryId, ...]:
    return tuple(query for query in qrels if query not in run or not len(run[query]))


def _holes(runs: Mapping[str, Run], qrels: Qrels) -> Iterator[str]:
    """Sentences on queries that runs lack, queries that nobody judged, and runs of which no passage is judged."""
    lacking: dict[tuple[QueryId, ...], list[str]] = {}
    for name, run in runs.items():
        lacking.setdefault(_unanswered(run, qrels), []).append(name)
    for queries, names in lacking.items():
        if queries:
            have = "has" if len(names) == 1 else "have"
            yield f"{_joined(names)} {have} no result for {_queries(len(queries))}, which count 0: {listed(queries)}."
    for name, run in runs.items():
        if unjudged := [query for query in run if query not in qrels]:
            yield f"{_joined([name])} answers {_queries(len(unjudged))} that nobody judged: {listed(unjudged)}."
    judged = {passage: None for grades in qrels.values() for passage in grades}
    ranked = {
        name: {passage for query in qrels if query in run for passage in run[query].passage_ids}
        for name, run in runs.items()
    }
    strange = [name for name, passages in ranked.items() if passages and not passages & judged.keys()]
    if judged and strange:
        yield (
            f"No passage that {_joined(strange)} ranks is judged for any query (ranked is "
            f"{listed(sorted(ranked[strange[0]]))}; judged is {listed(judged)}); check that both name passages alike."
        )


def _joined(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _queries(count: int) -> str:
    return counted(count, "query", "queries")


def _check(runs: Mapping[str, Run], references: Mapping[str, Run], qrels: Qrels, *, baseline: str) -> None:
    if baseline not in runs:
        raise SettingsError(f"Baseline {baseline!r} isn't one of the systems; choose from {', '.join(runs)}.")
    if runs.keys() & references.keys():
        names = ", ".join({**runs, **references})
        raise SettingsError(f"Two systems have the same name; the names are {names}. Rename one.")
    for name, run in runs.items():
        check_answers(name, run, qrels)


def _test_against(systems: Mapping[str, RunMeasures], baseline: str, measure: str) -> dict[str, Versus]:
    theirs = systems[baseline].per_query[measure]
    differences = {
        name: [measured.per_query[measure][query] - theirs[query] for query in theirs]
        for name, measured in systems.items()
        if name != baseline
    }
    randomized = {name: randomization_test(values) for name, values in differences.items()}
    students_t = {name: t_test(values) for name, values in differences.items()}
    corrected, corrected_t = holm(randomized), holm(students_t)
    return {
        name: Versus(
            paired=compare_paired(systems[name].per_query[measure], theirs, measure=measure),
            p_randomization=randomized[name],
            p_t=students_t[name],
            holm_randomization=corrected[name],
            holm_t=corrected_t[name],
            outcomes=outcomes(values),
        )
        for name, values in differences.items()
    }


def comparison_columns(comparison: Comparison) -> list[str]:
    """The measures to list: a recall whose cutoff lies past every ranking's depth is left out if it repeats another."""
    depths: set[int] = set()
    names = []
    for name in MEASURES:
        if name in RECALL_CUTOFFS:
            depth = min(RECALL_CUTOFFS[name], comparison.depth)
            if depth in depths:
                continue
            depths.add(depth)
        names.append(name)
    return names


def comparison_table(comparison: Comparison) -> str:
    """Every system's means as a Markdown table."""
    names = comparison_columns(comparison)
    lines = [f"| | {' | '.join(names)} | 95 % of {comparison.measure} |", "|---|" + "---:|" * (len(names) + 1)]
    for system, measured in comparison.systems.items():
        means, interval = measured.means, comparison.intervals[system]
        cells = [f"{means[name]:.4f}" for name in names]
        lines.append(f"| {system} | {' | '.join(cells)} | {interval.low:.3f} to {interval.high:.3f} |")
    return "\n".join(lines)


def differences_table(comparison: Comparison) -> str:
    """Each system against the baseline as a Markdown table, with p values after Holm's correction."""
    lines = [
        f"| {comparison.measure} against {comparison.baseline} | difference | 95 % | won / lost / tied "
        "| p, randomisation | p, t |",
        "|---|" + "---:|" * 5,
    ]
    for name, versus in comparison.versus.items():
        lines.append(
            f"| {name} | {versus.difference:+.4f} | {versus.interval.low:+.3f} to {versus.interval.high:+.3f} "
            f"| {' / '.join(map(str, versus.outcomes))} | {_p(versus.holm_randomization)} | {_p(versus.holm_t)} |"
        )
    return "\n".join(lines)


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """All figures, including every query's value by every measure."""
    return {
        "measure": comparison.measure,
        "baseline": comparison.baseline,
        "minimum_grade": comparison.minimum_grade,
        "depth": comparison.depth,
        "notes": list(comparison.notes),
        "systems": {
            name: {
                "means": measured.means,
                "interval": list(comparison.intervals[name]),
                "queries_without_ranking": comparison.absent[name],
                "per_query": {measure: dict(values) for measure, values in measured.per_query.items()},
            }
            for name, measured in comparison.systems.items()
        },
        "versus_baseline": {
            name: {
                "difference": versus.difference,
                "interval": list(versus.interval),
                "outcome": versus.outcome,
                "p_randomisation": versus.p_randomization,
                "p_t": versus.p_t,
                "holm_randomisation": versus.holm_randomization,
                "holm_t": versus.holm_t,
                **versus.outcomes._asdict(),
            }
            for name, versus in comparison.versus.items()
        },
    }
