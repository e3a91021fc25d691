"""The languages that an index can have: Snowball's stems, and stop words."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import Stemmer

from indexing.errors import SettingsError
from indexing.words.folding import LONGEST, LONGEST_WORD, bare, folded

NONE = "none"
"""No stems and no stop words: for corpora of many languages, and languages that Snowball lacks."""
AUTO = "auto"
DEFAULT = "english"
LEFT_OUT = ("porter", "dutch_porter")  # Snowball's older stemmers of English and Dutch
DECIMAL_POINT = frozenset(
    {"english", NONE, "hindi", "nepali", "tamil", "arabic", "persian", "irish", "sesotho", "yiddish"}
)
POSSESSIVE = re.compile(r"'s?$")
STOP_WORDS = Path(__file__).with_name("stop_words.json")


@dataclass(frozen=True)
class Language:
    """How words of one language become terms."""

    name: str
    """Snowball's name in small letters, or `none`."""
    stop_words: frozenset[str]
    _stemmer: Stemmer.Stemmer | None = field(repr=False)

    @property
    def splits_apostrophes(self) -> bool:
        """Whether what an apostrophe separates are words: l'eau. English keeps don't and O'Brien whole."""
        return self.name != "english"

    @property
    def decimal_comma(self) -> bool:
        """Whether 3,5 is a number between three and four."""
        return self.name not in DECIMAL_POINT

    def terms(self, word: str) -> tuple[str, ...]:
        """The term of a word; none for a stop word, two where its accents change its stem: é is always found by e."""
        text = folded(word[:LONGEST_WORD], turkish=self.name == "turkish")
        if self.name == "english":
            text = POSSESSIVE.sub("", bare(text))
        if text in self.stop_words or not text:
            return ()
        if self._stemmer is None:
            return (bare(text)[:LONGEST],)
        plain = bare(text)
        stem = self._stemmer.stemWord
        spellings = (text,) if plain == text else (text, plain)
        return tuple(dict.fromkeys(bare(str(stem(spelling[:LONGEST]))) for spelling in spellings))

    def stems(self, words: Iterable[str]) -> list[str]:
        """The stems of these words, as they are."""
        return list(words) if self._stemmer is None else [str(stem) for stem in self._stemmer.stemWords(list(words))]

    @staticmethod
    def symbols(word: str) -> tuple[str, ...]:
        """The term of a word before a sign, as in C++: neither a stem nor a stop word."""
        return (bare(folded(word[:LONGEST_WORD]))[:LONGEST],)

    def number(self, digits: str) -> str:
        """A number without the separators of thousands, and with a decimal point."""
        if not self.decimal_comma:
            return digits.replace(",", "")[:LONGEST]
        groups = re.split("[.,]", digits)
        if len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]):
            return "".join(groups)[:LONGEST]
        if len(groups) == 2 or ("," in digits and all(len(group) == 3 for group in groups[1:-1])):
            return f"{''.join(groups[:-1])}.{groups[-1]}"[:LONGEST]
        return digits[:LONGEST]


@cache
def language_names() -> tuple[str, ...]:
    """What an index's language can be, in alphabetical order, `none` last."""
    return (*sorted(set(Stemmer.algorithms()) - {*LEFT_OUT}), NONE)


def check_language(name: str) -> None:
    """Refuse a name that is neither a language's nor `auto`. Raises SettingsError."""
    if name not in (AUTO, *language_names()):
        raise SettingsError(f"language {name!r} is unknown; choose one of {', '.join((AUTO, *language_names()))}.")


@cache
def language(name: str) -> Language:
    """A language by its name. Raises SettingsError for an unknown one."""
    if name == NONE:
        return Language(NONE, frozenset(), None)
    check_language(name)
    stemmer = Stemmer.Stemmer(name)
    stemmer.maxCacheSize = 0  # terms are kept by piece
    return Language(name, stop_words(name), stemmer)


@cache
def stop_words(name: str) -> frozenset[str]:
    """The stop words of a language; empty for one without a list."""
    return frozenset(map(folded, _lists()["words"].get(name, "").split()))


@cache
def common_words() -> dict[str, frozenset[str]]:
    """The commonest words of languages, by which texts are told apart; some are of languages that Snowball lacks."""
    lists = _lists()
    return {
        name: frozenset(map(folded, f"{lists['words'].get(name, '')} {lists['known'].get(name, '')}".split()))
        for name in (*lists["words"], *lists["known"])
    }


@cache
def _lists() -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = json.loads(STOP_WORDS.read_text(encoding="utf-8"))
    return lists
