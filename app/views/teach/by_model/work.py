"""A model's work in the background: it is measured on a rater's grades, and grades the first passages of queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.background import BackgroundJobs, Subject
from app.resources import SharedPipeline
from app.turns import PatientPipeline
from app.views.widgets.passage.judgment import GRADES
from app.views.widgets.search_choice import default_choice
from indexing.errors import SettingsError
from indexing.notes import counted
from indexing.progress import Progress
from indexing.records import Query
from training.judgments.by_model.chat import ModelAddress
from training.judgments.by_model.grader import Pair, open_grader
from training.judgments.by_model.judge import counts, judge
from training.judgments.by_model.kept import answers_folder, keep_agreement, keep_model_grades
from training.judgments.by_model.measured import ModelAgreement, measure_agreement
from training.judgments.by_model.own_grades import OwnGrade

PHASE = "grade"  # as the grader calls it


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks which model about which index."""

    index: str
    build: str
    rater: str
    address: ModelAddress

    def subject(self, doing: str) -> Subject:
        """The work as the strip and this page know it."""
        parameters = {"rater": self.rater, "index": self.index}
        title = f"{doing} by {self.address.model}"
        return Subject(title, "teach", parameters, self, unit="passages", computes=False)


@dataclass(frozen=True)
class Done:
    """What a piece of work tells when it is over."""

    sentence: str
    notes: tuple[str, ...]


@st.cache_resource(show_spinner=False)
def measurings() -> BackgroundJobs[Done]:
    """The measurings of all sessions."""
    return BackgroundJobs()


@st.cache_resource(show_spinner=False)
def gradings() -> BackgroundJobs[Done]:
    """The gradings of all sessions."""
    return BackgroundJobs()


def measuring(asker: Asker, own: Sequence[OwnGrade]) -> Callable[[Progress], Done]:
    """Asks the model for grades that the rater gave, and keeps how far they agree."""

    def work(progress: Progress) -> Done:
        notes: list[str] = []
        folder = answers_folder(asker.index, asker.address)
        with open_grader(folder, asker.address, heed=lambda: progress(PHASE, 0, len(own))) as grader:
            agreement = measure_agreement(grader, own, asker.address, note=notes.append, progress=progress)
        keep_agreement(asker.index, asker.rater, asker.address, agreement)
        return Done("", tuple(notes))

    return work


def grading(
    asker: Asker, agreement: ModelAgreement, shared: SharedPipeline, queries: Sequence[Query], *, depth: int
) -> Callable[[Progress], Done]:
    """Searches the queries, lets the model grade the first passages of each, and keeps the grades with its mark."""
    settings, pipeline = default_choice(asker.index).settings, PatientPipeline(shared.pipeline)

    def first(query: Query) -> list[Pair]:
        trace = pipeline.search(query.text, settings)
        return [Pair(query, trace.passages[passage]) for passage in trace.final.top(depth).passage_ids]

    def work(progress: Progress) -> Done:
        notes: list[str] = []
        pairs: list[Pair] = []
        for query in queries:
            pairs += first(query)
            progress("search", 1, len(queries))
        if not pairs:
            raise SettingsError("No passage was found for any of these queries; give others.")
        folder = answers_folder(asker.index, asker.address)
        with open_grader(folder, asker.address, heed=lambda: progress(PHASE, 0, len(pairs))) as grader:
            qrels = judge(grader, pairs, note=notes.append, progress=progress)
        keep_model_grades(qrels, queries, agreement, asker.index, build=asker.build)
        each = ", ".join(f"{count:,} “{GRADES[grade]}”" for grade, count in sorted(counts(qrels).items(), reverse=True))
        graded = counted(sum(map(len, qrels.values())), "passage")
        return Done(f"Graded {graded} of {counted(len(qrels), 'query', 'queries')}: {each}.", tuple(notes))

    return work
