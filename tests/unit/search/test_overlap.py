"""Overlap, rank-biased overlap and Kendall's tau are what hand computation and the published formula say."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from indexing.errors import SettingsError
from indexing.records import PassageId, Ranking
from search.overlap import Overlap, kendall_tau, overlap, rank_biased_overlap


def ranking(letters: str) -> Ranking:
    return Ranking.sort((PassageId(letter), -float(place)) for place, letter in enumerate(letters))


@pytest.mark.parametrize(
    ("first", "second", "cutoff", "expected"),
    [
        ("abcd", "badc", 4, Overlap(4, 4)),
        ("abcd", "cdef", 2, Overlap(0, 2)),
        ("abcd", "cdef", 3, Overlap(1, 3)),
        ("ab", "abcd", 10, Overlap(2, 4)),
        ("", "ab", 10, Overlap(0, 2)),
        ("", "", 10, Overlap(0, 0)),
    ],
)
def test_overlap_counts_what_both_have_in_their_first_places(
    first: str, second: str, cutoff: int, expected: Overlap
) -> None:
    assert overlap(ranking(first), ranking(second), cutoff=cutoff) == expected


def test_rbo_of_two_lists_of_one_length_by_hand() -> None:
    # p = 0.5, so (1 - p) / p = 1. Shared at depths 1, 2, 3: none, a and b, a and b.
    expected = 0 / 1 * 0.5 + 2 / 2 * 0.25 + 2 / 3 * 0.125 + 2 / 3 * 0.125
    assert rank_biased_overlap(ranking("abc"), ranking("bad"), p=0.5) == pytest.approx(expected)


def test_rbo_of_a_shorter_list_by_hand() -> None:
    # S = ab, L = bca, p = 0.5. X1 = 0, X2 = 1 (b), X3 = 2 (a, b); s = 2, l = 3.
    seen = 0 / 1 * 0.5 + 1 / 2 * 0.25 + 2 / 3 * 0.125
    beyond = 1 * (3 - 2) / (2 * 3) * 0.125
    rest = ((2 - 1) / 3 + 1 / 2) * 0.125
    for pair in (("ab", "bca"), ("bca", "ab")):
        assert rank_biased_overlap(*map(ranking, pair), p=0.5) == pytest.approx(seen + beyond + rest)


def test_rbo_goes_on_with_the_agreement_that_was_seen() -> None:
    # All of S is in L at S's end, so every depth after it agrees fully: 1 * (0.5 + 0.25 + 0.125) + 1 * 0.125
    assert rank_biased_overlap(ranking("a"), ranking("abc"), p=0.5) == pytest.approx(1)


@pytest.mark.parametrize("letters", ["a", "abc", "abcdefghijklmnop"])
def test_rbo_is_1_for_the_same_list_and_0_for_strangers(letters: str) -> None:
    assert rank_biased_overlap(ranking(letters), ranking(letters)) == pytest.approx(1)
    assert rank_biased_overlap(ranking(letters), ranking(letters.upper())) == 0


def test_rbo_of_empty_lists() -> None:
    assert rank_biased_overlap(ranking(""), ranking("")) == 1
    assert rank_biased_overlap(ranking(""), ranking("a")) == 0


def test_a_swap_at_the_top_costs_more_than_one_further_down() -> None:
    usual = ranking("abcdef")
    assert rank_biased_overlap(usual, ranking("bacdef")) < rank_biased_overlap(usual, ranking("abcdfe")) < 1


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_rbo_refuses_a_p_that_is_no_share(p: float) -> None:
    with pytest.raises(SettingsError, match="RBO's p is"):
        rank_biased_overlap(ranking("a"), ranking("a"), p=p)


def test_tau_by_hand() -> None:
    # b, d and c are shared; of their three pairs one (d, c) is the other way round: (2 - 1) / 3
    assert kendall_tau(ranking("abdc"), ranking("bcdx")) == pytest.approx(1 / 3)
    assert kendall_tau(ranking("abc"), ranking("abc")) == 1
    assert kendall_tau(ranking("abc"), ranking("cba")) == -1


def test_tau_is_scipys() -> None:
    letters = np.array(list("abcdefghijklmnopqrst"))
    shuffled = "".join(np.random.default_rng(3).permutation(letters))
    ranks = [shuffled.index(letter) for letter in letters]
    expected = stats.kendalltau(range(len(letters)), ranks).statistic
    assert kendall_tau(ranking("".join(letters)), ranking(shuffled)) == pytest.approx(expected)
    discordant = sum(ranks[one] > ranks[other] for one, other in combinations(range(len(ranks)), 2))
    assert expected == pytest.approx(1 - 2 * discordant / 190)  # 20 * 19 / 2 pairs


def test_tau_needs_two_shared_passages() -> None:
    assert kendall_tau(ranking("abc"), ranking("cde")) is None
    assert kendall_tau(ranking(""), ranking("a")) is None


def scored(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def test_tau_takes_ties_out_of_each_side() -> None:
    # the first ties one of three pairs, the second none; the two others agree
    assert kendall_tau(scored(a=1, b=1, c=2), scored(a=1, b=2, c=3)) == pytest.approx(2 / sqrt(2 * 3))
    # a and b are tied by the first, a and c by the second; b and c, the one pair that neither ties, is swapped
    assert kendall_tau(scored(a=1, b=1, c=2), scored(a=1, b=2, c=1)) == pytest.approx(-1 / 2)


def test_where_all_is_tied_there_is_no_order_to_compare() -> None:
    assert kendall_tau(scored(a=1, b=1, c=1), scored(a=1, b=2, c=3)) == 0
    assert kendall_tau(scored(a=1, b=1, c=1), scored(a=2, b=2, c=2)) == 1


def test_tau_of_scores_with_ties_is_scipys() -> None:
    draw = np.random.default_rng(4)
    one, two = draw.integers(0, 6, size=(2, 40)).tolist()
    first, second = (scored(**{f"p{place}": value for place, value in enumerate(values)}) for values in (one, two))
    assert kendall_tau(first, second) == pytest.approx(stats.kendalltau(one, two).statistic)
