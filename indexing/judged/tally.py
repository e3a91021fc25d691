"""Counts what a reader leaves out or merges, and tells it in a sentence for each kind once the file is read."""

from pathlib import Path

from indexing.notes import Note, counted

COMMENT = ("line that starts with '#' is left out as a comment", "lines that start with '#' are left out as comments")
HEADER = ("header line is left out", "header lines are left out")
REPEAT = ("line repeats an earlier one and counts once", "lines repeat earlier ones and count once")
QUOTED = ("line is read without the quotes of CSV", "lines are read without the quotes of CSV")
ENCODED_TWICE = (
    "query was encoded twice, where passages are read as they were meant; save it as UTF-8 once",
    "queries were encoded twice, where passages are read as they were meant; save them as UTF-8 once",
)
MISSING = (
    "query has a text that programs write for a missing value; it is searched as a word",
    "queries have texts that programs write for a missing value; they are searched as words",
)
REWRITTEN = (
    "line has an id as a spreadsheet writes it, which other files may have in full; save the column as text",
    "lines have ids as a spreadsheet writes them, which other files may have in full; save the columns as text",
)
UNRATED = ("row without a rating is left out", "rows without a rating are left out")


class Tally:
    """The counts of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._first: dict[tuple[str, str], int] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._said: list[str] = []

    def add(self, kind: tuple[str, str], number: int) -> None:
        """Count one line of a kind."""
        self._first.setdefault(kind, number)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def say(self, sentence: str) -> None:
        """Keep a sentence on the file, which is told once."""
        if sentence not in self._said:
            self._said.append(sentence)

    def tell(self, note: Note) -> None:
        """Give `note` a sentence for each kind that was counted, and those that were said."""
        for kind, count in self._counts.items():
            place = f"line {self._first[kind]:,}" if count == 1 else f"the first is line {self._first[kind]:,}"
            note(f"{self.path}: {counted(count, *kind)} ({place}).")
        for sentence in self._said:
            note(f"{self.path}: {sentence}")
