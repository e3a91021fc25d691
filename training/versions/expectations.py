"""Pins expectations, "passage A above B for query q", with person and time, and checks a re-ranker against them."""

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
QUOTED = 60  # characters of a text that are quoted in a message


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
        """Its id, or the beginning of its text if it has none."""
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
            raise SettingsError("The query of an expectation is empty; give some words.")
        if self.above.text == self.below.text:
            raise SettingsError(f"For {self.query!r} a passage can't stand above itself; give two that differ.")

    @property
    def key(self) -> str:
        """Eight hexadecimal digits that identify it; the same query and passages always have the same key."""
        parts = (self.query, self.above.id, self.above.text, self.below.id, self.below.text)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]

    def sentence(self) -> str:
        """The expectation in words."""
        return f"for {self.query!r}, {self.above.label} above {self.below.label}"


@dataclass(frozen=True)
class ExpectationCheck:
    """An expectation with a re-ranker's logits of its passages."""

    expectation: Expectation
    above: float
    """Logit of the passage that should stand above."""
    below: float

    @property
    def holds(self) -> bool:
        """Whether that passage scores higher; a tie does not hold."""
        return self.above > self.below

    def sentence(self) -> str:
        """The expectation with both logits."""
        return f"{self.expectation.sentence()} (logits {self.above:.3f} and {self.below:.3f})"


def expected_passage(passage_id: str, passages: "PassageStore") -> ExpectedPassage:
    """Look up a passage of an index by id. Raises SettingsError if the index has no such id."""
    if passage_id not in passages:
        raise SettingsError(f"The index has no passage {passage_id!r}; give an id of its corpus.")
    return ExpectedPassage(passage_id, passages.by_id(PassageId(passage_id)).content)


def read_expectations(path: Path) -> list[Expectation]:
    """All pinned expectations, in the order in which they were pinned.

    Raises:
        SettingsError: a line can't be read as an expectation.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
    return [_parsed(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def add_expectation(query: str, *, above: ExpectedPassage, below: ExpectedPassage, by: str, path: Path) -> Expectation:
    """Pin an expectation.

    Raises:
        SettingsError: it or its opposite is already pinned, the query is empty, or both passages are the same.
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
                raise SettingsError(f"{old.key} already says: {old.sentence()}. Remove it before you pin another.")
        _write(path, [*pinned, new])
    return new


def remove_expectation(key: str, *, path: Path) -> Expectation:
    """Unpin the expectation with this key. Raises SettingsError if there is none."""
    with _changing(path):
        pinned = read_expectations(path)
        for old in pinned:
            if old.key == key:
                _write(path, [other for other in pinned if other.key != key])
                return old
    known = ", ".join(expectation.key for expectation in pinned) or "none"
    raise SettingsError(f"There is no expectation {key!r} in {path} (its keys: {known}); give one of these keys.")


def check(
    expectations: Sequence[Expectation], reranker: "Reranker", passages: "PassageStore"
) -> list[ExpectationCheck]:
    """Score both passages of each expectation by the index's text, or by the pinned text if the index lacks them."""
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
        raise SettingsError(f"{place} isn't an expectation; correct or delete this line: {line[:80]!r}.") from None


def _write(path: Path, expectations: Sequence[Expectation]) -> None:
    lines = [json.dumps(asdict(expectation), ensure_ascii=False, sort_keys=True) for expectation in expectations]
    atomic.write_text(path, "".join(line + "\n" for line in lines))


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.hold(path.parent, f"is changing {path.parent}"):
        yield
