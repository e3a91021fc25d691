"""The first stage gives each retriever's best passages, ties by id."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, SettingsError
from indexing.index import Index, check_encoder, open_index
from indexing.words.analyzers import analyzer_for
from search.fuse import fuse
from search.retrieve import first_stage, retrieve_bm25, retrieve_dense
from search.settings import FUSIONS, Fusion, PipelineSettings
from tests.conftest import PASSAGES


def test_bm25_gives_the_passages_that_share_a_term(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast", depth=20)
    assert set(ranking.passage_ids) == {name for name, text in PASSAGES.items() if "yeast" in text}


def test_bm25_gives_at_most_depth_even_where_passages_tie(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast flour bread glacier", depth=3)
    assert len(ranking) == 3


def test_bm25_ranks_by_its_scores(small_index: Index) -> None:
    ranking, _ = retrieve_bm25(small_index, "yeast flour bread", depth=20)
    scores = small_index.bm25.scores(analyzer_for().terms("yeast flour bread"))
    for _, passage_id, score in ranking:
        assert score == scores[small_index.passages.row_of(passage_id)]


def test_bm25_finds_nothing_for_words_that_no_passage_holds(small_index: Index) -> None:
    assert len(retrieve_bm25(small_index, "quasar", depth=20)[0]) == 0


def test_another_k1_without_postings_says_what_to_do(small_index: Index) -> None:
    bare = replace(small_index, postings=None)
    assert len(retrieve_bm25(bare, "yeast", depth=20, k1=0.9, b=0.4)[0])  # the index's own
    with pytest.raises(
        SettingsError, match=r"stores no postings, so its BM25 has k1=0\.9 and b=0\.4, not k1=2 and b=0\.4"
    ):
        retrieve_bm25(bare, "yeast", depth=20, k1=2.0)


def test_dense_ranks_by_cosine(small_index: Index, bi_encoder: BiEncoder) -> None:
    ranking, _ = retrieve_dense(small_index, bi_encoder.encode_query("bread of rye"), depth=5)
    cosines = bi_encoder.encode_passages(list(PASSAGES.values())) @ bi_encoder.encode_query("bread of rye")
    best = sorted(cosines.tolist(), reverse=True)[:5]
    assert ranking.scores == pytest.approx(best, abs=5e-3)  # float16 on disk, perhaps bfloat16 in between


def test_dense_gives_each_passage_once_where_more_are_asked_for(small_index: Index, bi_encoder: BiEncoder) -> None:
    ranking, _ = retrieve_dense(small_index, bi_encoder.encode_query("bread"), depth=1000)
    assert set(ranking.passage_ids) == set(PASSAGES)


def test_a_passage_is_nearest_to_its_own_text(small_index: Index, bi_encoder: BiEncoder) -> None:
    for name, text in PASSAGES.items():
        assert retrieve_dense(small_index, bi_encoder.encode_query(text), depth=1)[0].passage_ids == (name,)


def test_rows_lead_to_the_passages_of_the_ranking(small_index: Index, bi_encoder: BiEncoder) -> None:
    vector = bi_encoder.encode_query("bread")
    for ranking, rows in (
        retrieve_bm25(small_index, "bread", depth=9),
        retrieve_dense(small_index, vector, depth=9),
    ):
        assert len(ranking)
        assert [small_index.passages[rows[name]].id for name in ranking.passage_ids] == list(ranking.passage_ids)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_first_stage_has_a_row_and_a_passage_of_each_fused_place(
    small_index: Index, bi_encoder: BiEncoder, fusion: Fusion
) -> None:
    first = first_stage(small_index, bi_encoder, "rye bread", first_settings(fusion))
    assert first.fused == fuse(first.rankings, first_settings(fusion), depth=4)
    assert list(first.passages) == list(first.fused.passage_ids)
    for passage_id, passage in first.passages.items():
        assert small_index.passages[first.rows[passage_id]] == passage
        assert passage.id == passage_id
    assert first.rows.keys() >= {name for ranking in first.rankings.values() for name in ranking.passage_ids}


def first_settings(fusion: Fusion) -> PipelineSettings:
    return PipelineSettings(depth=4, rerank_depth=0, fusion=fusion)


@pytest.mark.parametrize(
    ("settings", "stages"),
    [
        (PipelineSettings(fusion="bm25"), ["bm25", "fuse", "load"]),
        (PipelineSettings(fusion="bm25", rerank_mix="dense"), ["bm25", "encode", "fuse", "load"]),
        (PipelineSettings(fusion="bm25", rerank_order="dense"), ["bm25", "encode", "fuse", "load"]),
        (PipelineSettings(fusion="bm25", rerank_mix="late"), ["bm25", "fuse", "load"]),
        (PipelineSettings(fusion="dense"), ["encode", "faiss", "fuse", "load"]),
        (PipelineSettings(), ["bm25", "encode", "faiss", "fuse", "load"]),
    ],
)
def test_only_what_the_settings_need_runs_and_is_timed(
    small_index: Index, bi_encoder: BiEncoder, settings: PipelineSettings, stages: list[str]
) -> None:
    first = first_stage(small_index, bi_encoder, "rye bread", settings)
    assert list(first.seconds) == stages
    assert (first.vector is None) == ("encode" not in stages)


def test_another_bi_encoder_than_the_index_was_built_by_is_refused(small_index: Index, bi_encoder: BiEncoder) -> None:
    other = replace(small_index, manifest=replace(small_index.manifest, bi_encoder_fingerprint="0" * 16))
    check(small_index, bi_encoder)
    with pytest.raises(IndexingError, match=r"was built by bi-encoder weights 0000.*python -m indexing build"):
        check(other, bi_encoder)


def test_a_bi_encoder_with_the_same_weights_and_another_pooling_is_refused(
    small_index: Index, tiny_bi_encoder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_bi_encoder, tmp_path / "other"))
    config = folder / "1_Pooling/config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(settings | {"pooling_mode": "cls"}), encoding="utf-8")
    with pytest.raises(IndexingError, match=r"its vector of passage 'a1' has a cosine of .* with the stored one"):
        check(small_index, BiEncoder(str(folder)))


def check(index: Index, encoder: BiEncoder) -> None:
    check_encoder(index.folder, encoder, manifest=index.manifest, passages=index.passages, vectors=index.vectors)


def test_an_index_may_move_to_another_folder(built_root: Path, tmp_path: Path, small_index: Index) -> None:
    moved = open_index("small", root=Path(shutil.copytree(built_root, tmp_path / "moved")))
    before, after = (retrieve_bm25(index, "bread", depth=9)[0] for index in (small_index, moved))
    assert before == after
    assert np.array_equal(before.scores, after.scores)
