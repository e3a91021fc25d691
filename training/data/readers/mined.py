"""Reads lists that `training mine` wrote."""

from collections.abc import Iterator

from training.example import Example
from training.mining.files import list_ids, manifest, read_negatives
from training.source import Source


def mined_examples(source: Source) -> Iterator[Example]:
    """The labeled lists of a folder of mined negatives, with the scores used in mining if they were written.

    Raises:
        TrainingError: the folder holds no labeled lists, or a file differs from its manifest.
    """
    folder = source.path
    rows = read_negatives(folder, "labeled-lists", scores=manifest(folder)["scores"])
    for row, query_id in zip(rows, list_ids(folder), strict=True):
        yield Example(
            source.label(),
            row["query"],
            tuple(row["passages"]),
            labels=tuple(map(float, row["labels"])),
            scores=tuple(row["scores"]) if "scores" in row else None,
            query_id=query_id,
        )
