"""Expectations are kept as pinned, and checked by the re-ranker's own logits."""

import json
from pathlib import Path

import pytest

from indexing import atomic
from indexing.errors import BusyError, SettingsError
from indexing.index import Index
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker
from training.versions.expectations import (
    ExpectedPassage,
    add_expectation,
    check,
    expected_passage,
    read_expectations,
    remove_expectation,
)

A1, A3, D1 = (ExpectedPassage(key, PASSAGES[key]) for key in ("a1", "a3", "d1"))
QUERY = "how do bees make honey"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models/expectations.jsonl"


def test_without_a_file_there_are_none(path: Path) -> None:
    assert read_expectations(path) == []


def test_what_is_pinned_is_stored_with_person_and_time(path: Path) -> None:
    add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    add_expectation(f" {QUERY}\n", above=A3, below=D1, by="bob", path=path)
    first, second = read_expectations(path)
    assert (first.query, first.above, first.below, first.by) == (QUERY, A1, D1, "ann")
    assert (second.query, second.above, second.by) == (QUERY, A3, "bob")
    assert first.at.startswith("20")
    assert first.key != second.key
    assert len(path.read_text().splitlines()) == 2


def test_one_is_removed_by_its_key(path: Path) -> None:
    first = add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    second = add_expectation(QUERY, above=A3, below=D1, by="ann", path=path)
    assert remove_expectation(first.key, path=path) == first
    assert read_expectations(path) == [second]


def test_an_unknown_key_is_answered_with_the_known_ones(path: Path) -> None:
    first = add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    message = rf"There is no expectation 'nokey' in .* \(its keys: {first.key}\); give one of these keys\."
    with pytest.raises(SettingsError, match=message):
        remove_expectation("nokey", path=path)
    assert read_expectations(path) == [first]


def test_the_same_one_is_not_pinned_twice(path: Path) -> None:
    first = add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    with pytest.raises(SettingsError, match=f"{first.key} already says: for .*, a1 above d1"):
        add_expectation(QUERY, above=A1, below=D1, by="bob", path=path)


def test_the_opposite_of_one_is_not_pinned(path: Path) -> None:
    first = add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    with pytest.raises(
        SettingsError, match=rf"{first.key} already says: for .*, a1 above d1\. Remove it before you pin another"
    ):
        add_expectation(QUERY, above=D1, below=A1, by="bob", path=path)


def test_an_expectation_without_content_is_not_pinned(path: Path) -> None:
    with pytest.raises(SettingsError, match="above itself"):
        add_expectation(QUERY, above=A1, below=ExpectedPassage("", A1.text), by="ann", path=path)
    with pytest.raises(SettingsError, match="The query of an expectation is empty; give some words"):
        add_expectation("  ", above=A1, below=D1, by="ann", path=path)
    with pytest.raises(SettingsError, match="no text"):
        ExpectedPassage("a1", " ")
    assert read_expectations(path) == []


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"query": "q", "above": {"id": "a"}}', "null", '{"above": 3}'])
def test_a_line_that_is_no_expectation_is_named(path: Path, line: str) -> None:
    add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(SettingsError, match=r"expectations\.jsonl:2 isn't an expectation; correct or delete this line"):
        read_expectations(path)


def test_two_changes_at_once_are_refused(path: Path) -> None:
    path.parent.mkdir()
    with atomic.locked(path.parent), pytest.raises(BusyError, match="Another process"):
        add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)


def test_a_passage_is_pinned_by_its_id_with_the_index_s_text(small_index: Index) -> None:
    assert expected_passage("a1", small_index.passages) == A1
    with pytest.raises(SettingsError, match="no passage 'zz'"):
        expected_passage("zz", small_index.passages)


def checked(path: Path, index: Index, logits: dict[str, float]) -> list[tuple[bool, str]]:
    checks = check(read_expectations(path), FixedReranker(logits), index.passages)
    return [(result.holds, result.sentence()) for result in checks]


def test_an_expectation_holds_where_the_logit_is_higher(path: Path, small_index: Index) -> None:
    add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    add_expectation(QUERY, above=D1, below=A3, by="ann", path=path)
    checks = checked(path, small_index, {A1.text: 2.0, D1.text: 0.5, A3.text: 1.0})
    assert checks == [
        (True, "for 'how do bees make honey', a1 above d1 (logits 2.000 and 0.500)"),
        (False, "for 'how do bees make honey', d1 above a3 (logits 0.500 and 1.000)"),
    ]


def test_a_tie_does_not_hold(path: Path, small_index: Index) -> None:
    add_expectation(QUERY, above=A1, below=D1, by="ann", path=path)
    assert checked(path, small_index, {A1.text: 1.0, D1.text: 1.0})[0][0] is False


def test_a_text_that_changed_in_the_index_counts_as_it_is_there(path: Path, small_index: Index) -> None:
    add_expectation(QUERY, above=ExpectedPassage("a1", "an older text"), below=D1, by="ann", path=path)
    assert checked(path, small_index, {A1.text: 2.0, D1.text: 0.5})[0][0] is True


def test_a_passage_that_the_index_lacks_counts_as_pinned(path: Path, small_index: Index) -> None:
    add_expectation(
        QUERY, above=ExpectedPassage("gone", "its text"), below=ExpectedPassage("", "free text"), by="ann", path=path
    )
    ((holds, sentence),) = checked(path, small_index, {"its text": 2.0, "free text": 0.5})
    assert holds
    assert "gone above 'free text'" in sentence


def test_the_file_is_read_back_as_it_was_written(path: Path) -> None:
    first = add_expectation("wie macht man Honig – ☃?", above=A1, below=D1, by="Ännchen", path=path)
    assert read_expectations(path) == [first]
    assert json.loads(path.read_text(encoding="utf-8"))["query"] == first.query
