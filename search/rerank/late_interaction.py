"""Late interaction ranks passages by the bi-encoder's token vectors, without a model of its own."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from indexing.dense.encoder import BiEncoder
from indexing.models.long_text import Cut
from indexing.records import Floats
from search.rerank.reranker import Scores
from search.served import LATE

LATE_SHARPNESS = 20.0  # of the soft maximum; infinity would give the plain maximum
LATE_SCALE = 32.0  # spreads the scores of one list as widely as 20 does cosines: a difference of 0.05 becomes 1.6
MIDDLE_LATE = 0.7  # the score whose logit is 0
PAIRS_AT_ONCE = 1024  # whose token vectors are in memory together, about 0.1 MB a passage


def late_as_logit(score: float) -> float:
    """A late-interaction score, which is a mean soft maximum, as a logit."""
    return (score - MIDDLE_LATE) * LATE_SCALE


def late_interaction(query: Floats, passage: Floats) -> float:
    """The logit of a query and a passage, each (tokens, dim) float32, unit vectors.

    Khattab and Zaharia 2020 take, for each token of the query, the nearest token of the passage. Here a soft maximum
    gives the next ones a little weight, and the mean over the query's tokens is shifted and scaled to spread as cosines
    do. A passage is computed by itself, so that its logit doesn't depend on the others, to the bit.
    """
    near = np.exp(LATE_SHARPNESS * (query @ passage.T)).sum(axis=1)  # (query tokens,), at most e^20 a token
    return late_as_logit(float(np.log(near).mean()) / LATE_SHARPNESS)


def late_logits(query: Floats, passages: Iterable[Floats]) -> Floats:
    """The logit of each passage for one query, (passages,) float32."""
    return np.array([late_interaction(query, passage) for passage in passages], dtype=np.float32)


class LateInteractionReranker:
    """Re-ranks by how similar each token of the query is to its best matches in the passage.

    Vectors that were trained only for their mean are good enough: untrained, they rank better than the texts' cosine.
    """

    def __init__(self, encoder: BiEncoder, *, called: str = LATE) -> None:
        """`called` is the name that users see. Raises ModelError if the bi-encoder gives no vectors of tokens."""
        encoder.check_tokens()
        self.encoder = encoder
        self._name = called

    @property
    def name(self) -> str:
        """`late`, or `late:NAME` for another bi-encoder than the index's."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Of the bi-encoder's weights."""
        return self.encoder.fingerprint

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """A logit of each passage, of which at most as many tokens are read as the bi-encoder takes."""
        logits = late_logits(self._query(query), self.encoder.encode_tokens(passages))
        return Scores(logits, tuple(self.encoder.cuts(passages)))

    def score_vectors(self, query: str, passages: Sequence[tuple[Floats, bool]]) -> Scores:
        """The scores of passages whose token vectors are at hand, (tokens, dim) each, and whether each was cut."""
        logits = late_logits(self._query(query), (tokens for tokens, _ in passages))
        return Scores(logits, tuple(cut for _, cut in passages))

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """(pairs,) float32 logits of each passage for the query in the same place."""
        logits = np.empty(len(passages), dtype=np.float32)  # (pairs,) float32
        for start in range(0, len(passages), PAIRS_AT_ONCE):
            block = slice(start, start + PAIRS_AT_ONCE)
            by_query = _by_text(queries[block], self.encoder.encode_query_tokens)
            by_passage = _by_text(passages[block], self.encoder.encode_tokens)
            pairs = zip(queries[block], passages[block], strict=True)
            logits[block] = [late_interaction(by_query[query], by_passage[text]) for query, text in pairs]
        return logits

    def query_cut(self, query: str) -> Cut | None:
        """How much of a query the bi-encoder reads; None if all of it."""
        return self.encoder.query_cut(query)

    def _query(self, query: str) -> Floats:
        return self.encoder.encode_query_tokens([query])[0]


def _by_text(texts: Sequence[str], encode: Callable[[Sequence[str]], list[Floats]]) -> dict[str, Floats]:
    """What each text is encoded to; a text that comes twice is encoded once."""
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, encode(distinct), strict=True))
