"""Each rule drops what it should and nothing else, and draws depend on the seed and the query alone."""

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, QueryId, Ranking
from training.mining.negatives import RULES, MinedQuery, QueryCandidates, hard_negatives, screen
from training.mining.settings import MiningSettings

Q = QueryId("q")
OPEN = MiningSettings(relative_margin=None, sampling="top", per_query=100)
"""No margin, and everything that is left is drawn."""


def retrieved(
    scores: Mapping[str, float],
    judged: Mapping[str, int] | None = None,
    *,
    unreturned: Mapping[str, float] | None = None,
    query: QueryId = Q,
) -> QueryCandidates:
    """A query with a ranking by these scores; relevant passages that it lacks have those of `unreturned`."""
    grades = {PassageId(name): grade for name, grade in (judged or {"pos": 1}).items()}
    known = {PassageId(name): score for name, score in {**scores, **(unreturned or {})}.items()}
    return QueryCandidates(
        query,
        Ranking.sort((PassageId(name), score) for name, score in scores.items()),
        grades,
        {name: known[name] for name, grade in grades.items() if grade > 0 and name in known},
    )


def itself(passage_id: PassageId) -> str:
    return passage_id


def mined(candidates: QueryCandidates, settings: MiningSettings = OPEN) -> MinedQuery:
    return hard_negatives(candidates, settings, text=itself)


def names(result: MinedQuery) -> list[str]:
    return [negative.passage_id for negative in result.negatives]


def drops(result: MinedQuery) -> dict[str, int]:
    """The rules that dropped something."""
    return {rule: count for rule, count in result.dropped.items() if count}


def changed(**values: object) -> MiningSettings:
    return dataclasses.replace(OPEN, **values)  # type: ignore[arg-type]  # fields of several types


HUNDRED = {f"p{rank:03}": 1 - rank / 128 for rank in range(1, 101)} | {"pos": 2.0}
"""pos at rank 1, then p001 at rank 2 to p100 at rank 101."""


# each rule alone


def test_ranks_are_inclusive_and_count_the_positive() -> None:
    # pos is rank 1, so that ranks 3 to 5 are p002 to p004
    result = mined(retrieved(HUNDRED), changed(ranks=(3, 5)))
    assert names(result) == ["p002", "p003", "p004"]
    assert [negative.rank for negative in result.negatives] == [3, 4, 5]
    assert drops(result) == {"outside ranks": 101 - 3}


def test_no_judged_relevant_passage_is_a_negative() -> None:
    result = mined(retrieved({"pos": 4, "also": 3, "a": 2}, {"pos": 3, "also": 1}))
    assert names(result) == ["a"]
    assert drops(result) == {"judged relevant": 2}


def test_a_passage_below_the_minimum_grade_is_neither() -> None:
    result = mined(retrieved({"pos": 4, "also": 3, "a": 2}, {"pos": 3, "also": 1}), changed(minimum_grade=2))
    assert [positive.passage_id for positive in result.positives] == ["pos"]
    assert names(result) == ["a"]


def test_a_copy_of_a_relevant_passage_is_dropped_by_its_text() -> None:
    texts = {"pos": "Bees make honey.", "copy": "bees make  HONEY", "a": "Wasps hunt flies."}
    result = hard_negatives(retrieved({"copy": 9, "pos": 5, "a": 1}), OPEN, text=lambda key: texts[key])
    assert names(result) == ["a"]
    assert drops(result) == {"judged relevant": 1, "near-duplicate": 1}


def test_a_copy_is_dropped_of_a_positive_that_was_not_returned_and_of_one_below_the_minimum_grade() -> None:
    texts = {"pos": "Bees make honey.", "low": "Wasps hunt flies.", "one": "bees make honey", "two": "wasps hunt flies"}
    candidates = retrieved({"one": 9, "two": 8}, {"pos": 3, "low": 1}, unreturned={"pos": 2, "low": 1})
    result = hard_negatives(candidates, changed(minimum_grade=2), text=lambda key: texts[key])
    assert drops(result) == {"near-duplicate": 2}


