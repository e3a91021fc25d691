"""What each stage is worth: BM25, dense, fused, re-ranked and interpolated, by the field's measures.

Means are over the judged queries, not the returned ones. Binary measures count grades from
MINIMUM_GRADE on. A weight between re-ranker and first stage is chosen on dev queries only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

from indexing.corpus import Corpus
from indexing.encoder import BiEncoder
from indexing.errors import CorpusError
from indexing.records import Floats, PassageId, Qrels, Query, QueryId, Ranking, Run
from search.fuse import interpolate, reciprocal_rank_fusion
from search.pipeline import PipelineSettings, RetrieveAndRerank
from search.rerank import Reranker
from search.trec import JudgedSet, read_qrels, read_queries, read_run

MINIMUM_GRADE = 2
MEASURES = {
    "nDCG@10": nDCG @ 10,
    "MRR@10": RR(rel=MINIMUM_GRADE) @ 10,
    "R@100": R(rel=MINIMUM_GRADE) @ 100,
}
WEIGHTS = tuple(round(step * 0.05, 2) for step in range(21))
BOOTSTRAP_SAMPLES = 2000
STAGES = ("BM25", "dense", "fused (RRF)", "re-ranked", "re-ranked + first stage")
Progress = Callable[[int, int], None]
"""Called with queries done and queries in all."""


class Row(NamedTuple):
    """One system's figures."""

    system: str
    values: Mapping[str, float]
    interval: tuple[float, float]
    """95 % bootstrap interval of nDCG@10 over the queries."""
    per_query: Mapping[QueryId, float]
    """nDCG@10 of each judged query."""


@dataclass(frozen=True)
class Stages:
    """What each stage returned for each query."""

    bm25: Run
    dense: Run
    fused: Run
    reranked: Run

    def interpolated(self, weight: float) -> Run:
        """The re-ranker's score times `weight`, the fused first stage's times the rest."""
        return {
            query: interpolate(ranking, self.fused[query], weight=weight) for query, ranking in self.reranked.items()
        }


def evaluate_run(system: str, run: Run, qrels: Qrels) -> Row:
    """Means over every query of `qrels`; a query that the run lacks counts 0."""
    scored = {
        query: dict(zip(ranking.passage_ids, _descending(ranking), strict=True)) for query, ranking in run.items()
    }
    judged = {query: dict(grades) for query, grades in qrels.items()}
    values = dict.fromkeys(MEASURES, 0.0)
    per_query: dict[QueryId, float] = dict.fromkeys(judged, 0.0)
    names = {str(measure): name for name, measure in MEASURES.items()}
    for metric in ir_measures.iter_calc(list(MEASURES.values()), judged, scored):
        name = names[str(metric.measure)]
        values[name] += metric.value / len(judged)
        if name == "nDCG@10":
            per_query[QueryId(metric.query_id)] = metric.value
    return Row(system, values, _interval(list(per_query.values())), per_query)


def retrieve_stages(pipeline: RetrieveAndRerank, queries: Sequence[Query], *, depth: int, progress: Progress) -> Stages:
    """Search each query in the pipeline's own index, re-ranking the whole depth."""
    settings = PipelineSettings(depth=depth, rerank_depth=depth)
    runs: tuple[dict[QueryId, Ranking], ...] = ({}, {}, {}, {})
    for done, query in enumerate(queries, start=1):
        trace = pipeline.search(query.text, settings)
        stages = (trace.first_stage["bm25"], trace.first_stage["dense"], trace.fused, trace.final)
        for run, ranking in zip(runs, stages, strict=True):
            run[query.id] = ranking
        progress(done, len(queries))
    return Stages(*runs)


