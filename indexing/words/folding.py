"""Makes the spellings of a word one: case, width, marks that a reader reads past, letters with strokes."""

import re
import unicodedata

from indexing.words.characters import APOSTROPHES, JOINERS

LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ŋ": "n",
        "ħ": "h",
        "ı": "i",
        "ŧ": "t",
        "ƙ": "k",
        "ɓ": "b",
        "ɗ": "d",
        "ĸ": "k",
        "ſ": "s",
        "ƒ": "f",
        "ɛ": "e",
        "ɔ": "o",
        "ё": "е",
        "ٱ": "ا",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
    }
)
"""Letters that are read as others; those with accents aren't here, since they decompose. Arabic's are Lucene's."""
READ_PAST = str.maketrans(dict.fromkeys(JOINERS + '"\u0640', ""))  # the last stretches an Arabic word
DENTAL_NASAL = re.compile("\u0928\u094d(?=[\u0924-\u0927])")  # Hindi is written हिन्दी or हिंदी
ANUSVARA = "\u0902"
APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
# First and last code points of scripts.
LATIN_GREEK = (
    (0x0041, 0x024F),
    (0x0250, 0x02AF),
    (0x0370, 0x03FF),
    (0x1E00, 0x1FFF),
    (0x2C60, 0x2C7F),
    (0xA720, 0xA7FF),
)
CYRILLIC = ((0x0400, 0x052F), (0x1C80, 0x1C8F), (0xA640, 0xA69F))
VOWEL_POINTS = (
    (0x0591, 0x05C7),
    (0x064B, 0x0652),
    (0x0656, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x08D3, 0x08FF),
)
STRESS = "\u0300\u0301"
LONGEST = 255
"""Characters of a term; of a longer word the first count."""
LONGEST_WORD = 1024  # characters that are folded at all: putting marks in order takes their number squared


def folded(word: str, *, turkish: bool = False) -> str:
    """A word in lower case and compatible form, without vowel points, with the marks that make its letters."""
    if word.isascii() and not turkish:
        return word.lower().replace("`", "'")
    if turkish:
        word = word.replace("I", "ı").replace("İ", "i")
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold()).translate(APOSTROPHE)
    if text.isascii():
        return text
    return _without_points(text)


def bare(word: str) -> str:
    """A folded word without accents, and with plain letters for those with strokes."""
    if word.isascii():
        return word
    kept, base = [], ""
    for character in unicodedata.normalize("NFD", word):
        if not unicodedata.category(character).startswith("M"):
            base = character
        elif _in(base, LATIN_GREEK):
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).translate(LETTERS)


def _without_points(text: str) -> str:
    kept, base = [], ""
    for character in text:
        if not unicodedata.category(character).startswith("M"):
            base = character
        elif _in(character, VOWEL_POINTS) or (character in STRESS and _in(base, CYRILLIC)):
            continue
        kept.append(str(unicodedata.decimal(character)) if character.isdecimal() else character)
    joined = DENTAL_NASAL.sub(ANUSVARA, unicodedata.normalize("NFC", "".join(kept)).translate(READ_PAST))
    return joined if _in(base, LATIN_GREEK) or base == "'" else joined.replace("'", "")


def _in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return bool(character) and any(first <= ord(character) <= last for first, last in ranges)
