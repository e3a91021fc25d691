"""The terms' parts of a BM25 score are exact: they sum to the index's own score of the passage."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest

from indexing.bm25.settings import Bm25Settings
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.errors import SettingsError
from indexing.index import Index, open_index
from indexing.words.analyzers import analyzer_for
from search.explain.bm25 import explain_bm25
from search.retrieve import retrieve_bm25
from tests.conftest import PASSAGES

QUERIES = ["yeast in bread dough", "how do bees make honey", "glacier glacier valleys", "zebra bread", "the of and", ""]


@pytest.fixture(scope="module")
def rank_bm25_index(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, tiny_bi_encoder: Path) -> Index:
    """The same passages with rank-bm25 and another k1 and b."""
    settings = BuildSettings(
        bi_encoder=str(tiny_bi_encoder), shard_size=7, bm25=Bm25Settings(k1=1.7, b=0.9, backend="rank-bm25")
    )
    root = tmp_path_factory.mktemp("plain")
    build(Corpus(small_corpus), name="plain", root=root, settings=settings)
    return open_index("plain", root=root)


def check_sums(index: Index, query: str) -> None:
    scores = index.bm25.scores(analyzer_for().terms(query))  # (passages,) float32
    for row, passage in enumerate(index.passages):
        found = explain_bm25(index, query, passage.content)
        assert found.score == pytest.approx(float(scores[row]), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("query", QUERIES)
def test_the_parts_sum_to_the_score_of_the_index(small_index: Index, query: str) -> None:
    check_sums(small_index, query)


@pytest.mark.parametrize("query", QUERIES)
def test_they_do_with_the_other_back_end_and_settings(rank_bm25_index: Index, query: str) -> None:
    check_sums(rank_bm25_index, query)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(("k1", "b"), [(1.7, 0.9), (2.0, None), (None, 0.0), (0.0, 1.0)])
def test_they_sum_to_the_score_of_a_search_with_another_k1_and_b(
    small_index: Index, query: str, k1: float | None, b: float | None
) -> None:
    ranking, _ = retrieve_bm25(small_index, query, depth=20, k1=k1, b=b)
    scores = dict(zip(ranking.passage_ids, ranking.scores.tolist(), strict=True))
    for passage in small_index.passages:
        found = explain_bm25(small_index, query, passage.content, k1=k1, b=b)
        assert found.score == pytest.approx(scores.get(passage.id, 0.0), rel=1e-5, abs=1e-6)


def test_every_number_of_a_term_by_hand(small_index: Index) -> None:
    found = explain_bm25(small_index, "Bees' honey", PASSAGES["a1"])
    bee, honey = found.terms
    assert (bee.term, bee.word, honey.term, honey.word) == ("bee", "Bees", "honey", "honey")
    # `bee` stands in a1 and a2, `honey` in a1 and a3: of 20 passages 2 each
    assert bee.passages == honey.passages == 2
    idf = log(1 + (20 - 2 + 0.5) / (2 + 0.5))
    assert bee.idf == pytest.approx(idf)
    # a1 without stop words: bees make honey from nectar flowers store wax combs winter
    assert found.length == 10
    assert found.mean_length == pytest.approx(sum(len(analyzer_for().terms(text)) for text in PASSAGES.values()) / 20)
    norm = 0.9 * (1 - 0.4 + 0.4 * 10 / found.mean_length)
    assert bee.in_passage == 1
    assert bee.score == pytest.approx(idf * 1 / (1 + norm))
    assert found.score == pytest.approx(bee.score + honey.score)


def test_a_repeated_term_counts_each_time(small_index: Index) -> None:
    once = explain_bm25(small_index, "glacier", PASSAGES["d2"]).terms[0]
    twice = explain_bm25(small_index, "glacier glaciers", PASSAGES["d2"]).terms
    assert len(twice) == 1
    assert twice[0].in_query == 2
    assert twice[0].score == pytest.approx(2 * once.score) != 0


def test_a_term_that_is_nowhere_adds_nothing(small_index: Index) -> None:
    zebra, bread = explain_bm25(small_index, "zebra bread", PASSAGES["c3"]).terms
    assert (zebra.passages, zebra.in_passage, zebra.score) == (0, 0, 0.0)
    assert bread.score > 0


def test_a_query_of_stop_words_has_no_terms(small_index: Index) -> None:
    found = explain_bm25(small_index, "the of and", PASSAGES["a1"])
    assert found.terms == ()
    assert found.score == 0


def test_an_index_without_postings_is_refused_with_the_command_that_builds_it(small_index: Index) -> None:
    with pytest.raises(SettingsError, match=r"no postings, so BM25's scores can't be taken apart\. Rebuild it: "):
        explain_bm25(replace(small_index, postings=None), "bees", PASSAGES["a1"])
