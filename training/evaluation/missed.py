"""Re-ranks everything: judged positives that the first stage missed are scored too and take part.

That is the second account of a re-ranker: as retrieved, it can't find what it isn't given; here it is given all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexing.index import Index
from indexing.progress import Progress, silent
from indexing.records import PassageId, Qrels, Query, Ranking, Run
from search.rerank.reranker import Reranker
from training.evaluation.attribution import append, missed_positives

TextOf = Callable[[PassageId], str | None]
"""The text of a passage; None where the collection doesn't hold it."""


@dataclass(frozen=True)
class SecondAccount:
    """The candidates with the missed positives behind them, and their re-ranking."""

    candidates: Run
    reranked: Run
    appended: int
    """Positives that the first stage missed and that were added, over all queries."""
    without_text: int
    """Positives that it missed and that can't be added, because the collection doesn't hold them."""


def rerank_everything(
    candidates: Run,
    reranked: Run,
    queries: Sequence[Query],
    qrels: Qrels,
    *,
    reranker: Reranker,
    text_of: TextOf,
    minimum_grade: int,
    progress: Progress = silent,
) -> SecondAccount:
    """Score what `candidates` missed and sort it in; `reranked` holds this re-ranker's logits of all candidates."""
    wanted = missed_positives(candidates, qrels, minimum_grade=minimum_grade)
    texts = {name: text_of(name) for names in wanted.values() for name in names}
    missed = {query: tuple(name for name in names if texts[name] is not None) for query, names in wanted.items()}
    complete = dict(reranked)
    for query in queries:
        names = missed.get(query.id, ())
        if names:
            logits = reranker.score(query.text, [texts[name] or "" for name in names]).logits.tolist()
            given = reranked[query.id] if query.id in reranked else Ranking.sort(())
            known = zip(given.passage_ids, given.scores.tolist(), strict=True)
            complete[query.id] = Ranking.sort([*known, *zip(names, logits, strict=True)])
        progress("missed", 1, len(queries))
    appended = sum(map(len, missed.values()))
    without = sum(map(len, wanted.values())) - appended
    return SecondAccount(
        append(candidates, {q: names for q, names in missed.items() if names}), complete, appended, without
    )


def text_in(index: Index) -> TextOf:
    """What an index holds of a passage, as a re-ranker reads it."""

    def text_of(passage_id: PassageId) -> str | None:
        try:
            return index.passages.by_id(passage_id).content
        except KeyError:
            return None

    return text_of
