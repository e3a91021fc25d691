"""A re-ranker computed by torch in float32, by ONNX Runtime or by OpenVINO, from the same encoded pairs."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder
from torch import Tensor

from indexing.errors import SettingsError
from indexing.pretrained import load_quietly, loading_error

ONNX, OPENVINO = "onnx", "openvino"
FILES: Mapping[str, str] = {ONNX: "onnx/model.onnx", OPENVINO: "openvino/openvino_model.xml"}
"""Where sentence-transformers looks for each."""
LIBRARIES: Mapping[str, tuple[str, ...]] = {ONNX: ("onnx", "onnxscript", "onnxruntime"), OPENVINO: ("openvino",)}
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
Engine = Callable[[Mapping[str, NDArray[np.int64]]], NDArray[np.float32]]
"""Features of some pairs, (pairs, tokens) int64 each, to their logits, (pairs, 1) float32."""


class Logits(torch.nn.Module):
    """A cross-encoder as a function of tensors, which is what can be exported."""

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


def check_libraries(form: str) -> None:
    """Raise SettingsError where the format isn't known, or what it needs isn't installed."""
    if form not in LIBRARIES:
        raise SettingsError(f"Format {form!r} is unknown; choose {' or '.join(LIBRARIES)}.")
    absent = [name for name in LIBRARIES[form] if find_spec(name) is None]
    if absent:
        raise SettingsError(f"The {form} format needs {' and '.join(absent)}: pip install {' '.join(absent)}")


def load_exact(folder: Path) -> CrossEncoder:
    """The cross-encoder of a folder in float32 on the CPU, with plain attention, which every exporter knows.

    Raises:
        ModelError: the folder holds no cross-encoder.
    """
    load_quietly()
    options = {"dtype": torch.float32, "attn_implementation": "eager"}
    try:
        model: CrossEncoder = CrossEncoder(
            str(folder), device="cpu", model_kwargs=options, activation_fn=torch.nn.Identity()
        )
    except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and its own
        raise loading_error("Re-ranker", str(folder), error) from error
    return model.eval()


def torch_engine(model: CrossEncoder) -> Engine:
    """The original, as exactly as float32 is."""
    module = Logits(model).eval()

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found = module(**{name: torch.from_numpy(values) for name, values in features.items()})
        return np.asarray(found.numpy(), dtype=np.float32)

    return compute


def onnx_engine(path: Path) -> Engine:
    """An ONNX file on ONNX Runtime's CPU provider."""
    onnxruntime: Any = import_module("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = [item.name for item in session.get_inputs()]

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {name: features[name] for name in wanted})[0], dtype=np.float32)

    return compute


def openvino_engine(path: Path) -> Engine:
    """An OpenVINO file on its CPU device, in the number format that OpenVINO finds fastest there."""
    openvino: Any = import_module("openvino")
    compiled = openvino.Core().compile_model(str(path), "CPU")
    wanted = [item.get_any_name() for item in compiled.inputs]

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.asarray(compiled({name: features[name] for name in wanted})[0], dtype=np.float32)

    return compute


ENGINES: Mapping[str, Callable[[Path], Engine]] = {ONNX: onnx_engine, OPENVINO: openvino_engine}
