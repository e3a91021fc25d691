"""A list becomes an example with each passage once, and as many passages as are wanted."""

import pytest

from indexing.records import QueryId
from training.data.readers.passage_lists import Entry, PassageList, examples
from training.example import ALONE, NO_POSITIVE, Example


def made(*entries: Entry, per_query: int = 8, seed: int = 17, query: str = "q") -> Example:
    """The one example of these entries."""
    reasons: list[str] = []
    item = PassageList(query, entries)
    (example,) = examples([item], source="test", per_query=per_query, seed=seed, skipped=reasons.append)
    assert reasons == []
    return example


def why(*entries: Entry) -> list[str]:
    """Why these entries make no example."""
    reasons: list[str] = []
    assert not list(examples([PassageList("q", entries)], source="test", per_query=8, seed=17, skipped=reasons.append))
    return reasons


def many(count: int, *, label: float) -> list[Entry]:
    return [Entry(f"passage {label:g} {number}", label) for number in range(count)]


def test_an_example_has_the_passages_with_their_labels_positives_first() -> None:
    item = PassageList("what  is\tit", [Entry("a", 0), Entry("b", 2), Entry("c", 3)], QueryId("7"))
    (example,) = examples([item], source="jsonl x", per_query=8, seed=17, skipped=lambda why: None)
    assert example == Example("jsonl x", "what is it", ("c", "b", "a"), (3.0, 2.0, 0.0), None, QueryId("7"))


def test_scores_stay_with_their_passages() -> None:
    example = made(Entry("a", 0, 0.5), Entry("b", 1, -2.0), Entry("c", 0, 4.0))
    assert (example.passages, example.scores) == (("b", "a", "c"), (-2.0, 0.5, 4.0))


def test_of_passages_that_read_the_same_the_highest_label_stays() -> None:
    example = made(Entry("honey  comb", 0), Entry("wax", 0), Entry("honey comb", 2), Entry(" wax ", 0))
    assert (example.passages, example.labels) == (("honey comb", "wax"), (2.0, 0.0))


def test_a_long_list_keeps_the_best_positives_in_half_of_its_places() -> None:
    entries = [*many(5, label=1), *many(5, label=2), *many(30, label=0)]
    example = made(*entries, per_query=8)
    assert example.labels == (2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0)  # 8 // 2 = 4 positives of the best grade
    assert len(set(example.passages)) == 8


def test_positives_fill_the_places_that_others_leave() -> None:
    example = made(*many(9, label=1), *many(2, label=0), per_query=8)
    assert example.labels == (1.0,) * 6 + (0.0,) * 2  # 8 - 2 others = 6 positives


def test_others_are_drawn_by_the_seed_and_the_query() -> None:
    entries = [*many(1, label=1), *many(50, label=0)]
    assert made(*entries) == made(*entries)
    assert made(*entries).passages != made(*entries, seed=3).passages
    assert made(*entries).passages != made(*entries, query="another").passages


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], NO_POSITIVE),
        ([Entry("a", 0), Entry("b", 0)], NO_POSITIVE),
        ([Entry("a", 1)], ALONE),
        ([Entry("a", 1), Entry(" a", 0)], ALONE),  # the other one reads the same
        ([Entry("a", 1), Entry("b", 2)], ALONE),
    ],
)
def test_a_list_without_both_kinds_is_told(entries: list[Entry], reason: str) -> None:
    assert why(*entries) == [reason]


def test_with_scores_a_list_needs_no_positive_and_has_no_labels_then() -> None:
    example = made(Entry("a", 0, 1.0), Entry("b", 0, 2.0))
    assert (example.labels, example.scores) == (None, (1.0, 2.0))


def test_with_scores_a_positive_may_stand_alone() -> None:
    example = made(Entry("a", 1, 9.0))
    assert (example.labels, example.scores) == ((1.0,), (9.0,))
