"""Evaluates a pipeline on its index's judged queries and, on request, on a TREC run: one report for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import open_corpus_folder
from indexing.judged.sets import JudgedSet, judged_sets, pick_split
from indexing.progress import Progress, relabel, silent
from indexing.records import Qrels, Run
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from search.trec import read_run
from training.evaluation.candidates import Candidates
from training.evaluation.measures import check_minimum_grade, relevant_grade
from training.evaluation.missed import SecondAccount, TextOf, rerank_with_missed, text_in
from training.evaluation.report import ORACLE, RERANKED_WITH_MISSED, EvaluationReport, make_report, report_json
from training.evaluation.settings import EvaluationRequest, EvaluationSettings
from training.evaluation.stages import STAGES, Shares, Stages, choose_shares, rerank_candidates, retrieve_stages


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The reports, and what they were made with."""

    index: str
    build: str
    reranker: str
    shares: Shares | None
    """The re-ranker's share of each mixture; None without dev queries to choose it on."""
    reports: tuple[EvaluationReport, ...]

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "index": self.index,
            "build": self.build,
            "reranker": self.reranker,
            "shares": None if self.shares is None else dict(self.shares),
            "reports": [report_json(report) for report in self.reports],
        }


def evaluate_stages(
    pipeline: Pipeline, request: EvaluationRequest | None = None, *, progress: Progress = silent
) -> Evaluation:
    """Measure every stage of a pipeline on judged queries: BM25, dense, fused, re-ranked and its mixtures.

    The judgments are those stored with the corpus of the pipeline's index; the re-ranker's shares of the mixtures are
    chosen on the dev split. Without a request, the test split is evaluated, with 100 candidates for each query.

    Raises:
        SettingsError: there is no re-ranker or no such split, a requested run answers no judged query, or the settings
            don't fit; raised before anything is searched.
        CorpusError: a file can't be read.
    """
    request = request or EvaluationRequest()
    if pipeline.reranker is None:
        raise SettingsError("evaluate compares stages and needs a re-ranker; --reranker none has none.")
    sets = judged_sets(open_corpus_folder(pipeline.index))
    name = pipeline.index.manifest.name
    pick_split(sets, request.split, index=name)
    trec = None if request.trec is None else Candidates.read(request.trec, depth=request.depth)
    others = {system: read_run(path) for system, path in request.runs.items()}
    _check(request.settings, others, [sets[request.split].qrels, *([] if trec is None else [trec.qrels])])
    stages_by_split = {
        split: _retrieve(pipeline, sets[split], request.depth, progress)
        for split in dict.fromkeys(("dev", request.split))
        if split in sets
    }
    shares = choose_shares(stages_by_split["dev"], sets["dev"].qrels) if "dev" in sets else None
    evaluator = _Evaluator(request, pipeline.reranker, shares, others, progress)
    stages = stages_by_split[request.split]
    title = f"{name}, {request.split} split"
    reports = [evaluator.report(title, stages, sets[request.split], text_in(pipeline.index), candidates=stages.fused)]
    if trec is not None:
        reports.append(evaluator.report_trec(trec, pipeline.encoder))
    build, reranker = pipeline.index.folder.name, pipeline.reranker.name
    return Evaluation(index=name, build=build, reranker=reranker, shares=shares, reports=tuple(reports))


def _retrieve(pipeline: Pipeline, judged: JudgedSet, depth: int, progress: Progress) -> Stages:
    return retrieve_stages(pipeline, judged.queries, depth=depth, progress=relabel(progress, judged.split))


def _check(settings: EvaluationSettings, others: Mapping[str, Run], judgments: list[Qrels]) -> None:
    """Raise SettingsError, before anything is searched, if the request can't be met."""
    for qrels in judgments:
        check_minimum_grade(qrels, minimum_grade=relevant_grade(qrels, settings.minimum_grade))
    for system, run in others.items():
        if not any(run.keys() & qrels.keys() for qrels in judgments):
            counts = " and ".join(str(len(qrels)) for qrels in judgments)
            raise SettingsError(
                f"Run {system} answers none of the {counts} judged queries; give a run that has their query ids."
            )
    if taken := others.keys() & {*STAGES, ORACLE, RERANKED_WITH_MISSED}:
        raise SettingsError(f"A run can't be named {min(taken)!r}, as one of our own is; give it another name.")
    if settings.baseline not in {*STAGES, *others}:
        known = ", ".join((*STAGES, *others))
        raise SettingsError(f"Baseline {settings.baseline!r} isn't one of the systems; choose from {known}.")


@dataclass(frozen=True)
class _Evaluator:
    """Makes the reports of one request, and holds what they share."""

    request: EvaluationRequest
    reranker: Reranker
    shares: Shares | None
    others: Mapping[str, Run]
    progress: Progress

    def report(
        self, title: str, stages: Stages, judged: JudgedSet, text_of: TextOf, *, candidates: Run
    ) -> EvaluationReport:
        """Report on one judged set, against BM25 if the requested baseline isn't among its systems."""
        others = {name: run for name, run in self.others.items() if run.keys() & judged.qrels.keys()}
        runs = {**stages.by_name(shares=self.shares), **others}
        settings = self.request.settings
        if settings.baseline not in runs:
            settings = replace(settings, baseline=STAGES[0])
        return make_report(
            title,
            stages,
            judged,
            runs=runs,
            settings=settings,
            candidates=candidates,
            second_account=self._second_account(candidates, stages, judged, text_of) if self.request.missed else None,
        )

    def report_trec(self, trec: Candidates, encoder: BiEncoder) -> EvaluationReport:
        """Report on the TREC folder's own run, re-ranked."""
        name = self.request.trec.name if self.request.trec is not None else ""
        stages = rerank_candidates(trec, encoder, self.reranker, progress=relabel(self.progress, name))
        title = f"{name}, BM25's top {self.request.depth} as given"
        judged = JudgedSet(name, trec.queries, trec.qrels)
        return self.report(title, stages, judged, trec.texts.get, candidates=trec.run)

    def _second_account(self, candidates: Run, stages: Stages, judged: JudgedSet, text_of: TextOf) -> SecondAccount:
        return rerank_with_missed(
            candidates,
            stages.reranked,
            judged,
            reranker=self.reranker,
            text_of=text_of,
            minimum_grade=relevant_grade(judged.qrels, self.request.settings.minimum_grade),
            progress=relabel(self.progress, f"{judged.split}, missed"),
        )
