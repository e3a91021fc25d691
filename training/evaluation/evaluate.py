"""Evaluates a pipeline on its index's judged queries and, on request, on a TREC run: one report for each."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexing import precision
from indexing.errors import SettingsError
from indexing.index import Index
from indexing.judged.fit import FittedSet
from indexing.judged.sets import JudgedSet
from indexing.progress import Progress, relabel, silent
from indexing.provenance import package_version
from indexing.records import Run
from search.answers import queries_fingerprint
from search.journal import Journal
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from training.evaluation.candidates import Candidates
from training.evaluation.inputs import EvaluationInputs, read_inputs
from training.evaluation.kept import KeptSearches
from training.evaluation.measures import relevant_grade
from training.evaluation.missed import SecondAccount, TextOf, rerank_with_missed, text_in
from training.evaluation.report import EvaluationReport, make_report, report_json
from training.evaluation.settings import EvaluationRequest
from training.evaluation.stages import (
    DEFAULT_ROW,
    STAGES,
    Shares,
    Stages,
    choose_shares,
    rerank_candidates,
    retrieve_stages,
)

WITHOUT_LATE = (
    "Late interaction has no row: the index's bi-encoder is no transformer, so it gives no vectors of tokens."
)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The reports, and what they were made with."""

    index: str
    build: str
    reranker: str
    shares: Shares | None
    """The re-ranker's share of each mixture; None without dev queries to choose it on."""
    reports: tuple[EvaluationReport, ...]

    def without_runs(self) -> "Evaluation":
        """The same figures without the lists that they are of, which take most of the room."""
        return replace(self, reports=tuple(replace(part, runs={}, second_account=None) for part in self.reports))

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
    pipeline: Pipeline,
    request: EvaluationRequest | None = None,
    *,
    inputs: EvaluationInputs | None = None,
    keep: KeptSearches | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Measure every stage of a pipeline on judged queries: BM25, dense, fused, re-ranked and its mixtures.

    The judgments are those stored with the corpus of the pipeline's index; the re-ranker's shares of the mixtures are
    chosen on the dev split. Without a request, the test split is evaluated, with 100 candidates for each query.
    `inputs` is what `read_inputs` gives for this request, if it was read already. With `keep`, a stopped evaluation
    goes on where it was, and one with another measure or baseline searches nothing; call its `forget` once the
    figures are where they belong and nothing is to be kept.

    Raises:
        SettingsError: there is no re-ranker or no such split, judgments or a requested run don't fit the index, or the
            settings don't fit; raised before anything is searched.
        CorpusError: a file can't be read.
    """
    request = request or EvaluationRequest()
    if pipeline.reranker is None:
        raise SettingsError("evaluate compares stages and needs a re-ranker; --reranker none has none.")
    inputs = inputs or read_inputs(pipeline.index, request)
    with ExitStack() as stack:
        searches = _Searches(pipeline, request.depth, keep, stack, progress)
        stages, shares = searches.of_index(inputs)
        evaluator = _Evaluator(request, pipeline.reranker, shares, inputs.others, progress)
        reports = [evaluator.report_index(inputs, stages, pipeline.index)]
        if inputs.trec is not None:
            reports.append(evaluator.report_trec(inputs.trec, searches.of_trec(inputs.trec, request.trec)))
    return Evaluation(
        index=pipeline.index.manifest.name,
        build=pipeline.index.folder.name,
        reranker=pipeline.reranker.name,
        shares=shares,
        reports=tuple(reports),
    )


@dataclass(frozen=True)
class _Searches:
    """Searches for the queries of each judged set, and keeps what it finds until the evaluation is done."""

    pipeline: Pipeline
    depth: int
    keep: KeptSearches | None
    stack: ExitStack
    """Holds what is kept until the evaluation is done."""
    progress: Progress

    def of_index(self, inputs: EvaluationInputs) -> tuple[Stages, Shares | None]:
        """Every stage's lists of the split that is reported, and the shares chosen on the dev split."""
        if inputs.dev is None:
            return self.of(inputs.judged), None
        on_dev = self.of(inputs.dev)
        stages = on_dev if inputs.judged is inputs.dev else self.of(inputs.judged)
        return stages, choose_shares(on_dev, inputs.dev.judged.qrels)

    def of(self, fitted: FittedSet) -> Stages:
        """Every stage's lists of one judged set."""
        judged = fitted.judged
        journal = self._journal(
            judged.split, {"queries": queries_fingerprint(judged.queries), "own": sorted(fitted.own)}
        )
        return retrieve_stages(
            self.pipeline,
            judged.queries,
            depth=self.depth,
            own=fitted.own,
            journal=journal,
            progress=relabel(self.progress, judged.split),
        )

    def of_trec(self, trec: Candidates, folder: Path | None) -> Stages:
        """Every stage's lists of a TREC folder's run."""
        name = "" if folder is None else folder.name
        reranker = self.pipeline.reranker
        if reranker is None:
            raise SettingsError("A TREC folder's run is re-ranked; name a re-ranker.")
        return rerank_candidates(
            trec,
            self.pipeline.encoder,
            reranker,
            journal=self._journal(f"trec-{name}", {"candidates": trec.fingerprint()}),
            progress=relabel(self.progress, name),
        )

    def _journal(self, name: str, identity: Mapping[str, Any]) -> Journal | None:
        if self.keep is None:
            return None
        manifest, on = self.pipeline.index.manifest, precision.device()
        searched = {
            "index": manifest.name,
            "build": manifest.build,
            "depth": self.depth,
            "program": package_version(),
            "late": True,  # lists of it are kept too, which what was begun before lacks
            "computed": f"{on} {precision.fastest_dtype(on)}",
        }
        called = f"{manifest.name}, {name}"
        return self.stack.enter_context(
            self.keep.open(f"{manifest.name}-{name}", {**searched, **identity}, called=called)
        )


