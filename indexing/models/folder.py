"""Whether a folder holds a whole model, seen from its files before a library loads it: no pickle, nothing absent."""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from indexing import atomic
from indexing.errors import ModelError, first_line
from indexing.models.tensors import WEIGHTS, read_shapes

CONFIG, MODULES = "config.json", "modules.json"
RECORDS = ("manifest.json", "export.json")
"""Files of versions and exports that list every other file with its checksum."""
READ = (".json", ".safetensors", ".bin", ".xml", ".onnx", ".txt", ".model", ".py", ".jinja")
"""Endings of files that a library may read: a folder with a record holds none that the record doesn't list."""
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
OWN_MODULES = "sentence_transformers."
JSON_BYTES = 1 << 24  # the largest configuration that is read; usual ones have some hundred bytes
LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
WIDTHS = ("hidden_size", "d_model", "dim", "n_embd", "intermediate_size", "d_ff", "hidden_dim", "vocab_size")
"""Fields of a configuration that are a dimension of some tensor."""
HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads")
POSITIONS = ("max_position_embeddings", "n_positions")
MOST_POSITIONS = 10**7
MOST_SHARED_LAYERS = 1000  # of a model such as ALBERT, whose layers have the same weights
NUMBERED = re.compile(r"\b(?:layers?|h|blocks?)\.(\d+)\.")
"""The number of a layer in a tensor's name."""


def check_recorded(role: str, folder: Path, *, called: str = "") -> bool:
    """Compare a version's or an export's files with the checksums that were recorded with it; False without a record.

    Raises:
        ModelError: a file is absent, differs, or isn't recorded.
    """
    for name in RECORDS:
        if (folder / name).is_file():
            table = _object(role, folder, folder / name).get("files")
            if table is not None:
                fault = _difference(folder, table, name)
                if fault:
                    raise _refusal(
                        role, called or str(folder), f"is damaged: {fault}", "Choose another, or make it again."
                    )
                return True
    return False


def check_folder(role: str, folder: Path) -> Path:
    """Check that a folder holds a model with its weights, configuration and tokenizer, which fit each other in size.

    Gives back the folder of its transformer, or the folder itself where it is a model of single words.

    Raises:
        ModelError: it doesn't; the message begins with `role`.
    """
    place = _transformer_path(role, folder)
    if place is None:
        return folder
    inner = folder / place
    if not inner.is_dir():
        raise _refusal(role, folder, f"lacks the folder {inner.name}/ that its {MODULES} names")
    config = _object(role, folder, inner / CONFIG)
    if not any((inner / name).is_file() for name in TOKENIZERS):
        raise _refusal(role, folder, f"holds no tokenizer ({TOKENIZERS[0]})")
    try:
        shapes = read_shapes(inner)
    except (ValueError, OSError) as error:
        raise _refusal(role, folder, f"has damaged weights: {first_line(error)}") from None
    if not shapes:
        pickled = next((path.name for path in sorted(inner.iterdir()) if path.suffix in PICKLES), "")
        if pickled:
            raise _refusal(
                role,
                folder,
                f"holds its weights as a pickle ({pickled}), which isn't opened since it can run code",
                "Convert it: save_pretrained(FOLDER, safe_serialization=True).",
            )
        raise _refusal(role, folder, f"holds no weights ({WEIGHTS})")
    fault = _config_fault(config, shapes)
    if fault:
        raise _refusal(role, folder, f"has a {CONFIG} that doesn't fit its weights: {fault}")
    return inner


