"""Queries of a file are cut to what is searched, and those that were cut are named."""

from indexing.records import Query, QueryId
from search.queries import searchable_queries
from search.settings import QUERY_CHARACTERS


def test_a_long_query_is_cut_at_a_word_and_named() -> None:
    notes: list[str] = []
    words = "homework " * 300  # 300 times 9 characters: the 2,000th lies within the 223rd word
    queries = [Query(QueryId("s1"), "does\thomework  cost sleep"), Query(QueryId("s2"), words)]
    short, cut = searchable_queries(queries, note=notes.append)
    assert short == Query(QueryId("s1"), "does homework cost sleep")
    assert cut == Query(QueryId("s2"), " ".join(["homework"] * 222))
    assert notes == ["1 query is longer than the 2,000 characters that are searched and cut to them: s2 (2,699)."]


def test_a_query_that_fits_exactly_is_whole() -> None:
    notes: list[str] = []
    text = "x" * QUERY_CHARACTERS
    assert searchable_queries([Query(QueryId("1"), text)], note=notes.append)[0].text == text
    assert notes == []


def test_a_single_word_without_end_is_cut_within() -> None:
    notes: list[str] = []
    taken = searchable_queries([Query(QueryId("1"), "x" * 5000), Query(QueryId("2"), "y" * 2001)], note=notes.append)
    assert [len(query.text) for query in taken] == [2000, 2000]
    assert "2 queries are longer" in notes[0]


def test_a_cut_right_after_a_word_keeps_the_word() -> None:
    text = "x" * 1990 + " " + "y" * 9 + " z"
    assert searchable_queries([Query(QueryId("1"), text)], note=print)[0].text == "x" * 1990 + " " + "y" * 9
