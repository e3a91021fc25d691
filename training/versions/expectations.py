"""Pinned expectations, "passage A above B for query q": kept with who and when, and checked on a re-ranker."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexing import atomic
from indexing.errors import SettingsError
from indexing.records import PassageId
from indexing.store.passages import PassageStore
from search.rerank.reranker import Reranker

FILE = "expectations.jsonl"  # in the folder of all models
SHOWN = 60  # characters of a text that is quoted


@dataclass(frozen=True)
class Pinned:
    """One passage of an expectation; without an id, only its text counts."""

    id: str
    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not isinstance(self.text, str) or not self.text.strip():
            raise SettingsError(f"Passage {self.id!r} of an expectation has no text; give a passage that has some.")

    @property
    def label(self) -> str:
        """What a person calls it: its id, else how it begins."""
        return self.id or repr(self.text[:SHOWN])


@dataclass(frozen=True)
class Expectation:
    """For `query`, the re-ranker should score `above` higher than `below`."""

    query: str
    above: Pinned
    below: Pinned
    by: str
    at: str
    """UTC, ISO 8601."""

    def __post_init__(self) -> None:
        if not isinstance(self.query, str) or not self.query.strip():
            raise SettingsError("An expectation needs a query; it is empty.")
        if self.above.text == self.below.text:
            raise SettingsError(f"For {self.query!r} a passage can't stand above itself; give two that differ.")

    @property
    def key(self) -> str:
        """Eight digits that name it: the same query and passages have the same ones."""
        parts = (self.query, self.above.id, self.above.text, self.below.id, self.below.text)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]

    def sentence(self) -> str:
        """What is expected."""
        return f"for {self.query!r}, {self.above.label} above {self.below.label}"


@dataclass(frozen=True)
class Checked:
    """An expectation and what a re-ranker says."""

    expectation: Expectation
    above: float
    """Logit of the passage that should stand above."""
    below: float

    @property
    def holds(self) -> bool:
        """Whether it scores higher; a tie does not hold."""
        return self.above > self.below

    def sentence(self) -> str:
        """The expectation with both logits."""
        return f"{self.expectation.sentence()} (logits {self.above:.3f} and {self.below:.3f})"


def pinned(passage_id: str, passages: PassageStore) -> Pinned:
    """A passage of an index by id. Raises SettingsError where the index has none of that id."""
    if passage_id not in passages:
        raise SettingsError(f"The index has no passage {passage_id!r}; give an id of its corpus.")
    return Pinned(passage_id, passages.by_id(PassageId(passage_id)).content)


def expectations(path: Path) -> list[Expectation]:
    """All of them, in the order in which they were pinned.

    Raises:
        SettingsError: a line can't be read as one.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return [_parsed(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def add(query: str, *, above: Pinned, below: Pinned, by: str, path: Path) -> Expectation:
    """Pin one.

    Raises:
        SettingsError: it, or its opposite, is pinned already, or it says nothing.
        BusyError: another process is changing the folder of all models.
    """
    new = Expectation(query.strip(), above, below, by, datetime.now(UTC).isoformat(timespec="seconds"))
    opposite = Expectation(new.query, below, above, by, new.at)
    with _changing(path):
        there = expectations(path)
        for old in there:
            if old.key in (new.key, opposite.key):
                raise SettingsError(f"{old.key} says already: {old.sentence()}. Remove it first to pin another.")
        _write(path, [*there, new])
    return new


def remove(key: str, *, path: Path) -> Expectation:
    """Unpin the one of this key. Raises SettingsError where there is none."""
    with _changing(path):
        there = expectations(path)
        for old in there:
            if old.key == key:
                _write(path, [item for item in there if item.key != key])
                return old
    known = ", ".join(item.key for item in there) or "none"
    raise SettingsError(f"There is no expectation {key!r} in {path} (there: {known}); give one of these keys.")


def check(pinned_ones: Sequence[Expectation], reranker: Reranker, passages: PassageStore) -> list[Checked]:
    """What the re-ranker says of each; a passage's text is the index's, or the pinned one where the index lacks it."""
    found = []
    for item in pinned_ones:
        texts = [_text(item.above, passages), _text(item.below, passages)]
        above, below = reranker.score(item.query, texts).logits.tolist()
        found.append(Checked(item, above, below))
    return found


def _text(passage: Pinned, passages: PassageStore) -> str:
    return pinned(passage.id, passages).text if passage.id and passage.id in passages else passage.text


def _parsed(line: str, place: str) -> Expectation:
    try:
        row = json.loads(line)
        above, below = Pinned(**row["above"]), Pinned(**row["below"])
        return Expectation(row["query"], above, below, str(row["by"]), str(row["at"]))
    except (ValueError, KeyError, TypeError, AttributeError, SettingsError):
        raise SettingsError(f"{place} is no expectation; correct or delete this line: {line[:80]!r}.") from None


def _write(path: Path, every: Sequence[Expectation]) -> None:
    lines = [json.dumps(asdict(item), ensure_ascii=False, sort_keys=True) for item in every]
    atomic.write_text(path, "".join(line + "\n" for line in lines))


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.hold(path.parent, f"is changing {path.parent}"):
        yield
