"""Loads the version to export: in float32 with plain attention, as a function of tensors, and as an engine."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder
from torch import Tensor

from search.rerank.cross_encoder import load_cross_encoder
from search.rerank.engines import Engine

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Logits(torch.nn.Module):
    """A cross-encoder as a function of tensors, the form that can be exported."""

    def __init__(self, model: CrossEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """(pairs, tokens) int64 each, to (pairs, 1) float32."""
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            features["token_type_ids"] = token_type_ids
        scores: Tensor = self.model(features)["scores"]
        return scores.reshape(-1, 1)


def load_exact(folder: Path) -> CrossEncoder:
    """The cross-encoder of a folder in float32 on the CPU, with plain attention, which every exporter knows.

    Raises:
        ModelError: the folder holds no cross-encoder with one output.
    """
    model: CrossEncoder = load_cross_encoder(CrossEncoder, str(folder), device="cpu", attention="eager")
    return model.eval()


def torch_engine(model: CrossEncoder) -> Engine:
    """The original as an engine, as exact as float32."""
    module = Logits(model).eval()

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = module(**{name: torch.from_numpy(values) for name, values in features.items()})
        return np.asarray(logits.numpy(), dtype=np.float32)

    return compute
