"""Gathers the first stage of judged queries: BM25's k1 and b, both retrievers' lists, and all their cosines."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from indexing.bm25.settings import Bm25Settings
from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from indexing.judged.fit import FittedSet, leave_out
from indexing.progress import Progress, silent
from indexing.records import PassageId, Query, QueryId, Ranking, Run
from search.journal import Journal
from search.retrieve import bm25_settings, retrieve_bm25, retrieve_dense
from training.choosing.choose import pick
from training.choosing.gathered import GatheredQuery, read_gathered
from training.choosing.grid import CUTOFF
from training.choosing.sharing import ALONE, Sharing
from training.evaluation.candidates import deeper
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

K1 = (0.6, 0.9, 1.2, 1.5, 2.0)
B = (0.2, 0.4, 0.6, 0.75, 0.9)


def choose_bm25(
    index: Index, fitted: FittedSet, queries: Sequence[QueryId], *, progress: Progress = silent
) -> Bm25Settings:
    """BM25's k1 and b by nDCG@10 of BM25 alone on these queries; the index's own where none is clearly better.

    An index without postings has only its own.
    """
    own = bm25_settings(index, k1=None, b=None)
    postings = index.postings
    if postings is None:
        return own
    tried = [own, *(bm25_settings(index, k1=k1, b=b) for k1, b in product(K1, B) if (k1, b) != (own.k1, own.b))]
    runs: list[dict[QueryId, Ranking]] = [{} for _ in tried]
    for query in _chosen(fitted, queries):
        matches = postings.matches(index.analyzer.query_terms(query.text))
        for run, settings in zip(runs, tried, strict=True):
            rows, scores = matches.search(settings, depth=deeper(CUTOFF, own=query.id in fitted.own))
            ids = [index.passages.id_at(row) for row in rows.tolist()]
            run[query.id] = Ranking.sort(zip(ids, scores.tolist(), strict=True))
        progress("k1 and b", 1, len(queries))
    qrels = {query: fitted.judged.qrels[query] for query in queries}
    measured = [measure_run(fitted.measured(run), qrels, minimum_grade=1, names=[MAIN_MEASURE]) for run in runs]
    values = np.array([list(one.per_query[MAIN_MEASURE].values()) for one in measured])  # (settings, queries)
    return tried[pick(values, [number > 0 for number in range(len(tried))])]


def gather_first(
    index: Index,
    encoder: BiEncoder,
    fitted: FittedSet,
    *,
    bm25: Bm25Settings,
    depths: Sequence[int],
    runs: Mapping[str, Run] | None = None,
    journal: Journal | None = None,
    sharing: Sharing = ALONE,
    progress: Progress = silent,
) -> list[GatheredQuery]:
    """Both retrievers' lists to these depths and the cosines of all their passages, for each judged query.

    `runs` are other systems' lists, of which the passages are kept that the index holds. What is gathered is kept in
    the journal, and queries that are there already aren't searched.
    """
    kept = {} if journal is None else dict(journal.items())
    gathered = []
    for query in fitted.judged.queries:
        if query.id in kept:
            gathered.append(read_gathered(query, kept[query.id]))
        else:
            own = query.id in fitted.own
            lists = {name: run[query.id] for name, run in (runs or {}).items() if query.id in run}
            with sharing.turn():
                found = _gather(index, encoder, query, own=own, bm25=bm25, depths=depths, runs=lists)
            gathered.append(found)
            if journal is not None:
                journal.add(query.id, gathered[-1].as_json())
        progress("first stage", 1, len(fitted.judged.queries))
    return gathered


def _gather(
    index: Index,
    encoder: BiEncoder,
    query: Query,
    *,
    own: bool,
    bm25: Bm25Settings,
    depths: Sequence[int],
    runs: Mapping[str, Ranking],
) -> GatheredQuery:
    vector = encoder.encode_query(query.text)  # (dim,) float32
    words = retrieve_bm25(index, query.text, depth=deeper(max(depths), own=own), k1=bm25.k1, b=bm25.b)
    dense = {depth: retrieve_dense(index, vector, depth=deeper(depth, own=own)) for depth in depths}
    rows = {name: row for lists in (words, *dense.values()) for name, row in lists.rows.items()}
    ours = {name: _held(index, ranking, depth=max(depths)) for name, ranking in runs.items()}
    for ranking in ours.values():
        rows |= {name: index.passages.row_of(name) for name in ranking.passage_ids if name not in rows}
    cosines = index.vectors.rows(np.array(list(rows.values()), dtype=np.int64)) @ vector  # (passages,) float32

    def usable(ranking: Ranking, depth: int) -> Ranking:
        return (leave_out(ranking, query.id) if own else ranking).top(depth)

    return GatheredQuery(
        query=query,
        bm25=usable(words.ranking, max(depths)),
        dense={depth: usable(lists.ranking, depth) for depth, lists in dense.items()},
        cosines=dict(zip(rows, cosines.tolist(), strict=True)),
        runs={name: usable(ranking, max(depths)) for name, ranking in ours.items()},
    )


def _held(index: Index, ranking: Ranking, *, depth: int) -> Ranking:
    """The passages of a list that the index holds, at most `depth` and the query's own."""
    places = [place for place, name in enumerate(ranking.passage_ids) if name in index.passages][: depth + 1]
    return Ranking([PassageId(ranking.passage_ids[place]) for place in places], ranking.scores[places])


def _chosen(fitted: FittedSet, queries: Sequence[QueryId]) -> list[Query]:
    wanted = set(queries)
    return [query for query in fitted.judged.queries if query.id in wanted]
