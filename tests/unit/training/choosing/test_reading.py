"""Re-rankers read each passage once: across depths, after a stop, and no more than time allows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from indexing.index import Index
from indexing.judged.fit import FittedSet, fit_judgments
from indexing.judged.sets import JudgedSet
from indexing.records import Floats, PassageId, Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import Reranker, Scores
from search.served import LATE
from search.settings import PipelineSettings
from tests.conftest import QRELS, QUERIES
from tests.support.fakes import WordOverlapReranker
from training.choosing import contenders, reading
from training.choosing.contenders import Contender, FirstStageChoice, Grid
from training.choosing.deadline import Deadline
from training.choosing.evaluated import ChoosingSettings, Evaluated, KeptReading, evaluate_index
from training.choosing.first_stage import gather_first
from training.choosing.readers import Readers
from training.choosing.reading import read_grid
from training.choosing.stopping import ndcg_of

GRID = Grid(
    rerankers=("words",),
    first_stages=(FirstStageChoice(), FirstStageChoice(fusion="bm25")),
    depths=(2, 5),
    shares=(0.5,),
    late=False,
)


class StoppedError(Exception):
    """Stands for the end of a process."""


class StoppingReranker(WordOverlapReranker):
    """Stops the process after so many queries."""

    def __init__(self, *, after: int) -> None:
        super().__init__()
        self._after = after

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        if len(self.asked) == self._after:
            raise StoppedError
        return super().score(query, passages)


@pytest.fixture(scope="module")
def fitted(small_index: Index) -> FittedSet:
    """The five judged queries of the small corpus."""
    qrels = {
        QueryId(query): {PassageId(name): grade for name, grade in grades.items()}
        for judged in QRELS.values()
        for query, grades in judged.items()
    }
    texts = {query: text for queries in QUERIES.values() for query, text in queries.items()}
    judged = JudgedSet("all", tuple(Query(QueryId(name), text) for name, text in texts.items()), qrels)
    return fit_judgments(judged, small_index.passages, name="small")


def pairs(reranker: WordOverlapReranker) -> list[tuple[str, str]]:
    return [(query, passage) for query, passages in reranker.asked for passage in passages]


def evaluate(
    index: Index, encoder: BiEncoder, fitted: FittedSet, reranker: WordOverlapReranker, keep: KeptReading | None = None
) -> Evaluated:
    settings = ChoosingSettings(grid=GRID)
    return evaluate_index(index, encoder, {"words": reranker}, fitted, settings=settings, keep=keep)


def test_each_passage_that_some_pipeline_reads_is_read_once(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    reranker = WordOverlapReranker()
    found = evaluate(small_index, bi_encoder, fitted, reranker)
    assert len(pairs(reranker)) == len(set(pairs(reranker)))
    wanted = {
        (query.query.text, small_index.passages.by_id(name).content)
        for query in found.gathered.values()
        for contender in found.values.contenders
        if contender.reranks
        for name in query.candidates(contender).passage_ids
    }
    assert set(pairs(reranker)) == wanted


def test_lists_that_are_longer_than_the_first_ones_are_read_whole_before_late_interaction_orders_them(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (contenders, reading):
        monkeypatch.setattr(module, "FIRST_DEPTH", 4)
    grid = replace(GRID, depths=(2, 4, 9), late=True)
    reranker = WordOverlapReranker()
    rerankers: dict[str, Reranker] = {"words": reranker, LATE: LateInteractionReranker(bi_encoder)}
    found = evaluate_index(small_index, bi_encoder, rerankers, fitted, settings=ChoosingSettings(grid=grid))
    assert {9} < {contender.settings.rerank_depth for contender in found.values.contenders}
    for row, contender in enumerate(found.values.contenders):
        ranked = {name: query.rank(contender) for name, query in found.gathered.items()}
        assert found.values.of(row) == pytest.approx(ndcg_of(ranked, fitted.judged.qrels))
    read = {len(query.logits["words"]) for query in found.gathered.values()}
    assert max(read) < len(small_index.passages)  # what no pipeline re-ranks isn't read


@pytest.mark.parametrize("after", [1, 3, 7])
def test_a_stopped_reading_goes_on_and_gives_the_same_figures(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet, tmp_path: Path, after: int
) -> None:
    keep = KeptReading(tmp_path, {"words": "f1"})
    stopping = StoppingReranker(after=after)
    with pytest.raises(StoppedError):
        evaluate(small_index, bi_encoder, fitted, stopping, keep)
    left = WordOverlapReranker()
    found = evaluate(small_index, bi_encoder, fitted, left, keep)
    whole = WordOverlapReranker()
    expected = evaluate(small_index, bi_encoder, fitted, whole)
    np.testing.assert_array_equal(found.values.values, expected.values.values)
    assert sorted(pairs(stopping) + pairs(left)) == sorted(pairs(whole))
    nothing = WordOverlapReranker()
    evaluate(small_index, bi_encoder, fitted, nothing, keep)
    assert nothing.asked == []  # kept after the end too


def test_another_re_rankers_reading_is_not_taken(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet, tmp_path: Path
) -> None:
    evaluate(small_index, bi_encoder, fitted, WordOverlapReranker(), KeptReading(tmp_path, {"words": "f1"}))
    other = WordOverlapReranker()
    evaluate(small_index, bi_encoder, fitted, other, KeptReading(tmp_path, {"words": "f2"}))
    assert other.asked


def test_depths_that_time_doesnt_allow_are_left_out_and_told(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    bm25 = small_index.manifest.bm25
    gathered = gather_first(small_index, bi_encoder, fitted, bm25=bm25, depths=[100])
    reranker = WordOverlapReranker()
    readers = Readers(small_index, {"words": reranker}, {"words": None})
    read = read_grid(readers, gathered, GRID, deadline=Deadline(at=0.0, clock=lambda: 1.0))
    assert list(read.grid.depths) == [2]  # the smallest is always read
    assert read.notes == (
        "The least that can be read takes about 1 s, longer than --budget allows.",
        "Time didn't allow re-ranking depth 5; the same command with a larger --budget goes on.",
    )
    again = read_grid(readers, gathered, GRID)
    assert (list(again.grid.depths), again.notes) == ([2, 5], ())
    assert len(pairs(reranker)) == len(set(pairs(reranker)))


def test_re_rankers_and_then_first_stages_are_left_out_where_not_even_the_least_fits(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    gathered = gather_first(small_index, bi_encoder, fitted, bm25=small_index.manifest.bm25, depths=[100])
    names = ("words", "slow")
    rerankers = {name: WordOverlapReranker() for name in names}
    readers = Readers(small_index, rerankers, dict.fromkeys(names))
    over = Deadline(at=0.0, clock=lambda: 1.0)
    best = FirstStageChoice(fusion="bm25")
    read = read_grid(readers, gathered, replace(GRID, rerankers=names), deadline=over, best_first=best)
    assert read.notes[:2] == (
        "Time didn't allow trying slow; give a larger --budget to have it tried.",
        "Time allowed re-ranking only the list of the best first stage; give a larger --budget for all.",
    )
    assert len(pairs(rerankers["slow"])) < len(pairs(rerankers["words"]))  # a few, to learn its speed
    kinds = {base.settings.fusion for base in read.grid.bases()}
    assert kinds == {"bm25"}
    assert {one.settings.fusion for one in read.grid.first_stage_only()} == {"rrf", "bm25"}  # all are still compared


class BatchingReranker(WordOverlapReranker):
    """Scores pairs of many queries at once."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        self.batches.append(len(queries))
        scores = [self.score(query, [passage]).logits for query, passage in zip(queries, passages, strict=True)]
        return np.concatenate(scores)


