"""Tells which language texts are in, by their letters and commonest words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from indexing.words.characters import formats
from indexing.words.folding import folded
from indexing.words.languages import DEFAULT, NONE, common_words, language_names

WORD = re.compile(r"[^\W\d_]+")
CHARACTERS = 2_000  # of a text that are looked at
LEAST_SHARE = 0.5  # of the texts that are known, for an index to have their language
PREFERENCE = 1.25  # of the first language of a script
LEAST_WORDS = 2  # of a language that a text must have to be told by them: one may belong to another language
SCRIPTS = {
    "chinese": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF)),
    "japanese": ((0x3041, 0x30FF), (0xFF66, 0xFF9F)),
    "korean": ((0x1100, 0x11FF), (0xAC00, 0xD7FB)),
    "thai": ((0x0E01, 0x0E4E),),
    "lao": ((0x0E80, 0x0EDF),),
    "burmese": ((0x1000, 0x109F),),
    "khmer": ((0x1780, 0x17DD),),
    "hebrew": ((0x0590, 0x05FF), (0xFB1D, 0xFB4F)),
    "arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "hindi": ((0x0900, 0x097F),),
    "bengali": ((0x0980, 0x09FF),),
    "punjabi": ((0x0A00, 0x0A7F),),
    "gujarati": ((0x0A80, 0x0AFF),),
    "tamil": ((0x0B80, 0x0BFF),),
    "telugu": ((0x0C00, 0x0C7F),),
    "kannada": ((0x0C80, 0x0CFF),),
    "malayalam": ((0x0D00, 0x0D7F),),
    "sinhala": ((0x0D80, 0x0DFF),),
    "tibetan": ((0x0F00, 0x0FFF),),
    "georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF)),
    "armenian": ((0x0530, 0x058F),),
    "amharic": ((0x1200, 0x137F),),
    "greek": ((0x0370, 0x03FF), (0x1F00, 0x1FFF)),
    "russian": ((0x0400, 0x052F),),
}
"""Scripts by the language that a text in them has, unless its words are another's."""
SAME_SCRIPT = {
    "hebrew": ("yiddish",),
    "arabic": ("persian",),
    "hindi": ("nepali",),
    "russian": ("ukrainian", "bulgarian", "serbian"),
}
LETTERS = {"russian": "ыэ", "persian": "پچژگ", "ukrainian": "іїєґ", "serbian": "јљњђћџ", "yiddish": "װױײ"}
"""Letters of a language that the first of its script lacks; they count like words."""


@dataclass(frozen=True)
class Detected:
    """The languages of a sample of texts."""

    language: str
    """Of an index of these texts: Snowball's name, or `none` where Snowball lacks it or no language has most texts."""
    shares: Mapping[str, float]
    """Share of each language among the texts that could be told, most first; names may be others than Snowball's."""
    texts: int
    """Looked at, those included that couldn't be told."""


def detect(texts: Iterable[str]) -> Detected:
    """The languages of texts; without one that can be told, the language is the default."""
    counts: Counter[str] = Counter()
    seen = 0
    for text in texts:
        seen += 1
        counts[text_language(text)] += 1
    known = {name: count for name, count in counts.most_common() if name}
    total = sum(known.values())
    shares = {name: count / total for name, count in known.items()}
    first = next(iter(shares), DEFAULT)
    mostly = not shares or shares[first] >= LEAST_SHARE
    return Detected(first if mostly and first in language_names() else NONE, shares, seen)


def text_language(text: str) -> str:
    """The language of a text, by name; empty if it can't be told."""
    letters = formats().sub("", unicodedata.normalize("NFC", text[:CHARACTERS]))
    script = _script(letters)
    words = [folded(word) for word in WORD.findall(letters) if len(word) > 1 or word.islower()]  # not U.S.
    if script:
        return _among(words, (script, *SAME_SCRIPT.get(script, ())), least=0)
    return _among(words, _latin(), least=LEAST_WORDS)


def _script(text: str) -> str:
    """The script of most letters that isn't Latin; empty where most are."""
    if text.isascii():
        return ""
    counts: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            counts[_script_of(character)] += 1
    if counts["japanese"] * 10 > counts["chinese"]:  # kana between Han
        counts["japanese"] += counts.pop("chinese", 0)
    name, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return name if count else ""


@cache
def _script_of(character: str) -> str:
    code = ord(character)
    return next((name for name, ranges in SCRIPTS.items() if any(a <= code <= b for a, b in ranges)), "")


def _among(words: list[str], names: tuple[str, ...], *, least: int) -> str:
    """The language with most of these words; on a tie the first."""
    counts = dict.fromkeys(names, 0.0)
    owners = _owners()
    for word in words:
        for name in owners.get(word, ()):
            if name in counts:
                counts[name] += 1 / len(owners[word])
    for name in names:
        counts[name] += sum(any(letter in word for letter in LETTERS.get(name, "")) for word in words)
    counts[names[0]] *= PREFERENCE
    best = max(counts, key=lambda name: counts[name])
    hits = sum(best in owners.get(word, ()) for word in words)
    return best if hits >= least else ""


@cache
def _owners() -> dict[str, tuple[str, ...]]:
    """The languages that have a word among their commonest."""
    owners: dict[str, list[str]] = {}
    for name, words in common_words().items():
        for word in words:
            owners.setdefault(word, []).append(name)
    return {word: tuple(names) for word, names in owners.items()}


@cache
def _latin() -> tuple[str, ...]:
    """The languages of the Latin script, English first."""
    others = {*SCRIPTS, *(name for names in SAME_SCRIPT.values() for name in names)}
    return (DEFAULT, *sorted(set(common_words()) - others - {DEFAULT}))
