"""The beginning of a long text, so that tokenizing it costs by the tokens that are kept and not by what is there."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

Encoded = TypeVar("Encoded")

PER_TOKEN = 16  # characters for each token that is kept; English has 4 to 5
GROWTH = 4  # times as many where those gave too few tokens
MOST_PER_TOKEN = 64  # characters of a text that are looked at for each token
WORD_END = 200  # characters after the beginning in which white space is looked for, so that no word is cut
SPACE = re.compile(r"\s")
ALONE = r"_\u0300-\u036f\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
REMOVED = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd"
BLANKS = r" \t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
RUNS = re.compile(
    rf"(?P<word>[^\W{ALONE}]+)|(?P<space>[{BLANKS}]+)|(?P<removed>[{REMOVED}]+)|(?P<marks>[\u0300-\u036f]+)"
    rf"|(?:[{ALONE}]|[^\w{BLANKS}{REMOVED}]){{1,64}}"
)
"""Words that BERT's splitter leaves whole, its white space, what its cleaner removes, accents, some of all the rest."""


class Cut(NamedTuple):
    """How much of a text that is too long for a model is read, in tokens without the special ones."""

    read: int
    tokens: int


class Beginnings:
    """Takes the beginnings of texts for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer` is a Hugging Face tokenizer, slow or fast."""
        self._word = _longest_word(tokenizer)

    def encode(
        self,
        texts: Sequence[str],
        *,
        tokens: int,
        encode: Callable[[list[int], list[str]], Sequence[Encoded]],
        is_full: Callable[[Encoded], bool],
    ) -> tuple[list[Encoded], list[str]]:
        """What `encode` makes of each text, and the beginning of the text that it was made of.

        `encode` takes rows and their texts; where `is_full` says that what came of a beginning isn't all the `tokens`
        that are kept, a longer beginning is tried, up to MOST_PER_TOKEN characters for each of them.
        """
        limit = PER_TOKEN * tokens
        cut = [self.of(text, limit) for text in texts]
        encoded = list(encode(list(range(len(texts))), cut))
        while limit < MOST_PER_TOKEN * tokens:
            rows = [row for row, text in enumerate(texts) if _was_cut(text, limit) and not is_full(encoded[row])]
            if not rows:
                break
            limit *= GROWTH
            for row in rows:
                cut[row] = self.of(texts[row], limit)
            for row, value in zip(rows, encode(rows, [cut[row] for row in rows]), strict=True):
                encoded[row] = value
        return encoded, cut

    def of(self, text: str, limit: int) -> str:
        """About the first `limit` characters, to the end of a word; the text itself where it isn't longer.

        For BERT's tokenizers a run of white space counts as one character, what they remove as none, and the letters
        of a word that is too long for them as few: these give the same tokens as the run.
        """
        if not _was_cut(text, limit):
            return text
        if self._word:
            return self._condensed(text, limit)
        space = SPACE.search(text, limit, limit + WORD_END)
        return text[: space.start() if space else limit]

    def _condensed(self, text: str, limit: int) -> str:
        parts: list[str] = []
        length = 0
        for run in RUNS.finditer(text):
            kind, part = run.lastgroup, run.group()
            if length >= limit + (0 if kind == "space" else WORD_END):
                break
            if kind == "removed":
                continue
            if kind == "space":
                part = " "
            elif kind is not None:
                part = part[: self._word]
            parts.append(part)
            # however long, a word may give a single token, and accents may give none
            length += 1 if kind == "marks" else min(len(part), PER_TOKEN)
        return "".join(parts)


def _was_cut(text: str, limit: int) -> bool:
    return len(text) > limit + WORD_END


def was_cut(text: str, beginning: str, *, tokens: int) -> bool:
    """Whether more of a text than its beginning says something; false where that has all of it in fewer characters."""
    return len(beginning) < len(text) and len(beginning) >= PER_TOKEN * tokens


def _longest_word(tokenizer: Any) -> int:
    """Characters of a word that make a BERT tokenizer give up on it, with a margin; 0 for any other tokenizer."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    try:
        model, splitter, cleaner = backend.model, backend.pre_tokenizer, backend.normalizer
    except AttributeError:
        return 0
    names = (type(model).__name__, type(splitter).__name__, type(cleaner).__name__)
    if names != ("WordPiece", "BertPreTokenizer", "BertNormalizer") or not cleaner.clean_text:
        return 0
    return 2 * int(model.max_input_chars_per_word) + 2
