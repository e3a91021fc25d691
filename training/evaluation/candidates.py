"""First-stage lists of judged queries, retrieved once and scored by any number of re-rankers."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from indexing.corpus.corpus import Corpus
from indexing.errors import CorpusError, SettingsError
from indexing.judged.fit import PassagesInMemory, check_answers, fit_judgments, leave_out, listed
from indexing.judged.sets import JudgedSet, read_judged
from indexing.notes import Note, log_note, silent_note
from indexing.progress import Progress, silent
from indexing.records import Floats, PassageId, Qrels, Query, QueryId, Ranking, Run
from search.answers import ranking_json
from search.pipeline import Pipeline
from search.queries import searchable_queries
from search.rerank.reranker import PAIRS_AT_ONCE, PairScorer, Reranker
from search.settings import DEEPEST, PipelineSettings
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
    absent: Mapping[QueryId, frozenset[PassageId]] = field(default_factory=dict, kw_only=True)
    """By query, the relevant passages that the collection lacks."""
    own: frozenset[QueryId] = field(default=frozenset(), kw_only=True)
    """Queries that are passages of the collection themselves; these aren't in their lists."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """What was left out or doesn't fit, in sentences."""

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with the queries, the lists and the texts."""
        lists = {query: ranking_json(ranking) for query, ranking in self.run.items()}
        content = json.dumps([[(query.id, query.text) for query in self.queries], lists, dict(self.texts)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def part(self, count: int) -> "Candidates":
        """So many of the queries, from all over the set, with their judgments and lists; itself if it has no more."""
        if count >= len(self.queries):
            return self
        queries = tuple(self.queries[place * len(self.queries) // count] for place in range(count))
        ids = {query.id for query in queries}
        return replace(
            self,
            queries=queries,
            qrels={query: grades for query, grades in self.qrels.items() if query in ids},
            run={query: ranking for query, ranking in self.run.items() if query in ids},
        )

    @classmethod
    def read(cls, folder: Path, *, depth: int = 100) -> "Candidates":
        """Read corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec from a folder.

        Raises:
            CorpusError: a file is missing or can't be read, or a passage of the run has no text.
            SettingsError: the judgments don't fit the passages, or the run the judgments.
        """
        for name in ("corpus.jsonl", "queries.tsv", "qrels.txt", "runs/bm25.trec"):
            if not (folder / name).is_file():
                raise CorpusError(f"{folder / name} doesn't exist; a folder to re-rank needs it (see README.md).")
        judged = _read_queries(folder)
        told: list[str] = []
        run = read_run(folder / "runs/bm25.trec", note=told.append)
        check_answers(f"Run {folder / 'runs/bm25.trec'}", run, judged.qrels)
        ranked = {passage for query in judged.qrels if query in run for passage in run[query].passage_ids[: depth + 1]}
        wanted = ranked | {passage for grades in judged.qrels.values() for passage in grades} | judged.qrels.keys()
        found = PassagesInMemory({passage.id: passage for passage in Corpus(folder) if passage.id in wanted})
        if lost := sorted(ranked - found.passages.keys()):
            raise CorpusError(f"{folder}/corpus.jsonl lacks {len(lost):,} passages of runs/bm25.trec: {listed(lost)}.")
        fitted = fit_judgments(judged, found, name=f"{folder}/corpus.jsonl")
        lists = {query: ranking.top(depth) for query, ranking in fitted.measured(run).items() if query in judged.qrels}
        relevant = {name for grades in judged.qrels.values() for name, grade in grades.items() if grade > 0}
        texts = {name: passage.content for name, passage in found.passages.items() if name in ranked | relevant}
        notes = (*fitted.notes, *told)
        if len(run) > len(lists):
            unjudged = [query for query in run if query not in judged.qrels]
            notes += (
                f"{folder}/runs/bm25.trec answers {len(unjudged):,} queries that nobody judged; they are left out.",
            )
        return cls(judged.queries, fitted.judged.qrels, lists, texts, absent=fitted.absent, own=fitted.own, notes=notes)


def _read_queries(folder: Path) -> JudgedSet:
    """The judged queries of a folder, cut to what is searched."""
    judged = read_judged(folder / "queries.tsv", folder / "qrels.txt", split=folder.name, note=silent_note)
    if not judged.queries:
        raise SettingsError(
            f"No query of {folder}/queries.tsv is judged in {folder}/qrels.txt (judged is "
            f"{listed(judged.without_text)}); give files with the same query ids."
        )
    return judged


def first_stage_lists(
    pipeline: Pipeline,
    judged: JudgedSet,
    *,
    depth: int,
    queries: int | None = None,
    note: Note = log_note,
    progress: Progress = silent,
) -> Candidates:
    """Retrieve the fused first stage's best `depth` passages for a judged set's first `queries` queries, as served.

    A query that is a passage of the index itself doesn't retrieve that passage. `note` gets a sentence on each thing
    that doesn't fit.

    Raises:
        SettingsError: the set has no judged queries, or the index holds none of its passages.
    """
    chosen = judged.queries[:queries]
    if not chosen:
        raise SettingsError(f"The {judged.split} split has no judged query; give an index of a corpus that has some.")
    part = replace(judged, queries=chosen, qrels={query.id: judged.qrels[query.id] for query in chosen}, notes=())
    fitted = fit_judgments(part, pipeline.index.passages, name=f"index {pipeline.index.manifest.name}")
    notes = list(fitted.notes)
    searched = searchable_queries(chosen, note=notes.append)
    for sentence in notes:
        note(sentence)
    run: dict[QueryId, Ranking] = {}
    texts: dict[PassageId, str] = {}
    for query in searched:
        own = query.id in fitted.own
        trace = pipeline.search(query.text, PipelineSettings(depth=deeper(depth, own=own), rerank_depth=0))
        run[query.id] = (leave_out(trace.fused, query.id) if own else trace.fused).top(depth)
        texts |= {passage_id: passage.content for passage_id, passage in trace.passages.items()}
        progress("first stage", 1, len(chosen))
    notes = [*judged.notes, *notes]
    return Candidates(
        tuple(searched), fitted.judged.qrels, run, texts, absent=fitted.absent, own=fitted.own, notes=tuple(notes)
    )


def deeper(depth: int, *, own: bool) -> int:
    """The depth to search to: one more where the query's own passage will be left out."""
    return min(depth + own, DEEPEST)


def reranked(candidates: Candidates, reranker: Reranker, *, progress: Progress = silent) -> Run:
    """Each query's list, ordered by the re-ranker's logits; short lists are read several at once where it can."""
    nothing = Ranking.sort([])  # what the first stage has for a query that its run lacks
    run: dict[QueryId, Ranking] = {}
    lists = [candidates.run.get(query.id, nothing).passage_ids for query in candidates.queries]
    for group in groups_of(lists, pairs=PAIRS_AT_ONCE if isinstance(reranker, PairScorer) else 0):
        queries = [candidates.queries[place] for place in group]
        texts = [[candidates.texts[passage_id] for passage_id in lists[place]] for place in group]
        for place, logits in zip(group, _logits(reranker, queries, texts), strict=True):
            run[candidates.queries[place].id] = Ranking.sort(zip(lists[place], logits.tolist(), strict=True))
            progress("re-rank", 1, len(candidates.queries))
    return run


def _logits(reranker: Reranker, queries: Sequence[Query], texts: Sequence[Sequence[str]]) -> list[Floats]:
    """Of each query's passages, (passages,) float32; those of a single query as it scores a search's."""
    if len(queries) == 1 or not isinstance(reranker, PairScorer):
        none = np.empty(0, dtype=np.float32)
        pairs = zip(queries, texts, strict=True)
        return [reranker.score(query.text, part).logits if part else none for query, part in pairs]
    asked = [query.text for query, part in zip(queries, texts, strict=True) for _ in part]
    logits = reranker.score_pairs(asked, [text for part in texts for text in part])
    return np.split(logits, np.cumsum([len(part) for part in texts])[:-1])


def groups_of(lists: Sequence[Sequence[PassageId]], *, pairs: int) -> Iterator[list[int]]:
    """Places of lists that are read together: at least one, and at most so many passages."""
    group: list[int] = []
    count = 0
    for place, ids in enumerate(lists):
        if group and count + len(ids) > pairs:
            yield group
            group, count = [], 0
        group.append(place)
        count += len(ids)
    if group:
        yield group


def ndcg(run: Run, candidates: Candidates) -> Mapping[QueryId, float]:
    """nDCG@10 of every judged query; a query missing from the run counts 0."""
    return measure_run(run, candidates.qrels, minimum_grade=1, names=(MAIN_MEASURE,)).per_query[MAIN_MEASURE]
