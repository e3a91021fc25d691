"""Grades pairs by a model; each answer is kept, so that a stopped grading goes on and no pair is paid for twice."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexing.errors import ModelError
from indexing.notes import Note, counted, log_note, shown
from indexing.progress import Progress, silent
from indexing.records import Passage, Query
from search.journal import Journal, open_journal
from training.judgments.by_model.chat import HEED, ModelAddress, ask, environment_key, go_on, without_key
from training.judgments.by_model.guideline import MOST, guideline_fingerprint, messages, read_grade

ANSWERS = "answers.journal"
PATIENCE = 5  # answers in a row that hold no grade
BEGINNING = 60  # characters of an answer that a sentence shows


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a passage to grade."""

    query: Query
    passage: Passage

    @property
    def key(self) -> str:
        """Changes with both texts, and only with them."""
        texts = "\0".join((self.query.text, self.passage.content))
        return hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def identity(address: ModelAddress) -> dict[str, Any]:
    """What determines a grade besides the pair."""
    return {"address": address.url, "model": address.model, "guideline": guideline_fingerprint()}


class Grader:
    """A model that grades, with the answers that it gave before."""

    def __init__(self, address: ModelAddress, journal: Journal, key: str, heed: Callable[[], None]) -> None:
        """Use `open_grader`."""
        self._address, self._journal, self._key, self._heed = address, journal, key, heed
        self._kept = {name: int(value["grade"]) for name, value in journal.items()}

    def grade(self, pairs: Sequence[Pair], *, note: Note = log_note, progress: Progress = silent) -> list[int | None]:
        """A grade for each pair, from 0 to 3; None where the answer holds none, which `note` is told.

        Raises:
            ModelError: the model isn't reached, or PATIENCE answers in a row hold no grade.
        """
        grades: list[int | None] = []
        unread: list[str] = []
        streak = 0
        for pair in pairs:
            grade = self._kept.get(pair.key)
            if grade is None:
                grade, answer = self._ask(pair)
                streak = 0 if grade is not None else streak + 1
                if grade is None:
                    unread.append(answer)
                self._check(streak, answer)
            grades.append(grade)
            progress("grade", 1, len(pairs))
        if cut := sum(len(pair.passage.content) > MOST for pair in pairs):
            note(f"Of {counted(cut, 'passage')} the model saw the first {MOST:,} characters.")
        if lost := grades.count(None):
            first = shown([repr(answer) for answer in unread], most=3)
            are = "is" if lost == 1 else "are"
            note(f"{counted(lost, 'answer')} of {self._address.model} held no grade and {are} left out: {first}.")
        return grades

    def _ask(self, pair: Pair) -> tuple[int | None, str]:
        asked = messages(pair.query.text, pair.passage.content)
        answer = ask(self._address, asked, key=self._key, pause=self._pause, heed=self._heed)
        grade = read_grade(answer.text)
        if grade is not None:
            self._journal.add(pair.key, {"grade": grade, "model": answer.model})
            self._kept[pair.key] = grade
        return grade, without_key(answer.text.strip(), self._key)[:BEGINNING]

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._heed()
            time.sleep(min(left, HEED))

    def _check(self, streak: int, answer: str) -> None:
        if streak >= PATIENCE:
            raise ModelError(
                f"{PATIENCE} answers of {self._address.model} in a row held no grade from 0 to 3, the last being "
                f"{answer!r}; give a model that follows instructions."
            )


@contextmanager
def open_grader(folder: Path, address: ModelAddress, *, heed: Callable[[], None] = go_on) -> Iterator[Grader]:
    """A grader whose answers are kept in a folder; what `heed` raises while it waits for one ends it.

    Raises:
        BusyError: another process grades there.
        SettingsError: the folder's answers are another model's, or the key in the environment can't be one.
    """
    key = environment_key()
    with open_journal(folder / ANSWERS, identity(address), doing=f"grades in {folder}") as journal:
        yield Grader(address, journal, key, heed)
