"""Texts that say the same have one key, and texts that don't have two."""

import unicodedata

import pytest

from indexing.corpus.same_text import mended, text_key, unified

TEXT = "Café « crème » – 3.5 mm, voilà la C# don’t"


def encoded_twice(text: str, encoding: str = "latin-1") -> str:
    return text.encode().decode(encoding)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.upper(),
        f"  {TEXT.replace(' ', chr(0xA0) * 2)}\n",
        unicodedata.normalize("NFD", TEXT),
        TEXT.replace("C", "Ｃ").replace("3.5", "３．５"),  # full-width on purpose
        TEXT.replace("a", "a\u200b").replace("m", "\u2060m\u00ad"),
        f"\ufeff{TEXT}\u200e",
        TEXT.replace("’", "'").replace("–", "-").replace("« ", '"').replace(" »", '"'),
        f"{TEXT}?!",
        TEXT.replace("é", "&eacute;").replace("’", "&#8217;"),
        encoded_twice(TEXT),
        encoded_twice(TEXT, "cp1252"),
        encoded_twice(encoded_twice(TEXT)),
        " ".join(encoded_twice(TEXT).split()),  # its no-break spaces became spaces, as readers of passages make them
    ],
)
def test_what_a_reader_would_not_tell_apart_has_one_key(text: str) -> None:
    assert text_key(text) == text_key(TEXT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5 mm", "35 mm"),
        ("-3 degrees", "3 degrees"),
        ("C++ and C#", "C and C"),
        ("5 % more", "5 more"),
        ("the first of 2 1", "the first of 21"),
        ("resume", "résumé"),
        ("हिन्दी", "हिनदी"),  # combining marks stay
        ("?", "!"),
        ("", "!"),
    ],
)
def test_what_says_something_else_has_another_key(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


def test_text_that_was_encoded_twice_is_decoded_once() -> None:
    assert mended(encoded_twice("naïve – ‘ça’", "cp1252")) == "naïve – ‘ça’"
    assert unified(encoded_twice("über")) == "über"


@pytest.mark.parametrize("text", ["Ãlava", "MAÇÃ VERMELHA", "naïve", "£5 «là»", "café\xa0« »", "plain"])
def test_text_that_was_encoded_once_stays(text: str) -> None:
    assert mended(text) == text


def test_a_long_text_has_the_key_of_its_shorter_parts() -> None:
    assert text_key("Bees, honey. " * 2_000) == "beeshoney" * 2_000
