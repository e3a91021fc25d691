"""Writes the BM25 index that bm25s opens, shard by shard; needs no more memory than the index's own size.

bm25s' own indexing holds every passage's terms and three copies of every score; this writes the same
files, but puts the scores directly into memory-mapped arrays, term by term.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
from numba import njit
from numpy.typing import NDArray

from indexing.bm25.formula import inverse_frequency, length_norms, mean_length
from indexing.bm25.postings import ShardPostings
from indexing.bm25.settings import Bm25Settings
from indexing.disk import write_array
from indexing.progress import Progress, silent

FILES = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy", "vocab.index.json", "params.index.json")


def build_bm25(terms: Path, folder: Path, settings: Bm25Settings, *, progress: Progress = silent) -> None:
    """Write a bm25s index (method `lucene`) of all shards of postings in `terms`; equal shards give equal bytes."""
    folder.mkdir()
    paths = sorted(terms.glob("*.arrow"))
    vocabulary, terms_of_shard, frequencies = _vocabulary(paths)
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(ShardPostings(path).lengths() for path in paths)])
    norms = length_norms(lengths, settings, mean=mean_length(lengths))  # (passages,) float64
    weights = inverse_frequency(frequencies, passages=len(lengths))  # (terms,) float64
    starts = np.concatenate([[0], np.cumsum(frequencies)]).astype(np.int64)  # (terms + 1,)
    # If no passage has a term, write one dummy posting: an empty array can't be memory-mapped.
    size = (max(int(starts[-1]), 1),)
    scores = np.lib.format.open_memmap(folder / FILES[0], "w+", np.float32, size)
    rows = np.lib.format.open_memmap(folder / FILES[1], "w+", np.int32, size)
    for name in FILES[:2]:
        _reserve(folder / name)
    free = starts[:-1].copy()  # (terms,) each term's next free place
    first = 0
    for path, numbers in zip(paths, terms_of_shard, strict=True):
        shard = ShardPostings(path)
        _place(shard.starts, shard.rows, shard.counts, numbers, first, weights, norms, free, scores, rows)
        first += shard.passages
        progress("bm25", shard.passages, len(lengths))
    if starts[-1] == 0:
        vocabulary[""] = len(vocabulary)
        starts = np.array([0, 1], dtype=np.int64)
    scores.flush()
    rows.flush()
    write_array(folder / FILES[2], starts)
    (folder / FILES[3]).write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / FILES[4]).write_text(json.dumps(_parameters(settings, len(lengths)), indent=2), encoding="utf-8")


def _reserve(path: Path) -> None:
    """Give a file its space on disk. It is written through a mapping, where a full disk would kill the process."""
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _vocabulary(paths: Sequence[Path]) -> tuple[dict[str, int], list[NDArray[np.int32]], NDArray[np.int64]]:
    """Every term with its number, each shard's terms as numbers, and how many passages hold each term."""
    vocabulary: dict[str, int] = {}
    numbers: list[NDArray[np.int32]] = []
    counts: list[NDArray[np.int32]] = []
    for shard in map(ShardPostings, paths):
        shard_numbers = [vocabulary.setdefault(term, len(vocabulary)) for term in shard.terms.to_pylist()]
        numbers.append(np.array(shard_numbers, dtype=np.int32))
        counts.append(np.diff(shard.starts))
    frequencies = np.zeros(len(vocabulary), dtype=np.int64)  # (terms,)
    for terms, count in zip(numbers, counts, strict=True):
        frequencies[terms] += count
    return vocabulary, numbers, frequencies


def _parameters(settings: Bm25Settings, passages: int) -> dict[str, object]:
    return {
        "k1": settings.k1,
        "b": settings.b,
        "delta": 0.5,
        "method": "lucene",
        "idf_method": "lucene",
        "dtype": "float32",
        "int_dtype": "int32",
        "num_docs": passages,
        "version": bm25s.__version__,
        "backend": "numpy",
    }


@njit(nogil=True, cache=True)
def _place(
    starts: NDArray[np.int32],
    shard_rows: NDArray[np.int32],
    counts: NDArray[np.uint16],
    terms: NDArray[np.int32],
    first_row: int,
    weights: NDArray[np.float64],
    norms: NDArray[np.float64],
    free: NDArray[np.int64],
    scores: NDArray[np.float32],
    rows: NDArray[np.int32],
) -> None:
    """Append one shard's postings to those that each term has so far."""
    for number in range(len(terms)):
        term = terms[number]
        place = free[term]
        for posting in range(starts[number], starts[number + 1]):
            row = first_row + shard_rows[posting]
            count = float(counts[posting])
            rows[place] = row
            scores[place] = weights[term] * count / (count + norms[row])
            place += 1
        free[term] = place
