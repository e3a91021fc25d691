"""An example keeps each passage once, and as many passages as are requested."""

import pytest

from indexing.records import QueryId
from training.data.readers.trim import BEYOND, trim
from training.example import CONTRADICTED, NO_NEGATIVE, NO_POSITIVE, Example, ignore

Labeled = tuple[str, float]
Scored = tuple[str, float, float]


def example_of(*passages: Labeled | Scored, query: str = "q") -> Example:
    """An example of texts with labels, and with scores where each has one."""
    scores = tuple(passage[2] for passage in passages if len(passage) == 3)
    texts, labels = tuple(passage[0] for passage in passages), tuple(passage[1] for passage in passages)
    return Example("test", query, texts, labels=labels, scores=scores or None)


def trimmed(*passages: Labeled | Scored, per_query: int = 8, seed: int = 17, query: str = "q") -> Example:
    """What is left of the example of these passages."""
    reasons: list[str] = []
    (example,) = trim([example_of(*passages, query=query)], per_query=per_query, seed=seed, on_skip=reasons.append)
    assert reasons == [BEYOND.format(per_query)] * (len(passages) - len(example.passages))
    return example


def why(*passages: Labeled) -> list[str]:
    """Why these passages make no example."""
    reasons: list[str] = []
    assert not list(trim([example_of(*passages)], per_query=8, seed=17, on_skip=reasons.append))
    return reasons


def many(count: int, *, label: float) -> list[Labeled]:
    return [(f"passage {label:g} {number}", label) for number in range(count)]


def test_an_example_has_the_passages_with_their_labels_positives_first() -> None:
    untrimmed = Example("jsonl x", "what  is\tit", ("a", "b", "c"), labels=(0, 2, 3), query_id=QueryId("7"))
    (example,) = trim([untrimmed], per_query=8, seed=17, on_skip=ignore)
    assert example == Example("jsonl x", "what is it", ("c", "b", "a"), (3.0, 2.0, 0.0), None, QueryId("7"))


def test_scores_stay_with_their_passages() -> None:
    example = trimmed(("a", 0, 0.5), ("b", 1, -2.0), ("c", 0, 4.0))
    assert (example.passages, example.scores) == (("b", "a", "c"), (-2.0, 0.5, 4.0))


@pytest.mark.parametrize(
    "copy", ["honey  comb", "Honey comb.", "ho\u00adney comb", "\uff48oney\u2003comb", "honey-comb"]
)
def test_the_highest_label_of_passages_that_say_the_same_stays(copy: str) -> None:
    reasons: list[str] = []
    entries = example_of((copy, 0), ("wax", 0), ("honey comb", 2), (" wax ", 0))
    (example,) = trim([entries], per_query=8, seed=17, on_skip=reasons.append)
    assert (example.passages, example.labels) == (("honey comb", "wax"), (2.0, 0.0))
    assert reasons == [CONTRADICTED]  # of the two of wax, neither is relevant


def test_a_long_list_keeps_the_best_positives_in_half_of_its_places() -> None:
    entries = [*many(5, label=1), *many(5, label=2), *many(30, label=0)]
    example = trimmed(*entries, per_query=8)
    assert example.labels == (2.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0)  # 8 // 2 = 4 positives of the best grade
    assert len(set(example.passages)) == 8


def test_positives_fill_the_places_that_others_leave() -> None:
    example = trimmed(*many(9, label=1), *many(2, label=0), per_query=8)
    assert example.labels == (1.0,) * 6 + (0.0,) * 2  # 8 - 2 others = 6 positives


def test_positives_leave_the_places_that_a_row_needs_for_others() -> None:
    given = example_of(*many(4, label=1), *many(30, label=0))
    (example,) = trim([given], per_query=8, others=5, seed=17, on_skip=ignore)
    assert example.labels == (1.0,) * 3 + (0.0,) * 5


def test_others_are_drawn_by_the_seed_and_the_query() -> None:
    entries = [*many(1, label=1), *many(50, label=0)]
    assert trimmed(*entries) == trimmed(*entries)
    assert trimmed(*entries).passages != trimmed(*entries, seed=3).passages
    assert trimmed(*entries).passages != trimmed(*entries, query="another").passages


@pytest.mark.parametrize(
    ("passages", "reasons"),
    [
        ([("a", 0), ("b", 0)], [NO_POSITIVE]),
        ([("a", 1)], [NO_NEGATIVE]),
        ([("a", 1), (" a", 0)], [CONTRADICTED, NO_NEGATIVE]),  # the other one reads the same
        ([("a", 1), ("b", 2)], [NO_NEGATIVE]),
    ],
)
def test_a_list_without_both_kinds_is_skipped_with_a_reason(passages: list[Labeled], reasons: list[str]) -> None:
    assert why(*passages) == reasons


def test_with_scores_a_list_needs_no_positive_and_has_no_labels_then() -> None:
    example = trimmed(("a", 0, 1.0), ("b", 0, 2.0))
    assert (example.labels, example.scores) == (None, (1.0, 2.0))


def test_with_scores_a_single_positive_is_enough() -> None:
    example = trimmed(("a", 1, 9.0))
    assert (example.labels, example.scores) == ((1.0,), (9.0,))


def test_an_example_with_only_scores_keeps_them_and_gets_no_labels() -> None:
    untrimmed = Example("a run", "q", (" a", "b  c"), scores=(2.0, -2.0))
    (example,) = trim([untrimmed], per_query=8, seed=17, on_skip=ignore)
    assert example == Example("a run", "q", ("a", "b c"), scores=(2.0, -2.0))
