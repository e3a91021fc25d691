"""The form for an evaluation: index, split, re-ranker, depth, measure and baseline."""

from dataclasses import dataclass

import streamlit as st

from app import environment
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import (
    judged_splits,
    open_first_stage,
    pick,
    pick_depth,
    pick_index,
    pick_split,
    warn_about,
)
from app.views.widgets.terms import meaning
from indexing.errors import ModelError
from indexing.judged.sets import JudgedSet
from search.served import DEFAULT_RERANKER, LATE, promoted_version
from training.evaluation.settings import GRADED, ORDER_MEASURES
from training.evaluation.stages import STAGES
from training.versions.gate_settings import DEPTH
from training.versions.registry import versions


@dataclass(frozen=True, kw_only=True)
class EvaluationChoice:
    """One evaluation as a user set it."""

    index: str
    split: str
    reranker: str
    """A version's folder, a hub name, or `default`."""
    depth: int
    measure: str
    minimum_grade: int
    baseline: str

    def words(self) -> str:
        """The evaluation in a few words."""
        return f"the {self.split} split of {self.index}, depth {self.depth:,}, by {self.measure}"


def show_form(*, read_only: bool) -> EvaluationChoice | None:
    """Show the fields; None, with the reason on the page, where the index has nothing to measure on."""
    with st.container(border=True, key="evaluate_form"):
        first, second, third = st.columns(3)
        with first:
            index = pick_index(key="evaluate_index")
        opened = open_first_stage(index)
        judged = judged_splits(opened) if opened is not None else {}
        if not judged:
            return None
        with second:
            split = pick_split(judged, key="evaluate_split")
        with third:
            reranker = _pick_reranker(read_only=read_only)
        measure, minimum_grade, baseline, depth = _pick_measure(judged[split])
        warn_about(split)
        if read_only:
            note("This app is read-only: you can evaluate the re-rankers listed here, but not load others.")
        _note_size(judged, split, depth)
    return EvaluationChoice(
        index=index,
        split=split,
        reranker=reranker,
        depth=depth,
        measure=measure,
        minimum_grade=minimum_grade,
        baseline=baseline,
    )


def _pick_reranker(*, read_only: bool) -> str:
    folders = {str(version.folder): version.id for version in versions() if not version.fault}
    usual = environment.default_reranker()
    names = {usual: usual, **folders, LATE: "late interaction"}
    if usual == DEFAULT_RERANKER:
        try:
            names[usual] = f"served ({promoted_version()})"
        except ModelError as error:
            problem(error)
    return pick(
        "Re-ranker",
        list(names),
        key="evaluate_reranker",
        default=usual,
        words=lambda name: names.get(name, name),
        about=meaning("Re-ranker")
        + (" Choose a version." if read_only else " Choose a version, or type a folder or a hub name."),
        typed=not read_only,
    )


def _pick_measure(judged: JudgedSet) -> tuple[str, int, str, int]:
    """Measure, lowest relevant grade, baseline and depth."""
    highest = max((grade for grades in judged.qrels.values() for grade in grades.values()), default=1)
    grades = [str(grade) for grade in range(1, max(highest, 1) + 1)]
    first, second, third, fourth = st.columns(4)
    with first:
        depth = pick_depth(key="evaluate_depth", default=DEPTH)
    with second:
        measure = pick(
            "Measure",
            ORDER_MEASURES,
            key="evaluate_measure",
            default=ORDER_MEASURES[0],
            about=f"{meaning('Measure')} The table has all measures.",
        )
    with third:
        grade = pick(
            "Lowest relevant grade",
            grades,
            key="evaluate_grade",
            default=grades[min(GRADED, len(grades)) - 1],
            about=meaning("Lowest relevant grade"),
        )
    with fourth:
        baseline = pick(
            "Baseline",
            STAGES,
            key="evaluate_baseline",
            default=STAGES[0],
            about=meaning("Baseline"),
        )
    return measure, int(grade), baseline, depth


def _note_size(judged: dict[str, JudgedSet], split: str, depth: int) -> None:
    """Note how much will have to be scored."""
    measured = dict.fromkeys([*(["dev"] if "dev" in judged else []), split])
    queries = sum(len(judged[name].queries) for name in measured)
    also = " (including the dev split, on which the re-ranker's share is chosen)" if len(measured) > 1 else ""
    note(f"{queries:,} queries{also}, up to {queries * depth:,} (query, passage) pairs to score.")
