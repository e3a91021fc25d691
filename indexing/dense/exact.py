"""Exact dense search in torch: the reference for recall, and search on a GPU without faiss-gpu."""

import numpy as np
import torch

from indexing.dense.vectors import BLOCK, VectorStore
from indexing.progress import Progress, silent
from indexing.records import Floats, Rows


def exact_search(
    vectors: VectorStore,
    queries: Floats,
    *,
    depth: int,
    device: str = "cpu",
    progress: Progress = silent,
) -> Rows:
    """The rows nearest by cosine to each of (queries, dim), best first: (queries, <= depth) int64.

    Vectors are sent to the device block by block, so that memory doesn't grow with their number;
    `progress` counts vectors.
    """
    vectors_of_queries = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32)).to(device)  # (queries, dim)
    scores = torch.empty((len(queries), 0), device=device)  # (queries, <= depth), the best so far
    rows = torch.empty((len(queries), 0), dtype=torch.int64, device=device)
    first = 0
    for block in vectors.blocks():
        block_scores, place = _best(vectors_of_queries @ torch.from_numpy(block).to(device).T, depth)
        scores, order = _best(torch.cat([scores, block_scores], dim=1), depth)
        rows = torch.cat([rows, place + first], dim=1).gather(1, order)
        first += len(block)
        progress("recall", len(block), len(vectors))
    return np.asarray(rows.cpu().numpy(), dtype=np.int64)


class TorchExact:
    """Every vector on one device in half precision (float32 on a CPU); each query is compared with all."""

    parameters = ""

    def __init__(self, vectors: VectorStore, *, device: str) -> None:
        half = torch.float32 if device == "cpu" else torch.float16
        self._device = device
        self._vectors = torch.empty((len(vectors), vectors.dim), dtype=half, device=device)  # (passages, dim)
        first = 0
        for block in vectors.blocks(BLOCK):
            self._vectors[first : first + len(block)] = torch.from_numpy(block).to(device, half)
            first += len(block)

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, vector: Floats, *, depth: int) -> tuple[Rows, Floats]:
        """The nearest rows to one (dim,) vector, best first, with cosines; fewer if the index holds fewer."""
        query = torch.from_numpy(vector).to(self._device, self._vectors.dtype)
        scores, rows = _best((self._vectors @ query).float(), depth)
        return np.asarray(rows.cpu().numpy(), dtype=np.int64), np.asarray(scores.cpu().numpy(), dtype=np.float32)


def _best(scores: torch.Tensor, depth: int) -> tuple[torch.Tensor, torch.Tensor]:
    best = torch.topk(scores, min(depth, scores.shape[-1]), dim=-1)
    return best.values, best.indices
