"""Training groups hold what judgments and the first stage say, and no relevant passage as a negative."""

import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, QueryId, Ranking
from training.mining.groups import GroupSettings, TrainingGroup, distillation_groups, judged_groups
from training.targets import FIRST_STAGE_SHARE, GRADE_LOGITS, as_logits

Q = QueryId("q")


def ids(*names: str) -> tuple[PassageId, ...]:
    return tuple(PassageId(name) for name in names)


def grades(**values: int) -> dict[PassageId, int]:
    return {PassageId(name): grade for name, grade in values.items()}


def ranking(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def hundred() -> Ranking:
    """p001 to p100, from 0.99 down to 0."""
    return Ranking.sort((PassageId(f"p{rank:03}"), 1 - rank / 100) for rank in range(1, 101))


def drawn(run: Ranking, judged: dict[PassageId, int], settings: GroupSettings) -> set[PassageId]:
    """The passages of the one group that is made."""
    (group,) = judged_groups({Q: run}, {Q: judged}, settings)
    return set(group.passage_ids)


def test_candidates_close_to_the_positive_are_in_no_group() -> None:
    # the positive scores 0.8, so that the ceiling is 0.8 - 0.05 * 0.8 = 0.76
    run = ranking(over=0.9, pos=0.8, near=0.77, below=0.75, far=0.1)
    assert drawn(run, grades(pos=2), GroupSettings(relative_margin=0.05)) == {"pos", "below", "far"}


def test_without_a_margin_no_candidate_is_left_out() -> None:
    run = ranking(over=0.9, pos=0.8, near=0.77)
    assert drawn(run, grades(pos=1), GroupSettings(relative_margin=None)) == {"pos", "over", "near"}


def test_a_positive_that_the_run_lacks_sets_no_ceiling() -> None:
    assert drawn(ranking(a=0.9, b=0.8), grades(elsewhere=1), GroupSettings()) == {"elsewhere", "a", "b"}


def test_mined_passages_come_from_the_rank_range_with_both_ends() -> None:
    settings = GroupSettings(ranks=(10, 13), relative_margin=0)
    assert drawn(hundred(), grades(p001=1), settings) == {"p001", "p010", "p011", "p012", "p013"}


def test_a_passage_that_reads_like_a_positive_is_in_no_group() -> None:
    texts = {"pos": "Bees make honey.", "copy": "bees  make honey", "other": "Wasps hunt."}
    run = ranking(pos=0.8, copy=0.5, other=0.4)
    (group,) = judged_groups({Q: run}, {Q: grades(pos=1)}, GroupSettings(), text=lambda key: texts[key])
    assert set(group.passage_ids) == {"pos", "other"}


def test_a_group_has_a_positive_and_fills_up_with_negatives() -> None:
    (group,) = judged_groups({Q: hundred()}, {Q: grades(p001=3, p050=0)}, GroupSettings(per_query=6))
    assert len(group.passage_ids) == 6
    assert {"p001", "p050"} <= set(group.passage_ids)


def test_positives_take_half_of_a_group_at_most() -> None:
    positives = grades(**{f"p{rank:03}": 2 for rank in range(1, 31)})
    (group,) = judged_groups({Q: hundred()}, {Q: positives}, GroupSettings(per_query=8, relative_margin=None))
    assert sum(name in positives for name in group.passage_ids) == 8 // 2
    assert len(group.passage_ids) == 8


def test_no_passage_appears_twice_in_a_group() -> None:
    qrels = {Q: grades(p001=3, p002=1, p003=0, p004=0)}
    for group in judged_groups({Q: hundred()}, qrels, GroupSettings(per_query=20), repeats=20):
        assert len(set(group.passage_ids)) == len(group.passage_ids)


def test_targets_are_the_grade_and_a_share_of_the_first_stage() -> None:
    run = ranking(good=0.8, fair=0.6, bad=0.4)
    (group,) = judged_groups({Q: run}, {Q: grades(good=3, fair=1, bad=0)}, GroupSettings(per_query=4))
    assert dict(zip(group.passage_ids, group.targets, strict=True)) == pytest.approx(
        {
            "good": GRADE_LOGITS * 3 / 3 + FIRST_STAGE_SHARE * as_logits(0.8),
            "fair": GRADE_LOGITS * 1 / 3 + FIRST_STAGE_SHARE * as_logits(0.6),
            "bad": FIRST_STAGE_SHARE * as_logits(0.4),
        },
        abs=1e-5,
    )


def test_a_judged_passage_that_the_run_lacks_takes_its_lowest_score() -> None:
    run = ranking(found=0.8, low=0.2)
    (group,) = judged_groups({Q: run}, {Q: grades(found=1, low=0, lost=1)}, GroupSettings(per_query=4))
    targets = dict(zip(group.passage_ids, group.targets, strict=True))
    assert targets[PassageId("lost")] == pytest.approx(GRADE_LOGITS + FIRST_STAGE_SHARE * as_logits(0.2), abs=1e-5)


def test_a_grade_below_zero_counts_as_zero() -> None:
    (group,) = judged_groups({Q: ranking(a=0.5, b=0.5)}, {Q: grades(a=1, b=-2)}, GroupSettings())
    targets = dict(zip(group.passage_ids, group.targets, strict=True))
    assert targets[PassageId("a")] - targets[PassageId("b")] == pytest.approx(GRADE_LOGITS)


def test_a_query_without_a_relevant_passage_makes_no_group() -> None:
    assert judged_groups({Q: hundred()}, {Q: grades(p001=0, p002=0)}, GroupSettings()) == []


def test_a_query_without_a_negative_makes_no_group() -> None:
    assert judged_groups({}, {Q: grades(a=1)}, GroupSettings()) == []


def test_the_group_of_a_query_that_the_run_lacks_has_judged_passages_only() -> None:
    (group,) = judged_groups({}, {Q: grades(a=1, b=0)}, GroupSettings())
    assert set(group.passage_ids) == {"a", "b"}


def test_the_same_seed_gives_the_same_groups() -> None:
    def groups_by(seed: int) -> list[TrainingGroup]:
        settings = GroupSettings(seed=seed)
        qrels = {Q: grades(p001=3)}
        return judged_groups({Q: hundred()}, qrels, settings, repeats=3) + distillation_groups({Q: hundred()}, settings)

    assert groups_by(1) == groups_by(1) != groups_by(2)


def test_repeats_of_a_query_have_other_passages() -> None:
    groups = judged_groups({Q: hundred()}, {Q: grades(p001=3)}, GroupSettings(), repeats=5)
    assert len(groups) == len({group.passage_ids for group in groups}) == 5


def test_the_groups_of_a_query_do_not_depend_on_the_other_queries() -> None:
    qrels = {Q: grades(p001=3)}
    run = {Q: hundred(), QueryId("other"): hundred()}
    assert judged_groups(run, {QueryId("other"): grades(p002=3)} | qrels, GroupSettings())[1:] == judged_groups(
        run, qrels, GroupSettings()
    )


def test_distilled_targets_are_the_first_stages_scores_scaled() -> None:
    (group,) = distillation_groups({Q: ranking(a=0.9, b=0.4)}, GroupSettings(per_query=2))
    assert group.passage_ids == ids("a", "b")
    assert group.targets == pytest.approx(((0.9 - 0.5) * 20, (0.4 - 0.5) * 20), abs=1e-5)


def test_half_of_a_distilled_group_comes_from_the_best_tenth() -> None:
    for group in distillation_groups({Q: hundred()}, GroupSettings(per_query=8), repeats=20):
        ranks = [int(name[1:]) for name in group.passage_ids]
        assert len(ranks) == 8
        assert sum(rank <= 10 for rank in ranks) >= 8 // 2
        assert sum(rank <= 50 for rank in ranks) >= 8 // 2 + 8 // 4


def test_distilled_groups_keep_to_the_rank_range() -> None:
    for group in distillation_groups({Q: hundred()}, GroupSettings(ranks=(20, 30)), repeats=20):
        assert all(20 <= int(name[1:]) <= 30 for name in group.passage_ids)


def test_an_excluded_passage_is_in_no_distilled_group() -> None:
    excluded = {Q: PassageId("p001")}
    groups = distillation_groups({Q: hundred()}, GroupSettings(), repeats=20, exclude=excluded)
    assert all("p001" not in group.passage_ids for group in groups)


def test_a_query_with_one_candidate_makes_no_distilled_group() -> None:
    assert distillation_groups({Q: ranking(a=0.9)}, GroupSettings()) == []


@pytest.mark.parametrize(("names", "targets"), [(("a",), (1.0,)), (("a", "b"), (1.0,))])
def test_a_group_of_fewer_than_two_passages_or_with_missing_targets_is_refused(
    names: tuple[str, ...], targets: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=r"^a group needs at least two passages and one target for each: "):
        TrainingGroup(Q, ids(*names), targets)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"per_query": 1}, "per_query is 1; give 2 passages or more."),
        ({"ranks": (0, 5)}, "ranks are 0 to 5; give two from 1 to 10,000, the lower one first."),
        ({"ranks": (7, 5)}, "ranks are 7 to 5; give two from 1 to 10,000, the lower one first."),
        ({"relative_margin": 1.0}, "relative_margin is 1.0; give 0 or more, below 1."),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        GroupSettings(**settings)  # type: ignore[arg-type]  # one field of several types
    assert str(refused.value) == message
