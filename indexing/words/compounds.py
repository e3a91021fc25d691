"""Takes a piece of text such as covid-19, C++, U.S. or 3.5mm apart into the terms by which it is found."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from indexing.words.analyzer import Token
from indexing.words.characters import plain
from indexing.words.languages import Language

ENDING = re.compile(r"(?:\+\+|\+|#)$")
DOT_NET = ".net"  # the one name that begins with a full stop: after others, somebody forgot the space
ACRONYM = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_](?:'s)?|ph\.d", re.IGNORECASE)
PAIR = re.compile(r"[^\W\d_]{1,3}&[^\W\d_]{1,3}")
ORDINARY = frozenset({"us", "me", "my", "we", "he", "do", "go", "so", "up"})
"""Words that aren't stop words, and yet not what is meant where their letters have full stops between them."""
CAPITALS = {"US": "u.s", "IT": "i.t"}  # in English: what is meant by words that have another meaning in small letters
NUMBER = r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!,?\d)(?:\.\d+)?|\d+(?:\.\d+)+"
NUMBER_WITH_COMMA = r"\d+(?:[.,]\d+)+"
SEPARATORS = "-.,&_"
AFTER_LATIN = r"(?<![A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff])'"
"""An apostrophe that is part of a word where others separate words: l'eau has two, п'ять is one."""
PARTS = {
    (comma, split): re.compile(
        rf"(?P<number>{NUMBER_WITH_COMMA if comma else NUMBER})|"
        + (rf"(?:[^{SEPARATORS}']|{AFTER_LATIN})+" if split else rf"[^{SEPARATORS}]+")
    )
    for comma in (True, False)
    for split in (True, False)
}
SHORT = 2  # letters of the shorter part of what is also written without its hyphen: x-ray, e-mail, covid-19
MOST_JOINED = 4  # parts of a compound that is also found as one word
LONGEST_DOMAIN = 3  # letters after a full stop, as in node.js
MEASURE = re.compile(r"(\d+)([^\W\d_]+)")
NUMBERED = re.compile(r"([^\W\d_]{3,})(\d{1,4})")
UNITS = frozenset(
    {
        *("mm", "cm", "dm", "m", "km", "nm", "µm", "μm", "ft", "yd", "mi", "mph", "kmh"),
        *("g", "kg", "mg", "µg", "μg", "mcg", "lb", "lbs", "oz", "ml", "cl", "dl", "l"),
        *("k", "w", "kw", "mw", "kwh", "v", "mv", "kv", "ma", "mah", "a", "hz", "khz", "mhz", "ghz"),
        *("b", "kb", "mb", "gb", "tb", "pb", "kbps", "mbps", "gbps", "px", "pt", "dpi", "fps", "rpm"),
        *("s", "ms", "h", "hr", "hrs", "min", "mins", "sec", "am", "pm"),
        *("db", "c", "f", "bar", "psi", "pa", "kpa", "mpa", "kcal", "cal", "j", "kj", "ppm", "mol", "mmol", "iu", "x"),
    }
)
"""What may follow a number without a space, as in 3.5mm: found as a whole and by its two parts."""


class Part(NamedTuple):
    """A part of a piece, by its places in the piece."""

    start: int
    end: int
    number: bool
    """Whether it is a number with separators in it."""


def read(piece: str, language: Language) -> list[Token]:
    """The terms of a piece, with their places in it; what is found as a whole comes before its parts."""
    flat = plain(piece)
    if flat.isalpha():
        return _words(piece, Part(0, len(piece), False), language)
    ending = ENDING.search(flat)
    end = ending.start() if ending else len(flat)
    if flat.lower().startswith(DOT_NET) and not flat[4:5].isalnum():
        rest = read(piece[4:], language) if len(piece) > 4 else []
        return [Token(0, 4, DOT_NET), *(Token(start + 4, end + 4, term) for start, end, term in rest)]
    start = 1 if flat.startswith(".") else 0
    if ACRONYM.fullmatch(flat, start, end):
        return [Token(start, end, _acronym(flat[start:end], language))]
    found = PARTS[language.decimal_comma, language.splits_apostrophes].finditer(flat, start, end)
    parts = [Part(match.start(), match.end(), bool(match["number"])) for match in found]
    tokens = list(_whole(flat, parts, language))
    for place, part in enumerate(parts):
        last = ending.group() if ending and place == len(parts) - 1 else ""
        tokens += _part(piece, flat, part, last, language)
    return tokens


