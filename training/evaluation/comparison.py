"""Several systems on the same queries: every measure, and each system tested against one of them, the baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexing.errors import SettingsError
from indexing.records import Qrels, QueryId, Run
from training.evaluation.measures import RECALL_CUTOFFS, RunMeasures, measure_run
from training.evaluation.paired import Outcome, PairedComparison, compare_paired
from training.evaluation.settings import MAIN_MEASURE, MEASURES
from training.evaluation.significance import (
    Interval,
    Outcomes,
    bootstrap_interval,
    holm,
    outcomes,
    randomisation_test,
    t_test,
)


@dataclass(frozen=True, kw_only=True)
class Versus:
    """One system less the baseline, by the measure of a comparison."""

    paired: PairedComparison
    """Decides whether the system is better."""
    p_randomisation: float
    p_t: float
    holm_randomisation: float
    """The same, corrected for all systems that are tested against this baseline."""
    holm_t: float
    outcomes: Outcomes

    @property
    def difference(self) -> float:
        """Mean over the queries."""
        return self.paired.difference

    @property
    def interval(self) -> Interval:
        """95 % bootstrap interval of the mean difference."""
        return self.paired.interval

    @property
    def outcome(self) -> Outcome:
        """Whether the system is better than the baseline, by that interval."""
        return self.paired.outcome


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Systems measured alike."""

    measure: str
    """The one that is tested and has intervals."""
    baseline: str
    minimum_grade: int
    depth: int
    """Passages of the longest ranking, references aside."""
    systems: Mapping[str, RunMeasures]
    intervals: Mapping[str, Interval]
    """95 % bootstrap interval of each system's mean."""
    versus: Mapping[str, Versus]
    """Each system but the baseline and the references."""
    absent: Mapping[str, int]
    """Judged queries for which a system has no ranking; they count 0."""

    def differences(self, system: str) -> dict[QueryId, float]:
        """By query, the system's value less the baseline's."""
        ours, theirs = (self.systems[name].per_query[self.measure] for name in (system, self.baseline))
        return {query: ours[query] - theirs[query] for query in theirs}


def compare(
    runs: Mapping[str, Run],
    qrels: Qrels,
    *,
    baseline: str,
    minimum_grade: int,
    measure: str = MAIN_MEASURE,
    references: Mapping[str, Run] | None = None,
) -> Comparison:
    """Measure every run over the queries of `qrels`; `references`, such as an oracle, are measured and not tested.

    Raises:
        SettingsError: the baseline is none of the runs, a run answers no judged query, or a name is given twice.
    """
    if measure not in MEASURES:
        raise SettingsError(f"{measure!r} is no measure here; choose from {', '.join(MEASURES)}.")
    every = {**runs, **(references or {})}
    _check(runs, every, qrels, baseline=baseline, given=len(runs) + len(references or {}))
    systems = {name: measure_run(run, qrels, minimum_grade=minimum_grade) for name, run in every.items()}
    return Comparison(
        measure=measure,
        baseline=baseline,
        minimum_grade=minimum_grade,
        depth=max((len(run[query]) for run in runs.values() for query in qrels if query in run), default=0),
        systems=systems,
        intervals={
            name: bootstrap_interval(list(measured.per_query[measure].values())) for name, measured in systems.items()
        },
        versus=_tested({name: systems[name] for name in runs}, baseline, measure),
        absent={name: sum(query not in run for query in qrels) for name, run in every.items()},
    )


def _check(runs: Mapping[str, Run], every: Mapping[str, Run], qrels: Qrels, *, baseline: str, given: int) -> None:
    if baseline not in runs:
        raise SettingsError(f"Baseline {baseline!r} is none of the systems; choose from {', '.join(runs)}.")
    if len(every) < given:
        raise SettingsError(f"Two systems have the same name; here are {', '.join(every)}. Rename one.")
    for name, run in every.items():
        if not run.keys() & qrels.keys():
            raise SettingsError(
                f"{name} answers none of the {len(qrels)} judged queries; give a run of these queries, with their ids."
            )


def _tested(systems: Mapping[str, RunMeasures], baseline: str, measure: str) -> dict[str, Versus]:
    theirs = systems[baseline].per_query[measure]
    differences = {
        name: [measured.per_query[measure][query] - theirs[query] for query in theirs]
        for name, measured in systems.items()
        if name != baseline
    }
    randomisation = {name: randomisation_test(values) for name, values in differences.items()}
    students = {name: t_test(values) for name, values in differences.items()}
    corrected, corrected_t = holm(randomisation), holm(students)
    return {
        name: Versus(
            paired=compare_paired(systems[name].per_query[measure], theirs, measure=measure),
            p_randomisation=randomisation[name],
            p_t=students[name],
            holm_randomisation=corrected[name],
            holm_t=corrected_t[name],
            outcomes=outcomes(values),
        )
        for name, values in differences.items()
    }


def columns(comparison: Comparison) -> list[str]:
    """The measures to show: recall at a cutoff beyond every ranking's depth would repeat the one before."""
    told: set[int] = set()
    shown = []
    for name in MEASURES:
        if name in RECALL_CUTOFFS:
            seen = min(RECALL_CUTOFFS[name], comparison.depth)
            if seen in told:
                continue
            told.add(seen)
        shown.append(name)
    return shown


def table(comparison: Comparison) -> str:
    """Every system's means as a Markdown table."""
    names = columns(comparison)
    lines = [f"| | {' | '.join(names)} | 95 % of {comparison.measure} |", "|---|" + "---:|" * (len(names) + 1)]
    for system, measured in comparison.systems.items():
        means, interval = measured.means, comparison.intervals[system]
        cells = [f"{means[name]:.4f}" for name in names]
        lines.append(f"| {system} | {' | '.join(cells)} | {interval.low:.3f} to {interval.high:.3f} |")
    return "\n".join(lines)


def differences_table(comparison: Comparison) -> str:
    """Each system against the baseline as a Markdown table, p after Holm's correction."""
    lines = [
        f"| {comparison.measure} against {comparison.baseline} | difference | 95 % | won / lost / tied "
        "| p, randomisation | p, t |",
        "|---|" + "---:|" * 5,
    ]
    for name, versus in comparison.versus.items():
        lines.append(
            f"| {name} | {versus.difference:+.4f} | {versus.interval.low:+.3f} to {versus.interval.high:+.3f} "
            f"| {' / '.join(map(str, versus.outcomes))} | {_p(versus.holm_randomisation)} | {_p(versus.holm_t)} |"
        )
    return "\n".join(lines)


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """All figures, with the values of every query by every measure."""
    return {
        "measure": comparison.measure,
        "baseline": comparison.baseline,
        "minimum_grade": comparison.minimum_grade,
        "depth": comparison.depth,
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
                "p_randomisation": versus.p_randomisation,
                "p_t": versus.p_t,
                "holm_randomisation": versus.holm_randomisation,
                "holm_t": versus.holm_t,
                **versus.outcomes._asdict(),
            }
            for name, versus in comparison.versus.items()
        },
    }
