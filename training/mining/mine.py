"""Mines hard negatives for a judged set, query by query, and writes a folder of training data with its report.

Passages, BM25 and vectors are memory-mapped; FAISS's index is in memory, as it is when search runs. Negatives are kept
on disk as they are mined, and only 4 bytes per score stay in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.atomic import check_new
from indexing.errors import TrainingError
from indexing.index import Index, judged_split, open_corpus_folder, open_index
from indexing.judged.fit import fit_judgments
from indexing.judged.sets import JudgedSet
from indexing.notes import Note, counted, log_note
from indexing.progress import Progress, relabel, silent
from indexing.provenance import code_revision, library_versions
from indexing.records import PassageId, Query
from search.journal import Journal, open_journal
from search.load import open_reranker, pipeline_on
from search.pipeline import RetrieveAndRerank
from search.queries import searchable_queries
from search.rerank.reranker import Reranker
from search.served import NO_RERANKER, reranker_fingerprint, reranker_path
from search.settings import Fusion
from training.judgments.judged_set import count_absent, judged_files
from training.judgments.protection import Protection
from training.mining.files import MANIFEST, write_negatives
from training.mining.first_stage import SERVED_DEPTH, ServedFirstStage
from training.mining.kept import journal_path, kept_queries, mined_json, mining_identity
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
            yield self.mine_query(query, judged.qrels.get(query.id, {}))
            progress("mine", 1, len(judged.queries))

    def mine_query(self, query: Query, judged: Mapping[PassageId, int]) -> MinedQuery:
        """Negatives of one query with its judgments."""
        candidates = self.stage.candidates(query, judged)
        rescore = None if self.reranker is None else _rescore(self.reranker, query.text, self.stage.text)
        return hard_negatives(candidates, self.settings, text=self.stage.text, rescore=rescore)

    def kept_by(self) -> dict[str, Any]:
        """All but the build that determines what `mine_query` finds without a re-ranker, as plain JSON."""
        return {"fusion": self.stage.fusion, "depth": self.stage.depth, **asdict(self.settings)}


def mine_negatives(
    index: str,
    output: Path,
    settings: MiningSettings = MiningSettings(),  # noqa: B008  # immutable
    options: MiningOptions = MiningOptions(),  # noqa: B008  # immutable
    *,
    root: Path | None = None,
    progress: Progress = silent,
    note: Note = log_note,
) -> MiningReport:
    """Mine hard negatives for judged queries from an index, and write them to the new folder `output`.

    It holds a file for each form of the options' layout, `mined.jsonl` with ids, ranks and scores, and `manifest.json`
    with the report and all settings. `mined:OUTPUT` is then a source of training data.

    `root` is the folder of all indexes. Queries in a judged split other than train of the sample's or the index's
    corpus, and queries in the files of `options.protect`, are never mined; longer ones than search takes are cut, and
    judgments that don't fit the index are counted, which `note` is told. All is checked before a model is loaded.

    Until the end, what was mined lies in OUTPUT.partial; a call that was stopped goes on there when it is repeated, and
    writes the same files as one that wasn't.

    Raises:
        SettingsError: the fusion is unknown, the judgments don't exist or aren't of the index's passages, or
            OUTPUT.partial was mined otherwise.
        TrainingError: `output` exists, no query may be mined, or no negative was found.
        BusyError: another process mines to `output`.
        IndexingError, CorpusError, ModelError: the index, a file or the re-ranker can't be read.
    """
    check_new(output)
    opened = open_index(index, root=root)
    judged, protected = _to_mine(opened, _judged(opened, options), options, note)
    reranker_folder = reranker_path(options.reranker) if options.reranker else ""
    identity = mining_identity(opened, judged, settings, options, reranker=reranker_fingerprint(reranker_folder))
    with open_journal(journal_path(output), identity, doing=f"mines {output}") as journal:
        if journal.kept:
            note(f"Going on with the mining that was stopped after {counted(len(journal.kept), 'query', 'queries')}.")
        miner = _open_miner(opened, settings, options)
        _mine_left(journal, miner, judged, progress)
        return _write_kept(journal, output, miner, judged, layout=options.layout, protected=protected)


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
    counts = {
        "protected": len(judged.queries) - len(allowed.queries),
        "absent": count_absent(judged, miner.stage.index),
    }
    return _write(target, miner, allowed, miner.mine(allowed, progress=progress), layout=layout, **counts)


def _write(
    target: Path,
    miner: Miner,
    judged: JudgedSet,
    mined: Iterable[MinedQuery],
    *,
    layout: NegativesLayout,
    protected: int,
    absent: int,
) -> MiningReport:
    """Write the new folder `target` with these negatives of the judged queries, and its report."""
    tally = Tally(per_query=miner.settings.per_query, scale=miner.scale, protected=protected, absent=absent)
    with atomic.folder(target) as work:
        rows = write_negatives(
            work,
            tally.watch(mined),
            layout,
            query_texts={query.id: query.text for query in judged.queries},
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


def _open_miner(index: Index, settings: MiningSettings, options: MiningOptions) -> Miner:
    """Load the bi-encoder, and last the re-ranker."""
    pipeline = pipeline_on(index, reranker=NO_RERANKER)
    reranker = open_reranker(options.reranker, encoder=pipeline.encoder) if options.reranker else None
    return Miner.open(pipeline, settings, fusion=options.fusion, reranker=reranker)


def _mine_left(journal: Journal, miner: Miner, judged: JudgedSet, progress: Progress) -> None:
    """Mine the queries that the journal doesn't have yet."""
    kept = set(journal.kept)
    left = replace(judged, queries=tuple(query for query in judged.queries if query.id not in kept))
    progress("mine", len(kept), len(judged.queries))
    for mined in miner.mine(left, progress=relabel(progress, "mine", total=len(judged.queries))):
        journal.add(mined.query_id, mined_json(mined))


def _write_kept(
    journal: Journal, output: Path, miner: Miner, judged: JudgedSet, *, layout: NegativesLayout, protected: int
) -> MiningReport:
    """Write the folder from the journal, and remove the journal, also where nothing was found."""
    counts = {"protected": protected, "absent": count_absent(judged, miner.stage.index)}
    try:
        report = _write(output, miner, judged, kept_queries(journal), layout=layout, **counts)
    except TrainingError:
        journal.remove()
        raise
    journal.remove()
    return report


def _to_mine(index: Index, judged: JudgedSet, options: MiningOptions, note: Note) -> tuple[JudgedSet, int]:
    """The judged queries that may be mined, as they are searched, and how many more are protected."""
    folders = [path for path in (places.sample(), open_corpus_folder(index)) if path.is_dir()]
    allowed = _allowed(judged, Protection.read(options.protect, folders))
    fitted = fit_judgments(allowed, index.passages, name=f"index {index.manifest.name}")
    for sentence in fitted.notes:
        note(sentence)
    queries = tuple(searchable_queries(allowed.queries, note=note))
    return replace(allowed, queries=queries), len(judged.queries) - len(allowed.queries)


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
