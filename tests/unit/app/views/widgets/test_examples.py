"""The bundled examples are judged dev queries, never test queries, and each says what makes it hard."""

from app.views.widgets.examples import EXAMPLES, Example
from tests.conftest import REPOSITORY


def _texts(split: str) -> set[str]:
    lines = (REPOSITORY / f"data/sample/queries.{split}.tsv").read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[1] for line in lines}


def test_examples_are_dev_queries_with_a_caption() -> None:
    assert {example.query for example in EXAMPLES} <= _texts("dev") - _texts("test")
    assert all(example.caption for example in EXAMPLES)


def test_what_re_ranking_does_is_told_where_it_is_known_and_no_win() -> None:
    assert Example("q", "misspelling").about == Example("q", "misspelling", "win").about == "misspelling"
    assert Example("q", "another meaning", "loss").about == "another meaning; re-ranking loses"
    assert Example("q", "look-alike", "tie").about == "look-alike; re-ranking changes nothing"
