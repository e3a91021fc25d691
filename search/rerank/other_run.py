"""Re-ranks the lists of another engine: the texts come from an index, or from a corpus that nobody indexed."""

from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.notes import Note, counted, log_note, shown
from indexing.records import Floats, PassageId, Query, Ranking, Run
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker, score_passages
from search.rerank.stopping import rerank_in_order
from search.retrieve import FirstStage
from search.settings import FirstScore, PipelineSettings

ReRank = Callable[[Query, Ranking], Ranking]
"""A query's list, re-ranked."""


def check_lists(
    run: Run, queries: Sequence[Query], known: Container[PassageId], *, source: str, path: Path, note: Note = log_note
) -> list[Query]:
    """The queries that have a text and a list, after `note` was told what else there is.

    Raises:
        SettingsError: there is no such query, or no passage of the run is known in `source`.
    """
    texts = {query.id for query in queries}
    found = [query for query in queries if query.id in run]
    if not found:
        raise SettingsError(
            f"{path} has no list for any of the {len(queries):,} queries; give the queries of that run."
        )
    if textless := sorted(set(run) - texts):
        note(
            f"Without a text and left out: {counted(len(textless), 'query', 'queries')} of {path} ({shown(textless)})."
        )
    if listless := sorted(texts - set(run)):
        note(f"Without a list in {path}: {counted(len(listless), 'query', 'queries')} ({shown(listless)}).")
    ids = {name for query in found for name in run[query.id].passage_ids}
    unknown = sorted(name for name in ids if name not in known)
    if len(unknown) == len(ids):
        raise SettingsError(f"{source} holds no passage of {path} (such as {unknown[0]!r}); give its own corpus.")
    if unknown:
        few = f"{counted(len(unknown), 'passage')} of {path} ({shown(unknown)})"
        note(f"Not in {source}, so they stay below what is re-ranked: {few}.")
    return found


def by_index(pipeline: RetrieveAndRerank, settings: PipelineSettings) -> ReRank:
    """Re-ranks with an index's texts, vectors and stored tokens, as a search on it does."""
    index, encoder = pipeline.index, pipeline.encoder

    def rerank(query: Query, ranking: Ranking) -> Ranking:
        held = ranking.among(index.passages).top(settings.depth)
        rows = {name: index.passages.row_of(name) for name in held.passage_ids}
        first = FirstStage(
            query=query.text,
            rankings={"run": held},
            fused=held,
            rows=rows,
            passages={name: index.passages[row] for name, row in rows.items()},
            vector=encoder.encode_query(query.text) if "dense" in settings.needs else None,
            seconds={},
        )
        return above(pipeline.rerank(first, settings).final, ranking)

    return rerank


def by_texts(
    texts: Mapping[PassageId, str], reranker: Reranker, encoder: BiEncoder | None, settings: PipelineSettings
) -> ReRank:
    """Re-ranks with these texts; the bi-encoder is used where settings need a cosine or late interaction."""

    def score(query: Query, ranking: Ranking, by: FirstScore) -> Ranking:
        contents = [texts[name] for name in ranking.passage_ids]
        if by == "fused" or encoder is None or not contents:
            return ranking
        if by == "late":
            scores = score_passages(LateInteractionReranker(encoder), query.text, contents).logits
        else:
            scores = np.asarray(encoder.encode_passages(contents) @ encoder.encode_query(query.text), dtype=np.float32)
        return Ranking.sort(zip(ranking.passage_ids, scores.tolist(), strict=True))

    def rerank(query: Query, ranking: Ranking) -> Ranking:
        held = ranking.among(texts).top(settings.depth)
        candidates = score(query, held, settings.rerank_order).top(settings.rerank_depth).passage_ids
        if not candidates:
            return ranking
        weight, stop = settings.rerank_weight, settings.rerank_stop
        other = held.among(set(candidates))
        if weight < 1:
            other = score(query, other, settings.rerank_mix)

        def read(ids: Sequence[PassageId]) -> Floats:
            return score_passages(reranker, query.text, [texts[name] for name in ids]).logits

        return above(rerank_in_order(candidates, other, read, weight=weight, stop=stop), ranking)

    return rerank


def texts_of(corpus: Path, wanted: Container[PassageId]) -> dict[PassageId, str]:
    """The texts of these passages of a corpus. Raises CorpusError."""
    return {passage.id: passage.content for passage in Corpus(corpus) if passage.id in wanted}


def above(reranked: Ranking, ranking: Ranking) -> Ranking:
    """The re-ranked passages, then those of the list that weren't, in its order, with scores that go on falling."""
    first = set(reranked.passage_ids)
    rest = [name for name in ranking.passage_ids if name not in first]
    lowest = float(reranked.scores[-1]) if len(reranked) else 0.0
    scores = [*reranked.scores.tolist(), *(lowest - place for place in range(1, len(rest) + 1))]
    return Ranking([*reranked.passage_ids, *rest], np.array(scores, dtype=np.float32))


def rerank_settings(usual: PipelineSettings, given: Mapping[str, Any]) -> PipelineSettings:
    """The usual settings with those given; where nothing is re-ranked by default, as deep as the program reads."""
    rerank_depth = given.get("rerank_depth", usual.rerank_depth or PipelineSettings.rerank_depth)
    depth = given.get("depth", max(usual.depth, rerank_depth))
    return usual.changed({**given, "depth": depth, "rerank_depth": min(rerank_depth, depth)})
