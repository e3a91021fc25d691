"""Mines a judged set from the served index, query by query, into a folder of training data with its report.

Passages, BM25 and vectors stay on disk and are mapped; FAISS's index is in memory, as in serving. Negatives are
written as they are mined, and what is kept of them is 4 bytes a score.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.atomic import check_new
from indexing.corpus.judged import JudgedSet
from indexing.errors import TrainingError
from indexing.progress import Progress, silent
from indexing.provenance import code_revision, library_versions
from indexing.records import PassageId
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker
from search.settings import Fusion, PipelineSettings
from training.judgments.protection import Protection
from training.mining.files import MANIFEST, Layout, write_rows
from training.mining.first_stage import ServedFirstStage
from training.mining.negatives import MinedQuery, Rescore, Text, hard_negatives
from training.mining.report import MiningReport, Tally
from training.mining.settings import MiningSettings

SERVED_DEPTH = PipelineSettings().depth  # what fusion ranks hangs on it
ALL_FORMS = Layout()
NONE_PROTECTED = Protection()


def mine(
    stage: ServedFirstStage,
    judged: JudgedSet,
    settings: MiningSettings,
    *,
    reranker: Reranker | None = None,
    progress: Progress = silent,
) -> Iterator[MinedQuery]:
    """Negatives of each query, one query in memory at a time; with a re-ranker the rules work on its raw logits."""
    for query in judged.queries:
        retrieved = stage.retrieve(query, judged.qrels.get(query.id, {}))
        rescore = None if reranker is None else _rescore(reranker, query.text, stage.text)
        yield hard_negatives(retrieved, settings, text=stage.text, rescore=rescore)
        progress("mine", 1, len(judged.queries))


def mine_to(
    target: Path,
    pipeline: RetrieveAndRerank,
    judged: JudgedSet,
    settings: MiningSettings,
    *,
    source: Fusion,
    reranker: Reranker | None = None,
    layout: Layout = ALL_FORMS,
    protection: Protection = NONE_PROTECTED,
    progress: Progress = silent,
) -> MiningReport:
    """Mine a judged set and make the folder `target`: a file a form, mined.jsonl and manifest.json.

    `source` is one of search.settings.FUSIONS. The pipeline's own re-ranker takes no part, `reranker` re-scores.

    Raises:
        SettingsError: the source is unknown, or a query too long.
        TrainingError: `target` is there, no query may be mined, or no negative was found.
    """
    check_new(target)
    allowed = _allowed(judged, protection)
    stage = ServedFirstStage(pipeline, source=source, depth=max(settings.ranks[1], SERVED_DEPTH))
    tally = Tally(
        wanted=settings.per_query,
        scale=source if reranker is None else f"logits of {reranker.name}",
        protected=len(judged.queries) - len(allowed.queries),
    )
    asked = asdict(layout) | {"split": judged.split, "source": source, "settings": asdict(settings)}
    asked |= {"reranker": None if reranker is None else reranker.name, "code_revision": code_revision()}
    with atomic.folder(target) as work:
        mined = tally.watch(mine(stage, allowed, settings, reranker=reranker, progress=progress))
        queries = {query.id: query.text for query in allowed.queries}
        rows = write_rows(work, mined, layout, queries=queries, text=stage.text, wanted=settings.per_query)
        report = _checked(tally.report())
        atomic.write_json(work / MANIFEST, _manifest(work, pipeline, rows, report) | asked)
    return report


def _allowed(judged: JudgedSet, protection: Protection) -> JudgedSet:
    allowed = protection.without(judged)
    if not allowed.queries:
        raise TrainingError(
            f"None of the {len(judged.queries):,} judged {judged.split} queries may be mined: "
            f"{'all are protected' if judged.queries else 'there are none'}; choose other judgments or --protect."
        )
    return allowed


def _checked(report: MiningReport) -> MiningReport:
    if not report.negatives:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in report.dropped.items() if count)
        raise TrainingError(
            f"No negative was found for {report.queries:,} queries ({report.without_positive:,} have no positive in "
            f"the index; candidates dropped: {rules or 'none'}); loosen the margins, or widen --ranks."
        )
    return report


def _manifest(work: Path, pipeline: RetrieveAndRerank, rows: Mapping[str, int], report: MiningReport) -> dict[str, Any]:
    built = pipeline.index.manifest
    return {
        "schema_version": 1,
        "index": {
            "name": built.name,
            "build": built.build,
            "corpus": Path(built.corpus).name,
            "passages": built.passages,
            "corpus_fingerprint": built.corpus_fingerprint,
            "bi_encoder": built.bi_encoder,
        },
        "rows": dict(rows),
        "files": {path.name: atomic.file_row(path) for path in sorted(work.glob("*.jsonl"))},
        "report": asdict(report),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "libraries": library_versions(),
    }


def _rescore(reranker: Reranker, query: str, text: Text) -> Rescore:
    def rescore(passage_ids: Sequence[PassageId]) -> dict[PassageId, float]:
        logits = reranker.score(query, [text(passage_id) for passage_id in passage_ids]).logits
        return dict(zip(passage_ids, logits.tolist(), strict=True))

    return rescore
