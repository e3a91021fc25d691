"""The analyzer of new indexes: words of any script, compounds and signs, with a language's stems and stop words."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from indexing.words.analyzer import Token
from indexing.words.characters import ASCII_PIECES, LETTER_PIECES, OTHER, clusters, formats, is_unspaced, pieces
from indexing.words.compounds import read
from indexing.words.folding import bare, folded
from indexing.words.languages import Language

VERSION = 2
"""Rises with every change of what terms are; 1 is `EnglishV1`."""
MOST_KEPT = 2**18  # pieces whose terms are remembered; a few words make up most of any text
LONGEST_KEPT = 64  # characters of such a piece
LONGEST_LETTER = 64  # characters of a letter with its marks that are looked at
CALM = 3  # in a text of more words that are all in capitals, capitals say nothing
PROBE = "The keeper's U.S. e-mail to user_name: C++, .NET, 1,000 of 3.5mm, AT&T, हिन्दी, الْمُعَلِّم, がん, 牛肉面, ŒUVRE 🐝"


class WordAnalyzer:
    """Finds words as docs/indexing.md describes them, in a text of any script."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._kept = _Kept(self._piece_terms)

    @property
    def language(self) -> str:
        """The language of its stems and stop words."""
        return self._language.name

    @cached_property
    def fingerprint(self) -> str:
        """Over the version, the stop words, and the terms of stop words and of a probe."""
        words = sorted(self._language.stop_words)
        stems = self._language.stems(words)
        parts = [str(VERSION), self.language, " ".join(words), " ".join(stems), " ".join(self.terms(PROBE))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def terms(self, text: str) -> list[str]:
        """The terms under which a passage is found, repeats included."""
        if text.isascii():
            found = ASCII_PIECES.findall(_calm(text))
        elif OTHER.search(text) is None:
            found = LETTER_PIECES.findall(_calm(text))
        else:
            found = pieces().findall(formats().sub("", _calm(text)))
        return list(chain.from_iterable(map(self._kept.__getitem__, found)))

    def analyze(self, texts: Iterable[str]) -> list[list[str]]:
        """The terms of each passage."""
        return [self.terms(text) for text in texts]

    def tokens(self, text: str) -> list[Token]:
        """The words of a passage with their places and terms; those of compounds and of pairs of letters overlap."""
        return list(self._tokens(text, alone=True))

    def query_terms(self, query: str) -> list[str]:
        """The terms that a query looks for: in scripts without spaces pairs of letters, or a letter alone."""
        return [token.term for token in self._tokens(query, alone=False)]

    def query_tokens(self, query: str) -> list[Token]:
        """The words of a query with their places and terms."""
        return list(self._tokens(query, alone=False))

    def stop_words_in(self, query: str) -> list[str]:
        """The words of a query that aren't looked for, as they are written, each once."""
        found = pieces().findall(formats().sub("", _calm(query)))
        left_out = (piece for piece in found if any(map(str.isalnum, piece)) and not self._read(piece, alone=False))
        return list(dict.fromkeys(left_out))

    def _piece_terms(self, piece: str) -> tuple[str, ...]:
        return tuple(token.term for token in self._read(piece, alone=True))

    def _tokens(self, text: str, *, alone: bool) -> Iterator[Token]:
        """The tokens of a text, in order; `alone` as in `_pairs`."""
        places = _Places(text)
        for match in pieces().finditer(_calm(places.text)):
            for start, end, term in self._read(match.group(), alone=alone):
                yield Token(places[match.start() + start], places[match.start() + end - 1] + 1, term)

    def _read(self, piece: str, *, alone: bool) -> list[Token]:
        if is_unspaced(piece[0]):
            return list(_pairs(piece, alone=alone))
        if piece[0].isalnum() or piece[0] in "._\uff0e":
            return read(piece, self._language)
        return [Token(0, len(piece), piece)]  # an emoji


class _Places:
    """A text without formats, and the place in the whole text of each of its characters."""

    def __init__(self, text: str) -> None:
        self.text = text if text.isascii() else formats().sub("", text)
        self._places: Sequence[int] = range(len(text))
        if len(self.text) < len(text):
            left_out = {match.start() for match in formats().finditer(text)}
            self._places = [place for place in range(len(text)) if place not in left_out]

    def __getitem__(self, place: int) -> int:
        return self._places[place]


class _Kept(dict[str, tuple[str, ...]]):
    """The terms of pieces, computed once for those that may come again."""

    def __init__(self, compute: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, piece: str) -> tuple[str, ...]:
        terms = self._compute(piece)
        if len(piece) <= LONGEST_KEPT and not is_unspaced(piece[0]):
            if len(self) >= MOST_KEPT:
                self.clear()
            self[piece] = terms
        return terms


def _pairs(run: str, *, alone: bool) -> Iterator[Token]:
    """The pairs of neighbors in a run of letters; with `alone`, or where there is only one, single letters too."""
    letters = _letters(run)
    for number, (start, end, letter) in enumerate(letters):
        if alone or len(letters) == 1:
            yield Token(start, end, letter)
        if number + 1 < len(letters):
            _, last, following = letters[number + 1]
            yield Token(start, last, letter + following)


def _letters(run: str) -> list[Token]:
    """The letters of a run, each with its marks; what one character stands for, such as \u3314, has its place."""
    letters: list[Token] = []
    for match in clusters().finditer(run):
        for character in bare(folded(match.group()[:LONGEST_LETTER])):
            if letters and unicodedata.category(character).startswith("M"):
                start, _, before = letters[-1]
                letters[-1] = Token(start, match.end(), before + character)
            else:
                letters.append(Token(match.start(), match.end(), character))
    return letters


def _calm(text: str) -> str:
    """The text in small letters if it is all in capitals; of the same length."""
    if not text.isupper() or text.count(" ") < CALM:
        return text
    small = text.lower()
    return small if len(small) == len(text) else text
