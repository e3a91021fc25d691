"""What is worth telling about a corpus that could be read: gathered while it is read, told once it ends."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indexing.corpus.mend import difference, mended
from indexing.notes import counted
from indexing.store.ids import SeenIds
from indexing.whitespace import UNSEEN

LONG_ID = 40  # characters; ids that are longer on average, and longer than the texts, are probably texts
MISSING = frozenset(("nan", "none", "null", "<na>", "n/a", "#n/a"))
"""What programs write for a missing value, in lower case."""
UNSEEN_WITHIN = re.compile(f"[{UNSEEN}]")
LONGEST_MISSING = max(map(len, MISSING))
SPREADSHEET = re.compile(r'="[^"]*"|\d(?:[.,]\d+)?E\+\d{2,3}')
"""Ids as a spreadsheet writes them: a formula that keeps zeros at the front, and a long number shortened."""
MARKUP = {
    "HTML": re.compile(
        r"</?(?:p|div|br|span|a|b|i|em|strong|li|ul|ol|td|tr|table|h[1-6])\b[^<>]{0,200}>"
        r"|&(?:amp|lt|gt|quot|nbsp|#\d{2,5});",
        re.IGNORECASE,
    ),
    "escapes": re.compile(r"(?<!\\)\\[nrt](?=[A-Z\s]|$)|\\u[0-9a-fA-F]{4}"),
    "characters that a program couldn't read": re.compile("\ufffd+"),
}
"""What a text may hold that nobody means to search, and its form."""
MARKED = 0.01  # of all texts: fewer may well be about it
FEW = 8  # notes of one kind that are told; the others are counted


def is_missing(value: str) -> bool:
    """Whether a value is what programs write for a missing one."""
    return len(value) <= LONGEST_MISSING and value.lower() in MISSING


def is_rewritten(key: str) -> bool:
    """Whether an id is as a spreadsheet writes it."""
    return ("E+" in key or key.startswith("=")) and SPREADSHEET.fullmatch(key) is not None


@dataclass
class Noticed:
    """How many were noticed of one kind, and the first of them."""

    count: int = 0
    first: str = ""

    def add(self, example: str) -> None:
        """Count one more."""
        self.count += 1
        self.first = self.first or example


@dataclass
class Remarks:
    """Counts over the passages of one corpus, and sentences on its files."""

    mend: bool = True
    """Whether double encoding is undone; it is counted in any case."""
    told: list[str] = field(default_factory=list)
    """Sentences on files."""
    _encoded_twice: Noticed = field(default_factory=Noticed)
    _passages: int = 0
    _id_characters: int = 0
    _text_characters: int = 0
    _decimal_ids: int = 0
    """Ids such as `101.0`."""
    _spreadsheet_ids: Noticed = field(default_factory=Noticed)
    _missing: dict[str, Noticed] = field(default_factory=lambda: {what: Noticed() for what in ("id", "text", "title")})
    """Values that are one of MISSING."""
    _marked: dict[str, Noticed] = field(default_factory=lambda: {what: Noticed() for what in MARKUP})
    _unseen: Noticed = field(default_factory=Noticed)
    """Ids with a character within that nobody sees."""
    _alike: Noticed = field(default_factory=Noticed)
    _folded: SeenIds = field(default_factory=SeenIds)

    def tell(self, sentence: str) -> None:
        """Add a sentence on a file."""
        self.told.append(sentence)

    def tell_once(self, sentence: str) -> None:
        """Add a sentence that files or lines have in common; an empty one says nothing."""
        if sentence and sentence not in self.told:
            self.told.append(sentence)

    def text(self, key: str, value: str) -> str:
        """A text or title, with double encoding undone if it is to be."""
        meant = mended(value)
        if meant is value:
            return value
        example = ""
        if not self._encoded_twice.count:
            before, after = difference(value, meant)
            example = f"{before!r} for {after!r} in passage {key[:80]!r}"
        self._encoded_twice.add(example)
        return meant if self.mend else value

    def count(self, key: str, text: str, title: str = "") -> None:
        """Count a passage that is read."""
        self._passages += 1
        self._id_characters += len(key)
        self._text_characters += len(text)
        self._decimal_ids += key.endswith(".0") and key[:-2].isdecimal()
        if is_rewritten(key):
            self._spreadsheet_ids.add(repr(key))
        for what, value in (("id", key), ("text", text), ("title", title)):
            if is_missing(value):
                self._missing[what].add(repr(value) if what == "id" else f"{value!r} of passage {key[:80]!r}")

        if not ("<" in text or "&" in text or "\\" in text or "\ufffd" in text):  # most texts, told in no time
            return
        for what, form in MARKUP.items():
            if found := form.search(text):
                self._marked[what].add(f"{found[0][:40]!r} in passage {key[:80]!r}")

    def compare(self, ids: Sequence[str]) -> None:
        """Look for ids with unseen characters, or that differ only in white space or in how letters are composed."""
        unusual = [key for key in ids if not key.isascii() or " " in key]
        for key, repeated in zip(unusual, self._folded.repeats([_fold(key) for key in unusual]), strict=True):
            if UNSEEN_WITHIN.search(key):
                self._unseen.add(ascii(key[:80]))
            if repeated:
                self._alike.add(repr(key[:80]))

    def sentences(self) -> tuple[str, ...]:
        """All that is to be told, in the order of its weight."""
        told = list(self.told[:FEW])
        if len(self.told) > FEW:
            told.append(f"{len(self.told) - FEW:,} more files have such remarks.")
        if self._encoded_twice.count:
            read = "they are read as they were meant" if self.mend else "they are read as they are"
            other = (
                "--keep-encoding leaves them as they are" if self.mend else "without --keep-encoding they are mended"
            )
            told.append(
                f"{self._encoded_twice.count:,} texts were encoded twice, such as {self._encoded_twice.first}: {read}; "
                f"{other}."
            )
        return (*told, *self._on_ids(), *self._on_missing(), *self._on_markup(), *self._on_order())

    def _on_ids(self) -> Iterator[str]:
        if self._alike.count:
            yield (
                f"{self._alike.count:,} ids differ from another one only in white space or in composed letters, such "
                f"as {self._alike.first}: judgments may mean either."
            )
        if self._unseen.count:
            yield (
                f"{counted(self._unseen.count, 'id holds', 'ids hold')} a character that nobody sees, such as "
                f"{self._unseen.first}: judgments that lack it won't match."
            )
        if self._passages > 1 and self._decimal_ids == self._passages:
            yield (
                "All ids end in '.0', as pandas writes whole numbers beside missing values; judgments that lack the "
                "'.0' won't match."
            )
        if self._spreadsheet_ids.count:
            yield (
                f"{counted(self._spreadsheet_ids.count, 'id is', 'ids are')} as a spreadsheet writes them, such as "
                f"{self._spreadsheet_ids.first}: judgments may have them in full; save the column as text."
            )

    def _on_missing(self) -> Iterator[str]:
        for what, noticed in self._missing.items():
            if noticed.count:
                yield (
                    f"{counted(noticed.count, f'{what} is', f'{what}s are')} what programs write for a missing value, "
                    f"such as {noticed.first}: they are read as words; remove them if nobody wrote them."
                )

    def _on_markup(self) -> Iterator[str]:
        for what, noticed in self._marked.items():
            if noticed.count > MARKED * self._passages:
                yield (
                    f"{counted(noticed.count, 'text holds', 'texts hold')} {what}, such as {noticed.first}: "
                    "that is read as words; convert the texts if it isn't meant."
                )

    def _on_order(self) -> Iterator[str]:
        if self._id_characters > max(self._text_characters, LONG_ID * self._passages):
            yield "The ids are longer than the texts on average: are the columns in another order?"


def _fold(key: str) -> str:
    return " ".join(unicodedata.normalize("NFC", key).split())
