"""Text becomes terms, and terms know their places."""

import pytest

from indexing.bm25 import analyzer


def test_stop_words_do_not_count() -> None:
    assert analyzer.terms("to be or not to be, that is it") == []


def test_case_does_not_matter() -> None:
    assert analyzer.terms("HONEY Honey honey") == ["honey"] * 3


@pytest.mark.parametrize(
    ("word", "stem"), [("running", "run"), ("bees", "bee"), ("ponies", "poni"), ("generously", "generous")]
)
def test_words_are_stemmed_by_snowball_english(word: str, stem: str) -> None:
    assert analyzer.terms(word) == [stem]


def test_a_possessive_ending_does_not_count() -> None:
    assert analyzer.terms("the keeper's lamp") == analyzer.terms("the keeper lamp")


def test_a_typographic_apostrophe_reads_as_a_plain_one() -> None:
    assert analyzer.terms("the keeper’s lamp doesn’t turn") == analyzer.terms("the keeper's lamp doesn't turn")


def test_accents_do_not_count() -> None:
    assert analyzer.terms("café naïve ÉCOLE") == analyzer.terms("cafe naive ecole")


def test_an_accent_written_as_its_own_character_reads_as_a_composed_one() -> None:
    assert analyzer.terms("nai\u0308ve") == analyzer.terms("na\u00efve")


def test_a_number_is_a_term() -> None:
    assert analyzer.terms("in 1867") == ["1867"]


def test_repeats_are_kept_in_order() -> None:
    assert analyzer.terms("yeast flour yeast") == ["yeast", "flour", "yeast"]


def test_text_without_words_has_no_terms() -> None:
    assert analyzer.terms(" …—!? ") == []


def test_offsets_point_at_the_words_as_written() -> None:
    text = "The café's bees — Running!"
    assert [text[token.start : token.end] for token in analyzer.tokens(text)] == ["café's", "bees", "Running"]


def test_analyze_gives_the_terms_of_each_text() -> None:
    assert analyzer.analyze(["bees fly", "", "wax"]) == [["bee", "fli"], [], ["wax"]]


def test_the_fingerprint_changes_with_the_stop_words(monkeypatch: pytest.MonkeyPatch) -> None:
    before = analyzer.fingerprint()
    monkeypatch.setattr(analyzer, "STOP_WORDS", analyzer.STOP_WORDS | {"however"})
    assert analyzer.fingerprint() != before
