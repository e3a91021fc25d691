"""Each form has the rows that its losses take, made of what judges or a teacher say and of nothing else."""

from typing import Any

import pytest

from training.example import Example
from training.recipes.rows import FORMS, MARGINS, NEGATIVES, Row, rows_of


def judged(**labels: float) -> Example:
    """Passages named by their texts, with labels."""
    return Example("test", "q", tuple(labels), labels=tuple(labels.values()))


def taught(**scores: float) -> Example:
    """The same with a teacher's scores."""
    return Example("test", "q", tuple(scores), scores=tuple(scores.values()))


def rows(form: str, example: Example, *, seed: int = 1) -> list[Row]:
    return rows_of(example, FORMS[form], seed=seed)


FIVE = dict.fromkeys(("n1", "n2", "n3", "n4", "n5"), 0.0)
SEVEN = dict.fromkeys(("n1", "n2", "n3", "n4", "n5", "n6", "n7"), 0.0)


def test_pairs_say_of_each_passage_whether_it_is_relevant() -> None:
    assert rows("pairs", judged(a=2, b=0, c=0.5)) == [
        {"query": "q", "passage": "a", "label": 1.0},
        {"query": "q", "passage": "b", "label": 0.0},
        {"query": "q", "passage": "c", "label": 1.0},  # every label above 0 is relevant
    ]


def test_lists_keep_grades_and_order() -> None:
    expected = {"query": "q", "passages": ["b", "a", "c"], "labels": [0.0, 3.0, 1.0]}
    assert rows("lists", judged(b=0, a=3, c=1)) == [expected]


def test_lists_that_nobody_judged_say_how_far_each_score_lies_above_the_lowest() -> None:
    expected = {"query": "q", "passages": ["a", "b", "c"], "labels": [2.5, 0.0, 4.0]}
    assert rows("lists", taught(a=1, b=-1.5, c=2.5)) == [expected]


def test_lists_that_are_judged_keep_their_grades_whatever_a_teacher_says() -> None:
    example = Example("test", "q", ("a", "b"), labels=(0.0, 1.0), scores=(5.0, 1.0))
    assert rows("lists", example)[0]["labels"] == [0.0, 1.0]


def test_n_tuples_have_a_row_for_each_relevant_passage_with_five_of_the_others() -> None:
    first, second = rows("n-tuples", judged(a=1, **FIVE, b=3))
    assert (first["query"], first["positive"], second["positive"]) == ("q", "a", "b")
    for row in (first, second):
        assert sorted(row[f"negative_{place}"] for place in range(1, 6)) == list(FIVE)


def test_of_many_others_five_are_drawn_for_each_relevant_passage() -> None:
    made = rows("n-tuples", judged(a=1, b=1, c=1, d=1, **SEVEN))
    drawn = [tuple(row[f"negative_{place}"] for place in range(1, NEGATIVES + 1)) for row in made]
    assert all(len(set(names)) == 5 and set(names) <= set(SEVEN) for names in drawn)
    assert len(set(drawn)) > 1


def test_ordered_lists_count_the_passages_that_are_no_better() -> None:
    # 5 is no worse than all 4, 3 than three of them, and each 1 than the two that share it
    (row,) = rows("ordered-lists", taught(a=3, b=1, c=1, d=5))
    assert row == {"query": "q", "passages": ["a", "b", "c", "d"], "labels": [3.0, 2.0, 2.0, 4.0]}


def test_scored_lists_and_pairs_hold_the_teacher_s_scores() -> None:
    assert rows("scored-lists", taught(a=-1.5, b=2)) == [{"query": "q", "passages": ["a", "b"], "labels": [-1.5, 2.0]}]
    assert rows("scored-pairs", taught(a=-1.5, b=2)) == [
        {"query": "q", "passage": "a", "label": -1.5},
        {"query": "q", "passage": "b", "label": 2.0},
    ]


