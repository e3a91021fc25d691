"""Examples of a corpus that nobody judged: queries from its own passages, with the first stage as the teacher.

Queries are questions that passages ask themselves and, where those are too few, words that a passage has and most
others lack. The fused first stage and the bi-encoder score the passages, and the passage that a query was cut from,
without the query, gains a bonus. Afterwards the model's own opinion, averaged with the first stage's, is
the target of a second pass: self-training. It knows nothing that the first stage doesn't, so that it can hardly be
much better than the dense ranking alone; what it is worth is measured, not promised.
"""

import random
from collections.abc import Iterator, Sequence

from indexing.dense.encoder import BiEncoder
from indexing.errors import TrainingError
from indexing.index import Index
from indexing.progress import Progress, silent
from indexing.records import Floats, Query, QueryId, Ranking
from training.data.questions import ColdStart, PassageQuestion, made_queries
from training.example import Example
from training.judgments.protection import Protection
from training.mining.negatives import spread
from training.targets import QUESTION_BONUS, as_logits
from training.teachers.first_stage import teacher_run


def cold_examples(
    index: Index,
    encoder: BiEncoder,
    settings: ColdStart,
    *,
    protection: Protection,
    progress: Progress = silent,
) -> Iterator[Example]:
    """Lists of passages with the first stage's logits, one list a query; `progress` counts queries.

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
            [Query(QueryId(question.passage_id), question.text) for question in block],
            depth=settings.depth,
        )
        own = (encoder.encode_passages([question.text for question in block]) * _vectors(encoder, block)).sum(axis=1)
        for question, cosine in zip(block, own.tolist(), strict=True):
            example = _example(index, question, run[QueryId(question.passage_id)], cosine, settings)
            if example is not None:
                yield example
        progress("ask the passages", len(block), len(chosen))


def _vectors(encoder: BiEncoder, block: Sequence[PassageQuestion]) -> Floats:
    return encoder.encode_passages([question.rest for question in block])  # (queries, dim) float32, unit length


def _example(
    index: Index, question: PassageQuestion, ranking: Ranking, cosine: float, settings: ColdStart
) -> Example | None:
    pool = [entry for entry in ranking if entry.passage_id != question.passage_id and entry.rank <= settings.depth]
    rng = random.Random(f"{settings.seed}/{question.passage_id}")
    drawn = spread(pool, settings.per_list - 1, rng)
    if not drawn:
        return None
    texts = [index.passages.by_id(entry.passage_id).content for entry in drawn]
    scores = [as_logits(entry.score) for entry in drawn]
    own = as_logits(cosine) + QUESTION_BONUS
    return Example(
        f"questions of {index.folder.parent.name}", question.text, (question.rest, *texts), scores=(own, *scores)
    )
