"""The gate lets through what isn't worse, and says why it refuses the rest."""

from indexing.records import QueryId
from training.evaluation.paired import NO_DIFFERENCE, TOO_FEW, PairedComparison, compare_paired
from training.versions.gate import MINIMUM_QUERIES, Verdict, visible_difference


def differing(*differences: float) -> PairedComparison:
    """A promoted version with 0.5 on every query, and a candidate that differs by so much."""
    queries = [QueryId(str(number)) for number in range(len(differences))]
    candidate = {query: 0.5 + value for query, value in zip(queries, differences, strict=True)}
    return compare_paired(candidate, dict.fromkeys(queries, 0.5), measure="nDCG@10")


WORSE = differing(-0.1, -0.2, -0.3, -0.1, -0.1, -0.1)


def verdict(comparison: PairedComparison | None, *failed: str, missing: str = "") -> Verdict:
    return Verdict(
        candidate="mine/2",
        against="mine/1",
        dev_set="index small",
        comparison=comparison,
        missing=missing,
        expectations=3,
        failed=failed,
    )


def test_what_is_not_shown_to_be_worse_is_not_refused() -> None:
    comparison = differing(-0.1, -0.1, 0.1, 0.1, -0.1, -0.1)
    assert (comparison.difference < 0, comparison.outcome) == (True, NO_DIFFERENCE)
    assert verdict(comparison).refusal == ""
    assert verdict(differing(*[0.1] * 6)).refusal == ""
    assert verdict(None).refusal == ""  # nothing is served that it could be compared with


def test_a_refusal_says_what_was_measured_and_what_to_do() -> None:
    said = verdict(WORSE).refusal
    for part in (
        "mine/2 is not promoted: on index small, nDCG@10 of mine/2 is 0.3500, of mine/1 0.5000, over 6 queries: ",
        "-0.1500 (95 %: -0.2",
        " to -0.1000), worse. Train it further",
    ):
        assert part in said
    assert said.endswith("or promote it anyway with --force and a --reason, which is recorded.")
    assert "\n" not in said


def test_too_few_queries_are_refused() -> None:
    assert TOO_FEW in verdict(differing(*[0.1] * 5)).refusal


def test_every_failing_expectation_is_named() -> None:
    said = verdict(differing(*[0.0] * 6), "for 'q', a above b", "for 'r', c above d").refusal
    assert "2 of 3 expectations fail: for 'q', a above b; for 'r', c above d" in said


def test_both_objections_are_named() -> None:
    both = verdict(WORSE, "for 'q', a above b")
    assert len(both.objections) == 2
    assert all(part in both.refusal for part in both.objections)


def test_a_promoted_version_that_is_damaged_is_an_objection() -> None:
    assert "couldn't be compared" in verdict(None, missing="mine/1 is damaged.").refusal


def test_the_gate_says_what_it_could_have_seen_and_warns_of_few_queries() -> None:
    few = differing(*[0.1, -0.1] * 6)
    low, high = few.interval
    # half the interval is 1.960 standard errors; a difference of 1.960 + 0.842 of them is found four times in five
    assert abs(visible_difference(few) - (high - low) / 2 / 1.960 * 2.802) < 1e-9
    seen, warned = verdict(few).cautions
    assert seen.startswith(
        f"These 12 queries would most likely have shown a mean difference of {visible_difference(few):.3f}"
    )
    assert warned.startswith(f"12 dev queries are few: judge at least {MINIMUM_QUERIES}, ")
    assert verdict(few).refusal == ""
    assert len(verdict(differing(*[0.1, -0.1] * 25)).cautions) == 1  # 50 queries
    assert verdict(None).cautions == ()


def test_versions_that_never_differ_cannot_be_told_apart() -> None:
    assert verdict(differing(*[0.0] * 60)).cautions == (
        "Both versions have the same nDCG@10 on each of these 60 queries, which therefore can't tell them apart.",
    )


def test_versions_that_always_differ_by_the_same_are_not_called_alike() -> None:
    (said,) = verdict(differing(*[-0.5] * 60)).cautions
    assert said.startswith("They differ by the same nDCG@10 on each of these 60 queries")
