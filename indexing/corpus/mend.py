"""Undoes double encoding: UTF-8 that was once read as Windows-1252 or Latin-1, so that "let’s" became "letâ€™s".

More than a fifth of MS MARCO's passages have it. ftfy's heuristics tell such texts from those that only look unusual.
"""

import re

SHOWN = 12  # characters on either side of the first difference, in a message


def _bytes_by_character() -> dict[str, int]:
    """The bytes 0x80 to 0xBF by the characters that Latin-1 and Windows-1252 have for them."""
    table = {chr(value): value for value in range(0x80, 0xC0)}
    for value in range(0x80, 0xA0):
        character = bytes([value]).decode("cp1252", errors="ignore")
        table |= {character: value} if character else {}
    return table


BYTES = _bytes_by_character()
_CLASS = "".join(map(re.escape, BYTES))
SUSPECT = re.compile(f"[\u00c2-\u00f4][{_CLASS}]|[\u0080-\u0084\u0086-\u009f]")
"""Matches in every text that was encoded twice, and in few others."""
PUNCTUATION = re.compile(f"\u00e2[\u0080\u20ac][{_CLASS}]")
"""The usual case: an apostrophe, a quotation mark or a dash, and never anything else."""


def mended(text: str) -> str:
    """The text as it was meant; the same object where nothing was encoded twice."""
    if text.isascii() or not SUSPECT.search(text):
        return text
    fixed = PUNCTUATION.sub(lambda match: bytes([0xE2, 0x80, BYTES[match[0][2]]]).decode(), text)
    if SUSPECT.search(fixed):
        from ftfy import fix_encoding  # imported only for a text that needs it

        fixed = fix_encoding(text)
    return text if fixed == text else fixed


def difference(before: str, after: str) -> tuple[str, str]:
    """The word around the first difference in both texts, for a message."""
    same = next((place for place, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(0, before.rfind(" ", 0, same) + 1, same - SHOWN)
    return _first_word(before[begin : same + SHOWN]), _first_word(after[begin : same + SHOWN])


def _first_word(text: str) -> str:
    return (text.split() or [text])[0]
