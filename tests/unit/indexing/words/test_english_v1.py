"""Indexes that were built before they had a language keep their analyzer."""

import pytest

from indexing.words.english_v1 import EnglishV1

ANALYZER = EnglishV1()


def test_stop_words_do_not_count() -> None:
    assert ANALYZER.terms("to be or not to be, that is it") == []


def test_case_does_not_matter() -> None:
    assert ANALYZER.terms("HONEY Honey honey") == ["honey"] * 3


@pytest.mark.parametrize(
    ("word", "stem"), [("running", "run"), ("bees", "bee"), ("ponies", "poni"), ("generously", "generous")]
)
def test_words_are_stemmed_by_snowball_english(word: str, stem: str) -> None:
    assert ANALYZER.terms(word) == [stem]


def test_a_possessive_ending_does_not_count() -> None:
    assert ANALYZER.terms("the keeper's lamp") == ANALYZER.terms("the keeper lamp")


def test_a_typographic_apostrophe_reads_as_a_plain_one() -> None:
    assert ANALYZER.terms("the keeper’s lamp doesn’t turn") == ANALYZER.terms("the keeper's lamp doesn't turn")


def test_accents_do_not_count() -> None:
    assert ANALYZER.terms("café naïve ÉCOLE") == ANALYZER.terms("cafe naive ecole")


def test_an_accent_written_as_its_own_character_reads_as_a_composed_one() -> None:
    assert ANALYZER.terms("nai\u0308ve") == ANALYZER.terms("na\u00efve")


def test_a_number_is_a_term() -> None:
    assert ANALYZER.terms("in 1867") == ["1867"]


def test_repeats_are_kept_in_order() -> None:
    assert ANALYZER.terms("yeast flour yeast") == ["yeast", "flour", "yeast"]


def test_text_without_words_has_no_terms() -> None:
    assert ANALYZER.terms(" …—!? ") == []


def test_offsets_point_at_the_words_as_written() -> None:
    text = "The café's bees — Running!"
    assert [text[token.start : token.end] for token in ANALYZER.tokens(text)] == ["café's", "bees", "Running"]


def test_analyze_gives_the_terms_of_each_text() -> None:
    assert ANALYZER.analyze(["bees fly", "", "wax"]) == [["bee", "fli"], [], ["wax"]]


def test_its_fingerprint_is_that_of_the_manifests_on_disk() -> None:
    assert ANALYZER.fingerprint == "cf4ade23e7ac6593"