@dataclass(frozen=True)
class Candidates:
    """A judged set with a first-stage run to re-rank as given, such as a folder of TREC DL."""

    queries: tuple[Query, ...]
    qrels: Qrels
    run: Run
    texts: Mapping[PassageId, str]

    @classmethod
    def read(cls, folder: Path, *, depth: int = 100) -> "Candidates":
        """Read corpus.jsonl, queries.tsv, qrels.txt and runs/bm25.trec of a folder.

        Raises:
            CorpusError: one is absent or can't be read, or a passage of the run has no text.
        """
        for name in ("corpus.jsonl", "queries.tsv", "qrels.txt", "runs/bm25.trec"):
            if not (folder / name).is_file():
                raise CorpusError(f"{folder / name} isn't there; a folder to re-rank holds it (see README.md).")
        qrels = read_qrels(folder / "qrels.txt")
        run = {query: ranking.top(depth) for query, ranking in read_run(folder / "runs/bm25.trec").items()}
        wanted = {passage_id for ranking in run.values() for passage_id in ranking.passage_ids}
        texts = {passage.id: passage.content for passage in Corpus(folder) if passage.id in wanted}
        if wanted - texts.keys():
            raise CorpusError(f"{folder}/corpus.jsonl lacks {len(wanted - texts.keys())} passages of runs/bm25.trec.")
        queries = tuple(query for query in read_queries(folder / "queries.tsv") if query.id in qrels)
        return cls(queries, qrels, run, texts)


def rerank_candidates(candidates: Candidates, encoder: BiEncoder, reranker: Reranker, *, progress: Progress) -> Stages:
    """Score each query's given list by the bi-encoder and by the re-ranker."""
    ids = sorted(candidates.texts)
    vectors = encoder.encode_passages([candidates.texts[passage_id] for passage_id in ids])
    row = {passage_id: place for place, passage_id in enumerate(ids)}
    dense: dict[QueryId, Ranking] = {}
    fused: dict[QueryId, Ranking] = {}
    reranked: dict[QueryId, Ranking] = {}
    for done, query in enumerate(candidates.queries, start=1):
        if query.id not in candidates.run:  # counts 0, as in every run
            progress(done, len(candidates.queries))
            continue
        given = candidates.run[query.id]
        cosines = vectors[[row[passage_id] for passage_id in given.passage_ids]] @ encoder.encode_query(query.text)
        dense[query.id] = Ranking.sort(zip(given.passage_ids, cosines.tolist(), strict=True))
        fused[query.id] = reciprocal_rank_fusion({"bm25": given, "dense": dense[query.id]}, depth=len(given))
        logits = reranker.score(query.text, [candidates.texts[passage_id] for passage_id in given.passage_ids]).logits
        reranked[query.id] = Ranking.sort(zip(given.passage_ids, logits.tolist(), strict=True))
        progress(done, len(candidates.queries))
    return Stages(candidates.run, dense, fused, reranked)


def choose_weight(stages: Stages, dev: JudgedSet) -> float:
    """The re-ranker's share with the best nDCG@10 on dev queries; the largest where several tie."""
    values = {weight: evaluate_run("", stages.interpolated(weight), dev.qrels).values["nDCG@10"] for weight in WEIGHTS}
    return max(values, key=lambda weight: (round(values[weight], 6), weight))


def stage_rows(stages: Stages, qrels: Qrels, *, weight: float) -> list[Row]:
    """One row for each of STAGES."""
    runs = (stages.bm25, stages.dense, stages.fused, stages.reranked, stages.interpolated(weight))
    return [evaluate_run(name, run, qrels) for name, run in zip(STAGES, runs, strict=True)]


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table."""
    lines = ["| | " + " | ".join(MEASURES) + " | 95 % of nDCG@10 |", "|---|" + "---:|" * (len(MEASURES) + 1)]
    for row in rows:
        cells = [f"{row.values[name]:.4f}" for name in MEASURES]
        lines.append(f"| {row.system} | " + " | ".join(cells) + f" | {row.interval[0]:.3f} to {row.interval[1]:.3f} |")
    return "\n".join(lines)


def _descending(ranking: Ranking) -> list[float]:
    """Scores that fall strictly, so that other tools keep the ranking's order where scores tie."""
    return [float(len(ranking) - place) for place in range(len(ranking))]


def _interval(values: Sequence[float]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    sample: Floats = np.asarray(values, dtype=np.float32)
    means = rng.choice(sample, size=(BOOTSTRAP_SAMPLES, len(sample))).mean(axis=1)  # (samples,)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
