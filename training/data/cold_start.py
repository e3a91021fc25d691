"""Examples from a corpus without judgments: queries come from its own passages, and the first stage is the teacher.

Queries are questions found in the passages and, if there are too few of those, words that are frequent in one passage
and rare in others. The fused first stage and the bi-encoder score the passages. The passage that a query was taken
from, with the query removed, gets a bonus. A second pass then trains on the mean of the model's own scores and the
first stage's (self-training). The model learns nothing that the first stage doesn't know, so it can hardly be much
better than the dense ranking alone; measure it before you rely on it.
"""

import random
from collections.abc import Iterator, Sequence

from indexing.dense.encoder import BiEncoder
from indexing.errors import TrainingError
from indexing.index import Index
from indexing.progress import Progress, silent
from indexing.records import Floats, PassageId, Query, QueryId, Ranking
from training.data.questions import ColdStart, PassageQuestion, make_queries
from training.example import Example
from training.judgments.protection import Protection
from training.mining.near_duplicates import NearDuplicates
from training.mining.negatives import distinct, spread
from training.mining.settings import MiningSettings
from training.targets import QUESTION_BONUS, as_logits
from training.teachers.first_stage import teacher_run

NEAR_DUPLICATE = MiningSettings.near_duplicate


def cold_examples(
    index: Index,
    encoder: BiEncoder,
    settings: ColdStart,
    *,
    protection: Protection,
    progress: Progress = silent,
) -> Iterator[Example]:
    """Lists of passages with the first stage's logits, one list per query; `progress` counts queries.

    Raises:
        TrainingError: no query can be made from any passage.
    """
    chosen = make_queries(index.passages, settings, protection=protection, count=len(index.passages))
    if not chosen:
        raise TrainingError(
            f"No query can be made from the passages of index {index.folder.parent.name}, whose texts are too short; "
            "name another index."
        )
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
    def text(passage_id: PassageId) -> str:
        return index.passages.by_id(passage_id).content

    copies = NearDuplicates([text(question.passage_id)], share=NEAR_DUPLICATE)
    near = [entry for entry in ranking if entry.rank <= settings.depth and not copies.match(text(entry.passage_id))]
    first_ones = set(distinct((entry.passage_id for entry in near), text))
    pool = [entry for entry in near if entry.passage_id in first_ones]
    rng = random.Random(f"{settings.seed}/{question.passage_id}")
    drawn = spread(pool, settings.per_list - 1, rng)
    if not drawn:
        return None
    texts = [text(entry.passage_id) for entry in drawn]
    scores = [as_logits(entry.score) for entry in drawn]
    own = as_logits(cosine) + QUESTION_BONUS
    return Example(
        f"questions of {index.folder.parent.name}", question.text, (question.rest, *texts), scores=(own, *scores)
    )
