"""Pinned expectations, "passage A above B for query q": stored with person and time, and checked on a re-ranker."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from indexing import atomic
from indexing.errors import SettingsError
from indexing.records import PassageId

if TYPE_CHECKING:
    from indexing.store.passages import PassageStore
    from search.rerank.reranker import Reranker

FILE = "expectations.jsonl"  # in the folder of all models
QUOTED = 60  # characters of a text that stand for it


@dataclass(frozen=True)
class ExpectedPassage:
    """One passage of an expectation; without an id, only its text counts."""

    id: str
    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not isinstance(self.text, str) or not self.text.strip():
            raise SettingsError(f"Passage {self.id!r} of an expectation has no text; give a passage that has some.")

    @property
    def label(self) -> str:
        """Its id, else how its text begins."""
        return self.id or repr(self.text[:QUOTED])


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """For `query`, the re-ranker should score `above` higher than `below`."""

    query: str
    above: ExpectedPassage
    below: ExpectedPassage
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
class ExpectationCheck:
    """An expectation with a re-ranker's logits."""

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


def expected_passage(passage_id: str, passages: "PassageStore") -> ExpectedPassage:
    """A passage of an index by id. Raises SettingsError where the index has none of that id."""
    if passage_id not in passages:
        raise SettingsError(f"The index has no passage {passage_id!r}; give an id of its corpus.")
    return ExpectedPassage(passage_id, passages.by_id(PassageId(passage_id)).content)


def read_expectations(path: Path) -> list[Expectation]:
    """All of them, in the order in which they were pinned.

    Raises:
        SettingsError: a line can't be read as one.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return [_parsed(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def add(query: str, *, above: ExpectedPassage, below: ExpectedPassage, by: str, path: Path) -> Expectation:
    """Pin one.

    Raises:
        SettingsError: it, or its opposite, is pinned already, or it says nothing.
        BusyError: another process is changing the folder of all models.
    """
    new = Expectation(
        query=query.strip(), above=above, below=below, by=by, at=datetime.now(UTC).isoformat(timespec="seconds")
    )
    opposite = replace(new, above=below, below=above)
    with _changing(path):
        pinned = read_expectations(path)
        for old in pinned:
            if old.key in (new.key, opposite.key):
                raise SettingsError(f"{old.key} says already: {old.sentence()}. Remove it first to pin another.")
        _write(path, [*pinned, new])
    return new


def remove(key: str, *, path: Path) -> Expectation:
    """Unpin the one of this key. Raises SettingsError where there is none."""
    with _changing(path):
        pinned = read_expectations(path)
        for old in pinned:
            if old.key == key:
                _write(path, [other for other in pinned if other.key != key])
                return old
    known = ", ".join(one.key for one in pinned) or "none"
    raise SettingsError(f"There is no expectation {key!r} in {path} (there: {known}); give one of these keys.")


def check(
    expectations: Sequence[Expectation], reranker: "Reranker", passages: "PassageStore"
) -> list[ExpectationCheck]:
    """Score both passages of each expectation: the index's text of them, or the pinned one where it lacks them."""
    checks = []
    for expectation in expectations:
        texts = [_text(expectation.above, passages), _text(expectation.below, passages)]
        above, below = reranker.score(expectation.query, texts).logits.tolist()
        checks.append(ExpectationCheck(expectation, above, below))
    return checks


def _text(passage: ExpectedPassage, passages: "PassageStore") -> str:
    return expected_passage(passage.id, passages).text if passage.id and passage.id in passages else passage.text


def _parsed(line: str, place: str) -> Expectation:
    try:
        row = json.loads(line)
        above, below = ExpectedPassage(**row["above"]), ExpectedPassage(**row["below"])
        return Expectation(query=row["query"], above=above, below=below, by=str(row["by"]), at=str(row["at"]))
    except (ValueError, KeyError, TypeError, AttributeError, SettingsError):
        raise SettingsError(f"{place} is no expectation; correct or delete this line: {line[:80]!r}.") from None


def _write(path: Path, every: Sequence[Expectation]) -> None:
    lines = [json.dumps(asdict(one), ensure_ascii=False, sort_keys=True) for one in every]
    atomic.write_text(path, "".join(line + "\n" for line in lines))


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.hold(path.parent, f"is changing {path.parent}"):
        yield
