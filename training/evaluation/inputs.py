"""Reads what an evaluation needs, and compares it with the index, before a model is loaded and anything is searched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from indexing.errors import SettingsError
from indexing.index import Index, open_corpus_folder
from indexing.judged.fit import FittedSet, check_run, fit_judgments, listed
from indexing.judged.sets import JudgedSet, judged_sets, pick_split
from indexing.notes import silent_note
from indexing.records import Qrels, Run
from search.queries import searchable_queries
from search.trec import read_run
from training.evaluation.candidates import Candidates
from training.evaluation.measures import check_minimum_grade, relevant_grade
from training.evaluation.report import ORACLE, RERANKED_WITH_MISSED
from training.evaluation.settings import EvaluationRequest, EvaluationSettings
from training.evaluation.stages import DEFAULT_ROW, STAGES

DEV = "dev"


@dataclass(frozen=True, kw_only=True)
class EvaluationInputs:
    """Judgments and runs that fit the index, with a sentence on whatever doesn't."""

    judged: FittedSet
    """The split that is reported, with the queries cut to what is searched."""
    dev: FittedSet | None
    """The dev split, on which shares are chosen; None where there is none that can be used."""
    trec: Candidates | None
    others: Mapping[str, Run]
    """Other systems' runs by name."""
    notes: tuple[str, ...]
    """On the split that is reported and on others' runs of it."""


def read_inputs(index: Index, request: EvaluationRequest) -> EvaluationInputs:
    """Read the judged splits beside the corpus of an index, the TREC folder and the runs that are requested.

    Raises:
        SettingsError: there is no such split, the judgments or a run don't fit the index or each other, or the
            settings don't fit the judgments.
        CorpusError: a file can't be read.
    """
    name = index.manifest.name
    sets = judged_sets(open_corpus_folder(index), note=silent_note)
    _check_names(request)
    judged = fitted_set(pick_split(sets, request.split, index=name), index)
    notes = list(judged.notes)
    dev = judged if request.split == DEV else _dev(sets, index, notes)
    trec = None if request.trec is None else Candidates.read(request.trec, depth=request.depth)
    others = {system: read_run(path, note=notes.append) for system, path in request.runs.items()}
    _check_grades(request.settings, [judged.judged.qrels, *([] if trec is None else [trec.qrels])])
    for system, run in others.items():
        notes += _check_run(system, run, judged.judged.qrels, trec, index)
    return EvaluationInputs(judged=judged, dev=dev, trec=trec, others=others, notes=tuple(notes))


def fitted_set(judged: JudgedSet, index: Index) -> FittedSet:
    """The set compared with the index, its queries cut to what is searched."""
    fitted = fit_judgments(judged, index.passages, name=f"index {index.manifest.name}")
    notes = list(fitted.notes)
    queries = tuple(searchable_queries(fitted.judged.queries, note=notes.append))
    return replace(fitted, judged=replace(fitted.judged, queries=queries), notes=tuple(notes))


def _dev(sets: Mapping[str, JudgedSet], index: Index, notes: list[str]) -> FittedSet | None:
    """The dev split; None, with a note where it is there but of no use."""
    if DEV not in sets or not sets[DEV].queries:
        return None
    try:
        return fitted_set(sets[DEV], index)
    except SettingsError as error:
        notes.append(f"The re-ranker's share can't be chosen on the dev split: {error}")
        return None


def _check_run(system: str, run: Run, qrels: Qrels, trec: Candidates | None, index: Index) -> tuple[str, ...]:
    """Check a run on the judged set that it answers: of the index, or else of the TREC folder."""
    if run.keys() & qrels.keys():
        return check_run(system, run, qrels, index.passages, name=f"index {index.manifest.name}")
    if trec is not None and run.keys() & trec.qrels.keys():
        return ()
    counts = " and ".join(str(len(judged)) for judged in (qrels, *([] if trec is None else [trec.qrels])))
    raise SettingsError(
        f"Run {system} answers none of the {counts} judged queries (judged is {listed(qrels)}; it answers "
        f"{listed(run) or 'nothing'}); give a run that has their query ids."
    )


def _check_names(request: EvaluationRequest) -> None:
    if taken := request.runs.keys() & {*STAGES, DEFAULT_ROW, ORACLE, RERANKED_WITH_MISSED}:
        raise SettingsError(f"A run can't be named {min(taken)!r}, as one of our own is; give it another name.")
    if request.settings.baseline not in {*STAGES, DEFAULT_ROW, *request.runs}:
        known = ", ".join((*STAGES, DEFAULT_ROW, *request.runs))
        raise SettingsError(f"Baseline {request.settings.baseline!r} isn't one of the systems; choose from {known}.")


def _check_grades(settings: EvaluationSettings, judgments: list[Qrels]) -> None:
    for qrels in judgments:
        check_minimum_grade(qrels, minimum_grade=relevant_grade(qrels, settings.minimum_grade))
