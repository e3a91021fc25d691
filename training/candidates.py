"""First-stage lists of judged queries, retrieved once and scored by any number of re-rankers."""

from collections.abc import Mapping

from indexing.errors import SettingsError
from indexing.judged import JudgedSet
from indexing.records import PassageId, QueryId, Ranking, Run
from search.pipeline import PipelineSettings, RetrieveAndRerank
from search.rerank import Reranker
from training.evaluate import Candidates, Progress
from training.measures import measure_run

MEASURE = "nDCG@10"


def first_stage_lists(
    pipeline: RetrieveAndRerank, judged: JudgedSet, *, depth: int, queries: int | None = None, progress: Progress
) -> Candidates:
    """The fused first stage's best `depth` passages for the first `queries` of a judged set, as served.

    Raises:
        SettingsError: the set has no judged query.
    """
    chosen = judged.queries[:queries]
    if not chosen:
        raise SettingsError(f"The {judged.split} split has no judged query; give an index of a corpus that has some.")
    settings = PipelineSettings(depth=depth, rerank_depth=0)
    run: dict[QueryId, Ranking] = {}
    texts: dict[PassageId, str] = {}
    for done, query in enumerate(chosen, start=1):
        trace = pipeline.search(query.text, settings)
        run[query.id] = trace.fused
        texts |= {passage_id: passage.content for passage_id, passage in trace.passages.items()}
        progress(done, len(chosen))
    return Candidates(chosen, {query.id: judged.qrels[query.id] for query in chosen}, run, texts)


def reranked(candidates: Candidates, reranker: Reranker, *, progress: Progress) -> Run:
    """Each list in the order of the re-ranker's logits."""
    run: dict[QueryId, Ranking] = {}
    for done, query in enumerate(candidates.queries, start=1):
        ids = candidates.run[query.id].passage_ids
        logits = reranker.score(query.text, [candidates.texts[passage_id] for passage_id in ids]).logits
        run[query.id] = Ranking.sort(zip(ids, logits.tolist(), strict=True))
        progress(done, len(candidates.queries))
    return run


def ndcg(run: Run, candidates: Candidates) -> Mapping[QueryId, float]:
    """nDCG@10 of every judged query; one that the run lacks counts 0."""
    return measure_run(run, candidates.qrels, minimum_grade=1, names=(MEASURE,)).per_query[MEASURE]
