"""A re-ranker for a corpus that nobody judged: queries from its own passages, the first stage as the teacher.

Queries are questions that passages ask themselves and, where there are too few, the words that a passage has and
most others lack. The fused first stage and the bi-encoder say what is worth what, and the passage that a query was
cut from, without the query, gains a little. Afterwards the model's own opinion, averaged with the first stage's, is
the target of a second pass: self-training. It knows nothing that the first stage doesn't, so that it can hardly be
much better than the dense ranking alone; what it is worth is measured, not promised.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from indexing import analyzer
from indexing.encoder import BiEncoder
from indexing.errors import SettingsError, TrainingError
from indexing.index import Index
from indexing.records import Floats, Passage, Query, QueryId, Ranking
from training.dev_set import ModelInTraining
from training.examples import Example, Protects
from training.first_stage import teacher_run
from training.groups import COSINE_SCALE, QUESTION_BONUS
from training.mine import spread
from training.pair_model import PairModel
from training.passage_questions import PassageQuestion, passage_questions
from training.teacher import MIDDLE_COSINE, RerankerTeacher, Teacher, taught

KEYWORDS = 4  # of a query that is made of a passage's words
PASSAGES_READ = 200_000  # of a large corpus, evenly spread
COUNTED = 20_000  # passages whose terms say how rare a term is
SELF_SHARE = 0.5  # the model's own share of the targets in the second pass


@dataclass(frozen=True)
class ColdStart:
    """How examples are made without judgments."""

    queries: int = 3000
    """Queries to make, at most one a passage."""
    per_list: int = 8
    """Passages of an example."""
    depth: int = 60
    """First-stage ranks that passages are taken from."""
    seed: int = 17

    def __post_init__(self) -> None:
        if self.queries < 1 or self.depth < 2 or self.per_list < 2:
            raise SettingsError(
                f"queries {self.queries}, depth {self.depth} and passages a list {self.per_list} must be at least "
                "1, 2 and 2."
            )


def cold_examples(
    index: Index,
    encoder: BiEncoder,
    settings: ColdStart,
    *,
    protection: Protects,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Example]:
    """Lists of passages with the first stage's logits, one list a query; `progress` gets queries done since last.

    Raises:
        TrainingError: no passage gives a query.
    """
    chosen = made_queries(index.passages, settings, protection=protection, count=len(index.passages))
    if not chosen:
        raise TrainingError(f"No passage of index {index.folder.parent.name} gives a query; its texts are too short.")
    for start in range(0, len(chosen), 256):
        block = chosen[start : start + 256]
        run = teacher_run(
            index,
            encoder,
            [Query(QueryId(item.passage_id), item.question) for item in block],
            depth=settings.depth,
        )
        own = (encoder.encode_passages([item.question for item in block]) * _vectors(encoder, block)).sum(axis=1)
        for item, cosine in zip(block, own.tolist(), strict=True):
            example = _example(index, item, run[QueryId(item.passage_id)], cosine, settings)
            if example is not None:
                yield example
        progress(len(block))


def made_queries(
    passages: Iterable[Passage], settings: ColdStart, *, protection: Protects, count: int
) -> list[PassageQuestion]:
    """Questions first, then rare words, of passages evenly spread over the corpus of `count`; none is protected."""
    stride = max(1, math.ceil(count / PASSAGES_READ))
    read = [passage for row, passage in enumerate(passages) if row % stride == 0]
    rng = random.Random(settings.seed)
    asked = [item for item in passage_questions(read) if not protection.covers(_query(item))]
    chosen = rng.sample(asked, min(len(asked), settings.queries))
    asking = {item.passage_id for item in asked}
    others = [passage for passage in read if passage.id not in asking]
    wanted = settings.queries - len(chosen)
    if wanted and others:
        rarity = _document_frequencies(rng.sample(read, min(len(read), COUNTED)))
        made = (_keywords(passage, rarity) for passage in rng.sample(others, len(others)))
        chosen += islice((item for item in made if item is not None and not protection.covers(_query(item))), wanted)
    return chosen


def self_taught(
    examples: Iterable[Example], model: PairModel, *, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Example]:
    """The examples with targets that are the mean of the model's logits and the teacher's, both of one spread."""
    model.eval()
    for example in taught(examples, SelfTeacher(RerankerTeacher(ModelInTraining(model))), progress=progress):
        yield replace(example, source=f"{example.source}, self-taught")


class SelfTeacher:
    """The mean of a model's logits, made as wide as the scores that an example came with, and of these."""

    def __init__(self, model: Teacher) -> None:
        self._model = model

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """As Teacher."""
        return [
            _mixed(own, np.array(example.scores, dtype=np.float32))
            for example, own in zip(examples, self._model.scores(examples), strict=True)
        ]


def _mixed(own: Floats, given: Floats) -> Floats:
    scaled = (own - own.mean()) / (own.std() or 1.0) * given.std() + given.mean()
    mixed: Floats = (SELF_SHARE * scaled + (1 - SELF_SHARE) * given).astype(np.float32)
    return mixed


def _query(item: PassageQuestion) -> Query:
    return Query(QueryId(""), item.question)


def _vectors(encoder: BiEncoder, block: Sequence[PassageQuestion]) -> Floats:
    return encoder.encode_passages([item.rest for item in block])  # (queries, dim) float32, unit length


def _document_frequencies(passages: Iterable[Passage]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(set(analyzer.terms(passage.content)))
    return counts


def _keywords(passage: Passage, frequencies: Counter[str]) -> PassageQuestion | None:
    """The passage's most telling words in their order: frequent in it, rare elsewhere, seen elsewhere at all."""
    text = passage.content
    tokens = [token for token in analyzer.tokens(text) if token.term and frequencies[token.term] > 1]
    counts = Counter(token.term for token in tokens)
    best = sorted(counts, key=lambda term: (-counts[term] / math.log(2 + frequencies[term]), term))[:KEYWORDS]
    words: dict[str, str] = {}
    for token in tokens:
        if token.term in best:
            words.setdefault(token.term, text[token.start : token.end])
    if len(words) < KEYWORDS // 2:
        return None
    return PassageQuestion(passage.id, " ".join(words.values()).lower(), " ".join(text.split()))


def _example(
    index: Index, item: PassageQuestion, ranking: Ranking, cosine: float, settings: ColdStart
) -> Example | None:
    pool = [entry for entry in ranking if entry.passage_id != item.passage_id and entry.rank <= settings.depth]
    rng = random.Random(f"{settings.seed}/{item.passage_id}")
    drawn = spread(pool, settings.per_list - 1, rng)
    if not drawn:
        return None
    texts = [index.passages.by_id(entry.passage_id).content for entry in drawn]
    scores = [(entry.score - MIDDLE_COSINE) * COSINE_SCALE for entry in drawn]
    own = (cosine - MIDDLE_COSINE) * COSINE_SCALE + QUESTION_BONUS
    return Example(
        f"questions of {index.folder.parent.name}", item.question, (item.rest, *texts), scores=(own, *scores)
    )
