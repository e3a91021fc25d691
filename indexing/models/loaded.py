"""Whether a loaded model is the one its files hold: every weight from a file, finite, and a tokenizer that fits."""

from collections.abc import Iterator
from typing import Any

import torch
from transformers import PreTrainedModel

from indexing.errors import ModelError
from indexing.models.folder import NUMBERED
from indexing.notes import shown
from indexing.pretrained import quiet_loading

POOLER = "pooler."
"""A layer of BERT and its kin that bi-encoders don't use, and that their files often lack."""
HEADED = "ForSequenceClassification"
"""How the classes of transformers end that have a head, as a cross-encoder has."""
LEAST_TOKENS = 8  # below which a model reads no text
WITHOUT_LIMIT = 10**6  # tokens from which a tokenizer's limit means that it has none
SHOWN = 3  # tensors that a message names


def check_weights(role: str, name: str, model: Any) -> None:
    """Raise ModelError if a weight isn't a finite number."""
    for key, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{role} {name} has a weight that isn't a finite number, in {key}. Choose another.")


def absent_weights(role: str, name: str, folder: str, inner: PreTrainedModel) -> list[str]:
    """The weights that the files lack, which the library would draw at random, by name.

    `folder` is the transformer's, or its hub name. Only names and shapes are compared, on torch's meta device.

    Raises:
        ModelError: the files hold layers that the model's configuration lacks.
    """
    kind: Any = type(inner)
    with quiet_loading():
        _, info = kind.from_pretrained(
            folder,
            config=inner.config,
            device_map="meta",
            output_loading_info=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    left = sorted(key for key in info["unexpected_keys"] if NUMBERED.search(key) and _own(key, inner))
    if left:
        raise ModelError(
            f"{role} {name} has weights that its configuration lacks: {shown(left, most=SHOWN)}. Choose another."
        )
    return sorted(info["missing_keys"])


def _own(key: str, inner: PreTrainedModel) -> bool:
    """Whether a weight of this name belongs to the transformer, and not to a decoder or head that isn't loaded."""
    prefix = f"{inner.base_model_prefix}."
    parts = {own.partition(".")[0] for own in inner.base_model.state_dict()}
    return key.removeprefix(prefix).partition(".")[0] in parts


def refuse_absent(role: str, name: str, absent: list[str]) -> None:
    """Raise ModelError if there are any."""
    if absent:
        raise ModelError(
            f"{role} {name} lacks weights, which would be drawn at random: {shown(absent, most=SHOWN)}. Give a model "
            f"that was saved as a {role.lower()}."
        )


def head_of(inner: PreTrainedModel, absent: list[str]) -> list[str]:
    """Those of the absent weights that belong to the head on top of the transformer, not to itself."""
    prefix = f"{inner.base_model_prefix}."
    return [key for key in absent if not key.startswith(prefix) or key.startswith(prefix + POOLER)]


def check_tokenizer(role: str, name: str, tokenizer: Any, inner: PreTrainedModel) -> None:
    """Raise ModelError if a tokenizer knows no words, or numbers one that the model has no vector for."""
    words: Any = inner.get_input_embeddings()
    rows = int(words.weight.shape[0])
    ids = tokenizer.get_vocab().values()
    largest = max(ids, default=-1)
    if len(ids) <= len(set(tokenizer.all_special_ids)) + 1:
        raise ModelError(f"{role} {name} has a tokenizer without words. Choose another.")
    if largest >= rows:
        raise ModelError(
            f"{role} {name} has a tokenizer with ids up to {largest:,}, and the model knows {rows:,}: they don't "
            "belong together. Choose another."
        )


def readable_tokens(role: str, name: str, limit: object, model: Any) -> int | None:
    """The tokens that a model can read: `limit`, as it was saved, or the positions it has; None for no limit.

    Raises:
        ModelError: the limit is no number of tokens.
    """
    if limit is not None and (not isinstance(limit, int) or limit < LEAST_TOKENS):
        raise ModelError(f"{role} {name} is set to read {str(limit)[:40]} tokens of a text. Choose another.")
    limits = [*_positions(model), *([limit] if isinstance(limit, int) and limit < WITHOUT_LIMIT else [])]
    return min(limits, default=None)


def _positions(model: Any) -> Iterator[int]:
    """How many tokens a model has learned positions for; nothing if it computes them."""
    for key, part in model.named_modules():
        if key.rpartition(".")[2] in ("position_embeddings", "wpe") and isinstance(part, torch.nn.Embedding):
            yield part.num_embeddings - (0 if part.padding_idx is None else part.padding_idx + 1)


def transformer_of(model: Any) -> PreTrainedModel | None:
    """The transformer in a sentence-transformers model; None without one, or where adapters wrap it."""
    inner = (getattr(part, "auto_model", None) for part in model)
    return next((part for part in inner if isinstance(part, PreTrainedModel)), None)
