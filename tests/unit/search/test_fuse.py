"""Several rankings become one, as computed by hand here."""

import numpy as np
import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, Ranking
from search.fuse import interpolate, min_max, reciprocal_rank_fusion, standardize, weighted_sum


def ranking(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def scores_of(fused: Ranking) -> dict[str, float]:
    return {str(passage_id): score for _, passage_id, score in fused}


def test_reciprocal_rank_fusion_adds_one_over_k_plus_rank() -> None:
    fused = reciprocal_rank_fusion({"bm25": ranking(a=9, b=8, c=7), "dense": ranking(b=0.9, d=0.8, a=0.7)}, depth=10)
    assert fused.passage_ids == ("b", "a", "d", "c")
    assert scores_of(fused) == pytest.approx(
        {"a": 1 / (60 + 1) + 1 / (60 + 3), "b": 1 / (60 + 2) + 1 / (60 + 1), "c": 1 / (60 + 3), "d": 1 / (60 + 2)}
    )


def test_reciprocal_rank_fusion_takes_another_k() -> None:
    fused = reciprocal_rank_fusion({"bm25": ranking(a=2, b=1)}, depth=10, k=0)
    assert scores_of(fused) == pytest.approx({"a": 1 / 1, "b": 1 / 2})


def test_reciprocal_rank_fusion_counts_ranks_and_not_scores() -> None:
    other = ranking(b=0.2, a=0.1)
    near = reciprocal_rank_fusion({"bm25": ranking(a=100, b=99), "dense": other}, depth=10)
    far = reciprocal_rank_fusion({"bm25": ranking(a=100, b=1), "dense": other}, depth=10)
    assert near == far


def test_passages_of_the_same_fused_score_stand_in_order_of_their_ids() -> None:
    # both have 1 / (60 + 1) + 1 / (60 + 2), added in another order
    fused = reciprocal_rank_fusion({"bm25": ranking(z=2, a=1), "dense": ranking(a=2, z=1)}, depth=10)
    assert fused.passage_ids == ("a", "z")


def test_fusion_keeps_the_best_depth() -> None:
    assert reciprocal_rank_fusion({"bm25": ranking(a=3, b=2, c=1)}, depth=2).passage_ids == ("a", "b")


def test_fusing_empty_rankings_gives_an_empty_one() -> None:
    assert len(reciprocal_rank_fusion({"bm25": ranking(), "dense": ranking()}, depth=10)) == 0


def test_weighted_sum_adds_weighted_scores_stretched_to_one() -> None:
    rankings = {"bm25": ranking(a=30, b=20, c=10), "dense": ranking(c=0.9, b=0.6, d=0.5)}
    fused = weighted_sum(rankings, {"bm25": 0.3, "dense": 0.7}, depth=10)
    assert scores_of(fused) == pytest.approx(
        {
            "a": 0.3 * (30 - 10) / 20,
            "b": 0.3 * (20 - 10) / 20 + 0.7 * (0.6 - 0.5) / 0.4,
            "c": 0.3 * 0 + 0.7 * 1,
            "d": 0.7 * 0,
        }
    )


def test_weighted_sum_with_all_weight_on_one_ranks_as_that_one() -> None:
    rankings = {"bm25": ranking(a=3, b=2), "dense": ranking(b=0.9, a=0.1)}
    assert weighted_sum(rankings, {"bm25": 1, "dense": 0}, depth=10).passage_ids == ("a", "b")


@pytest.mark.parametrize("weights", [{"bm25": -0.1}, {}])
def test_a_weight_below_zero_or_absent_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="bm25"):
        weighted_sum({"bm25": ranking(a=1)}, weights, depth=10)


def test_interpolation_of_one_ranks_by_the_re_ranker() -> None:
    mixed = interpolate(ranking(a=5, b=1, c=3), ranking(b=9, c=8, a=7), weight=1)
    assert mixed.passage_ids == ("a", "c", "b")


def test_interpolation_of_zero_ranks_by_the_first_stage() -> None:
    mixed = interpolate(ranking(a=5, b=1, c=3), ranking(b=9, c=8, a=7), weight=0)
    assert mixed.passage_ids == ("b", "c", "a")


def test_interpolation_mixes_scores_of_mean_zero_and_deviation_one() -> None:
    # re-ranker 4, 0: standardized 1, -1; first stage 10, 30: standardized -1, 1
    mixed = interpolate(ranking(a=4, b=0), ranking(b=30, a=10), weight=0.75)
    assert scores_of(mixed) == pytest.approx({"a": 0.75 * 1 + 0.25 * -1, "b": 0.75 * -1 + 0.25 * 1})


def test_a_passage_that_the_first_stage_lacks_gets_its_lowest_score() -> None:
    # first stage of a, b, x: 3, 1, 1
    mixed = interpolate(ranking(a=1, b=1, x=1), ranking(a=3, b=1), weight=0)
    assert scores_of(mixed)["x"] == scores_of(mixed)["b"] < scores_of(mixed)["a"]


def test_interpolation_leaves_passages_out_that_were_not_re_ranked() -> None:
    assert set(interpolate(ranking(a=1, b=0), ranking(c=3, a=2, b=1), weight=0.5).passage_ids) == {"a", "b"}


def test_where_the_re_ranker_is_undecided_the_first_stage_decides() -> None:
    assert interpolate(ranking(a=2, b=2), ranking(b=9, a=1), weight=0.9).passage_ids == ("b", "a")


@pytest.mark.parametrize("weight", [-0.01, 1.01])
def test_a_weight_outside_zero_to_one_is_refused(weight: float) -> None:
    with pytest.raises(SettingsError, match=str(weight)):
        interpolate(ranking(a=1), ranking(a=1), weight=weight)


def test_interpolating_nothing_gives_nothing() -> None:
    assert len(interpolate(ranking(), ranking(a=1), weight=0.5)) == 0


def test_min_max_of_equal_scores_is_one() -> None:
    assert min_max(np.array([4, 4], dtype=np.float32)).tolist() == [1, 1]


def test_standardizing_equal_scores_gives_zeros() -> None:
    assert standardize(np.array([4, 4], dtype=np.float32)).tolist() == [0, 0]
