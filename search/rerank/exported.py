"""A re-ranker that ONNX Runtime or OpenVINO runs from an exported folder, without torch weights."""

from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from indexing.errors import ModelError
from indexing.models.folder import check_recorded
from indexing.pretrained import loading_error, quiet_loading
from indexing.records import Floats
from search.rerank.engines import ENGINES, FILES, SERVING, Engine, check_libraries, export_format
from search.rerank.pair_reranker import TOKEN_BUDGET, PairReranker
from search.rerank.pairs import EncodedPairs


class EngineReranker(PairReranker):
    """Encodes pairs as a cross-encoder does, and has the engine compute their logits."""

    def __init__(self, name: str, tokenizer: PreTrainedTokenizerBase, engine: Engine, *, max_length: int = 512) -> None:
        """`max_length` in tokens, at most what the tokenizer takes."""
        super().__init__(name, tokenizer, max_length=min(max_length, tokenizer.model_max_length))
        self._engine = engine

    def _logits(self, encoded: EncodedPairs) -> Floats:
        logits = np.empty(len(encoded.ids), dtype=np.float32)  # (pairs,) float32
        for batch in encoded.batches(self._tokenizer, token_budget=TOKEN_BUDGET["cpu"]):
            features = {name: tensor.numpy() for name, tensor in batch.features.items()}
            logits[batch.rows] = self._engine(features).reshape(-1)
        return logits


def open_exported(folder: Path, *, called: str = "") -> EngineReranker:
    """Open a re-ranker that `python -m training export` wrote; `called` is its name, by default the folder's.

    Raises:
        SettingsError: the library that runs its format isn't installed.
        ModelError: the folder holds no export.
    """
    form = export_format(folder)
    if form is None:
        raise ModelError(f"{folder} holds none of {', '.join(FILES.values())}; give a folder that `export` wrote.")
    check_libraries(form, SERVING)
    check_recorded("Re-ranker", folder)
    if not (folder / "tokenizer.json").is_file():
        raise ModelError(f"Re-ranker {folder} holds no tokenizer (tokenizer.json). Export the version again.")
    try:
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
        engine = ENGINES[form](folder / FILES[form])
    except Exception as error:  # transformers, ONNX Runtime and OpenVINO raise errors of their own
        raise loading_error("Re-ranker", str(folder), error) from error
    reranker = EngineReranker(called or folder.name, tokenizer, engine)
    reranker.files = str(folder)
    return reranker
