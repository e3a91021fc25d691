"""Compares two versions on one judged split: means, difference, wins and losses, and every query."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from app import resources
from app.background import BackgroundJob, BackgroundJobs, Subject
from app.resources import SharedPipeline
from app.turns import PatientPipeline, patient
from app.views.widgets.figures import Figure, figures_html, heading_html, interval_text, p_text
from app.views.widgets.measured.html_report import report_button
from app.views.widgets.measured.kept_result import KeptResult, keep_result, read_result
from app.views.widgets.measured.query_table import query_columns, search_address, show_queries
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import (
    judged_splits,
    judgments_fingerprint,
    open_first_stage,
    pick,
    pick_depth,
    pick_index,
    pick_split,
    warn_about,
)
from app.views.widgets.terms import meaning
from app.views.widgets.work import show_work
from indexing import places
from indexing.errors import ModelError, SecondLookError
from indexing.judged.sets import JudgedSet
from indexing.progress import Progress
from search.rerank.reranker import Reranker
from training.evaluation.comparison import Comparison, Versus
from training.evaluation.paired import LEAST_QUERIES, NO_DIFFERENCE, TOO_FEW
from training.versions.compare import FIRST_STAGE, VersionComparison, compare_versions
from training.versions.compare_html import ComparedOn, compare_html
from training.versions.gate_settings import DEPTH
from training.versions.measured import FOLDER
from training.versions.promoted import Promotion
from training.versions.registry import Version, find_version

KEPT = "comparison"
LAST_KEY = "models_comparison"  # session: the last comparison requested, and its job


@dataclass(frozen=True, kw_only=True)
class ComparisonChoice:
    """A comparison as a user set it."""

    version: Version
    against: Version
    index: str
    build: str
    split: str
    depth: int


@dataclass(frozen=True, kw_only=True)
class KeptComparison:
    """The last comparison, for the next visit."""

    version: str
    folder: str
    """Of the version, which a query's search is to use."""
    against: str
    index: str
    build: str
    split: str
    depth: int
    result: VersionComparison

    @classmethod
    def of(cls, choice: ComparisonChoice, result: VersionComparison) -> "KeptComparison":
        """What is kept of a comparison."""
        return cls(
            version=choice.version.id,
            folder=str(choice.version.folder),
            against=choice.against.id,
            index=choice.index,
            build=choice.build,
            split=choice.split,
            depth=choice.depth,
            result=result,
        )

    def choice(self) -> ComparisonChoice:
        """What was compared; a version may have been deleted since."""
        return ComparisonChoice(
            version=Version(self.version, Path(self.folder)),
            against=Version(self.against, Path()),
            index=self.index,
            build=self.build,
            split=self.split,
            depth=self.depth,
        )


@st.cache_resource(show_spinner=False)
def comparisons() -> BackgroundJobs[VersionComparison]:
    """The comparisons of all sessions."""
    return BackgroundJobs()


def show_comparison(all_versions: Sequence[Version], promotion: Promotion) -> None:
    """Show the fields to choose two versions and what to measure them on, and the last result."""
    intact = {version.id: version for version in all_versions if not version.fault}
    if len(intact) < 2:
        hint("A comparison needs two undamaged versions. Train one, and you can compare it here.")
        return
    started = _show_form(intact, promotion)
    if started is not None:
        st.session_state[LAST_KEY] = started
    last: tuple[ComparisonChoice, BackgroundJob[VersionComparison]] | None = st.session_state.get(LAST_KEY)
    last = last or _newest()
    if last is None:
        _show_kept()
        return
    choice, job = last
    if show_work(job, key="models_compare") and job.result is not None:
        _show_result(choice, job.result)


def _show_kept() -> None:
    """The last comparison of an earlier day, if there is one."""
    kept: KeptResult[KeptComparison] | None = read_result(KEPT, KeptComparison)
    if kept is not None:
        _show_result(kept.result.choice(), kept.result.result, measured=kept.measured)


def _newest() -> tuple[ComparisonChoice, BackgroundJob[VersionComparison]] | None:
    """The comparison that runs, whoever started it, else the one that was done last; None where there is none."""
    job = comparisons().newest()
    choice = None if job is None else job.subject.choice
    return (choice, job) if job is not None and isinstance(choice, ComparisonChoice) else None


def _show_form(
    intact: dict[str, Version], promotion: Promotion
) -> tuple[ComparisonChoice, BackgroundJob[VersionComparison]] | None:
    """Show the fields; the comparison and its job if the button was pressed."""
    ids = list(intact)
    newest = next((id_ for id_ in reversed(ids) if id_ != promotion.promoted), ids[-1])
    left, right = st.columns(2)
    with left:
        version = pick("Version", ids, key="models_a", default=newest, about=meaning("Version"))
    with right:
        usual = promotion.promoted if promotion.promoted in intact else ids[0]
        against = pick("Against", ids, key="models_b", default=usual)
    judged_set = _pick_judged_set("models_compare")
    if judged_set is None:
        return None
    shared, judged, depth = judged_set
    if version == against:
        hint(f"Both are {version}; choose two different versions.")
        return None
    if not st.button("Compare", key="models_compare", type="primary", icon=":material/balance:"):
        return None
    choice = ComparisonChoice(
        version=intact[version],
        against=intact[against],
        index=shared.pipeline.index.manifest.name,
        build=shared.pipeline.index.manifest.build,
        split=judged.split,
        depth=depth,
    )
    try:
        return choice, _start(choice, shared, judged)
    except SecondLookError as error:
        problem(error)
        return None


