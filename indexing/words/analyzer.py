"""What turns text into terms: every index has one, and its manifest says which."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Token(NamedTuple):
    """A word of a text and its term; `start` and `end` are the word's character offsets."""

    start: int
    end: int
    term: str


class Analyzer(Protocol):
    """Text to terms. Tokens are in the order of their places, and may overlap."""

    def __hash__(self) -> int:
        """So that what it found can be kept."""

    @property
    def language(self) -> str:
        """The language whose stems and stop words it knows; `none` for no language."""

    @property
    def fingerprint(self) -> str:
        """Changes when its terms would; every index's manifest records it."""

    def terms(self, text: str) -> list[str]:
        """The terms under which a passage is found, repeats included."""

    def analyze(self, texts: Iterable[str]) -> list[list[str]]:
        """The terms of each passage."""

    def tokens(self, text: str) -> list[Token]:
        """The words of a passage with their places and terms."""

    def query_terms(self, query: str) -> list[str]:
        """The terms that a query looks for, repeats included: each is among those of the same text as a passage."""

    def query_tokens(self, query: str) -> list[Token]:
        """The words of a query with their places and terms."""

    def stop_words_in(self, query: str) -> list[str]:
        """The words of a query that aren't looked for, as they are written, each once."""
