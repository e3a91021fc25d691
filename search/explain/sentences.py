"""Finds the sentence of a passage that is nearest to the query by the bi-encoder."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from indexing.dense.encoder import BiEncoder

MOST_SENTENCES = 200  # encoded for one passage
# A full stop ends a sentence if white space and then no lower-case letter follow; an ideographic one or a line break
# always does.
END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+(?![a-z])|[。！？]+[」』”’]*\s*|\s*\n\s*")
# A single capital is an initial: J. Smith.
ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:[A-Z]|Mrs?|Ms|Dr|Prof|St|Mt|No|vs|approx|Inc|Ltd|Co|[JS]r|[a-z]\.[a-z])\.\s*$"
)


class Sentence(NamedTuple):
    """A sentence and its cosine with the query, -1 to 1."""

    text: str
    cosine: float


@dataclass(frozen=True)
class NearestSentences:
    """A passage's sentences, ordered by their cosine with the query."""

    whole: float
    """Cosine of the query and the whole passage."""
    sentences: tuple[Sentence, ...]
    """Nearest first."""
    left_out: int
    """Number of sentences after the first MOST_SENTENCES, which weren't encoded."""


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, in order, without the space around them."""
    sentences = []
    start = 0
    for end in END.finditer(text):
        if not ABBREVIATION.search(text[start : end.end()]):
            sentences.append(text[start : end.end()].strip())
            start = end.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def nearest_sentences(encoder: BiEncoder, query: str, content: str) -> NearestSentences:
    """Encode a passage and each of its sentences in one call, and compare them with the query.

    Raises:
        ModelError: the bi-encoder's weights are broken.
    """
    sentences = split_sentences(content)
    encoded = sentences[:MOST_SENTENCES]
    vectors = encoder.encode_passages([content, *encoded])  # (1 + sentences, dim) float32, unit length
    whole, *cosines = (vectors @ encoder.encode_query(query)).tolist()
    ordered = sorted(map(Sentence, encoded, cosines), key=lambda sentence: -sentence.cosine)
    return NearestSentences(whole, tuple(ordered), len(sentences) - len(encoded))
