"""Texts that say the same are found whatever their case, order and small changes; others are let be."""

import unicodedata

import pytest

from training.mining.near_duplicates import NearDuplicates

TEN = "alpha bravo charlie delta echo foxtrot golf hotel india juliett"  # ten terms, no stop word
NINETEEN = f"{TEN} kilo lima mike november oscar papa quebec romeo sierra"


def match(known: str, text: str, *, share: float = 0.9) -> bool:
    return NearDuplicates([known], share=share).match(text)


@pytest.mark.parametrize(
    "text",
    [
        TEN,
        TEN.upper(),
        f"  {TEN.replace(' ', '  ')}\n",
        " ".join(reversed(TEN.split())),
        f"{TEN} alpha alpha",  # repeats count once
        f"The {TEN}; and it is.",  # stop words and punctuation count nothing
    ],
)
def test_the_same_words_match(text: str) -> None:
    assert match(TEN, text)


def test_a_share_of_exactly_nine_tenths_matches() -> None:
    # 9 shared terms of 10 in all
    assert match(TEN, TEN.rsplit(" ", 1)[0])


def test_a_share_below_nine_tenths_does_not_match() -> None:
    # one term exchanged for another: 9 shared of 11, 0.82
    assert not match(TEN, TEN.replace("juliett", "zulu"))


def test_the_same_change_in_a_longer_text_matches() -> None:
    # 18 shared of 20
    assert match(NINETEEN, NINETEEN.replace("sierra", "zulu"))


def test_the_share_is_a_setting() -> None:
    assert match(TEN, TEN.replace("juliett", "zulu"), share=0.8)
    assert not match(TEN, TEN.rsplit(" ", 1)[0], share=0.91)


def test_endings_do_not_matter() -> None:
    assert match("The bees' keepers were keeping hives", "A bee's keeper is keeping a hive", share=0.6)


def test_another_text_does_not_match() -> None:
    assert not match("Bees make honey from nectar", "Wasps build nests of paper")


def test_any_of_several_texts_is_matched() -> None:
    known = NearDuplicates(["Wasps build nests", TEN, ""], share=0.9)
    assert known.match(TEN)
    assert known.match("wasps build nests")
    assert not known.match("Glaciers carve valleys")


def test_texts_of_stop_words_match_only_by_equality() -> None:
    # without a term the Jaccard index is 0 / 0
    assert match("To be, or not to be", "to be,  or NOT to be")
    assert not match("To be, or not to be", "it is")
    assert not match("To be, or not to be", "")


def test_nothing_matches_none() -> None:
    assert not NearDuplicates([], share=0.9).match(TEN)


@pytest.mark.parametrize(
    "copy",
    [
        "Die Bäckerei öffnet früh".encode().decode("latin-1"),
        unicodedata.normalize("NFD", "Die Bäckerei öffnet früh"),
        "Die Bäcke\u00adrei öff\u200bnet früh",
        "Die Bäckerei öffnet früh; 2",  # one term more: 4 shared of 5
    ],
)
def test_copies_in_another_encoding_or_form_match_by_key_and_by_terms(copy: str) -> None:
    assert match("Die Bäckerei öffnet früh", copy, share=0.8)
    assert match("Die Bäckerei öffnet früh!", f"{copy} Die", share=0.8)