def _transformer_path(role: str, folder: Path) -> str | None:
    """The transformer's folder in a model's folder; None if the model has none, and is made of single words' vectors.

    Raises:
        ModelError: a module is of another library, and so code.
    """
    if not (folder / MODULES).is_file():
        return ""
    try:
        rows = [(str(row["type"]), str(row["path"])) for row in _modules(folder)]
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        raise _refusal(role, folder, f"has a broken {MODULES}") from None
    for kind, path in rows:
        if not kind.startswith(OWN_MODULES):
            raise _refusal(role, folder, f"wants to run code of its own ({kind[:60]!r} in {MODULES}), which isn't done")
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise _refusal(role, folder, f"names {path[:60]!r} in {MODULES}, which is outside of the folder")
    return next((path for kind, path in rows if kind.endswith(".Transformer")), None)


def _modules(folder: Path) -> list[dict[str, Any]]:
    rows = json.loads(_text(folder / MODULES))
    if not isinstance(rows, list):
        raise TypeError(MODULES)
    return rows


def _object(role: str, folder: Path, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(_text(path), parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise _refusal(role, folder, f"holds no {path.name}") from None
    except (ValueError, OSError, RecursionError):
        raise _refusal(role, folder, f"has a {path.name} that can't be read as JSON") from None
    if not isinstance(values, dict):
        raise _refusal(role, folder, f"has a {path.name} that is no JSON object")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _text(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(JSON_BYTES)


def _config_fault(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What in a configuration its tensors contradict; empty if nothing does. Libraries allocate what it says."""
    dims = {size for shape in shapes.values() for size in shape}
    for name in (*WIDTHS, *LAYERS, *HEADS, *POSITIONS):
        value = config.get(name)
        if value is not None and (type(value) is not int or value < 1):
            return f"{name} is {str(value)[:40]}"
    for name in WIDTHS:
        if name in config and config[name] not in dims:
            return f"{name} is {_figure(config[name])}, and no tensor has such a dimension"
    segments = config.get("type_vocab_size")
    if segments is not None and (type(segments) is not int or segments < 0 or segments > max(dims, default=0)):
        return f"type_vocab_size is {str(segments)[:40]}"
    placed = any("position_embeddings" in name for name in shapes)
    for name in POSITIONS:
        value = config.get(name) or 1
        if value > MOST_POSITIONS or (placed and name in config and value not in dims):
            return f"{name} is {_figure(value)}, and no tensor has such a dimension"
    return _layers_fault(config, shapes)


def _layers_fault(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    numbers = {int(number) for name in shapes for number in NUMBERED.findall(name) if len(number) < 9}
    shared = "num_hidden_groups" in config
    most = MOST_SHARED_LAYERS if shared else len(shapes)
    for name in LAYERS:
        value = config.get(name)
        if value is None:
            continue
        if value > most:
            return f"{name} is {_figure(value)}, and there are {len(shapes):,} tensors"
        if numbers and not shared and not any("decoder" in key for key in shapes) and value != max(numbers) + 1:
            return f"{name} is {_figure(value)}, and the weights have {max(numbers) + 1:,}"
    return ""


def _difference(folder: Path, table: object, record: str) -> str:
    """The first difference between the recorded files and those in the folder."""
    if not isinstance(table, dict) or not table:
        return f"{record} lacks its files' checksums"
    for name, row in table.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            return f"{record} names {name[:60]!r}, which is outside of the folder"
        if not isinstance(row, dict) or type(row.get("bytes")) is not int or not isinstance(row.get("sha256"), str):
            return f"{record} lacks the size or the checksum of {name[:60]}"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in READ}
    more = sorted(found - table.keys() - {*RECORDS})
    if more:
        return f"{more[0]} isn't in {record}"
    try:
        return next(iter(atomic.changed_files(folder, table, full=True)), "")
    except OSError as error:
        return f"a file can't be read ({first_line(error)})"


def _figure(value: int) -> str:
    return (
        f"{value:,}" if value < 10**15 else f"a number of {len(str(value)) if value < 10**100 else 'over 100'} digits"
    )


def _refusal(role: str, folder: Path | str, fault: str, advice: str = "") -> ModelError:
    return ModelError(f"{role} {folder} {fault}. {advice or 'Give a folder that save_pretrained() wrote.'}")
