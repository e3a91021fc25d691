"""First-stage lists of judged queries, retrieved once and scored by any number of re-rankers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexing.corpus.corpus import Corpus
from indexing.errors import CorpusError, SettingsError
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.judged.sets import JudgedSet
from indexing.progress import Progress, silent
from indexing.records import PassageId, Qrels, Query, QueryId, Ranking, Run
from search.pipeline import Pipeline
from search.rerank.reranker import Reranker
from search.settings import PipelineSettings
from search.trec import read_run
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE


@dataclass(frozen=True)
class Candidates:
    """A judged set with a ready-made first-stage run to re-rank, such as that of a TREC DL folder."""

    queries: tuple[Query, ...]
    qrels: Qrels
    run: Run
    texts: Mapping[PassageId, str]
    """Texts of every passage in the run, and of the relevant ones that it lacks if the folder has them."""

    @classmethod
    def read(cls, folder: Path, *, depth: int = 100) -> "Candidates":
        """Read corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec from a folder.

        Raises:
            CorpusError: a file is missing or can't be read, or a passage of the run has no text.
        """
        for name in ("corpus.jsonl", "queries.tsv", "qrels.txt", "runs/bm25.trec"):
            if not (folder / name).is_file():
                raise CorpusError(f"{folder / name} doesn't exist; a folder to re-rank needs it (see README.md).")
        qrels = read_qrels(folder / "qrels.txt")
        run = {query: ranking.top(depth) for query, ranking in read_run(folder / "runs/bm25.trec").items()}
        ranked = {passage_id for ranking in run.values() for passage_id in ranking.passage_ids}
        relevant = {passage_id for grades in qrels.values() for passage_id, grade in grades.items() if grade > 0}
        texts = {passage.id: passage.content for passage in Corpus(folder) if passage.id in ranked | relevant}
        if ranked - texts.keys():
            raise CorpusError(f"{folder}/corpus.jsonl lacks {len(ranked - texts.keys())} passages of runs/bm25.trec.")
        queries = tuple(query for query in read_queries(folder / "queries.tsv") if query.id in qrels)
        return cls(queries, qrels, run, texts)


def first_stage_lists(
    pipeline: Pipeline,
    judged: JudgedSet,
    *,
    depth: int,
    queries: int | None = None,
    progress: Progress = silent,
) -> Candidates:
    """Retrieve the fused first stage's best `depth` passages for a judged set's first `queries` queries, as served.

    Raises:
        SettingsError: the set has no judged queries.
    """
    chosen = judged.queries[:queries]
    if not chosen:
        raise SettingsError(f"The {judged.split} split has no judged query; give an index of a corpus that has some.")
    settings = PipelineSettings(depth=depth, rerank_depth=0)
    run: dict[QueryId, Ranking] = {}
    texts: dict[PassageId, str] = {}
    for query in chosen:
        trace = pipeline.search(query.text, settings)
        run[query.id] = trace.fused
        texts |= {passage_id: passage.content for passage_id, passage in trace.passages.items()}
        progress("first stage", 1, len(chosen))
    return Candidates(chosen, {query.id: judged.qrels[query.id] for query in chosen}, run, texts)


def reranked(candidates: Candidates, reranker: Reranker, *, progress: Progress = silent) -> Run:
    """Each query's list, ordered by the re-ranker's logits."""
    run: dict[QueryId, Ranking] = {}
    for query in candidates.queries:
        ids = candidates.run[query.id].passage_ids
        logits = reranker.score(query.text, [candidates.texts[passage_id] for passage_id in ids]).logits
        run[query.id] = Ranking.sort(zip(ids, logits.tolist(), strict=True))
        progress("re-rank", 1, len(candidates.queries))
    return run


def ndcg(run: Run, candidates: Candidates) -> Mapping[QueryId, float]:
    """nDCG@10 of every judged query; a query missing from the run counts 0."""
    return measure_run(run, candidates.qrels, minimum_grade=1, names=(MAIN_MEASURE,)).per_query[MAIN_MEASURE]
