"""A passage that is relevant to a query and not relevant is counted, and stays as relevant where that is known."""

from training.data.contradictions import without_contradictions
from training.example import CONTRADICTED, Example


def example(query: str, /, scores: tuple[float, ...] | None = None, **labels: float) -> Example:
    return Example("test", query, tuple(labels), labels=tuple(labels.values()), scores=scores)


def read(*examples: Example) -> tuple[list[Example], int]:
    """The examples that are left, and how many contradictions were told."""
    reasons: list[str] = []
    left = list(without_contradictions(examples, on_skip=reasons.append))
    assert set(reasons) <= {CONTRADICTED}
    return left, len(reasons)


def test_a_copy_within_an_example_that_is_not_relevant_goes_with_its_score() -> None:
    left, told = read(example("bees", honey=0, Honey=2, wax=0, scores=(1.0, 2.0, 3.0)))
    assert left == [example("bees", Honey=2, wax=0, scores=(2.0, 3.0))]
    assert told == 1


def test_what_an_earlier_example_of_the_query_gives_as_relevant_is_no_negative() -> None:
    first, other = example("bees", honey=1, wax=0), example("bread", honey=0, yeast=1)
    left, told = read(first, other, example("Bees?", honey=0, comb=1), example("bees", honey=0))
    assert left == [first, other, example("Bees?", comb=1)]
    assert told == 2


def test_a_negative_that_turns_out_relevant_stays_and_is_told_once() -> None:
    examples = [example("bees", wax=1, honey=0), example("bees", honey=1, comb=0), example("bees", honey=2)]
    assert read(*examples) == (examples, 1)


def test_copies_of_one_verdict_and_examples_without_labels_stay() -> None:
    examples = [example("bees", honey=1, Honey=2, wax=0, Wax=0), Example("test", "bees", ("honey",), scores=(1.0,))]
    assert read(*examples) == (examples, 0)
