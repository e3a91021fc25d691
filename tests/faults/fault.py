"""What an area of faults is made of: cases with a name and a function that raises where the program did wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

from indexing.errors import SecondLookError


class Fault(NamedTuple):
    """One input, damage or attack."""

    name: str
    """Says what is done, so that the case can be found again by it."""
    run: Callable[[Path], None]
    """Does it in an empty folder. It returns where the program did right, and raises one of the errors below, or lets
    what the program raised pass, where it didn't."""
    limit: float = 20.0
    """Seconds after which it counts as a hang."""


class Area(Protocol):
    """A module of faults."""

    AREA: str
    """Its name in the table."""

    def prepare(self, folder: Path) -> None:
        """Make, once for all cases, what they copy or read: models, an index. Called before `faults`."""

    def faults(self, random: Random) -> Iterator[Fault]:
        """The area's cases; the same ones for the same state of `random`."""


class WrongAnswerError(AssertionError):
    """The program answered wrongly and didn't say so."""


class HoleError(AssertionError):
    """The program gave away, or let be changed, what it mustn't."""


class LostError(AssertionError):
    """Data that was whole before are gone or broken."""


@dataclass(frozen=True)
class Refusal:
    """The sentence with which the program refused."""

    sentence: str


def refused(call: Callable[[], Any], *mentions: str) -> Refusal:
    """Call, and give back the refusal.

    Raises:
        WrongAnswerError: the call went through, or the sentence lacks one of `mentions`, has several lines, or is over
            600 characters.
    """
    try:
        value = call()
    except SecondLookError as error:
        return Refusal(_checked(str(error), mentions))
    raise WrongAnswerError(f"accepted, and gave {str(value)[:200]}")


def refused_or(call: Callable[[], Any], right: Callable[[Any], bool], *mentions: str) -> None:
    """Call; right is a refusal as `refused` takes it, or a value for which `right` is true.

    Raises:
        WrongAnswerError: neither.
    """
    try:
        value = call()
    except SecondLookError as error:
        _checked(str(error), mentions)
        return
    if not right(value):
        raise WrongAnswerError(f"gave {str(value)[:300]}")


def _checked(sentence: str, mentions: tuple[str, ...]) -> str:
    for mention in mentions:
        if mention not in sentence:
            raise WrongAnswerError(f"refused without naming {mention!r}: {sentence[:300]}")
    if "\n" in sentence.strip() or len(sentence) > 600 or not sentence.strip():
        raise WrongAnswerError(f"refused in {len(sentence)} characters, not in a sentence: {sentence[:300]}")
    return sentence
