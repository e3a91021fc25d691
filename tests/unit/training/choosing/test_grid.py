"""A pipeline that the grid evaluates gives what `RetrieveAndRerank.search` gives with the same settings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from indexing.judged.fit import FittedSet, fit_judgments
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker, Scores
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from tests.conftest import QRELS, QUERIES
from training.choosing.contenders import Contender, FirstStageChoice, Grid
from training.choosing.evaluated import ChoosingSettings, Evaluated, evaluate_index
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE

FIRST_STAGES = (
    FirstStageChoice(fusion="bm25"),
    FirstStageChoice(fusion="dense"),
    FirstStageChoice(rrf_k=3),
    FirstStageChoice(fusion="weighted", bm25_weight=0.3),
)
GRID = Grid(rerankers=("length", "late"), first_stages=FIRST_STAGES, depths=(3, 8, 150), shares=(0.3, 0.8))
ALL = {query: text for queries in QUERIES.values() for query, text in queries.items()}


class LengthReranker:
    """A re-ranker that counts letters, in steps of twenty, so that many passages tie."""

    name = "length"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        logits = [(len(passage) * (1 + len(query) % 3)) // 20 % 4 for passage in passages]
        return Scores(np.array(logits, dtype=np.float32))  # (passages,) float32


@pytest.fixture(scope="module")
def fitted(small_index: Index) -> FittedSet:
    """All judged queries of the small corpus, with a judgment below 0 and one of a passage that isn't there."""
    qrels = {
        QueryId(query): {PassageId(name): grade for name, grade in grades.items()}
        for judged in QRELS.values()
        for query, grades in judged.items()
    }
    qrels[QueryId("4")] |= {PassageId("zz"): 2, PassageId("b5"): -1}
    judged = JudgedSet("all", tuple(Query(QueryId(name), text) for name, text in ALL.items()), qrels)
    return fit_judgments(judged, small_index.passages, name="small")


@pytest.fixture(scope="module")
def rerankers(bi_encoder: BiEncoder) -> dict[str, Reranker]:
    return {"length": LengthReranker(), "late": LateInteractionReranker(bi_encoder)}


@pytest.fixture(scope="module")
def evaluated(
    small_index: Index, bi_encoder: BiEncoder, rerankers: dict[str, Reranker], fitted: FittedSet
) -> Evaluated:
    theirs = {QueryId("4"): Ranking([PassageId(name) for name in ("b1", "no", "b2", "b3")], np.array([4, 3, 2, 1]))}
    settings = ChoosingSettings(grid=GRID, runs={"theirs": theirs})
    return evaluate_index(small_index, bi_encoder, rerankers, fitted, settings=settings)


def test_the_grid_holds_every_combination_once(evaluated: Evaluated) -> None:
    contenders = evaluated.values.contenders
    # without a re-ranker: 4 first stages and 1 run; each re-ranker: (4 + 1) x 3 depths x 3 orders = 45 bases; alone
    # and 2 shares of 3 mixtures, of late interaction 2: 45 x 7 + 45 x 5
    assert len(contenders) == len(set(contenders)) == 5 + 45 * 7 + 45 * 5


def test_a_pipeline_of_the_grid_answers_as_search_does(
    evaluated: Evaluated, bi_encoder: BiEncoder, rerankers: dict[str, Reranker]
) -> None:
    pipelines = {
        name: RetrieveAndRerank(evaluated.index, bi_encoder, rerankers.get(name))
        for name in ("length", "late", NO_RERANKER)
    }
    ours = [contender for contender in evaluated.values.contenders if not contender.run]
    for contender in ours[::17]:  # a prime, so that every part of the grid is met
        for query in evaluated.gathered.values():
            found = pipelines[contender.reranker].search(query.query.text, contender.settings).final
            ranked = query.rank(contender)
            assert ranked.passage_ids == found.passage_ids, contender
            np.testing.assert_allclose(ranked.scores, found.scores, atol=1e-4)  # late interaction in other batches


def test_the_grids_figures_are_the_houses_measure_of_those_lists(evaluated: Evaluated, fitted: FittedSet) -> None:
    qrels = fitted.judged.qrels
    for row, contender in enumerate(evaluated.values.contenders):
        run = {query: gathered.rank(contender) for query, gathered in evaluated.gathered.items()}
        measured = measure_run(run, qrels, minimum_grade=1, names=[MAIN_MEASURE]).per_query[MAIN_MEASURE]
        assert evaluated.values.of(row) == pytest.approx(dict(measured), abs=1e-6), contender


def test_another_systems_list_is_re_ranked_without_what_the_index_lacks(evaluated: Evaluated) -> None:
    query = evaluated.gathered[QueryId("4")]
    alone = Contender(reranker=NO_RERANKER, settings=PipelineSettings(rerank_depth=0), run="theirs")
    assert query.rank(alone).passage_ids == ("b1", "b2", "b3")
    settings = PipelineSettings(rerank_depth=2)
    reranked = query.rank(replace(alone, reranker="length", settings=settings)).passage_ids
    assert set(reranked) == {"b1", "b2"}
    assert len(evaluated.gathered[QueryId("5")].rank(alone)) == 0