@pytest.mark.parametrize(
    ("positive", "kept", "dropped"),
    [
        (4.0, 3.0, 3.001),  # 4 - 0.25 * 4 = 3, as (1 - 0.25) * 4
        (-4.0, -5.0, -4.999),  # -4 - 0.25 * 4 = -5; (1 - 0.25) * -4 = -3 would let better scores than the positive's in
        (0.0, 0.0, 0.001),  # 0 - 0.25 * 0 = 0
    ],
)
def test_the_relative_margin_lies_below_the_positive_whatever_its_sign(
    positive: float, kept: float, dropped: float
) -> None:
    candidates = retrieved({"pos": positive, "kept": kept, "dropped": dropped})
    result = mined(candidates, changed(relative_margin=0.25))
    assert names(result) == ["kept"]
    assert drops(result) == {"judged relevant": 1, "relative margin": 1}


def test_the_ceiling_rises_with_the_positive() -> None:
    def ceiling(positive: float) -> float:
        grid = {f"s{step + 40}": step / 8 for step in range(-40, 41)}
        result = mined(retrieved(grid, unreturned={"pos": positive}), changed(relative_margin=0.5))
        return result.negatives[0].score

    # -2 - 0.5 * 2 = -3, -1 - 0.5 = -1.5, 0, 1 - 0.5 = 0.5, 2 - 0.5 * 2 = 1
    assert [ceiling(positive) for positive in (-2, -1, 0, 1, 2)] == [-3, -1.5, 0, 0.5, 1]


def test_of_several_positives_the_lowest_counts() -> None:
    # 2 - 0.25 * 2 = 1.5, and not 8 - 0.25 * 8 = 6
    candidates = retrieved({"best": 8, "a": 5, "second": 2, "b": 1.5}, {"best": 3, "second": 1})
    assert names(mined(candidates, changed(relative_margin=0.25))) == ["b"]


def test_a_positive_below_the_minimum_grade_sets_no_margin() -> None:
    candidates = retrieved({"best": 8, "a": 5, "second": 2, "b": 1.5}, {"best": 3, "second": 1})
    assert names(mined(candidates, changed(relative_margin=0.25, minimum_grade=2))) == ["a", "b"]


def test_a_positive_that_was_not_returned_counts_with_its_score() -> None:
    candidates = retrieved({"pos": 8, "a": 5}, {"pos": 1, "far": 1}, unreturned={"far": 4})
    result = mined(candidates, changed(relative_margin=0.0))
    assert drops(result) == {"judged relevant": 1, "relative margin": 1}  # 5 > 4
    assert {positive.passage_id: positive.rank for positive in result.positives} == {"pos": 1, "far": None}


def test_a_positive_without_a_fused_score_sets_no_margin_until_it_is_re_scored() -> None:
    candidates = retrieved({"pos": 8, "a": 5, "b": 1}, {"pos": 1, "far": 1}, unreturned={"far": 0})
    candidates = dataclasses.replace(candidates, unscored=frozenset({PassageId("far")}))
    assert names(mined(candidates, changed(relative_margin=0.5))) == ["b"]  # 8 - 0.5 * 8 = 4; from 0 nothing were left
    alone = dataclasses.replace(candidates, judged={PassageId("far"): 1}, relevant_scores={PassageId("far"): 0.0})
    assert names(mined(alone, changed(relative_margin=0.5))) == ["pos", "a", "b"]
    logits = {"pos": 9.0, "far": 2.0, "a": 3.0, "b": 1.0}
    again = hard_negatives(
        candidates,
        changed(relative_margin=0.0),
        text=itself,
        rescore=lambda names: {name: logits[name] for name in names},
    )
    assert names(again) == ["b"]


def test_the_absolute_margin_lies_below_the_lowest_positive() -> None:
    # 4 - 1.5 = 2.5
    candidates = retrieved({"best": 8, "pos": 4, "over": 2.625, "at": 2.5, "below": 1}, {"best": 1, "pos": 1})
    result = mined(candidates, changed(absolute_margin=1.5))
    assert names(result) == ["at", "below"]
    assert drops(result) == {"judged relevant": 2, "absolute margin": 1}


