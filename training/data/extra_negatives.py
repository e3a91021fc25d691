"""Adds hard negatives from a local index to examples that already have judged passages."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from indexing.corpus.same_text import text_key
from indexing.progress import Progress, silent
from indexing.records import PassageId, QueryId
from search.pipeline import RetrieveAndRerank
from search.settings import QUERY_CHARACTERS
from training.example import Example
from training.mining.kept_negatives import Keeping, digest, open_kept
from training.mining.mine import Miner
from training.mining.negatives import QueryCandidates, draw, screen
from training.mining.settings import MiningSettings


def add_negatives(
    examples: Iterable[Example],
    pipeline: RetrieveAndRerank,
    settings: MiningSettings,
    *,
    keeping: Keeping | None = None,
    progress: Progress = silent,
) -> Iterator[Example]:
    """Each example with up to `per_query` more passages, graded 0, from the settings' ranks of the fused ranking.

    Passages that read like one of the example's relevant passages are left out. Margins don't apply, because the
    example's own texts have no score in this index. Examples that have a teacher's scores, or whose query is too long
    to search, stay unchanged. Those that were found before in the same way and kept are used again.
    """
    miner = Miner.open(pipeline, replace(settings, relative_margin=None, absolute_margin=None))
    with open_kept(keeping, miner.stage.index, miner.kept_by()) as kept:
        for example in examples:
            progress("mine", 1, 0)
            if example.labels is None or example.scores is not None or len(example.query) > QUERY_CHARACTERS:
                yield example
                continue
            key = digest("example", example.query, example.passages, example.labels)
            found = kept.get(key, partial(_negatives, example, example.labels, miner))
            more = tuple(map(miner.stage.text, found))
            yield replace(example, passages=(*example.passages, *more), labels=(*example.labels, *([0.0] * len(more))))


def _negatives(example: Example, labels: Iterable[float], miner: Miner) -> list[PassageId]:
    """Passages that say something else than each other and than those that the example has."""
    stage, settings = miner.stage, miner.settings
    relevant = [text for text, label in zip(example.passages, labels, strict=True) if label > 0]
    candidates = QueryCandidates(QueryId(""), stage.rank(example.query), {}, {}, relevant_texts=relevant)
    known = set(map(text_key, example.passages))
    pool = screen(candidates, settings, text=stage.text).candidates
    fresh = [candidate for candidate in pool if text_key(stage.text(candidate.passage_id)) not in known]
    rng = random.Random(f"{settings.seed}/{example.query}")
    return [candidate.passage_id for candidate in draw(fresh, settings, rng)]