def _pick_judged_set(key: str) -> tuple[SharedPipeline, JudgedSet, int] | None:
    """Index, split and depth; None, with the reason on the page, where there is nothing to measure on."""
    first, second, third = st.columns(3)
    with first:
        shared = open_first_stage(pick_index(key=f"{key}_index"))
    judged = judged_splits(shared) if shared is not None else {}
    if shared is None or not judged:
        return None
    with second:
        split = pick_split(judged, key=f"{key}_split")
    with third:
        depth = pick_depth(key=f"{key}_depth", default=DEPTH)
    warn_about(split)
    return shared, judged[split], depth


def _start(choice: ComparisonChoice, shared: SharedPipeline, judged: JudgedSet) -> BackgroundJob[VersionComparison]:
    """Open both versions here, so that the page shows a spinner, and compare them in the background."""
    rerankers: dict[str, Reranker] = {}
    key = [shared.fingerprint, judgments_fingerprint(shared), choice.split, str(choice.depth)]
    for version in (choice.version, choice.against):
        loaded = resources.open_pipeline(choice.index, str(find_version(version.id).folder))
        if loaded.pipeline.reranker is None:
            raise ModelError(loaded.problem)
        rerankers[version.id] = patient(loaded.pipeline.reranker)
        key.append(loaded.fingerprint)
    title = f"the comparison of {choice.version.id} with {choice.against.id}"
    subject = Subject(title, "models", {"tab": "Compare"}, choice)
    return comparisons().start(tuple(key), _work(choice, shared, judged, rerankers), subject)


def _work(
    choice: ComparisonChoice, shared: SharedPipeline, judged: JudgedSet, rerankers: dict[str, Reranker]
) -> Callable[[Progress], VersionComparison]:
    def compare(progress: Progress) -> VersionComparison:
        pipeline = PatientPipeline(shared.pipeline)
        result = compare_versions(
            rerankers,
            pipeline,
            judged,
            baseline=choice.against.id,
            depth=choice.depth,
            folders={version.id: version.folder for version in (choice.version, choice.against)},
            kept_in=places.runs() / FOLDER,
            progress=progress,
        )
        keep_result(KEPT, KeptComparison.of(choice, result))
        return result

    return compare


def _show_result(choice: ComparisonChoice, result: VersionComparison, *, measured: str = "") -> None:
    comparison = result.comparison
    versus = comparison.versus[choice.version.id]
    st.html(heading_html("Result", about(choice, result) + (f"; measured {measured}" if measured else "")))
    st.html(figures_html(comparison_figures(comparison, choice.version.id)))
    note(verdict_sentence(versus, choice.version.id, choice.against.id, comparison.measure))
    if misfits := (*result.notes, *comparison.notes):
        note(*misfits)
    address = partial(search_address, index=choice.index, depth=choice.depth, reranker=str(choice.version.folder))
    show_queries(query_columns(comparison, choice.version.id, result.queries, address=address), key="models_queries")
    on = ComparedOn(index=choice.index, build=choice.build, split=choice.split, depth=choice.depth)
    report_button(
        lambda at: compare_html(result, choice.version.id, on, at=at),
        file_name=f"{choice.version.id}-{choice.against.id}.html".replace("/", "-"),
        key="models_compare_report",
    )


def about(choice: ComparisonChoice, result: VersionComparison) -> str:
    """What all figures are of."""
    return (
        f"{choice.split} split of {choice.index}, build {choice.build}, depth {choice.depth}, "
        f"{len(result.queries):,} queries"
    )


def comparison_figures(comparison: Comparison, version: str) -> list[Figure]:
    """The means of both and of the first stage, the difference with its interval, p, and the queries won and lost."""
    versus, outcomes = comparison.versus[version], comparison.versus[version].outcomes
    means = {name: measured.means[comparison.measure] for name, measured in comparison.systems.items()}
    figures = [
        Figure(
            f"{comparison.measure} of {name}",
            f"{means[name]:.4f}",
            f"95 %: {interval_text(comparison.intervals[name])}",
        )
        for name in (version, comparison.baseline, FIRST_STAGE)
    ]
    return [
        *figures,
        Figure(
            "Difference",
            f"{versus.difference:+.4f} ({interval_text(versus.interval, signed=True)})",
            meaning("Difference"),
        ),
        Figure("p", p_text(versus.p_randomization), meaning("p")),
        Figure(
            "Won / lost / tied",
            f"{outcomes.wins:,} / {outcomes.losses:,} / {outcomes.ties:,}",
            meaning("Won / lost / tied"),
        ),
    ]


def verdict_sentence(versus: Versus, version: str, against: str, measure: str) -> str:
    """Which of both is better, if the interval of the difference shows it."""
    if versus.outcome == TOO_FEW:
        return (
            f"{versus.paired.queries} queries are too few to compare {version} with {against}; at least "
            f"{LEAST_QUERIES} are needed."
        )
    if versus.outcome == NO_DIFFERENCE:
        return f"By {measure}, these queries show no difference between {version} and {against}."
    return f"By {measure}, {version} is {versus.outcome} than {against}."