def test_score_limits_are_inclusive() -> None:
    candidates = retrieved({"pos": 9, "a": 4.5, "b": 4, "c": 2, "d": 1.5})
    result = mined(candidates, changed(max_score=4, min_score=2))
    assert names(result) == ["b", "c"]
    assert drops(result) == {"judged relevant": 1, "max score": 1, "min score": 1}


@pytest.mark.parametrize("rule", ["relative_margin", "absolute_margin", "max_score"])
def test_a_passage_judged_0_is_no_false_negative(rule: str) -> None:
    candidates = retrieved({"zero": 9, "a": 8, "pos": 1}, {"pos": 1, "zero": 0})
    result = mined(candidates, changed(**{rule: 0}))
    assert names(result) == ["zero"]
    assert result.judged_negatives == 1


def test_ranks_min_score_and_text_apply_to_a_passage_judged_0() -> None:
    candidates = retrieved({"pos": 9, "zero": 8, "minus": 1}, {"pos": 1, "zero": 0, "minus": -1})
    assert names(mined(candidates)) == ["zero", "minus"]
    assert names(mined(candidates, changed(min_score=2))) == ["zero"]
    assert names(mined(candidates, changed(ranks=(3, 9)))) == ["minus"]
    assert names(hard_negatives(candidates, OPEN, text=lambda _: "the same text")) == []


# all rules together


def test_all_rules_together_count_each_candidate_once() -> None:
    texts = {"copy": "Bees make honey", "pos": "bees make honey"}
    scores = {"first": 20, "pos": 10, "copy": 9.75, "near": 9.625, "close": 9, "high": 8, "a": 6, "b": 5, "low": 1}
    settings = changed(
        ranks=(2, 9), relative_margin=0.0625, absolute_margin=1.5, max_score=7, min_score=2, sampling="top", per_query=1
    )
    result = hard_negatives(retrieved(scores), settings, text=lambda key: texts.get(key, key))
    # ceilings: 10 - 0.625 = 9.375, 10 - 1.5 = 8.5, 7
    assert drops(result) == {
        "outside ranks": 1,  # first
        "judged relevant": 1,  # pos
        "near-duplicate": 1,  # copy
        "relative margin": 1,  # near
        "absolute margin": 1,  # close
        "max score": 1,  # high
        "min score": 1,  # low
    }
    assert names(result) == ["a"]
    assert result.not_drawn == 1  # b
    assert len(scores) == sum(result.dropped.values()) + len(result.negatives) + result.not_drawn
    assert list(result.dropped) == list(RULES)


# re-scoring


def logits(**values: float) -> dict[PassageId, float]:
    return {PassageId(name): value for name, value in values.items()}


def test_a_re_rankers_scores_replace_the_first_stages() -> None:
    requested: list[Sequence[PassageId]] = []
    candidates = retrieved({"pos": 9, "a": 8, "b": 7, "c": 6, "d": 5}, {"pos": 1})
    scored = logits(pos=-2, a=-1, b=-5, c=-2.5, d=-3)

    def rescore(passage_ids: Sequence[PassageId]) -> Mapping[PassageId, float]:
        requested.append(passage_ids)
        return {name: scored[name] for name in passage_ids}

    result = hard_negatives(candidates, changed(relative_margin=0.25, ranks=(1, 4)), text=itself, rescore=rescore)
    # -2 - 0.25 * 2 = -2.5: a is a likely answer, though the first stage would have let it pass
    assert result.negatives == ((4, "c", -2.5), (3, "b", -5))
    assert result.positives[0].score == -2
    assert drops(result) == {"outside ranks": 1, "judged relevant": 1, "relative margin": 1}
    assert requested == [["pos", "a", "b", "c"]]  # nothing that is dropped without a score
    assert result.rescored == 4


# draws


