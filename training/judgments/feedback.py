"""Grades by people, in one SQLite file: an append-only log of grades and undos, read as the grades in effect now."""

import hashlib
import os
import sqlite3
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.corpus.same_text import text_key
from indexing.disk import full_disk, is_full
from indexing.errors import CorpusError, SettingsError, first_line
from indexing.judged.queries import normalize_query
from indexing.records import Passage, PassageId, QueryId
from indexing.whitespace import squeeze

SCHEMA_VERSION = 1
PROTECTED_SHARE = 0.2  # share of the queries that is reserved for evaluation
HIGHEST_GRADE = 3  # grades are 0 to 3
NAME_LENGTH = 40  # characters of a rater's name
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
WAIT = 10.0  # seconds to wait for another process's transaction to end
SCHEMA = f"""
BEGIN;
CREATE TABLE settings (protected_share REAL NOT NULL);
CREATE TABLE grades (
    number INTEGER PRIMARY KEY AUTOINCREMENT, query TEXT NOT NULL, normalised TEXT NOT NULL, query_id TEXT,
    index_name TEXT NOT NULL, build TEXT NOT NULL, passage_id TEXT NOT NULL, fingerprint TEXT NOT NULL,
    grade INTEGER NOT NULL CHECK (grade BETWEEN 0 AND {HIGHEST_GRADE}), rater TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX judgments ON grades (index_name, rater, normalised, passage_id);
CREATE TABLE undone (number INTEGER PRIMARY KEY REFERENCES grades, at TEXT NOT NULL);
CREATE TABLE held_out (normalised TEXT PRIMARY KEY);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
COLUMNS = "query, normalised, query_id, index_name, build, passage_id, fingerprint, grade, rater, at"
FIELDS = ("query", "normalized", "query_id", "index", "build", "passage_id", "fingerprint", "grade", "rater", "at")
"""Fields of a Grade, in the order of COLUMNS."""
CURRENT = f"""
SELECT {COLUMNS} FROM grades WHERE number IN (
    SELECT max(number) FROM grades WHERE number NOT IN (SELECT number FROM undone)
    GROUP BY index_name, rater, normalised, passage_id
) ORDER BY number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One rater's grade of one passage for one query; read from an export, the store's own fields are empty."""

    query: str
    normalized: str
    """The query in the form in which queries are compared."""
    query_id: QueryId | None
    """Its id in a judged set of the corpus; None if it is in none."""
    passage_id: PassageId
    grade: int
    """3 is a perfect answer, 2 an answer with noise, 1 related, 0 not relevant."""
    rater: str
    protected: bool
    """Whether the query is reserved for evaluation, so this grade must never be trained on."""
    index: str = ""
    build: str = ""
    fingerprint: str = ""
    """`text_fingerprint` of the text that was graded."""
    at: str = ""
    """UTC, ISO 8601."""
    text: str = ""
    """The passage's text in an export; the store has only its fingerprint."""


@dataclass(frozen=True)
class Counts:
    """Totals of the grades in effect."""

    grades: int
    queries: int
    protected: int
    """How many of the queries are reserved for evaluation."""
    by_rater: Mapping[str, int]


def check_rater(name: str) -> str:
    """A rater's name as it is stored: lower case, single spaces. Raises SettingsError if it can't be a name."""
    stored = unicodedata.normalize("NFC", squeeze(name)).lower()
    if len(stored) > NAME_LENGTH or not stored.isprintable() or not any(letter.isalnum() for letter in stored):
        raise SettingsError(
            f"A rater can't be called {name[: 2 * NAME_LENGTH]!r}; give a name of 1 to {NAME_LENGTH} characters "
            "that contains a letter or a digit."
        )
    return stored


