"""Two versions on one judged split: means, difference, wins and losses, and every query."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app import resources
from app.background import Job, Jobs
from app.resources import Opened
from app.turns import PatientPipeline, PatientReranker
from app.views.widgets.figures import Figure, figures_html, p_text, span
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import (
    judged_splits,
    judgments_fingerprint,
    open_first_stage,
    pick,
    pick_depth,
    pick_index,
    pick_split,
    warn_of,
)
from app.views.widgets.query_table import query_columns, search_address, show_queries
from app.views.widgets.work import show_work
from indexing.corpus.judged import JudgedSet
from indexing.errors import ModelError, SecondLookError
from indexing.progress import Progress
from search.rerank.reranker import Reranker
from training.evaluation.comparison import Comparison, Versus
from training.evaluation.paired import LEAST_QUERIES, NO_DIFFERENCE, TOO_FEW
from training.versions.compare import FIRST_STAGE, VersionComparison, compare_versions
from training.versions.promote import DEPTH
from training.versions.promoted import Promotion
from training.versions.registry import Version, find

DECIDES = "95 % bootstrap interval: a difference is shown where it excludes zero"
SHOWN = "models_comparison"  # the session's: the comparison that was asked for last


@dataclass(frozen=True)
class Asked:
    """A comparison that was asked for."""

    version: Version
    against: Version
    index: str
    split: str
    depth: int


@st.cache_resource(show_spinner=False)
def comparisons() -> Jobs[VersionComparison]:
    """The comparisons of all sessions."""
    return Jobs()


def show_comparison(found: Sequence[Version], at: Promotion) -> None:
    """Choose two versions and what they are measured on; then what came of it."""
    whole = {item.id: item for item in found if not item.fault}
    if len(whole) < 2:
        hint("A comparison needs two versions that are whole; train one, and it can be compared here.")
        return
    asked = _ask(whole, at)
    kept: tuple[Asked, Job[VersionComparison]] | None = st.session_state.get(SHOWN)
    if asked is not None:
        kept = asked
        st.session_state[SHOWN] = kept
    if kept is not None and show_work(kept[1], key="models_compare") and kept[1].result is not None:
        _show(kept[0], kept[1].result)


def _ask(whole: dict[str, Version], at: Promotion) -> tuple[Asked, Job[VersionComparison]] | None:
    """The widgets; the comparison if its button was pressed."""
    ids = list(whole)
    newest = next((item for item in reversed(ids) if item != at.promoted), ids[-1])
    left, right = st.columns(2)
    with left:
        version = pick("Version", ids, key="models_a", default=newest)
    with right:
        usual = at.promoted if at.promoted in whole else ids[0]
        against = pick("Against", ids, key="models_b", default=usual)
    chosen = _set("models_compare")
    if chosen is None:
        return None
    opened, judged, depth = chosen
    if version == against:
        hint(f"Both are {version}; choose two that differ.")
        return None
    if not st.button("Compare", key="models_compare", type="primary", icon=":material/balance:"):
        return None
    asked = Asked(whole[version], whole[against], opened.pipeline.index.manifest.name, judged.split, depth)
    try:
        return asked, _start(asked, opened, judged)
    except SecondLookError as error:
        problem(error)
        return None


def _set(key: str) -> tuple[Opened, JudgedSet, int] | None:
    """Index, split and depth; None, and why on the page, where there is nothing to measure on."""
    first, second, third = st.columns(3)
    with first:
        opened = open_first_stage(pick_index(key=f"{key}_index"))
    judged = judged_splits(opened) if opened is not None else {}
    if opened is None or not judged:
        return None
    with second:
        split = pick_split(judged, key=f"{key}_split")
    with third:
        depth = pick_depth(key=f"{key}_depth", default=DEPTH)
    warn_of(split)
    return opened, judged[split], depth


def _start(asked: Asked, opened: Opened, judged: JudgedSet) -> Job[VersionComparison]:
    """Open both versions here, where a spinner shows it, and compare them in the background."""
    rerankers: dict[str, Reranker] = {}
    key = [opened.fingerprint, judgments_fingerprint(opened), asked.split, str(asked.depth)]
    for item in (asked.version, asked.against):
        loaded = resources.open_pipeline(asked.index, str(find(item.id).folder))
        if loaded.pipeline.reranker is None:
            raise ModelError(loaded.problem)
        rerankers[item.id] = PatientReranker(loaded.pipeline.reranker)
        key.append(loaded.fingerprint)
    return comparisons().start(tuple(key), _work(asked, opened, judged, rerankers))


def _work(
    asked: Asked, opened: Opened, judged: JudgedSet, rerankers: dict[str, Reranker]
) -> Callable[[Progress], VersionComparison]:
    def compare(progress: Progress) -> VersionComparison:
        pipeline = PatientPipeline(opened.pipeline)
        return compare_versions(
            rerankers, pipeline, judged, baseline=asked.against.id, depth=asked.depth, progress=progress
        )

    return compare


def _show(asked: Asked, found: VersionComparison) -> None:
    comparison = found.comparison
    versus = comparison.versus[asked.version.id]
    st.html(
        '<h3 class="sl-heading">What came of it '
        f"<small>{asked.split} split of {asked.index}, depth {asked.depth}, {len(found.queries):,} queries</small></h3>"
    )
    st.html(figures_html(comparison_figures(comparison, asked.version.id)))
    note(verdict_sentence(versus, asked.version.id, asked.against.id, comparison.measure))
    address = partial(search_address, index=asked.index, depth=asked.depth, reranker=str(asked.version.folder))
    show_queries(query_columns(comparison, asked.version.id, found.queries, address=address), key="models_queries")


def comparison_figures(comparison: Comparison, version: str) -> list[Figure]:
    """Both means and the first stage's, the difference with its interval, p, and the queries won and lost."""
    versus, outcomes = comparison.versus[version], comparison.versus[version].outcomes
    means = {name: measured.means[comparison.measure] for name, measured in comparison.systems.items()}
    figures = [
        (f"{comparison.measure} of {name}", f"{means[name]:.4f}", f"95 %: {span(comparison.intervals[name])}")
        for name in (version, comparison.baseline, FIRST_STAGE)
    ]
    return [
        *figures,
        ("Difference", f"{versus.difference:+.4f} ({span(versus.interval, signed=True)})", DECIDES),
        ("p", p_text(versus.p_randomisation), "two-sided, paired randomisation test"),
        ("Won / lost / tied", f"{outcomes.wins:,} / {outcomes.losses:,} / {outcomes.ties:,}", "queries"),
    ]


def verdict_sentence(versus: Versus, version: str, against: str, measure: str) -> str:
    """Which of both is better, if the interval of the difference shows it."""
    if versus.outcome == TOO_FEW:
        return (
            f"{versus.paired.queries} queries are too few to tell {version} from {against}; at least {LEAST_QUERIES} "
            "are needed."
        )
    if versus.outcome == NO_DIFFERENCE:
        return f"By {measure}, these queries show no difference between {version} and {against}."
    return f"By {measure}, {version} is {versus.outcome} than {against}."
