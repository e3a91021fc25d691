"""What is worth telling about a corpus that could be read: gathered while it is read, told once it ends."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexing.corpus.mend import difference, mended
from indexing.store.ids import SeenIds

LONG_ID = 40  # characters; ids that are longer on average, and longer than the texts, are probably texts
MISSING = frozenset(("nan", "none", "null", "<na>", "n/a", "#n/a"))
"""What programs write for a missing value, in lower case."""
LONGEST_MISSING = max(map(len, MISSING))
SPREADSHEET = re.compile(r'="[^"]*"|\d(?:[.,]\d+)?E\+\d{2,3}')
"""Ids as a spreadsheet writes them: a formula that keeps zeros at the front, and a long number shortened."""
FEW = 8  # notes of one kind that are told; the others are counted


@dataclass
class Remarks:
    """Counts over the passages of one corpus, and sentences on its files."""

    mend: bool = True
    """Whether double encoding is undone; it is counted in any case."""
    told: list[str] = field(default_factory=list)
    """Sentences on files."""
    encoded_twice: int = 0
    first_encoded_twice: str = ""
    passages: int = 0
    id_characters: int = 0
    text_characters: int = 0
    decimal_ids: int = 0
    """Ids such as `101.0`."""
    spreadsheet_ids: int = 0
    first_spreadsheet_id: str = ""
    missing_texts: int = 0
    """Texts that are one of MISSING."""
    first_missing: str = ""
    _folded: SeenIds = field(default_factory=SeenIds)
    alike: int = 0
    first_alike: str = ""

    def tell(self, sentence: str) -> None:
        """Add a sentence on a file."""
        self.told.append(sentence)

    def text(self, key: str, value: str) -> str:
        """A text or title, with double encoding undone if it is to be."""
        meant = mended(value)
        if meant is value:
            return value
        self.encoded_twice += 1
        if not self.first_encoded_twice:
            before, after = difference(value, meant)
            self.first_encoded_twice = f"{before!r} for {after!r} in passage {key[:80]!r}"
        return meant if self.mend else value

    def count(self, key: str, text: str) -> None:
        """Count a passage that is read."""
        self.passages += 1
        self.id_characters += len(key)
        self.text_characters += len(text)
        self.decimal_ids += key.endswith(".0") and key[:-2].isdecimal()
        if SPREADSHEET.fullmatch(key):
            self.spreadsheet_ids += 1
            self.first_spreadsheet_id = self.first_spreadsheet_id or key
        if len(text) <= LONGEST_MISSING and text.lower() in MISSING:
            self.missing_texts += 1
            self.first_missing = self.first_missing or f"{text!r} of passage {key[:80]!r}"

    def compare(self, ids: Sequence[str]) -> None:
        """Look for ids that differ only in their white space or in how their letters are composed."""
        unusual = [key for key in ids if not key.isascii() or " " in key]
        for key, repeated in zip(unusual, self._folded.repeats([_fold(key) for key in unusual]), strict=True):
            self.alike += repeated
            if repeated and not self.first_alike:
                self.first_alike = key

    def sentences(self) -> tuple[str, ...]:
        """All that is to be told, in the order of its weight."""
        told = list(self.told[:FEW])
        if len(self.told) > FEW:
            told.append(f"{len(self.told) - FEW:,} more files have such remarks.")
        if self.encoded_twice:
            read = "they are read as they were meant" if self.mend else "they are read as they are"
            other = (
                "--keep-encoding leaves them as they are" if self.mend else "without --keep-encoding they are mended"
            )
            told.append(
                f"{self.encoded_twice:,} texts were encoded twice, such as {self.first_encoded_twice}: {read}; {other}."
            )
        if self.alike:
            told.append(
                f"{self.alike:,} ids differ from another one only in white space or in composed letters, such as "
                f"{self.first_alike[:80]!r}: judgments may mean either."
            )
        if self.passages > 1 and self.decimal_ids == self.passages:
            told.append(
                "All ids end in '.0', as pandas writes whole numbers beside missing values; judgments that lack the "
                "'.0' won't match."
            )
        if self.spreadsheet_ids:
            told.append(
                f"{self.spreadsheet_ids:,} ids are as a spreadsheet writes them, such as "
                f"{self.first_spreadsheet_id!r}: judgments may have them in full; save the column as text."
            )
        if self.missing_texts:
            told.append(
                f"{self.missing_texts:,} texts are what programs write for a missing value, such as "
                f"{self.first_missing}: they are searched as words; remove them if nobody wrote them."
            )
        if self.id_characters > max(self.text_characters, LONG_ID * self.passages):
            told.append("The ids are longer than the texts on average: are the columns in another order?")
        return tuple(told)


def _fold(key: str) -> str:
    return " ".join(unicodedata.normalize("NFC", key).split())
