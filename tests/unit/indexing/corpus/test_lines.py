"""White space is squeezed as Python splits it, whatever character it is."""

import sys

import pytest

from indexing.whitespace import bare, squeeze


def test_every_white_space_of_unicode_is_one_plain_space() -> None:
    assert {
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if squeeze(f"a{character}b") != " ".join(f"a{character}b".split())
    } == set()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The cat sat.", "The cat sat."),
        (" The cat", "The cat"),
        ("The cat ", "The cat"),
        ("The  cat", "The cat"),
        ("The\tcat\n", "The cat"),
        ("café\u00a0au lait", "café au lait"),
        ("a\u200bb", "a\u200bb"),  # no width, no white space, and not printable
        (" ", ""),
        ("", ""),
    ],
)
def test_runs_of_white_space_are_one_space_and_none_at_the_ends(text: str, wanted: str) -> None:
    assert squeeze(text) == wanted


@pytest.mark.parametrize(
    "key", ["D1", " D1\t", "\ufeffD1", "\u200b D1\u00a0\u200b", "\u202aD1\u202c", "D1\u00ad\u3000"]
)
def test_ids_have_nothing_unseen_at_their_ends(key: str) -> None:
    assert bare(key) == "D1"


def test_what_is_within_an_id_stays() -> None:
    assert bare("می\u200cخواهم\u200d") == "می\u200cخواهم\u200d"  # joiners belong to words
    assert bare("D 1\u200b2") == "D 1\u200b2"
