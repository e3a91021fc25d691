"""What is evaluated: index, split, re-ranker, depth and measure."""

from dataclasses import dataclass

import streamlit as st

from app import resources
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import judged_splits, open_first_stage, pick, pick_depth, pick_index, pick_split, warn_of
from indexing.corpus.judged import JudgedSet
from indexing.errors import ModelError
from search.load import DEFAULT_RERANKER
from search.served import promoted_version
from training.evaluation.evaluate import Request
from training.evaluation.measures import NAMES
from training.evaluation.stages import STAGES
from training.versions.registry import versions

MEASURES = tuple(name for name in NAMES if name != "Judged@10")  # that one says nothing of an order
GRADE = 2  # least relevant grade, as TREC DL counts; where no judgment reaches it, 1


@dataclass(frozen=True)
class Asked:
    """One evaluation."""

    index: str
    split: str
    reranker: str
    """A version's folder, a hub name, or `default`."""
    depth: int
    measure: str
    minimum_grade: int
    baseline: str

    def words(self) -> str:
        """What it is, in a few words."""
        return f"the {self.split} split of {self.index}, depth {self.depth:,}, by {self.measure}"


def ask(*, read_only: bool) -> Asked | None:
    """The widgets; None, and why on the page, where the index has nothing to measure on."""
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
        warn_of(split)
        if read_only:
            note("This app is read-only: the re-rankers that are here can be evaluated, others can't be loaded.")
        _tell_size(judged, split, depth)
    return Asked(index, split, reranker, depth, measure, minimum_grade, baseline)


def _pick_reranker(*, read_only: bool) -> str:
    folders = {str(item.folder): item.id for item in versions() if not item.fault}
    usual = resources.default_reranker()
    names = {usual: usual, **folders}
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
        told="A version that is here" + ("." if read_only else ", or type a folder or a hub name."),
        typed=not read_only,
    )


def _pick_measure(judged: JudgedSet) -> tuple[str, int, str, int]:
    """Measure, least relevant grade, baseline and depth."""
    highest = max((grade for grades in judged.qrels.values() for grade in grades.values()), default=1)
    grades = [str(grade) for grade in range(1, max(highest, 1) + 1)]
    first, second, third, fourth = st.columns(4)
    with first:
        depth = pick_depth(key="evaluate_depth", default=Request.depth)
    with second:
        measure = pick(
            "Measure",
            MEASURES,
            key="evaluate_measure",
            default=MEASURES[0],
            told="The one that is tested, and whose losses are attributed; the table has the others too.",
        )
    with third:
        grade = pick(
            "Relevant from grade",
            grades,
            key="evaluate_grade",
            default=grades[min(GRADE, len(grades)) - 1],
            told="Least grade that MRR, MAP and recall count as relevant; nDCG reads the grades themselves.",
        )
    with fourth:
        baseline = pick(
            "Tested against", STAGES, key="evaluate_baseline", default=STAGES[0], told="Each stage is tested with it."
        )
    return measure, int(grade), baseline, depth


def _tell_size(judged: dict[str, JudgedSet], split: str, depth: int) -> None:
    """How much is to be scored, before it is begun."""
    measured = dict.fromkeys([*(["dev"] if "dev" in judged else []), split])
    queries = sum(len(judged[name].queries) for name in measured)
    also = " (the dev split's too: the share of the re-ranker is chosen on it)" if len(measured) > 1 else ""
    note(f"{queries:,} queries{also}, up to {queries * depth:,} pairs of query and passage to score.")
