"""Which characters make up words: letters with their marks, characters that only format, scripts without spaces."""

import re
import unicodedata
from functools import cache, lru_cache

# Scripts whose words no space separates, and Hangul, whose words carry their particles: first and last code points.
UNSPACED = (
    *((0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E80, 0x0ECF), (0x0EDC, 0x0EDF)),  # Thai, Lao
    *((0x1000, 0x103F), (0x1050, 0x108F), (0x109A, 0x109D), (0xA9E0, 0xA9EF), (0xAA60, 0xAA7F)),  # Myanmar
    *((0x1780, 0x17D3), (0x17DC, 0x17DD), (0x1950, 0x19CF)),  # Khmer, Tai Le, New Tai Lue
    *((0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97F), (0xAC00, 0xD7FB), (0xFFA0, 0xFFDC)),  # Hangul
    *((0x3005, 0x3007), (0x3021, 0x3029), (0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA)),  # kana
    *((0x30FC, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F)),
    *((0x3105, 0x312F), (0x31A0, 0x31BF)),  # Bopomofo
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),  # Han
)
LATER_JAMO = "\u1160-\u11ff\ud7b0-\ud7fb"  # vowels and final consonants of a Hangul syllable that is written in parts
KANA_MARKS = "\uff9e\uff9f"  # the half-width voicing marks, which are letters to Unicode
SELECTORS = "\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # marks that only choose a glyph
EMOJI = (
    "[\U0001f1e6-\U0001f1ff]{2}|[\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b50\u2b55"
    "\U0001f000-\U0001f0ff\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
HYPHENS = "-\u2010\u2011\uff0d"
APOSTROPHES = "'`\u00b4\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u02bd\uff07\uff40"
STOPS = ".\uff0e\u066b"  # the last is the Arabic decimal separator
COMMAS = ",\uff0c\u066c"
JOINERS = "\u00b7\u05f3\u05f4"  # inside a word they are read past: the Catalan dot, Hebrew geresh and gershayim
PLAIN = {
    **dict.fromkeys(HYPHENS, "-"),
    **dict.fromkeys(APOSTROPHES, "'"),
    **dict.fromkeys(STOPS, "."),
    **dict.fromkeys(COMMAS, ","),
    "\uff06": "&",
    "\uff0b": "+",
    "\uff03": "#",
    "\u266f": "#",
    "\uff3f": "_",
}
MOST_PARTS = 9  # of what is read as one piece, such as a-b-c; the rest is the next piece


@cache
def formats() -> re.Pattern[str]:
    """Characters that change no word: soft hyphens, joiners, marks of direction, zero-width spaces, selectors."""
    return re.compile(f"[{_class('Cf')}{SELECTORS}]")


@cache
def marks() -> str:
    """The combining marks, as the inside of a character class."""
    return _class("M")


def unspaced() -> str:
    """The scripts without spaces, as the inside of a character class."""
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED)


@lru_cache(maxsize=2**16)
def is_unspaced(character: str) -> bool:
    """Whether it is of a script without spaces."""
    return any(first <= ord(character) <= last for first, last in UNSPACED)


@cache
def clusters() -> re.Pattern[str]:
    """A letter of a script without spaces, with its marks."""
    return re.compile(f"(?s:.)[{marks()}{LATER_JAMO}{KANA_MARKS}]*")


@cache
def pieces() -> re.Pattern[str]:
    """A piece of any text without formats: letters of a script without spaces, an emoji, or a word."""
    letters = f"[^\\W{unspaced()}]+(?:[{marks()}]+[^\\W{unspaced()}]*)*"
    word = f"[.\uff0e]?{letters}(?:{INNER}{letters}){{0,{MOST_PARTS - 1}}}{ENDING}?"
    return re.compile(f"[{unspaced()}][{unspaced()}{marks()}]*|{EMOJI}|{word}")


OTHER = re.compile(
    "[^\x00-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u22ff]"
)
"""What a text in Latin, Greek or Cyrillic letters without separate marks and formats has none of."""
SIGNS = re.escape(HYPHENS + APOSTROPHES + STOPS + COMMAS + JOINERS)
INNER = f'(?:[{SIGNS}&\uff06]|(?<=[\u05d0-\u05ea])"(?=[\u05d0-\u05ea]))'
ENDING = r"(?:\+\+|\uff0b\uff0b|[+\uff0b](?!\w)|[#\uff03\u266f])"
LETTER_PIECES = re.compile(
    rf"\.?\w+(?:[-\u2010\u2011'`\u00b4\u2018\u2019\u201b\u2032.,&\u00b7]\w+){{0,{MOST_PARTS - 1}}}{ENDING}?"
)
"""Pieces of such a text, in a shorter time."""
ASCII_PIECES = re.compile(
    rf"\.?[A-Za-z0-9_]+(?:[-'`.,&][A-Za-z0-9_]+){{0,{MOST_PARTS - 1}}}(?:\+\+|\+(?![A-Za-z0-9_])|#)?"
)
"""The same for ASCII, which has only words."""


def plain(piece: str) -> str:
    """A piece with ASCII's digits, letters and signs where others stand for them; of the same length."""
    return piece if piece.isascii() else "".join(map(_plain, piece))


@cache
def _plain(character: str) -> str:
    if character in PLAIN:
        return PLAIN[character]
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return chr(ord(character) - 0xFEE0) if "\uff01" <= character <= "\uff5e" else character


def _class(category: str) -> str:
    """The characters whose category begins with this, as the inside of a character class."""
    ranges: list[list[int]] = []
    for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE0100)):
        if unicodedata.category(chr(code)).startswith(category):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