def test_top_takes_the_best_remaining_candidates() -> None:
    result = mined(retrieved(HUNDRED), changed(per_query=3, ranks=(11, 100)))
    assert names(result) == ["p010", "p011", "p012"]
    assert result.not_drawn == 90 - 3


@pytest.mark.parametrize("sampling", ["random", "mixed"])
def test_draws_are_ordered_and_distinct(sampling: str) -> None:
    result = mined(retrieved(HUNDRED), changed(per_query=20, sampling=sampling))
    assert len(set(names(result))) == 20
    assert names(result) == sorted(names(result))


def test_random_draws_reach_the_whole_range_evenly() -> None:
    drawn = [
        name
        for seed in range(200)
        for name in names(mined(retrieved(HUNDRED), changed(per_query=5, sampling="random", seed=seed)))
    ]
    # of 99 left (rank 101 is outside) 49 are p001 to p049: 1000 draws, 495 expected, deviation below 16
    assert 430 < sum(name <= "p049" for name in drawn) < 560


def test_a_mixed_draw_is_hard_medium_and_of_any_depth() -> None:
    hard = medium = 0
    for seed in range(200):
        places = [
            int(name[1:])
            for name in names(mined(retrieved(HUNDRED), changed(per_query=8, sampling="mixed", seed=seed)))
        ]
        assert sum(place <= 9 for place in places) >= 8 // 2  # the first tenth of 99
        assert sum(place <= 49 for place in places) >= 8 // 2 + 8 // 4  # the first half
        hard += sum(place <= 9 for place in places)
        medium += sum(9 < place <= 49 for place in places)
    assert 200 * 8 - hard - medium > 100  # of the 2 of any depth half lie deeper: 200 expected


def test_a_draw_depends_on_the_seed() -> None:
    for sampling in ("random", "mixed"):
        first, again, other = (
            mined(retrieved(HUNDRED), changed(per_query=8, sampling=sampling, seed=seed)) for seed in (1, 1, 2)
        )
        assert first == again
        assert names(first) != names(other)


def test_two_queries_draw_differently() -> None:
    settings = changed(per_query=8, sampling="random")
    assert names(mined(retrieved(HUNDRED), settings)) != names(
        mined(retrieved(HUNDRED, query=QueryId("other")), settings)
    )


def test_the_order_of_dicts_does_not_matter() -> None:
    judged = {"p007": 1, "pos": 3, "p003": 0, "p050": 2}
    settings = MiningSettings(per_query=8, relative_margin=None)
    forward = retrieved(HUNDRED, judged)
    backward = retrieved(dict(reversed(HUNDRED.items())), dict(reversed(judged.items())))
    assert mined(forward, settings) == mined(backward, settings)


def test_ties_are_ordered_by_passage_id() -> None:
    candidates = retrieved({"c": 5, "pos": 9, "a": 5, "b": 5})
    assert names(mined(candidates, changed(per_query=2))) == ["a", "b"]


def test_ties_of_a_re_ranker_are_ordered_by_first_stage_rank() -> None:
    candidates = retrieved({"pos": 9, "z": 8, "a": 7, "m": 6})
    result = hard_negatives(candidates, OPEN, text=itself, rescore=lambda ids: dict.fromkeys(ids, 0.5))
    assert names(result) == ["z", "a", "m"]


def test_a_candidate_that_ties_with_the_positive_is_dropped_by_any_margin_above_0() -> None:
    candidates = retrieved({"pos": 4, "tie": 4})
    assert names(mined(candidates, changed(relative_margin=0.01))) == []
    assert names(mined(candidates, changed(relative_margin=0.0))) == ["tie"]


def test_fewer_candidates_than_requested_are_all_taken() -> None:
    for sampling in ("top", "random", "mixed"):
        result = mined(retrieved({"pos": 9, "a": 8, "b": 7}), changed(per_query=5, sampling=sampling))
        assert names(result) == ["a", "b"]
        assert result.not_drawn == 0


