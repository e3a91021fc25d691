"""Writes a version as ONNX or OpenVINO, and keeps it only if it ranks as the original does."""

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from torch import Tensor

from indexing import atomic, places
from indexing.atomic import check_new
from indexing.errors import ModelError, first_line
from indexing.manifest import FILE
from indexing.progress import Progress, silent
from search.rerank.engines import FILES, LIBRARIES, ONNX, OPENVINO, check_libraries
from search.rerank.exported import EngineReranker, open_exported
from training.evaluation.candidates import Candidates
from training.versions.export.original import INPUTS, Logits, load_exact, torch_engine
from training.versions.export.parity import Parity, parity
from training.versions.registry import WEIGHTS, Version

RECORD = "export.json"
SCHEMA_VERSION = 1
EXAMPLE = (["what is a moraine", "bread"], ["A ridge of stones that a glacier left behind.", "Rye and wheat."])


def export_folder(version: Version, form: str, *, models: Path | None = None) -> Path:
    """The default folder of an export: next to the version, such as models/mine/2.onnx."""
    return (models or places.models()) / f"{version.id}.{form}"


def export(version: Version, form: str, target: Path, candidates: Candidates, *, progress: Progress = silent) -> Parity:
    """Export to `target`, with tokenizer, model card and export.json; return how closely it matches the original.

    Raises:
        SettingsError: the format is unknown, or its libraries aren't installed.
        TrainingError: `target` already exists.
        ModelError: the model can't be exported, or the export ranks differently; then nothing is kept.
    """
    check_libraries(form)
    check_new(target)
    model = load_exact(version.folder)
    original = EngineReranker(version.id, model.tokenizer, torch_engine(model))
    with atomic.folder(target) as work:
        for path in sorted(version.folder.iterdir()):
            if path.is_file() and path.suffix != WEIGHTS and path.name != FILE:
                shutil.copyfile(path, work / path.name)
        file = work / FILES[form]
        file.parent.mkdir()
        try:
            with _quietly():
                WRITERS[form](model, file)
        except Exception as error:  # torch, ONNX and OpenVINO raise errors of their own
            raise ModelError(f"{version.id} can't be exported to {form}: {first_line(error)}") from error
        agreement = parity(original, open_exported(work), candidates, progress=progress)
        agreement.check()
        _record(work, version, form, agreement)
    return agreement


def _record(work: Path, version: Version, form: str, agreement: Parity) -> None:
    files = {path.relative_to(work).as_posix(): atomic.file_row(path) for path in work.rglob("*") if path.is_file()}
    values = {
        "schema_version": SCHEMA_VERSION,
        "version": version.id,
        "format": form,
        "parity": asdict(agreement),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "libraries": {name: installed(name) for name in ("torch", *LIBRARIES[form])},
        "source": atomic.file_row(version.folder / FILE),
        "files": files,
    }
    atomic.write_json(work / RECORD, values)


def _example(model: CrossEncoder) -> dict[str, Tensor]:
    encoded = model.tokenizer(*EXAMPLE, padding=True, return_tensors="pt")
    if not {*INPUTS[:2]} <= set(encoded) <= set(INPUTS):
        raise ModelError(f"it reads {', '.join(encoded)}, and only {', '.join(INPUTS)} are known here")
    return {name: encoded[name] for name in INPUTS if name in encoded}


def _write_onnx(model: CrossEncoder, path: Path) -> None:
    inputs = _example(model)
    dims = {0: torch.export.Dim("pairs"), 1: torch.export.Dim("tokens")}
    program = torch.onnx.export(
        Logits(model).eval(),
        tuple(inputs.values()),
        dynamo=True,
        input_names=list(inputs),
        output_names=["logits"],
        dynamic_shapes=[dims] * len(inputs),
        verbose=False,
    )
    if program is None:
        raise ModelError("torch.onnx.export gave no program")
    program.save(str(path))


def _write_openvino(model: CrossEncoder, path: Path) -> None:
    openvino: Any = import_module("openvino")
    converted = openvino.convert_model(Logits(model).eval(), example_input=_example(model))
    converted.outputs[0].get_tensor().set_names({"logits"})
    openvino.save_model(converted, str(path), compress_to_fp16=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence exporters' warnings of coming changes, torch's and their own, which no user can act on."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


WRITERS: Mapping[str, Callable[[CrossEncoder, Path], None]] = {ONNX: _write_onnx, OPENVINO: _write_openvino}