def test_queries_are_read_together_where_the_re_ranker_can(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    batching, plain = BatchingReranker(), WordOverlapReranker()
    found = evaluate(small_index, bi_encoder, fitted, batching)
    np.testing.assert_array_equal(found.values.values, evaluate(small_index, bi_encoder, fitted, plain).values.values)
    assert len(batching.batches) == 2  # a depth each
    assert sum(batching.batches) == len(pairs(plain))


class BrokenReranker(WordOverlapReranker):
    """Gives no number."""

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        return np.full(len(passages), np.nan, dtype=np.float32)


def test_logits_that_are_no_numbers_are_refused(small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet) -> None:
    with pytest.raises(ModelError, match="word overlap gave no finite number for each pair"):
        evaluate(small_index, bi_encoder, fitted, BrokenReranker())


def test_k1_and_b_stay_the_indexs_own_where_nothing_is_clearly_better(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    found = evaluate(small_index, bi_encoder, fitted, WordOverlapReranker())
    assert found.bm25 == small_index.manifest.bm25
    assert (found.grid.k1, found.grid.b) == (None, None)
    assert {contender.settings.k1 for contender in found.values.contenders} == {None}


def test_a_querys_own_passage_is_left_out_and_replaced(small_index: Index, bi_encoder: BiEncoder) -> None:
    text = small_index.passages.by_id(PassageId("a1")).content
    judged = JudgedSet("own", (Query(QueryId("a1"), text),), {QueryId("a1"): {PassageId("a2"): 1}})
    fitted = fit_judgments(judged, small_index.passages, name="small")
    assert fitted.own == {"a1"}
    (query,) = gather_first(small_index, bi_encoder, fitted, bm25=small_index.manifest.bm25, depths=[4])
    assert len(query.dense[4]) == 4
    assert PassageId("a1") not in {*query.dense[4].passage_ids, *query.bm25.passage_ids}


def test_bm25s_list_is_cut_to_a_pipelines_depth_as_a_search_cuts_it(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet
) -> None:
    settings = PipelineSettings(depth=2, rerank_depth=0, fusion="bm25")
    pipeline = RetrieveAndRerank(small_index, bi_encoder, None)
    bm25 = small_index.manifest.bm25
    gathered = gather_first(small_index, bi_encoder, fitted, bm25=bm25, depths=[2, 10])
    assert max(len(query.bm25) for query in gathered) > 2
    for query in gathered:
        for fusion in ("bm25", "rrf"):
            contender = Contender(reranker="none", settings=replace(settings, fusion=fusion))
            expected = pipeline.search(query.query.text, contender.settings).final
            assert query.rank(contender).passage_ids == expected.passage_ids


def kept_files(folder: Path) -> Iterator[Path]:
    return folder.glob("*.jsonl")


def test_a_damaged_line_of_what_is_kept_is_read_again(
    small_index: Index, bi_encoder: BiEncoder, fitted: FittedSet, tmp_path: Path
) -> None:
    keep = KeptReading(tmp_path, {"words": "f1"})
    expected = evaluate(small_index, bi_encoder, fitted, WordOverlapReranker(), keep)
    (path,) = [path for path in kept_files(tmp_path) if "words" in path.name]
    path.write_bytes(path.read_bytes()[:-9])
    again = WordOverlapReranker()
    found = evaluate(small_index, bi_encoder, replace(fitted), again, keep)
    assert len(again.asked) == 1
    np.testing.assert_array_equal(found.values.values, expected.values.values)
