"""A re-ranker that scores by any engine; with an exported folder, it needs no torch weights."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from indexing.errors import ModelError
from indexing.pretrained import loading_error
from indexing.records import Floats
from search.rerank.cross_encoder import TOKEN_BUDGET
from search.rerank.pairs import encode_pairs
from search.rerank.reranker import Scores
from training.versions.export.engines import ENGINES, FILES, Engine, check_libraries


class EngineReranker:
    """Encodes pairs as serving does, and has the engine compute their logits."""

    def __init__(self, name: str, tokenizer: PreTrainedTokenizerBase, engine: Engine, *, max_length: int = 512) -> None:
        """`max_length` in tokens, at most what the tokenizer takes."""
        self._name = name
        self._tokenizer = tokenizer
        self._engine = engine
        self.max_length = min(max_length, tokenizer.model_max_length)

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._name

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        """Raw logits, in the order of `passages`. Raises ModelError where one is no finite number."""
        start = time.perf_counter()
        encoded = encode_pairs(self._tokenizer, [query] * len(passages), passages, max_length=self.max_length)
        middle = time.perf_counter()
        logits: Floats = np.empty(len(passages), dtype=np.float32)  # (passages,) float32
        for batch in encoded.batches(self._tokenizer, token_budget=TOKEN_BUDGET):
            features = {name: tensor.numpy() for name, tensor in batch.features.items()}
            logits[batch.rows] = self._engine(features).reshape(-1)
        if not np.isfinite(logits).all():
            raise ModelError(f"Re-ranker {self._name} gave a score that is no number; export it anew.")
        seconds = {"tokenize": middle - start, "re-rank": time.perf_counter() - middle}
        return Scores(logits, tuple(encoded.truncated), seconds)


def open_exported(folder: Path) -> EngineReranker:
    """The re-ranker of a folder that `export` made.

    Raises:
        SettingsError: the library that computes its format isn't installed.
        ModelError: the folder holds none.
    """
    form = next((form for form, file in FILES.items() if (folder / file).is_file()), None)
    if form is None:
        raise ModelError(f"{folder} holds none of {', '.join(FILES.values())}; give a folder that `export` made.")
    check_libraries(form)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        engine = ENGINES[form](folder / FILES[form])
    except Exception as error:  # transformers, ONNX Runtime and OpenVINO raise their own
        raise loading_error("Re-ranker", str(folder), error) from error
    return EngineReranker(folder.name, tokenizer, engine)
