"""A cross-encoder scores each passage against the query; ranking is by its raw logits in float32."""

import logging
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from torch.nn import Identity, Linear

from indexing import precision
from indexing.errors import ModelError
from indexing.models.folder import check_folder, check_recorded
from indexing.models.loaded import (
    HEADED,
    absent_weights,
    check_tokenizer,
    check_weights,
    head_of,
    readable_tokens,
    refuse_absent,
    transformer_of,
)
from indexing.pretrained import bundled_path, loading_error, quiet_loading, reach_hub
from indexing.records import Floats
from search.rerank.engines import export_format
from search.rerank.first_token import compute_first_token_only
from search.rerank.pair_reranker import TOKEN_BUDGET, PairReranker
from search.rerank.pairs import EncodedPairs

Model = TypeVar("Model", bound=CrossEncoder)
ROLE = "Re-ranker"
log = logging.getLogger(__name__)


def load_cross_encoder(
    kind: type[Model],
    name: str,
    *,
    dtype: torch.dtype = torch.float32,
    device: str | None = None,
    attention: str | None = None,
    new_head: bool = False,
    **options: Any,
) -> Model:
    """Load a cross-encoder with one output and no activation: the only loader, for serving, training and export.

    `kind` is the class to load it as, `name` a hub name or a local path, `attention` transformers' name of an
    implementation (None for its own choice); `options` go to the class. Without `device`, the fastest is used.
    With `new_head`, as for a training, a model without a head may be loaded: its head is then random.

    Raises:
        HubError: the hub can't be reached or has no such model.
        ModelError: the folder holds no whole cross-encoder with one output, differs from its manifest, or is an export.
    """
    if form := export_format(Path(name)):
        raise ModelError(
            f"{name} holds an export to {form}, which serves only for searching; give the version that it was made "
            "from."
        )
    path = bundled_path(name)
    reach_hub(path)
    folder, recorded = Path(path), False
    if folder.is_dir():
        recorded = check_recorded(ROLE, folder)
        folder = check_folder(ROLE, folder)
    weights: dict[str, Any] = {"dtype": dtype, "use_safetensors": True} | (
        {} if attention is None else {"attn_implementation": attention}
    )
    try:
        with quiet_loading():
            model: Model = kind(
                path, device=device or precision.device(), model_kwargs=weights, activation_fn=Identity(), **options
            )
    except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and errors of its own
        raise loading_error(ROLE, name, error) from error
    if model.num_labels != 1:
        raise ModelError(f"{name} gives {model.num_labels} scores per pair; a re-ranker gives one. Choose another.")
    _check_loaded(model, name, str(folder) if folder.is_dir() else path, recorded=recorded, new_head=new_head)
    return model


def _check_loaded(model: CrossEncoder, name: str, folder: str, *, recorded: bool, new_head: bool) -> None:
    """Raise ModelError unless every weight came from a file, all are finite, and the tokenizer is the model's."""
    inner = transformer_of(model)
    if inner is not None:
        if not recorded:  # the files of a version were complete when it was made, and are those of then
            try:
                absent = absent_weights(ROLE, name, folder, inner)
            except (OSError, RuntimeError, ValueError) as error:
                raise loading_error(ROLE, name, error) from error
            head = head_of(inner, absent) if new_head else []
            if head:
                log.warning("%s has no head that scores pairs: a new one is drawn at random, and trained.", name)
            refuse_absent(ROLE, name, [key for key in absent if key not in head])
        if len(model) == 1 and not type(inner).__name__.endswith(HEADED):
            raise ModelError(f"{ROLE} {name} has no head that scores pairs. Choose another.")
        check_tokenizer(ROLE, name, model.tokenizer, inner)
    check_weights(ROLE, name, model)
    if prompt := (model.prompts or {}).get(model.default_prompt_name or ""):
        raise ModelError(
            f"{ROLE} {name} reads each query behind an instruction ({prompt[:40]!r}), which isn't supported. Choose "
            "another."
        )


class CrossEncoderReranker(PairReranker):
    """Any sentence-transformers CrossEncoder with one output."""

    def __init__(self, name: str, *, called: str = "", max_length: int = 512, device: str | None = None) -> None:
        """Load by hub name or local path; `max_length` in tokens, at most what the model takes.

        `called` is the name that users see; by default the hub name or the last part of the path.

        Raises:
            HubError: the hub can't be reached or has no such model.
            ModelError: the folder holds no cross-encoder with one output.
        """
        device = device or precision.device()
        self._model = load_cross_encoder(CrossEncoder, name, dtype=precision.fastest_dtype(device), device=device)
        linear = {name: part for name, part in self._model.named_modules() if isinstance(part, Linear)}
        heads = [name for name, part in linear.items() if part.out_features == 1]
        self._model.set_keep_in_fp32_modules(heads)  # in bfloat16 a logit has 8 bits, and passages tie
        compute_first_token_only(self._model)
        self._model.eval()
        readable = readable_tokens(ROLE, name, self._model.max_seq_length, self._model)
        super().__init__(
            called or (Path(name).name if Path(name).exists() else name),
            self._model.tokenizer,
            max_length=min(max_length, readable or max_length),
            device=device,
        )
        self.files = name
        self._try(name)

    def _try(self, name: str) -> None:
        """Score one pair. Raises ModelError if that fails, as where a configuration asks for what can't be computed."""
        try:
            self.score("a", ["a"])
        except ModelError:
            raise
        except Exception as error:  # of torch or transformers
            raise loading_error(ROLE, name, error) from error

    def _logits(self, encoded: EncodedPairs) -> Floats:
        """(pairs,) float32; if the device's memory runs out, batches are halved until they fit."""
        budget = TOKEN_BUDGET["cuda" if self._device.startswith("cuda") else "cpu"]
        while True:
            try:
                return self._forward(encoded, budget)
            except torch.cuda.OutOfMemoryError:
                if budget == 1:
                    raise ModelError("The GPU's memory is full even with one pair at a time; free some.") from None
                torch.cuda.empty_cache()
                budget //= 2
                log.warning("GPU memory is full: continuing with batches of %d tokens", budget)

    def _forward(self, encoded: EncodedPairs, budget: int) -> Floats:
        logits = np.empty(len(encoded.ids), dtype=np.float32)  # (pairs,) float32
        with torch.inference_mode():
            for batch in encoded.batches(self._tokenizer, token_budget=budget):
                features = {name: tensor.to(self._device) for name, tensor in batch.features.items()}
                scores = self._model(features)["scores"].float().reshape(-1)  # (pairs in batch,)
                logits[batch.rows] = scores.cpu().numpy()
        return logits
