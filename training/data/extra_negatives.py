"""Adds hard negatives from an index of ours to examples that have judged passages of their own."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexing.progress import Progress, silent
from indexing.records import QueryId
from search.pipeline import RetrieveAndRerank
from search.settings import QUERY_CHARACTERS
from training.example import Example
from training.mining.mine import Miner
from training.mining.negatives import QueryCandidates, draw, screen
from training.mining.settings import MiningSettings


def add_negatives(
    examples: Iterable[Example], pipeline: RetrieveAndRerank, settings: MiningSettings, *, progress: Progress = silent
) -> Iterator[Example]:
    """Each example with up to `per_query` fused passages of the ranks, graded 0, that it doesn't hold yet.

    Left out is what reads like a relevant passage of the example. Margins don't apply: the texts of an example have
    no score in this index. Examples with a teacher's scores, or of a query too long to search, stay as they are.
    """
    miner = Miner.open(pipeline, replace(settings, relative_margin=None, absolute_margin=None))
    for example in examples:
        progress("mine", 1, 0)
        if example.labels is None or example.scores is not None or len(example.query) > QUERY_CHARACTERS:
            yield example
            continue
        more = _negatives(example, example.labels, miner)
        yield replace(example, passages=(*example.passages, *more), labels=(*example.labels, *([0.0] * len(more))))


def _negatives(example: Example, labels: Iterable[float], miner: Miner) -> list[str]:
    """Texts of passages that the example lacks, none twice."""
    stage, settings = miner.stage, miner.settings
    relevant = [text for text, label in zip(example.passages, labels, strict=True) if label > 0]
    candidates = QueryCandidates(QueryId(""), stage.rank(example.query), {}, {}, relevant_texts=relevant)
    fresh, texts = [], set(example.passages)
    for candidate in screen(candidates, settings, text=stage.text).candidates:
        text = stage.text(candidate.passage_id)
        if text not in texts:
            texts.add(text)
            fresh.append(candidate)
    rng = random.Random(f"{settings.seed}/{example.query}")
    return [stage.text(candidate.passage_id) for candidate in draw(fresh, settings, rng)]
