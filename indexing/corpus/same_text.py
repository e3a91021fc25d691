"""Tells whether two texts say the same, whatever their case, spaces, punctuation, encoding and invisible characters."""

import html
import re
import unicodedata
from functools import lru_cache

from indexing.whitespace import squeeze

ROUNDS = 3  # times that a text may have been encoded anew
KEPT_MARKS = frozenset("#%&@*+")  # they tell C# from C, and 5 % from 5
_BYTES = {chr(value): value for value in range(256)} | {
    bytes([value]).decode("cp1252"): value for value in range(0x80, 0xA0) if value not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
"""The byte of each character that Latin-1 or Windows-1252 has."""
_REST = "".join(re.escape(character) for character, value in _BYTES.items() if 0x80 <= value < 0xC0)


def _twice(rest: str) -> re.Pattern[str]:
    return re.compile(f"[\xc2-\xdf][{_REST}]|[\xe0-\xef][{rest}]{{2}}|[\xf0-\xf4][{rest}]{{3}}")


_CERTAIN = _twice(_REST.replace("\xa0", ""))
"""What no text holds that was encoded once; with a no-break space it may be French, `café « ...`."""
_POSSIBLE = _twice(_REST)
_MINUS = re.compile(r"(?<!\w)-(?=\d)")
_SPACE_OF_DIGITS = re.compile(r"(?<=\d) (?=\d)")


class _Characters(dict[int, str]):
    """What becomes of each character of a normalized text; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = _comparable(chr(code))
        return self[code]


class _Visible(dict[int, str | None]):
    """Drops characters that can't be seen; filled likewise."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        self[code] = None if _invisible(character) else character
        return self[code]


def mended(text: str) -> str:
    """The text with what was encoded twice or more decoded: `cafÃ©` becomes `café`."""
    for _ in range(ROUNDS):
        if text.isascii() or _CERTAIN.sub(_decoded, text) == text:
            break
        changed = _POSSIBLE.sub(_decoded, text)
        text = changed.replace("Ã ", "à")  # its second byte was a no-break space, which readers make a space
    return text


def unified(text: str) -> str:
    """The text as it is meant: decoded once, in compatible characters (NFKC), without entities and invisible ones."""
    if "&" in text:
        text = html.unescape(text)
    if text.isascii() and text.isprintable():
        return text
    return squeeze(unicodedata.normalize("NFKC", mended(text)).translate(_VISIBLE))


def text_key(text: str) -> str:
    """What texts that say the same have in common.

    Two texts have the same key if they differ only in case, white space, punctuation, invisible characters, the form
    of composed characters, HTML's entities, or by having been encoded once more. What stands between two digits
    counts, and so does a minus, so that neither 35 nor -3.5 is 3.5.
    """
    return _key(text) if len(text) <= CACHED else _key.__wrapped__(text)


CACHED = 4_000  # characters of a text whose key is kept


@lru_cache(maxsize=4_096)
def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unified(text).casefold())
    words = squeeze(_MINUS.sub("\N{MINUS SIGN}", folded).translate(_CHARACTERS))
    return _SPACE_OF_DIGITS.sub("\n", words).replace(" ", "").replace("\n", " ") or squeeze(folded)


def _decoded(match: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[character] for character in match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _invisible(character: str) -> bool:
    """Whether it shows nothing: format characters, variation selectors and fillers; controls but white space."""
    code, kind = ord(character), unicodedata.category(character)
    if kind == "Cc":
        return not character.isspace()
    return kind == "Cf" or code in (0x34F, 0x115F, 0x1160, 0x3164, 0xFFA0) or 0xFE00 <= code <= 0xFE0F


def _comparable(character: str) -> str:
    kind = unicodedata.category(character)
    return " " if kind[0] in "PZ" and character not in KEPT_MARKS else character


_CHARACTERS = _Characters()
_VISIBLE = _Visible()