@dataclass(frozen=True)
class _Evaluator:
    """Makes the reports of one request, and holds what they share."""

    request: EvaluationRequest
    reranker: Reranker
    shares: Shares | None
    others: Mapping[str, Run]
    progress: Progress

    def report_index(self, inputs: EvaluationInputs, stages: Stages, index: Index) -> EvaluationReport:
        """Report on the judged split of an index."""
        fitted = inputs.judged
        return self._report(
            f"{index.manifest.name}, {fitted.judged.split} split",
            stages,
            fitted,
            text_in(index),
            candidates=stages.fused,
            served=stages.answers(self.request.served, whole=False),
            notes=inputs.notes,
        )

    def report_trec(self, trec: Candidates, stages: Stages) -> EvaluationReport:
        """Report on the TREC folder's own run, re-ranked."""
        name = self.request.trec.name if self.request.trec is not None else ""
        judged = JudgedSet(name, trec.queries, trec.qrels)
        return self._report(
            f"{name}, BM25's top {self.request.depth} as given",
            stages,
            FittedSet(judged=judged, own=trec.own, absent=trec.absent, notes=trec.notes),
            trec.texts.get,
            candidates=trec.run,
            served=stages.answers(self.request.served, whole=True),
            notes=trec.notes,
        )

    def _report(
        self,
        title: str,
        stages: Stages,
        fitted: FittedSet,
        text_of: TextOf,
        *,
        candidates: Run,
        served: Run | None,
        notes: Sequence[str],
    ) -> EvaluationReport:
        """Report on one judged set, against BM25 if the requested baseline isn't among its systems."""
        judged = fitted.judged
        others = {name: fitted.measured(run) for name, run in self.others.items() if run.keys() & judged.qrels.keys()}
        default = {} if served is None or self.request.served.rerank_weight == 1 else {DEFAULT_ROW: served}
        runs = {**stages.by_name(shares=self.shares), **default, **others}
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
            absent=fitted.absent,
            notes=(*notes, *([] if stages.late is not None else [WITHOUT_LATE])),
        )

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
