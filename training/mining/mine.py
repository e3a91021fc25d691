"""Mines hard negatives for a judged set, query by query, and writes a folder of training data with its report.

Passages, BM25 and vectors are memory-mapped; FAISS's index is in memory, as it is when search runs. Negatives are
written as they are mined, and only 4 bytes per score stay in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.atomic import check_new
from indexing.errors import TrainingError
from indexing.index import Index, judged_split, open_corpus_folder
from indexing.judged.sets import JudgedSet
from indexing.progress import Progress, silent
from indexing.provenance import code_revision, library_versions
from indexing.records import PassageId
from search.load import open_pipeline, open_reranker
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker
from search.served import NO_RERANKER
from search.settings import Fusion
from training.judgments.judged_set import count_absent, judged_files
from training.judgments.protection import Protection
from training.mining.files import MANIFEST, write_negatives
from training.mining.first_stage import SERVED_DEPTH, ServedFirstStage
from training.mining.negatives import MinedQuery, Rescore, Text, hard_negatives
from training.mining.report import MiningReport, Tally
from training.mining.settings import MiningOptions, MiningSettings, NegativesLayout

ALL_FORMS = NegativesLayout()
NONE_PROTECTED = Protection()


@dataclass(frozen=True)
class Miner:
    """A first stage, the rules that its candidates must pass and, optionally, a re-ranker that re-scores them."""

    stage: ServedFirstStage
    settings: MiningSettings
    reranker: Reranker | None = None

    @classmethod
    def open(
        cls,
        pipeline: RetrieveAndRerank,
        settings: MiningSettings,
        *,
        fusion: Fusion = "rrf",
        reranker: Reranker | None = None,
    ) -> "Miner":
        """A miner on a pipeline's first stage, as deep as the settings' ranks and at least as deep as in search.

        The pipeline's own re-ranker isn't used. Raises SettingsError if the fusion is unknown.
        """
        stage = ServedFirstStage(pipeline, fusion=fusion, depth=max(settings.ranks[1], SERVED_DEPTH))
        return cls(stage, settings, reranker)

    @property
    def scale(self) -> str:
        """Name of the scale that margins and limits apply to, such as `bm25` or `logits of NAME`."""
        return self.stage.fusion if self.reranker is None else f"logits of {self.reranker.name}"

    def mine(self, judged: JudgedSet, *, progress: Progress = silent) -> Iterator[MinedQuery]:
        """Negatives of each query, one query in memory at a time; a re-ranker's raw logits replace the scores."""
        for query in judged.queries:
            candidates = self.stage.candidates(query, judged.qrels.get(query.id, {}))
            rescore = None if self.reranker is None else _rescore(self.reranker, query.text, self.stage.text)
            yield hard_negatives(candidates, self.settings, text=self.stage.text, rescore=rescore)
            progress("mine", 1, len(judged.queries))


def mine_negatives(
    index: str,
    output: Path,
    settings: MiningSettings = MiningSettings(),  # noqa: B008  # immutable
    options: MiningOptions = MiningOptions(),  # noqa: B008  # immutable
    *,
    root: Path | None = None,
    progress: Progress = silent,
) -> MiningReport:
    """Mine hard negatives for judged queries from an index, and write them to the new folder `output`.

    It holds a file for each form of the options' layout, `mined.jsonl` with ids, ranks and scores, and `manifest.json`
    with the report and all settings. `mined:OUTPUT` is then a source of training data. For example:

        report = mine_negatives("sample", Path("data/runs/negatives"), MiningSettings(per_query=7))
        print(describe(report))

    `root` is the folder of all indexes. Queries in a judged split other than train of the sample's or the index's
    corpus, and queries in the files of `options.protect`, are never mined.

    Raises:
        SettingsError: the fusion is unknown, a query is too long, or the judgments don't exist.
        TrainingError: `output` exists, no query may be mined, or no negative was found.
        IndexingError, CorpusError, ModelError: the index, a file or the re-ranker can't be read.
    """
    check_new(output)
    pipeline = open_pipeline(index, reranker=NO_RERANKER, root=root)
    reranker = open_reranker(options.reranker) if options.reranker else None
    miner = Miner.open(pipeline, settings, fusion=options.fusion, reranker=reranker)
    folders = [path for path in (places.sample(), open_corpus_folder(pipeline.index)) if path.is_dir()]
    return mine_to(
        output,
        miner,
        _judged(pipeline.index, options),
        layout=options.layout,
        protection=Protection.read(options.protect, folders),
        progress=progress,
    )


def mine_to(
    target: Path,
    miner: Miner,
    judged: JudgedSet,
    *,
    layout: NegativesLayout = ALL_FORMS,
    protection: Protection = NONE_PROTECTED,
    progress: Progress = silent,
) -> MiningReport:
    """Mine a judged set and write the new folder `target`, as `mine_negatives` does.

    Raises:
        SettingsError: a query is too long.
        TrainingError: `target` exists, no query may be mined, or no negative was found.
    """
    check_new(target)
    allowed = _allowed(judged, protection)
    tally = Tally(
        per_query=miner.settings.per_query,
        scale=miner.scale,
        protected=len(judged.queries) - len(allowed.queries),
        absent=count_absent(judged, miner.stage.index),
    )
    with atomic.folder(target) as work:
        queries = {query.id: query.text for query in allowed.queries}
        rows = write_negatives(
            work,
            tally.watch(miner.mine(allowed, progress=progress)),
            layout,
            query_texts=queries,
            text=miner.stage.text,
            per_query=miner.settings.per_query,
        )
        report = _check(tally.report())
        settings = asdict(layout) | {"split": judged.split, "source": miner.stage.fusion}
        settings |= {"settings": asdict(miner.settings), "code_revision": code_revision()}
        settings |= {"reranker": None if miner.reranker is None else miner.reranker.name}
        atomic.write_json(work / MANIFEST, _manifest(work, miner.stage.index, rows, report) | settings)
    return report


def _judged(index: Index, options: MiningOptions) -> JudgedSet:
    """The queries to mine, with their judgments."""
    if options.queries is not None and options.qrels is not None:
        return judged_files(options.queries, options.qrels)
    return judged_split(index, options.split)


def _allowed(judged: JudgedSet, protection: Protection) -> JudgedSet:
    allowed = protection.without(judged)
    if not allowed.queries:
        raise TrainingError(
            f"None of the {len(judged.queries):,} judged {judged.split} queries may be mined: "
            f"{'all are protected' if judged.queries else 'the set is empty'}; choose other judgments or --protect."
        )
    return allowed


def _check(report: MiningReport) -> MiningReport:
    if not report.negatives:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in report.dropped.items() if count)
        raise TrainingError(
            f"No negative was found for {report.queries:,} queries ({report.without_positive:,} have no positive in "
            f"the index; candidates dropped: {rules or 'none'}); loosen the margins, or widen --ranks."
        )
    return report


def _manifest(work: Path, index: Index, rows: Mapping[str, int], report: MiningReport) -> dict[str, Any]:
    built = index.manifest
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
