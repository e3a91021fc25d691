"""Re-ranks the candidates together with the judged positives that the first stage missed.

This is the second account of a re-ranker. In the first it reads only what was retrieved, and can't find what it never
reads; in the second it reads every judged positive.
"""

from collections.abc import Callable
from dataclasses import dataclass

from indexing.index import Index
from indexing.judged.sets import JudgedSet
from indexing.progress import Progress, silent
from indexing.records import PassageId, Ranking, Run
from search.rerank.reranker import Reranker
from training.evaluation.attribution import append, missed_positives

TextOf = Callable[[PassageId], str | None]
"""Looks up the text of a passage; None if the collection lacks it."""


@dataclass(frozen=True)
class SecondAccount:
    """The candidates followed by the missed positives, and the re-ranking of them all."""

    candidates: Run
    reranked: Run
    appended: int
    """Number of missed positives that were added, over all queries."""
    without_text: int
    """Number of missed positives that couldn't be added because the collection lacks them."""


def rerank_with_missed(
    candidates: Run,
    reranked: Run,
    judged: JudgedSet,
    *,
    reranker: Reranker,
    text_of: TextOf,
    minimum_grade: int,
    progress: Progress = silent,
) -> SecondAccount:
    """Score the positives that `candidates` missed and merge them into `reranked`, this re-ranker's logits of those."""
    missed = missed_positives(candidates, judged.qrels, minimum_grade=minimum_grade)
    texts = {passage_id: text_of(passage_id) for ids in missed.values() for passage_id in ids}
    with_text = {query: tuple(name for name in ids if texts[name] is not None) for query, ids in missed.items()}
    complete = dict(reranked)
    for query in judged.queries:
        ids = with_text.get(query.id, ())
        if ids:
            logits = reranker.score(query.text, [texts[passage_id] or "" for passage_id in ids]).logits.tolist()
            ranking = reranked[query.id] if query.id in reranked else Ranking.sort(())
            scored = zip(ranking.passage_ids, ranking.scores.tolist(), strict=True)
            complete[query.id] = Ranking.sort([*scored, *zip(ids, logits, strict=True)])
        progress("missed", 1, len(judged.queries))
    appended = sum(map(len, with_text.values()))
    return SecondAccount(
        candidates=append(candidates, {query: ids for query, ids in with_text.items() if ids}),
        reranked=complete,
        appended=appended,
        without_text=sum(map(len, missed.values())) - appended,
    )


def text_in(index: Index) -> TextOf:
    """A function that looks up a passage's text in an index, in the form that a re-ranker reads."""

    def text_of(passage_id: PassageId) -> str | None:
        try:
            return index.passages.by_id(passage_id).content
        except KeyError:
            return None

    return text_of
