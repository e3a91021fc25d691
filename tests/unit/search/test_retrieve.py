"""The first stage gives each retriever's best passages, ties by id."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.bm25 import analyzer
from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index, check_encoder, open_index
from search.retrieve import retrieve_bm25, retrieve_dense
from tests.conftest import PASSAGES


def test_bm25_gives_the_passages_that_share_a_term(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast", depth=20)
    assert set(ranking.passage_ids) == {name for name, text in PASSAGES.items() if "yeast" in text}


def test_bm25_gives_at_most_depth_even_where_passages_tie(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast flour bread glacier", depth=3)
    assert len(ranking) == 3


def test_bm25_ranks_by_its_scores(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast flour bread", depth=20)
    scores = small_index.bm25.scores(analyzer.terms("yeast flour bread"))
    for _, passage_id, score in ranking:
        assert score == scores[small_index.passages.row_of(passage_id)]


def test_bm25_finds_nothing_for_words_that_no_passage_holds(small_index: Index) -> None:
    assert len(retrieve_bm25(small_index, "quasar", depth=20)[0]) == 0


def test_another_k1_without_postings_says_what_to_do(small_index: Index) -> None:
    bare = replace(small_index, postings=None)
    assert len(retrieve_bm25(bare, "yeast", depth=20, k1=0.9, b=0.4)[0])  # the index's own
    with pytest.raises(SettingsError, match=r"keeps no postings.* k1=0\.9 and b=0\.4 there, not k1=2 and b=0\.4"):
        retrieve_bm25(bare, "yeast", depth=20, k1=2.0)


def test_dense_ranks_by_cosine(small_index: Index, bi_encoder: BiEncoder) -> None:
    ranking, _ = retrieve_dense(small_index, bi_encoder, "bread of rye", depth=5)
    cosines = bi_encoder.encode_passages(list(PASSAGES.values())) @ bi_encoder.encode_query("bread of rye")
    best = sorted(cosines.tolist(), reverse=True)[:5]
    assert ranking.scores == pytest.approx(best, abs=5e-3)  # float16 on disk, perhaps bfloat16 in between


def test_dense_gives_each_passage_once_where_more_are_asked_for(small_index: Index, bi_encoder: BiEncoder) -> None:
    ranking, _ = retrieve_dense(small_index, bi_encoder, "bread", depth=1000)
    assert set(ranking.passage_ids) == set(PASSAGES)


def test_a_passage_is_nearest_to_its_own_text(small_index: Index, bi_encoder: BiEncoder) -> None:
    for name, text in PASSAGES.items():
        assert retrieve_dense(small_index, bi_encoder, text, depth=1)[0].passage_ids == (name,)


def test_each_stage_is_timed(small_index: Index, bi_encoder: BiEncoder) -> None:
    assert list(retrieve_bm25(small_index, "bread", depth=1)[1]) == ["bm25"]
    assert list(retrieve_dense(small_index, bi_encoder, "bread", depth=1)[1]) == ["encode", "faiss"]


def test_another_bi_encoder_than_the_index_was_built_by_is_refused(small_index: Index, bi_encoder: BiEncoder) -> None:
    other = replace(small_index, manifest=replace(small_index.manifest, bi_encoder_fingerprint="0" * 16))
    check_encoder(small_index.folder, small_index.manifest, bi_encoder)
    with pytest.raises(IndexingError, match="python -m indexing build"):
        check_encoder(other.folder, other.manifest, bi_encoder)


def test_an_index_may_move_to_another_folder(built_root: Path, tmp_path: Path, small_index: Index) -> None:
    moved = open_index("small", root=Path(shutil.copytree(built_root, tmp_path / "moved")))
    before, after = (retrieve_bm25(index, "bread", depth=9)[0] for index in (small_index, moved))
    assert before == after
    assert np.array_equal(before.scores, after.scores)