def test_a_margin_is_the_better_score_less_the_worse() -> None:
    assert rows("margins", taught(a=1.5, b=6)) == [{"query": "q", "positive": "b", "negative": "a", "label": 6 - 1.5}]


def test_labels_say_which_passage_of_a_margin_is_the_positive_even_against_the_teacher() -> None:
    example = Example("test", "q", ("a", "b"), labels=(0.0, 1.0), scores=(5.0, 1.0))
    assert rows("margins", example) == [{"query": "q", "positive": "b", "negative": "a", "label": 1.0 - 5}]


def test_of_many_margins_four_are_drawn() -> None:
    made = rows("margins", taught(a=4, b=3, c=2, d=1))  # 3 + 2 + 1 = 6 couples
    assert len({(row["positive"], row["negative"]) for row in made}) == len(made) == MARGINS == 4
    scores = {"a": 4, "b": 3, "c": 2, "d": 1}
    assert all(row["label"] == scores[row["positive"]] - scores[row["negative"]] > 0 for row in made)


@pytest.mark.parametrize(
    ("form", "example"),
    [
        ("pairs", judged(a=1, b=2)),
        ("pairs", judged(a=0, b=0)),
        ("n-tuples", judged(**SEVEN)),
        ("n-tuples", judged(a=1, n1=0, n2=0, n3=0, n4=0)),  # one negative is missing
        ("lists", judged(a=1)),
        ("lists", judged(a=0, b=0)),
        ("lists", taught(a=2, b=2)),
        ("ordered-lists", taught(a=2, b=2)),
        ("scored-lists", taught(a=2, b=2)),
        ("scored-lists", taught(a=2)),
        ("margins", taught(a=2, b=2)),
        ("margins", taught(a=2)),
    ],
)
def test_an_example_with_too_few_passages_of_either_kind_makes_no_row(form: str, example: Example) -> None:
    assert rows(form, example) == []


@pytest.mark.parametrize("form", ["n-tuples", "margins"])
def test_what_is_drawn_depends_on_the_seed_and_the_query(form: str) -> None:
    names = [*"abcd", *SEVEN]

    def made(seed: int, query: str = "q") -> list[dict[str, Any]]:
        labels = tuple(float(name not in SEVEN) for name in names)
        example = Example("test", query, tuple(names), labels=labels, scores=tuple(map(float, range(len(names)))))
        return [{**row, "query": ""} for row in rows(form, example, seed=seed)]

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert made(1) != made(1, "another query")


FULL = Example("test", "q", ("a", *FIVE), labels=(1, 0, 0, 0, 0, 0), scores=(5, 4, 3, 2, 1, 0))


@pytest.mark.parametrize(
    ("form", "columns", "pairs"),
    [
        ("pairs", ["query", "passage", "label"], 1),
        ("n-tuples", ["query", "positive", *(f"negative_{place}" for place in range(1, 6))], 6),
        ("lists", ["query", "passages", "labels"], 6),
        ("ordered-lists", ["query", "passages", "labels"], 6),
        ("scored-lists", ["query", "passages", "labels"], 6),
        ("scored-pairs", ["query", "passage", "label"], 1),
        ("margins", ["query", "positive", "negative", "label"], 2),
    ],
)
def test_columns_stand_in_the_order_in_which_losses_take_them(form: str, columns: list[str], pairs: int) -> None:
    row = rows(form, FULL)[0]
    assert list(row) == list(FORMS[form].columns) == columns
    assert FORMS[form].pairs(row) == pairs


def test_every_form_is_tested_here() -> None:
    forms = {"pairs", "n-tuples", "lists", "ordered-lists", "scored-lists", "scored-pairs", "margins"}
    assert set(FORMS) == forms
    assert {name for name, form in FORMS.items() if form.needs == "labels"} == {"pairs", "n-tuples", "lists"}


def test_labels_up_to_1_are_kept_as_probabilities_in_pairs() -> None:
    assert [row["label"] for row in rows("pairs", judged(a=0.95, b=0.05, c=0, d=-1))] == [0.95, 0.05, 0.0, 0.0]
