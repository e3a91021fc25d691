"""The words of a query are found in a passage, and the pieces make the whole passage."""

import pytest

from indexing.words.analyzers import analyzer_for
from search.explain.matches import Span, matched_spans


def spans(query: str, text: str) -> list[Span]:
    return matched_spans(query, text, analyzer=analyzer_for())


def test_words_of_the_query_are_matched_by_their_stems() -> None:
    assert spans("why do bees fly", "A bee flies home.") == [
        Span("A ", False),
        Span("bee", True),
        Span(" ", False),
        Span("flies", True),
        Span(" home.", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bee",
        "bee bee",
        "  Bees’ wax, café — naïve\n\tend ",
        "no match at all",
        "é🐝 bee 🐝",
        "<b>bee</b> & 'bee's'",
    ],
)
@pytest.mark.parametrize("query", ["bee", "bees café naive", ""])
def test_pieces_join_to_the_text(query: str, text: str) -> None:
    assert "".join(span.text for span in spans(query, text)) == text


def test_no_piece_is_empty() -> None:
    assert all(span.text for span in spans("bee wax", "bee wax bee"))


def test_stop_words_of_the_query_are_not_matched() -> None:
    assert spans("the bee", "the wasp") == [Span("the wasp", False)]


def test_a_repeated_word_is_matched_each_time() -> None:
    assert [span.text for span in spans("bee", "Bee or bees") if span.matched] == ["Bee", "bees"]
