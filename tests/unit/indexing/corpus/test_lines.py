"""White space is squeezed as Python splits it, whatever character it is."""

import sys

import pytest

from indexing.whitespace import squeeze


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
