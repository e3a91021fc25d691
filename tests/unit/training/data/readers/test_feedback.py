"""Raters' grades become one grade a passage, and no line of a protected query is used."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import CorpusError
from tests.conftest import write_lines
from training.data.readers.feedback import feedback_examples
from training.example import CONTRADICTED, Example, ignore
from training.source import Source

RATING = {
    "query": "how do bees make honey",
    "passage_id": "a1",
    "passage": "Bees make honey.",
    "grade": 2,
    "rater": "ann",
    "protected": False,
    "index": "small",
}


def write(folder: Path, *changes: dict[str, Any]) -> Source:
    """A file of ratings, each like RATING but for its changes."""
    path = write_lines(folder / "feedback.jsonl", [json.dumps(RATING | change) for change in changes])
    return Source("feedback", str(path))


def read(source: Source) -> list[Example]:
    return list(feedback_examples(source, on_skip=ignore))


def test_the_grades_of_one_passage_become_one(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        {"rater": "ann", "grade": 3},
        {"rater": "bob", "grade": 0, "passage": "Bees  make honey. "},
        {"rater": "eve", "grade": 2},
        {"passage": "Wasps hunt.", "grade": 0},
    )
    reasons: list[str] = []
    (example,) = feedback_examples(source, on_skip=reasons.append)
    assert reasons == [CONTRADICTED]  # bob's grade, not relevant, against the others'
    assert example.passages == ("Bees make honey.", "Wasps hunt.")
    assert example.labels == (2, 0)  # median of 0, 2, 3
    assert example.source == "feedback feedback.jsonl"


def test_a_raters_later_grade_replaces_the_earlier_one(tmp_path: Path) -> None:
    (example,) = read(write(tmp_path, {"grade": 3}, {"grade": 0}))
    assert (example.passages, example.labels) == (("Bees make honey.",), (0,))  # of both the median would be 1.5, so 2


def test_queries_that_differ_only_in_case_or_spacing_are_one(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        {},
        {"query": "another one", "query_id": 5},
        {"query": "How do BEES make honey?", "query_id": "q9", "passage": "Wax."},
    )
    first, second = read(source)
    assert (first.query, first.query_id, len(first.passages)) == ("how do bees make honey", "q9", 2)
    assert (second.query, second.query_id) == ("another one", "5")


def test_protected_lines_are_never_used(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        {"protected": True, "passage": "Secret."},
        {"query": "why does bread rise", "passage": "Yeast."},
        {"query": "How do bees make honey?", "passage": "Of a protected query too."},
    )
    reasons: list[str] = []
    (example,) = feedback_examples(source, on_skip=reasons.append)
    assert (example.query, example.passages, example.labels) == ("why does bread rise", ("Yeast.",), (2,))
    assert reasons == ["protected query"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"grade": 4}, "'grade' is 4, not one of 0, 1, 2, 3"),
        ({"grade": True}, "'grade' is True"),
        ({"grade": 1.0}, r"'grade' is 1\.0"),
        ({"protected": None}, "'protected' is neither true nor false"),
        ({"protected": "false"}, "'protected' is neither"),
        ({"query": " "}, "'query' is empty"),
        ({"passage": None}, "'passage' is missing"),
        ({"passage": 7}, "'passage' is a number, not text"),
        ({"passage": "half \ud800"}, "'passage' contains a NUL or half a surrogate pair"),
        ({"query_id": []}, "'query_id' is a list, not text"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    with pytest.raises(CorpusError, match=rf"feedback\.jsonl:2: {fault}.*; correct the line or remove it\.$"):
        read(write(tmp_path, {}, change))
