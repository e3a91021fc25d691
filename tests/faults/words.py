"""Faults in words: other spellings of the same word, words that are like others, places, and very long text."""

import time
import unicodedata
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from random import Random

from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import analyzer_for
from tests.faults.fault import Fault, WrongAnswerError

AREA = "words"
WORDS = (
    *("harbour", "naïve", "Straße", "Łódź", "Ørsted", "cœur", "Œuvre", "İstanbul", "O’Brien", "Đorđević", "smørrebrød"),
    *("Ελλάδα", "ёлка", "йогурт", "п’ять", "հայերեն", "ქართული", "हिन्दी", "ज़्यादा", "বাংলা", "தமிழ்", "తెలుగు"),
    *(
        "المعلم",
        "كتاب",
        "می‌خواهم",
        "שלום",
        "がんばる",
        "ガス",
        "牛肉面",
        "图书馆",
        "도서관",
        "ปลาทู",
        "ນ້ຳ",
        "ភាសាខ្មែរ",
        "မြန်မာ",
    ),
    *(
        "C++",
        "C#",
        "F#",
        ".NET",
        "user_name",
        "covid-19",
        "COVID19",
        "3.5mm",
        "10kg",
        "U.S.",
        "U.K.",
        "AT&T",
        "R&D",
        "e-mail",
    ),
    *(
        "node.js",
        "1,000",
        "10,000.50",
        "192.168.0.1",
        "24/7",
        "Ph.D.",
        "🐝",
        "🇩🇪",
        "H₂O",
        "p53",
        "x-ray",
        "don't",
        "ﬁsh",
        "Ｆｕｌｌ",
    ),
)
APART = (
    ("C", "C++", "C#", "F#", "F", ".NET", "net", "U.S.", "us", "G++"),
    ("がん", "かん"),
    ("ガス", "カス", "かす"),
    ("हिन्दी", "हद", "नद", "हिंद"),
    ("й", "и"),
    ("น้ำ", "น้า"),
    ("ปลา", "ปีน"),
)
FORMATS = "\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\ufe0f"
LANGUAGES = ("english", "german", "french", "turkish", "russian", "arabic", "hindi", "none")
FRAMES = ("{}", "{} at the start", "in the {} middle", "at the end {}", "({})", "“{}”!", "…{},", "{}: {}")
LONG = (
    "a",
    "e\u0301",
    "牛",
    "ป",
    "ก็",
    "a-",
    "1,",
    "1.",
    "a.",
    "_",
    "'",
    "🐝",
    "\u200b",
    "\u0301",
    "a\u0301\u0316",
    "+",
    "हि",
)


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def faults(random: Random) -> Iterator[Fault]:
    """Every word in every other spelling, words that mustn't meet, random text, long text."""
    for word in WORDS:
        for name, spelling in _spellings(word, random).items():
            frame, language = random.choice(FRAMES), random.choice(LANGUAGES)
            yield Fault(f"{word} {name} in {frame} in {language}", _finding(word, frame, spelling, language))
    for group in APART:
        for one, other in combinations(group, 2):
            yield Fault(f"{one} isn't {other}", _apart(one, other))
    for number in range(100):
        text = "".join(random.choice([*WORDS, " ", " ", ".", "-", "&", *FORMATS, "\u0301"]) for _ in range(40))
        yield Fault(f"places {number}", _places(text, random.choice(LANGUAGES)))
    for piece in LONG:
        yield Fault(f"long {piece!r}", _long(piece))


def _spellings(word: str, random: Random) -> dict[str, str]:
    place = random.randint(1, len(word)) if len(word) > 1 else 1
    mark = random.choice(FORMATS)
    return {
        "as it is": word,
        "composed": unicodedata.normalize("NFC", word),
        "decomposed": unicodedata.normalize("NFD", word),
        f"with U+{ord(mark):04X} at {place}": word[:place] + mark + word[place:],
        "in small letters": word if word.isupper() else word.lower(),
        "in capitals": word.upper() if word not in ("U.S.", "e-mail") and len(word.upper()) == len(word) else word,
    }


def _finding(word: str, frame: str, spelling: str, language: str) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        analyzer = analyzer_for(language)
        wanted, found = set(analyzer.query_terms(word)), set(analyzer.terms(frame.replace("{}", spelling)))
        if language == "turkish" and "i" in spelling.lower():  # I and i are two letters there
            return
        if not wanted or not wanted & found:
            raise WrongAnswerError(f"{wanted} isn't among {found}")
        if not set(analyzer.query_terms(spelling)) & set(analyzer.terms(word)):
            raise WrongAnswerError(f"{spelling!r} doesn't find {word!r}")

    return run


def _apart(one: str, other: str) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        for analyzer in map(analyzer_for, ("english", "none")):
            for query, text in ((one, other), (other, one)):
                if both := set(analyzer.query_terms(query)) & set(analyzer.terms(text)):
                    raise WrongAnswerError(f"{query} finds {text} by {both}")

    return run


def _places(text: str, language: str) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        analyzer = analyzer_for(language)
        tokens = analyzer.tokens(text)
        if sorted(token.term for token in tokens) != sorted(analyzer.terms(text)):
            raise WrongAnswerError(f"{tokens} aren't the terms {analyzer.terms(text)} of {text!r}")
        for start, end, term in tokens:
            if not 0 <= start < end <= len(text) or not _within(analyzer, text[start:end], term):
                raise WrongAnswerError(f"{term!r} isn't in {text[start:end]!r} of {text!r}")
            if (
                end < len(text)
                and unicodedata.category(text[end]) in ("Mn", "Mc")
                and text[end - 1].isalpha()
                and text[end] not in FORMATS
            ):
                raise WrongAnswerError(f"{term!r} leaves the mark after {text[start:end]!r} of {text!r}")

    return run


def _within(analyzer: Analyzer, piece: str, term: str) -> bool:
    """A part of a piece may be a stop word where it stands alone."""
    return term in analyzer.terms(piece) or term in analyzer_for("none").terms(piece) or not analyzer.terms(piece)


def _long(piece: str) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        analyzer = analyzer_for("english")
        seconds = []
        for length in (100_000, 400_000):
            text = "b" + piece * (length // len(piece))
            begun = time.process_time()
            terms = analyzer.terms(text)
            seconds.append(time.process_time() - begun)
            if any(len(term) > 255 for term in terms):
                raise WrongAnswerError(f"a term of {max(map(len, terms))} characters")
        if seconds[1] > 10 * seconds[0] + 0.5:
            raise WrongAnswerError(f"four times the text took {seconds[1]:.2f} s in place of {seconds[0]:.2f} s")

    return run
