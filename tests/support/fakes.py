"""Small real implementations that stand in for models."""

from collections.abc import Sequence

import numpy as np

from indexing.records import Floats
from indexing.words.analyzers import analyzer_for
from search.rerank.reranker import Scores

WORDS_READ = 40


class WordOverlapReranker:
    """A re-ranker whose logit is the share of the query's terms that the passage's first WORDS_READ words hold."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        """Every query and list of passages it was given."""

    @property
    def name(self) -> str:
        return "word overlap"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.asked.append((query, tuple(passages)))
        wanted = set(analyzer_for().query_terms(query))
        words = [passage.split() for passage in passages]
        read = [set(analyzer_for().terms(" ".join(part[:WORDS_READ]))) for part in words]
        logits = [len(wanted & found) / max(len(wanted), 1) for found in read]
        return Scores(
            np.array(logits, dtype=np.float32),  # (passages,) float32
            tuple(len(part) > WORDS_READ for part in words),
            {"tokenize": 0.0, "re-rank": 0.0},
        )


class FixedReranker:
    """A re-ranker whose logits are given by a passage's text."""

    def __init__(self, logits: dict[str, float]) -> None:
        self._logits = logits
        self.pairs = 0
        """Pairs that were scored."""

    @property
    def name(self) -> str:
        return "fixed"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        values = self.score_pairs([query] * len(passages), passages)
        return Scores(values, (False,) * len(values), {"tokenize": 0.0, "re-rank": 0.0})

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        self.pairs += len(queries)
        return np.array([self._logits[passage] for passage in passages], dtype=np.float32)  # (pairs,) float32


class Reports:
    """Progress that is kept report by report."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, int]] = []

    def __call__(self, phase: str, count: int, total: int) -> None:
        self.rows.append((phase, count, total))

    @property
    def counts(self) -> list[int]:
        """How much each report added."""
        return [count for _, count, _ in self.rows]
