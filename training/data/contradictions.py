"""Finds passages that are relevant to a query in one place of the training data and not relevant in another."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from indexing.corpus.same_text import text_key
from training.example import CONTRADICTED, Example, OnSkip

REMEMBERED = 500_000  # judgments of earlier examples that later ones are compared with, some 50 MB


def without_contradictions(examples: Iterable[Example], *, on_skip: OnSkip) -> Iterator[Example]:
    """The examples without passages given as not relevant that they, or earlier ones of their query, give as relevant.

    Queries and passages are the same that say the same, as `text_key` compares. `on_skip` hears of each such passage,
    also where it came before the example that gives it as relevant, and so stays. Examples without labels stay as they
    are, and one without any passage left goes.
    """
    relevant: dict[int, bool] = {}
    for example in examples:
        if example.labels is None:
            yield example
            continue
        kept = _kept(example, example.labels, relevant, on_skip)
        if len(kept) == len(example.passages):
            yield example
        elif kept:
            yield replace(
                example,
                passages=tuple(example.passages[place] for place in kept),
                labels=tuple(example.labels[place] for place in kept),
                scores=None if example.scores is None else tuple(example.scores[place] for place in kept),
            )


def _kept(example: Example, labels: tuple[float, ...], relevant: dict[int, bool], on_skip: OnSkip) -> list[int]:
    """The places of the passages that stay; what the example says is added to what is known to be `relevant` or not."""
    query = text_key(example.query)
    keys = [hash((query, text_key(passage))) for passage in example.passages]
    own = {key for key, label in zip(keys, labels, strict=True) if label > 0}
    kept = []
    for place, key in enumerate(keys):
        if labels[place] <= 0 and (key in own or relevant.get(key)):
            on_skip(CONTRADICTED)
        else:
            kept.append(place)
    for key in {keys[place] for place in kept}:
        if key in own and relevant.get(key) is False:
            on_skip(CONTRADICTED)
        if key in relevant or len(relevant) < REMEMBERED:
            relevant[key] = key in own
    return kept
