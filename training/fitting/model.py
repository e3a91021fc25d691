"""A cross-encoder that is trained on the inputs it will be served with, in batches of similar length."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from torch import Tensor
from torch.nn import Module, ModuleList
from transformers import AutoConfig

from indexing import precision
from indexing.models.loaded import readable_tokens
from indexing.pretrained import bundled_path, loading_error, quiet_loading, reach_hub
from search.rerank.cross_encoder import ROLE, load_cross_encoder
from search.rerank.first_token import compute_first_token_only
from search.rerank.pairs import EncodedPairs, encode_pairs

TOKEN_BUDGET = 2048  # tokens in one forward pass on a CPU, where larger ones don't run faster
GPU_TOKEN_BUDGET = 32_768
PAIRS = "pairs"
USUAL_LENGTH = 512  # tokens that a version reads when it is served, unless it was trained on more
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")  # BERT's


class PairModel(CrossEncoder):
    """A CrossEncoder whose `preprocess` cuts pairs as serving does and whose `forward` sorts them by length.

    Padding to the longest of 128 pairs would more than double the work. The losses, which call both methods, aren't
    affected: `forward` returns the scores in the order of the pairs.
    """

    training_length = 160
    """Tokens of a pair in training; serving may use more."""
    token_budget = TOKEN_BUDGET
    readable = USUAL_LENGTH
    """Tokens of a pair that it can read at most."""

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Token ids of (query, passage) pairs, without padding."""
        del prompt
        if not inputs:
            return {}
        queries, passages = zip(*inputs, strict=True)
        return {PAIRS: encode_pairs(self.tokenizer, queries, passages, max_length=self.training_length)}

    def forward(self, input: dict[str, Any], **kwargs: Any) -> dict[str, Tensor]:  # noqa: A002  # the base class's name
        """`scores`, (pairs, 1), in the order of the pairs."""
        encoded = input.get(PAIRS)
        if not isinstance(encoded, EncodedPairs):
            return dict(super().forward(input, **kwargs))
        rows: list[int] = []
        parts = []
        for batch in encoded.batches(self.tokenizer, token_budget=self.token_budget):
            features = {name: tensor.to(self.device) for name, tensor in batch.features.items()}
            parts.append(super().forward(features, **kwargs)["scores"].float().reshape(-1, 1))  # (pairs in batch, 1)
            rows += batch.rows
        order = torch.tensor(rows, device=parts[0].device).argsort()
        return {"scores": torch.cat(parts)[order]}

    def activation_checkpointing_enable(self, **kwargs: Any) -> None:
        """Compute activations twice instead of storing them; newer versions of transformers call this method."""
        for module in self.modules():
            enable: Any = getattr(module, "activation_checkpointing_enable", None)
            if module is not self and enable is not None:
                enable(**kwargs)


def model_config(base: str) -> Any:
    """A model's configuration, without its weights. Raises HubError or ModelError if it can't be loaded."""
    path = bundled_path(base)
    reach_hub(path)
    try:
        with quiet_loading():
            return AutoConfig.from_pretrained(path, trust_remote_code=False)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError and its own errors
        raise loading_error("Re-ranker", base, error) from error


def open_pair_model(base: str, *, max_length: int, dropout: float, seed: int) -> PairModel:
    """A model to train, in float32, with one output; if `base` has no head, one is drawn from the seed.

    Raises:
        HubError, ModelError: the base can't be loaded, or has several outputs.
    """
    torch.manual_seed(seed)
    device = precision.device()
    named = model_config(base).to_dict()
    names = {*DROPOUTS, *(name for name, value in named.items() if "dropout" in name and isinstance(value, float))}
    model: PairModel = load_cross_encoder(
        PairModel,
        base,
        device=device,
        attention="eager" if device == "cpu" else None,  # fused attention has a slow backward pass on CPUs
        new_head=True,
        num_labels=1,
        max_length=max(USUAL_LENGTH, max_length),
        config_kwargs=dict.fromkeys(names, dropout),
    )
    compute_first_token_only(model)
    if device == "cpu":
        _keep_bfloat16(model)
    model.readable = readable_tokens(ROLE, base, model.max_seq_length, model) or model.readable
    model.training_length = min(max_length, model.readable)
    model.token_budget = TOKEN_BUDGET if device == "cpu" else GPU_TOKEN_BUDGET
    return model


def _keep_bfloat16(model: PairModel) -> None:
    """Under autocast, pass hidden states and masks to each layer in bfloat16.

    Autocast computes matrix products in bfloat16 but leaves float32 values as they are: every residual sum,
    normalization and softmax then reads and writes twice the bytes, which is most of the remaining time on a CPU.
    """
    layers = getattr(model.config, "num_hidden_layers", None)
    for modules in model.modules():
        if isinstance(modules, ModuleList) and len(modules) == layers:
            for layer in modules:
                layer.register_forward_pre_hook(_in_bfloat16, with_kwargs=True)


def _in_bfloat16(_: Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not torch.is_autocast_enabled("cpu"):
        return inputs, named
    return tuple(map(_cast, inputs)), {name: _cast(value) for name, value in named.items()}


def _cast(value: Any) -> Any:
    return value.bfloat16() if isinstance(value, Tensor) and value.dtype == torch.float32 else value


def save_weights(model: PairModel, folder: Path) -> None:
    """Write weights (safetensors), tokenizer and configuration. Casts the model to bfloat16, so call it last."""
    with quiet_loading():  # transformers shows a progress bar for saving too
        model.bfloat16().save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