def test_positives_are_ordered_by_grade_then_score_then_id() -> None:
    judged = {"low": 1, "b": 3, "a": 3, "best": 3}
    result = mined(retrieved({"low": 9, "b": 5, "a": 5, "best": 6, "x": 1}, judged))
    assert [positive.passage_id for positive in result.positives] == ["best", "a", "b", "low"]


# queries with little


def test_a_query_without_a_positive_gets_nothing() -> None:
    for judged in ({"zero": 0}, {"elsewhere": 2}):
        assert mined(retrieved({"a": 3, "zero": 2}, judged)) == MinedQuery(Q, (), (), {})


def test_a_query_whose_positives_are_below_the_minimum_grade_gets_nothing() -> None:
    assert mined(retrieved({"pos": 3, "a": 2}), changed(minimum_grade=2)) == MinedQuery(Q, (), (), {})


def test_a_query_that_retrieves_nothing_still_has_its_positive() -> None:
    result = mined(retrieved({}, unreturned={"pos": 1}))
    assert [positive.rank for positive in result.positives] == [None]
    assert result.negatives == ()


def test_without_a_positive_a_screen_has_no_margin() -> None:
    pool = screen(retrieved({"a": 3, "b": 2}, {"elsewhere": 1}), changed(relative_margin=0.5, max_score=2))
    assert [candidate.passage_id for candidate in pool.candidates] == ["b"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"per_query": 0}, "per_query is 0; give 1 negative or more."),
        ({"ranks": (0, 5)}, "ranks are 0 to 5; give two from 1 to 10,000, the lower one first."),
        ({"ranks": (7, 5)}, "ranks are 7 to 5; give two from 1 to 10,000, the lower one first."),
        ({"ranks": (1, 10_001)}, "ranks are 1 to 10001; give two from 1 to 10,000, the lower one first."),
        ({"sampling": "best"}, "sampling 'best' is unknown; choose one of top, random, mixed."),
        ({"relative_margin": 1.0}, "relative_margin is 1.0; give 0 or more, below 1."),
        ({"relative_margin": -0.1}, "relative_margin is -0.1; give 0 or more, below 1."),
        ({"relative_margin": float("nan")}, "relative_margin is nan; give 0 or more, below 1."),
        ({"absolute_margin": -1.0}, "absolute_margin is -1.0; give 0 or more."),
        ({"absolute_margin": float("inf")}, "absolute_margin is inf; give 0 or more."),
        (
            {"min_score": 2.0, "max_score": 1.0},
            "min_score 2.0 and max_score 1.0 admit no score; give the lower one first.",
        ),
        ({"max_score": float("nan")}, "min_score None and max_score nan admit no score; give the lower one first."),
        ({"near_duplicate": 0.0}, "near_duplicate is 0.0; give a share above 0, at most 1 (usual: 0.9)."),
        ({"near_duplicate": 1.1}, "near_duplicate is 1.1; give a share above 0, at most 1 (usual: 0.9)."),
        ({"minimum_grade": 0}, "minimum_grade is 0; give 1 or more, as grade 0 is not relevant."),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        changed(**settings)
    assert str(refused.value) == message


# texts that say the same


COPIES = {
    "pos": "Bees make honey.",
    "pos2": "BEES make honey",
    "copy": "bees  make ho\u00adney",
    "n1": "Wasps build nests",
    "n2": "Wasps build nests!",
    "n3": "Glaciers cut valleys",
}


def test_copies_are_neither_negatives_nor_counted_twice() -> None:
    scores = {"n1": 5.0, "pos": 4.0, "copy": 3.0, "n2": 2.0, "pos2": 1.0, "n3": 0.5}
    candidates = retrieved(scores, {"pos": 1, "pos2": 2})
    result = hard_negatives(candidates, OPEN, text=lambda passage_id: COPIES[passage_id])
    assert names(result) == ["n1", "n3"]
    assert [positive.passage_id for positive in result.positives] == ["pos2"]  # of the higher grade
    assert drops(result) == {"judged relevant": 2, "near-duplicate": 1, "repeated text": 1}