def text_fingerprint(text: str) -> str:
    """Sixteen hexadecimal digits that change with a passage's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_drawn(normalized_query: str, *, share: float) -> bool:
    """Whether a query belongs to the protected share: decided by its hash, so always and everywhere the same."""
    return int.from_bytes(hashlib.sha256(normalized_query.encode()).digest()[:8]) < share * 2**64


class FeedbackStore:
    """A store of grades. It holds no connection between calls, so threads, tabs and processes may share its file."""

    def __init__(self, path: Path, share: float) -> None:
        """Use `FeedbackStore.open`."""
        self.path = path
        self.protected_share = share
        """Share of all queries that is reserved for evaluation, as recorded when the file was created."""

    @classmethod
    def open(cls, path: Path, *, protected_share: float = PROTECTED_SHARE) -> "FeedbackStore":
        """Open a store, or create it if it doesn't exist; only then is `protected_share` used.

        Raises:
            SettingsError: the share is not from 0 to 1.
            CorpusError: the file is not a feedback store, has another schema version, is damaged, or can't be read.
        """
        if not 0 <= protected_share <= 1:
            raise SettingsError(f"protected_share is {protected_share}; give a number from 0 to 1.")
        if not path.exists():
            _create(path, protected_share)
        with _connected(path) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != SCHEMA_VERSION:
                kind = f"has schema version {version}" if version else "is not a feedback store"
                raise CorpusError(
                    f"{path} {kind}, and this program reads version {SCHEMA_VERSION}; open it with the program that "
                    "wrote it, or move it away to start a new one."
                )
            (fault,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (share,) = connection.execute("SELECT protected_share FROM settings").fetchone() or (None,)
        if fault != "ok":
            raise _damaged(path, str(fault))
        if not isinstance(share, float) or not 0 <= share <= 1:
            raise _damaged(path, f"its protected share is {str(share)[:40]}")
        return cls(path, share)

    def grade(
        self,
        query: str,
        passage: Passage,
        *,
        grade: int,
        rater: str,
        index: str,
        build: str,
        query_id: QueryId | None = None,
        held_out: bool = False,
    ) -> Grade:
        """Store one grade, which replaces the rater's earlier one for the same query, index and passage.

        `held_out` means that the query is in a judged split other than train: from then on it is protected.

        Raises:
            SettingsError: the grade is not 0 to 3, the query has no word, or the rater's name isn't valid.
            CorpusError: the file can't be written.
        """
        text, rater, key = squeeze(query), check_rater(rater), normalize_query(query)
        if type(grade) is not int or not 0 <= grade <= HIGHEST_GRADE:  # True is an int too
            raise SettingsError(f"Passage {passage.id} got the grade {grade!r}; give 0, 1, 2 or 3.")
        if not key:
            raise SettingsError(f"Query {query[:80]!r} has no word; grade passages for one that does.")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        values = (text, key, query_id, index, build, passage.id, text_fingerprint(passage.content), grade, rater, at)
        with self._changing() as connection:
            if held_out:
                connection.execute("INSERT OR IGNORE INTO held_out VALUES (?)", (key,))
            connection.execute(f"INSERT INTO grades ({COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
            return self._grade(values, _held_out_queries(connection))

    def undo(self, rater: str) -> Grade | None:
        """Undo the rater's last grade that hasn't been undone, for any query; a grade that it replaced is restored.

        Repeated calls undo earlier and earlier grades. Returns the undone grade, or None if there is none left.
        """
        last = "SELECT max(number) FROM grades WHERE rater = ? AND number NOT IN (SELECT number FROM undone)"
        with self._changing() as connection:
            (number,) = connection.execute(last, (check_rater(rater),)).fetchone()
            if number is None:
                return None
            at = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute("INSERT INTO undone VALUES (?, ?)", (number, at))
            row = connection.execute(f"SELECT {COLUMNS} FROM grades WHERE number = ?", (number,)).fetchone()
            return self._grade(row, _held_out_queries(connection))

    def grades(self, index: str | None = None) -> list[Grade]:
        """The grades in effect, of one index or of all, oldest first."""
        with _connected(self.path) as connection:
            connection.execute("BEGIN")  # one view of both tables
            held_out = _held_out_queries(connection)
            current = (self._grade(row, held_out) for row in connection.execute(CURRENT))
            return [grade for grade in current if index in (None, grade.index)]

    def protects(self, query: str) -> bool:
        """Whether a query is reserved for evaluation: drawn by its hash, or ever graded as held out."""
        with _connected(self.path) as connection:
            return self._protects(normalize_query(query), _held_out_queries(connection))

    def protected(self, queries: Iterable[str]) -> set[str]:
        """Those of the queries that are reserved for evaluation, or say the same as a graded one that is.

        As `text_key` compares them: the draw by hash takes a text with another form of an accent for another query.
        """
        with _connected(self.path) as connection:
            held_out = _held_out_queries(connection)
            graded = connection.execute("SELECT DISTINCT CAST(normalised AS TEXT) FROM grades").fetchall()
        known = held_out.union(key for (key,) in graded)
        measured = {text_key(key) for key in known if self._protects(key, held_out)}
        return {
            query
            for query in queries
            if self._protects(normalize_query(query), held_out) or text_key(query) in measured
        }

    def raters(self) -> list[str]:
        """Names of all raters with a grade in effect, sorted."""
        return sorted({grade.rater for grade in self.grades()})

    def counts(self) -> Counts:
        """Totals of the grades in effect, over all indexes."""
        grades = self.grades()
        queries = {grade.normalized: grade.protected for grade in grades}
        by_rater = Counter(grade.rater for grade in grades)
        return Counts(len(grades), len(queries), sum(queries.values()), dict(sorted(by_rater.items())))

    def _protects(self, key: str, held_out: frozenset[str]) -> bool:
        return key in held_out or is_drawn(key, share=self.protected_share)

    def _grade(self, row: tuple[Any, ...], held_out: frozenset[str]) -> Grade:
        values = dict(zip(FIELDS, row, strict=True))
        for name, value in values.items():
            if not isinstance(value, int if name == "grade" else str) and not (name == "query_id" and value is None):
                raise _damaged(self.path, f"the {name} of a grade is {str(value)[:40]!r}")
        if not 0 <= values["grade"] <= HIGHEST_GRADE:
            raise _damaged(self.path, f"a grade is {values['grade']}")
        return Grade(**values, protected=self._protects(values["normalized"], held_out))

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction with no other writer; if it fails, nothing is changed."""
        with _connected(self.path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def _create(path: Path, share: float) -> None:
    """Create the file in one step; if another process was faster, its file is used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            new = Path(folder) / path.name
            new.touch()
            with _connected(new) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(SCHEMA)
                connection.execute("INSERT INTO settings VALUES (?)", (share,))
            os.link(new, path)
            atomic.fsync_path(path.parent)
    except FileExistsError:
        if not path.is_file():
            raise CorpusError(f"{path.parent} is not a folder, so no feedback can be stored there; move it.") from None
    except OSError as error:
        if is_full(error):
            raise full_disk(path) from error
        raise CorpusError(
            f"Feedback store {path} can't be created ({first_line(error)}); move away what is in its place."
        ) from error


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        address = f"{path.resolve().as_uri()}?mode=rw"  # a missing file is an error, and isn't created
        with closing(sqlite3.connect(address, uri=True, timeout=WAIT, isolation_level=None)) as connection:
            yield connection
    except (sqlite3.Error, UnicodeError) as error:
        code = getattr(error, "sqlite_errorcode", None)
        if (code is not None and code & 0xFF in DAMAGE) or isinstance(error, UnicodeError):
            raise _damaged(path, first_line(error)) from error
        if is_full(error):
            raise full_disk(path) from error
        raise CorpusError(
            f"Feedback store {path} can't be used ({first_line(error)}); check that it is intact and writable, then "
            "try again."
        ) from error


def _damaged(path: Path, fault: str) -> CorpusError:
    return CorpusError(
        f"Feedback store {path} is damaged ({first_line(ValueError(fault))}); put a copy of it back, or recover what "
        f"can be read (sqlite3 {path.name} .recover | sqlite3 mended.sqlite), or move it away to start a new one."
    )


def _held_out_queries(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(key for (key,) in connection.execute("SELECT normalised FROM held_out"))
