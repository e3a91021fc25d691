"""Text of any script becomes the terms by which it is found, and terms know their places."""

import unicodedata

import pytest

from indexing.words.analyzers import analyzer_for, recorded_analyzer
from indexing.words.english_v1 import EnglishV1

ENGLISH = analyzer_for()
NONE = analyzer_for("none")


def finds(query: str, text: str, language: str = "english") -> bool:
    """Whether a passage has a term that the query looks for."""
    analyzer = analyzer_for(language)
    return not set(analyzer.query_terms(query)).isdisjoint(analyzer.terms(text))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("to be or not to be, that is it", []),
        ("HONEY Honey honeys", ["honey"] * 3),
        ("the keeper's keeper’s lamp", ["keeper", "keeper", "lamp"]),
        ("don’t don`t don't", ["don't"] * 3),
        ("C++ C# C F# .NET net", ["c++", "c#", "c", "f#", ".net", "net"]),
        ("i++j x+y 1+1 A+", ["i++", "j", "x", "y", "1", "1", "a+"]),
        ("covid-19 covid19", ["covid19", "covid", "19"] * 2),
        ("e-mail email", ["email", "e", "mail", "email"]),
        ("AT&T R&D", ["at&t", "t", "r&d", "r", "d"]),
        ("U.S. U.K. UK us", ["u.s", "uk", "uk", "us"]),
        ("the US and IT", ["us", "u.s", "i.t"]),
        ("3.5mm 3.5 mm", ["3.5mm", "3.5", "3", "mm", "3.5", "3", "mm"]),
        ("10kg", ["10kg", "10", "kg"]),
        ("1,000 1000 1,000.5", ["1000", "1000", "1000.5", "1"]),
        ("1.2.3", ["1.2.3", "1", "2", "3"]),
        ("node.js nodejs", ["nodej", "node", "js", "nodej"]),
        ("24/7", ["24", "7"]),
        ("𝐇𝐨𝐧𝐞𝐲 Ｃ＋＋ １２３ ٣٫٥ H₂O", ["honey", "c++", "123", "3.5", "3", "h2o"]),
        ("🐝 bee ❤️ 👍🏽 🇩🇪", ["🐝", "bee", "❤", "👍", "🇩🇪"]),
        (" …—!? ", []),
        ("___ -- '", []),
    ],
)
def test_terms_of_english(text: str, terms: list[str]) -> None:
    assert ENGLISH.terms(text) == terms


@pytest.mark.parametrize(
    "pair",
    [
        *(
            ("C++", "C"),
            ("C++", "C#"),
            ("F#", "F"),
            (".NET", "net"),
            ("U.S.", "us"),
            ("हिन्दी", "हद"),
        ),
        *(("がん", "かん"), ("ガス", "カス"), ("елка", "елки"), ("й", "и"), ("น้ำ", "น้า")),
    ],
)
def test_different_words_share_no_term(pair: tuple[str, str]) -> None:
    assert not finds(*pair, language="none")
    assert not finds(*reversed(pair))


def test_what_is_read_as_a_stop_word_elsewhere_is_found_in_english() -> None:
    assert not finds("AT&T", "at tea")
    assert not finds("I.T.", "it")
    assert finds("I.T.", "the IT department")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        *(("user name", "user_name"), ("username", "user_name"), ("covid 19", "COVID-19"), ("covid19", "covid-19")),
        *(("strasse", "Straße"), ("Orsted", "Ørsted"), ("lodz", "Łódź"), ("aeon", "æon"), ("coeur", "cœur")),
        *(("Istanbul", "İstanbul"), ("Thor", "Þór"), ("Dordevic", "Đorđević"), ("ελλαδα", "Ελλάδα"), ("елка", "ёлка")),
        *(("المعلم", "المُعَلِّمُ"), ("شلوم", "شـلـوم"), ("שלום", "שָׁלוֹם"), ("می‌خواهم", "میخواهم"), ("हिंदी", "हिन्दी")),
        *(("ｶﾞｽ", "ガス"), ("牛肉", "牛肉面"), ("면", "면"), ("ปลา", "แมวกินปลา"), ("肉", "牛肉面"), ("图", "图书馆")),
        *(("example", "ex\u00adam\u200bple"), ("C++", "C\u200d++"), ("naive", "nai\u0308ve"), ("O’Brien", "O'Brien")),
        *(("bluetooth 5", "Bluetooth 5.0"), ("п'ять", "п’ять"), ('צה"ל', "צה״ל")),
    ],
)
def test_spellings_of_a_word_find_each_other(query: str, text: str) -> None:
    assert finds(query, text)
    assert finds(query, text, language="none")


def test_a_query_looks_for_pairs_of_letters_and_for_a_letter_alone() -> None:
    assert NONE.query_terms("牛肉面 面") == ["牛肉", "肉面", "面"]
    assert NONE.terms("牛肉面") == ["牛", "牛肉", "肉", "肉面", "面"]


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("german", "die Häuser Müller Mueller 10.000 3,5", ["haus", "mull", "mull", "10000", "3.5", "3"]),
        ("french", "l’homme de l'eau", ["homm", "eau"]),
        ("portuguese", "informações", ["inform", "informaco"]),  # the second finds what is typed without accents
        ("turkish", "İstanbul'da", ["istanbul"]),
        ("none", "the running", ["the", "running"]),
    ],
)
def test_other_languages(language: str, text: str, terms: list[str]) -> None:
    assert analyzer_for(language).terms(text) == terms


@pytest.mark.parametrize(
    "text", ["The café's bees — Running!", "ex\u00adample e-mail", "牛肉面 C++ 3.5mm", "nai\u0308ve U.S. 🐝"]
)
def test_places_delimit_what_was_found(text: str) -> None:
    for token in ENGLISH.tokens(text):
        assert token.term in ENGLISH.terms(text[token.start : token.end])


def test_decomposed_text_has_the_same_terms() -> None:
    text = "Łódź naïve がん 한국어 हिन्दी Ελλάδα й ё U.S. AT&T"
    for form in ("NFC", "NFD"):
        assert NONE.terms(unicodedata.normalize(form, text)) == NONE.terms(text)


@pytest.mark.parametrize("text", [letter * 10**5 for letter in ("b", "e\u0301", "b-", "1,", "牛")])
def test_long_pieces_make_short_terms(text: str) -> None:
    assert max(map(len, ENGLISH.terms(text))) <= 255


@pytest.mark.parametrize("letter", ["b", "牛"])
def test_a_letter_with_very_many_marks_takes_no_longer(letter: str) -> None:
    assert len(ENGLISH.terms(letter + "\u0301\u0316" * 10**5)) == 1


def test_stop_words_of_a_query_are_named_as_written() -> None:
    assert ENGLISH.stop_words_in("To be or not to BE bees") == ["To", "be", "or", "not", "to", "BE"]


def test_an_index_keeps_the_analyzer_of_its_manifest() -> None:
    assert isinstance(recorded_analyzer("", EnglishV1().fingerprint), EnglishV1)
    assert recorded_analyzer("german", analyzer_for("german").fingerprint) is analyzer_for("german")
    assert recorded_analyzer("german", "0" * 16) is None
    assert recorded_analyzer("klingon", "0" * 16) is None


def test_fingerprints_differ_by_language() -> None:
    languages = ("english", "german", "none", "arabic")
    assert len({analyzer_for(name).fingerprint for name in languages}) == len(languages)