def _acronym(letters: str, language: Language) -> str:
    """U.K. is UK; but U.S. isn't us, and I.T. isn't it."""
    joined = letters.lower().removesuffix("'s").replace(".", "")
    if joined in ORDINARY or not (terms := language.terms(joined)):
        return ".".join(joined)
    return terms[0]


def _whole(flat: str, parts: list[Part], language: Language) -> Iterator[Token]:
    """The whole of e-mail, user_name, node.js, AT&T, 3.5mm as one term."""
    if not 2 <= len(parts) <= MOST_JOINED:
        return
    start, end = parts[0].start, parts[-1].end
    between = {flat[before.end : after.start] for before, after in pairwise(parts)}
    texts = [flat[part.start : part.end] for part in parts]
    joined = "".join(texts)
    if PAIR.fullmatch(flat, start, end):
        yield Token(start, end, flat[start:end].lower())
    elif parts[0].number and between == {""} and texts[1].lower() in UNITS:
        yield Token(start, end, language.number(texts[0]) + texts[1].lower())
    elif any(part.number for part in parts) or joined.isdigit():
        return
    elif _is_one_word(between, texts):
        yield from (Token(start, end, term) for term in language.terms(joined))


def _is_one_word(between: set[str], texts: list[str]) -> bool:
    """Whether parts with these signs between them are also written as one word: user_name, e-mail, node.js."""
    if between == {"."}:
        return len(texts) == 2 and len(texts[-1]) <= LONGEST_DOMAIN
    return between <= {"_", "__"} or (between <= {"-", "_"} and min(map(len, texts)) <= SHORT)


def _part(piece: str, flat: str, part: Part, ending: str, language: Language) -> Iterator[Token]:
    start, end, number = part
    text = flat[start:end]
    if number:
        yield from _number(text, start, language)
    elif measure := MEASURE.fullmatch(text):
        yield from _words(piece, part, language)
        if measure[2].lower() in UNITS:
            yield Token(start, start + measure.end(1), measure[1])
            yield Token(start + measure.start(2), end, measure[2].lower())
    elif numbered := NUMBERED.fullmatch(text):
        yield from _words(piece, part, language)
        yield from _words(piece, Part(start, start + numbered.end(1), False), language)
        yield Token(start + numbered.start(2), end, numbered[2])
    elif ending and text.isalpha() and (len(text) == 1 or ending == "++"):
        yield from (Token(start, end + len(ending), term + ending) for term in language.symbols(text))
        if len(text) > 1:
            yield from _words(piece, part, language)
    else:
        yield from _words(piece, part, language)


def _number(text: str, start: int, language: Language) -> Iterator[Token]:
    """3.5 is found by 3 too, and a date or an address by each of its numbers."""
    number = language.number(text)
    yield Token(start, start + len(text), number)
    groups = list(re.finditer(r"\d+", text)) if "." in number else []
    for group in groups if len(groups) > 2 and "," not in text else groups[:1]:
        yield Token(start + group.start(), start + group.end(), group.group())


def _words(piece: str, part: Part, language: Language) -> list[Token]:
    start, end, _ = part
    tokens = [Token(start, end, term) for term in language.terms(piece[start:end])]
    if language.name == "english" and piece[start:end] in CAPITALS:
        tokens.append(Token(start, end, CAPITALS[piece[start:end]]))
    return tokens
