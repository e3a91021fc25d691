"""nDCG@10 of a model in training on judged dev queries, whose first-stage lists were retrieved beforehand."""

import time
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
import torch

from indexing import precision
from indexing.errors import TrainingError
from indexing.progress import Progress, relabel, silent
from indexing.records import Floats, QueryId
from search.rerank.pairs import EncodedPairs, encode_pairs
from search.rerank.reranker import Scores
from training.evaluation.candidates import Candidates, ndcg, reranked
from training.fitting.model import PairModel

MAX_LENGTH = 256  # tokens; few passages of MS MARCO are longer
TIMED_LISTS = 3


class ModelInTraining:
    """Uses a model as a re-ranker while it is being trained.

    Its methods raise TrainingError if a score isn't finite.
    """

    def __init__(self, model: PairModel) -> None:
        self._model, self._length = model, min(MAX_LENGTH, model.readable)
        self.name = "model in training"

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Raw logits, in the order of `passages`."""
        start = time.perf_counter()
        encoded = encode_pairs(self._model.tokenizer, [query] * len(passages), passages, max_length=self._length)
        logits = self._logits(encoded)
        return Scores(logits, tuple(encoded.truncated), {"re-rank": time.perf_counter() - start})

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """Raw logits of each passage for the query in the same place, (pairs,) float32."""
        return self._logits(encode_pairs(self._model.tokenizer, queries, passages, max_length=self._length))

    def _logits(self, encoded: EncodedPairs) -> Floats:
        device = self._model.device.type
        fast = precision.fastest_dtype(device) == torch.bfloat16
        with torch.inference_mode(), torch.autocast(device, dtype=torch.bfloat16, enabled=fast):
            scores = self._model({"pairs": encoded})["scores"]  # (pairs, 1)
        logits = np.asarray(scores.float().reshape(-1).cpu().numpy(), dtype=np.float32)
        if not np.isfinite(logits).all():
            raise TrainingError(
                f"The model in training gives a score of {logits[~np.isfinite(logits)][0]}: the training has diverged; "
                "give a lower --learning-rate."
            )
        return logits


def ndcg_by_query(model: PairModel, dev: Candidates, *, progress: Progress = silent) -> Mapping[QueryId, float]:
    """nDCG@10 of every dev query; a relevant passage missing from the first-stage list counts as missed."""
    model.eval()
    return ndcg(reranked(dev, ModelInTraining(model), progress=relabel(progress, "measuring on the dev queries")), dev)


def seconds_a_list(model: PairModel, dev: Candidates) -> float:
    """Mean time to score a dev query's list, by a few from all over the set; one more is scored first, uncounted."""
    model.eval()
    scorer, seconds = ModelInTraining(model), []
    stride = max(1, len(dev.queries) // (TIMED_LISTS + 1))
    for query in dev.queries[::stride][: TIMED_LISTS + 1]:
        passages = [dev.texts[passage_id] for passage_id in dev.run[query.id].passage_ids]
        seconds.append(scorer.score(query.text, passages).seconds["re-rank"])
    return fmean(seconds[1:] or seconds)


def mean_ndcg(model: PairModel, dev: Candidates, *, progress: Progress = silent) -> float:
    """The mean of `ndcg_by_query`."""
    return fmean(ndcg_by_query(model, dev, progress=progress).values())
