"""Reads lists that `training mine` wrote."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from indexing.records import Floats
from training.example import Example
from training.mining.files import list_ids, manifest, read_negatives
from training.source import Source
from training.targets import as_logits, run_as_logits


def mined_examples(source: Source) -> Iterator[Example]:
    """The labeled lists of a folder of mined negatives, with the logits of the scores used in mining, if it has them.

    Raises:
        TrainingError: the folder holds no labeled lists, or a file differs from its manifest.
    """
    folder = source.path
    values = manifest(folder)
    logits = _logits_of(values)
    rows = read_negatives(folder, "labeled-lists", scores=values["scores"])
    for row, query_id in zip(rows, list_ids(folder), strict=True):
        yield Example(
            source.label(),
            row["query"],
            tuple(row["passages"]),
            labels=tuple(map(float, row["labels"])),
            scores=_logits(row["scores"], logits) if "scores" in row else None,
            query_id=query_id,
        )


def _logits_of(values: dict[str, Any]) -> Callable[[Floats], Floats | None]:
    """What turns the scores of one list into logits: a re-ranker's are, cosines have their scale, others have none."""
    if values["reranker"]:
        return lambda scores: scores
    return as_logits if values["source"] == "dense" else run_as_logits


def _logits(scores: list[float], of: Callable[[Floats], Floats | None]) -> tuple[float, ...]:
    logits = of(np.array(scores, dtype=np.float32))
    return (0.0,) * len(scores) if logits is None else tuple(logits.tolist())
