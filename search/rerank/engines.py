"""Exported re-rankers: the files of an export, and the engines that run it, ONNX Runtime and OpenVINO."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexing.errors import SettingsError

ONNX, OPENVINO = "onnx", "openvino"
FILES: Mapping[str, str] = {ONNX: "onnx/model.onnx", OPENVINO: "openvino/openvino_model.xml"}
"""By format, the model's file in a folder; sentence-transformers looks for them there too."""
LIBRARIES: Mapping[str, tuple[str, ...]] = {ONNX: ("onnx", "onnxscript", "onnxruntime"), OPENVINO: ("openvino",)}
"""By format, the libraries that exporting needs."""
SERVING: Mapping[str, tuple[str, ...]] = {ONNX: ("onnxruntime",), OPENVINO: ("openvino",)}
"""By format, the libraries that running an export needs."""
Engine = Callable[[Mapping[str, NDArray[np.int64]]], NDArray[np.float32]]
"""Takes features of some pairs, (pairs, tokens) int64 each; returns their logits, (pairs, 1) float32."""


def export_format(folder: Path) -> str | None:
    """The format of the export that a folder holds; None for any other folder or name."""
    return next((name for name, file in FILES.items() if (folder / file).is_file()), None)


def check_libraries(form: str, libraries: Mapping[str, tuple[str, ...]] = LIBRARIES) -> None:
    """Raise SettingsError if the format is unknown, or a library that it needs isn't installed."""
    if form not in libraries:
        raise SettingsError(f"Format {form!r} is unknown; choose {' or '.join(libraries)}.")
    absent = [name for name in libraries[form] if find_spec(name) is None]
    if absent:
        raise SettingsError(f"The {form} format needs {' and '.join(absent)}: pip install {' '.join(absent)}")


def onnx_engine(path: Path) -> Engine:
    """Open an ONNX file on ONNX Runtime's CPU provider."""
    onnxruntime: Any = import_module("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {name: features[name] for name in inputs})[0], dtype=np.float32)

    return compute


def openvino_engine(path: Path) -> Engine:
    """Open an OpenVINO file on OpenVINO's CPU device, in the number format that is fastest there."""
    openvino: Any = import_module("openvino")
    compiled = openvino.Core().compile_model(str(path), "CPU")
    inputs = [entry.get_any_name() for entry in compiled.inputs]

    def compute(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.asarray(compiled({name: features[name] for name in inputs})[0], dtype=np.float32)

    return compute


ENGINES: Mapping[str, Callable[[Path], Engine]] = {ONNX: onnx_engine, OPENVINO: openvino_engine}
