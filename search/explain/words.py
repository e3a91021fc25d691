"""Shows which words of a passage a re-ranker's score depends on: each is left out in turn."""

import re
from dataclasses import dataclass
from itertools import accumulate, pairwise

from search.rerank.reranker import Reranker

MOST_VARIANTS = 40  # texts scored in addition to the whole passage
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Piece:
    """A word of a passage, or a few, with the space that follows."""

    text: str
    drop: float
    """The fall of the passage's logit without it; below 0 if the logit rises."""


@dataclass(frozen=True)
class Occlusion:
    """A passage in pieces, each with its effect on one query's score."""

    logit: float
    """Logit of the whole passage."""
    pieces: tuple[Piece, ...]
    """In order; together they are the whole passage."""
    words: int
    """Words in each piece; the last may have fewer."""
    truncated: bool
    """Whether the re-ranker reads only the beginning; the rest has a drop near 0."""

    @property
    def largest(self) -> float:
        """The largest drop or rise."""
        return max((abs(piece.drop) for piece in self.pieces), default=0.0)


def occlude(reranker: Reranker, query: str, content: str, *, variants: int = MOST_VARIANTS) -> Occlusion:
    """Score a passage whole and without each piece of it, in one call; at most `variants` pieces of as many words.

    Raises:
        ModelError: a score isn't a finite number.
    """
    pieces, words = _pieces(content, variants)
    ends = accumulate(map(len, pieces))
    without = [content[: end - len(piece)] + content[end:] for piece, end in zip(pieces, ends, strict=True)]
    scores = reranker.score(query, [content, *without])
    whole, *rest = scores.logits.tolist()
    drops = tuple(Piece(piece, whole - logit) for piece, logit in zip(pieces, rest, strict=True))
    return Occlusion(whole, drops, words, scores.truncated[0])


def _pieces(content: str, variants: int) -> tuple[list[str], int]:
    """The content in at most `variants` pieces of as many words each, and how many words those are."""
    starts = [match.start() for match in WORD.finditer(content)]
    words = max(1, -(-len(starts) // variants))
    cuts = [0, *starts[words::words], len(content)]  # white space before the first word belongs to its piece
    pieces = [content[start:end] for start, end in pairwise(cuts)]
    return [piece for piece in pieces if piece.strip()], words
