"""Queries for a corpus without judgments, made from its own passages."""

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from indexing.errors import SettingsError
from indexing.records import Passage, PassageId, Query, QueryId
from indexing.typed_json import check_types
from indexing.whitespace import squeeze
from indexing.words.analyzers import analyzer_for
from training.judgments.protection import Protection

QUESTION = re.compile(
    r"(?:(?<=[.!?:\"”] )|^)"
    r"((?:who|what|when|where|why|which|how|is|are|can|does|do|did|was|were|should|will)\b[^.!?\n]{12,110}\?)",
    re.IGNORECASE,
)
QUESTION_WORDS = (4, 16)  # fewest and most words of a question that reads like a query
LEAST_WORDS = 15  # with fewer words besides the question, a passage can't answer it


@dataclass(frozen=True, slots=True)
class PassageQuestion:
    """A question and the passage that it was taken from."""

    passage_id: PassageId
    text: str
    rest: str
    """The passage without the question."""


def passage_questions(passages: Iterable[Passage]) -> Iterator[PassageQuestion]:
    """The first suitable question of each passage that has one, and enough other text; no question appears twice."""
    seen = set()
    for passage in passages:
        for match in QUESTION.finditer(passage.content):
            question = squeeze(match[1])
            rest = f"{passage.content[: match.start(1)]} {passage.content[match.end(1) :]}".strip()
            fits = QUESTION_WORDS[0] <= len(question.split()) <= QUESTION_WORDS[1] and len(rest.split()) >= LEAST_WORDS
            if fits and question.lower() not in seen:
                seen.add(question.lower())
                yield PassageQuestion(passage.id, question, squeeze(rest))
                break


KEYWORDS = 4  # most words of a query made from a passage's words
MOST_PASSAGES = 200_000  # most passages read of a large corpus, evenly spread
FREQUENCY_SAMPLE = 20_000  # most passages in which document frequencies are counted


@dataclass(frozen=True)
class ColdStart:
    """How examples are made without judgments."""

    queries: int = 3000
    """Queries to make, at most one per passage."""
    per_list: int = 8
    """Passages in an example."""
    depth: int = 60
    """Lowest first-stage rank that passages are taken from."""
    seed: int = 17

    def __post_init__(self) -> None:
        check_types(self)
        if self.queries < 1 or self.depth < 2 or self.per_list < 2:
            raise SettingsError(
                f"queries is {self.queries}, depth {self.depth} and per_list {self.per_list}; give at least 1, 2 and 2."
            )


def make_queries(
    passages: Iterable[Passage], settings: ColdStart, *, protection: Protection, count: int
) -> list[PassageQuestion]:
    """Unprotected queries from passages spread evenly over a corpus of `count`: questions first, then rare words."""
    stride = max(1, math.ceil(count / MOST_PASSAGES))
    read = [passage for row, passage in enumerate(passages) if row % stride == 0]
    rng = random.Random(settings.seed)
    questions = [question for question in passage_questions(read) if not protection.covers(_query(question))]
    chosen = rng.sample(questions, min(len(questions), settings.queries))
    asking = {question.passage_id for question in questions}
    others = [passage for passage in read if passage.id not in asking]
    missing = settings.queries - len(chosen)
    if missing and others:
        rarity = _document_frequencies(rng.sample(read, min(len(read), FREQUENCY_SAMPLE)))
        keywords = (_keywords(passage, rarity) for passage in rng.sample(others, len(others)))
        usable = (query for query in keywords if query is not None and not protection.covers(_query(query)))
        chosen += islice(usable, missing)
    return chosen


def _query(question: PassageQuestion) -> Query:
    return Query(QueryId(""), question.text)


def _document_frequencies(passages: Iterable[Passage]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(set(analyzer_for().query_terms(passage.content)))
    return counts


def _keywords(passage: Passage, frequencies: Counter[str]) -> PassageQuestion | None:
    """The passage's most distinctive words, in order: frequent in it and rare elsewhere, but not unique to it."""
    text = passage.content
    tokens = [token for token in analyzer_for().query_tokens(text) if token.term and frequencies[token.term] > 1]
    counts = Counter(token.term for token in tokens)
    best = sorted(counts, key=lambda term: (-counts[term] / math.log(2 + frequencies[term]), term))[:KEYWORDS]
    words: dict[str, str] = {}
    for token in tokens:
        if token.term in best:
            words.setdefault(token.term, text[token.start : token.end])
    if len(words) < KEYWORDS // 2:
        return None
    return PassageQuestion(passage.id, " ".join(words.values()).lower(), squeeze(text))
