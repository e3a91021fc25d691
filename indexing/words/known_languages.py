"""Which languages a model knows, by its card or its name, and what to say where a corpus has others."""

import re
from collections.abc import Mapping
from pathlib import Path

from indexing.names import DEFAULT_BI_ENCODER

CODES = {
    "ar": "arabic",
    "hy": "armenian",
    "eu": "basque",
    "bn": "bengali",
    "bg": "bulgarian",
    "my": "burmese",
    "ca": "catalan",
    "zh": "chinese",
    "cs": "czech",
    "da": "danish",
    "nl": "dutch",
    "en": "english",
    "et": "estonian",
    "fi": "finnish",
    "fr": "french",
    "ka": "georgian",
    "de": "german",
    "el": "greek",
    "he": "hebrew",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "ga": "irish",
    "it": "italian",
    "ja": "japanese",
    "km": "khmer",
    "ko": "korean",
    "lo": "lao",
    "lt": "lithuanian",
    "ne": "nepali",
    "no": "norwegian",
    "nb": "norwegian",
    "fa": "persian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sk": "slovak",
    "es": "spanish",
    "sv": "swedish",
    "ta": "tamil",
    "te": "telugu",
    "th": "thai",
    "tr": "turkish",
    "uk": "ukrainian",
    "vi": "vietnamese",
    "yi": "yiddish",
}
ENGLISH_NAMES = re.compile(r"(?:^|/)(?:all-(?:minilm|mpnet|distilroberta)|ms-?marco-|multi-qa-)", re.IGNORECASE)
MANY = re.compile(r"multilingual|labse|bge-m3", re.IGNORECASE)
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
LANGUAGE_FIELD = re.compile(r"^languages?:[ \t]*(.*(?:\n[ \t]*-[ \t]*\S+)*)", re.MULTILINE)
LEAST_SHARE = 0.05  # of sampled passages, for a language to be told; a few texts are always taken for another's
SHIPPED = "shipped"


def known_languages(model: str) -> frozenset[str] | None:
    """The languages that a model knows, by name; None where neither its card nor its name says so, or it knows many."""
    if MANY.search(model):
        return None
    if model in (SHIPPED, DEFAULT_BI_ENCODER) or ENGLISH_NAMES.search(model):
        return frozenset({"english"})
    try:
        card = (Path(model) / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    front = FRONT_MATTER.search(card.replace("\r\n", "\n"))
    field = LANGUAGE_FIELD.search(front[1]) if front else None
    codes = re.findall(r"[a-z]+(?=[-_a-zA-Z]*)", field[1].lower()) if field else []
    names = frozenset(CODES[code] for code in codes if code in CODES)
    return names if names and "multilingual" not in codes else None


def unknown_language_note(shares: Mapping[str, float], models: Mapping[str, str]) -> str:
    """A sentence on passages in languages that a model doesn't know; empty without such.

    `models` are the names of models by what they are, such as {"bi-encoder": ..., "re-ranker": ...}.
    """
    told: dict[str, list[str]] = {}
    for role, model in models.items():
        known = known_languages(model)
        foreign = [name for name, share in shares.items() if known and name not in known and share >= LEAST_SHARE]
        if foreign:
            parts = " and ".join(f"{shares[name]:.0%} are in {name.capitalize()}" for name in foreign[:3])
            told.setdefault(parts, []).append(role)
    return " ".join(
        f"Of the sampled passages {parts}, which the {' and the '.join(roles)} "
        f"{'know' if len(roles) > 1 else 'knows'} little of: there, trust BM25, or choose models for it."
        for parts, roles in told.items()
    )
