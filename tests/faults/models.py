"""Damaged folders of models: bits, tensors, parts, configurations; what loads scores as the whole, or is refused."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.faults.fault import Fault, refused, refused_or
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder
from tests.support.versions import make_version
from training.versions.registry import find_version

AREA = "damaged models"
TEXTS = ("Bees make honey.", "A moraine is a ridge of stones.")
WEIGHTS = "model.safetensors"
SIZES = ("hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size", "max_position_embeddings")
COUNTS = (*SIZES, "num_attention_heads", "type_vocab_size")
ABSURD: tuple[object, ...] = (10**9, 10**30, -1, "many", [], 1.5, True)
VERSION_FLIPS, HEADER_FLIPS = 40, 40
LIMIT = 20.0

_scores: dict[str, list[float]] = {}
_place = Path()


def prepare(folder: Path) -> None:
    """Make a re-ranker, a bi-encoder and a version, and keep what they give."""
    global _place  # what all cases read
    _place = folder
    make_bi_encoder(folder / "bi-encoder")
    make_cross_encoder(folder / "reranker")
    make_version(folder, "mine/1", folder / "reranker")
    for name in ("bi-encoder", "reranker", "mine/1"):
        _scores[name] = values(name, folder / name)


def values(name: str, folder: Path) -> list[float]:
    """What a model gives for two texts: scores of a re-ranker, the first numbers of a bi-encoder's vectors."""
    if name == "bi-encoder":
        return [float(value) for value in BiEncoder(str(folder)).encode_queries(TEXTS)[:, :4].reshape(-1)]
    return [float(value) for value in CrossEncoderReranker(str(folder)).score("honey", TEXTS).logits]


def _equal(name: str) -> Callable[[Any], bool]:
    return lambda found: bool(np.allclose(found, _scores[name], atol=1e-4))


def faults(random: Random) -> Iterator[Fault]:
    """Damage of each file of each model."""
    for name in ("bi-encoder", "reranker"):
        for file in ("config.json", WEIGHTS, "tokenizer.json"):
            yield Fault(f"{name}: no {file}", _refusing(name, _without(file)), LIMIT)
            yield Fault(f"{name}: empty {file}", _refusing(name, _writing(file, b"")), LIMIT)
            yield Fault(f"{name}: {file} nested deep", _refusing(name, _writing(file, b"[" * 100_000)), LIMIT)
            yield Fault(f"{name}: {file} of zeros", _refusing(name, _writing(file, bytes(5000))), LIMIT)
            yield Fault(f"{name}: {file} cut", _refusing(name, _cut(file, random.random())), LIMIT)
        for key in load_file(_place / name / WEIGHTS):
            if "pooler" not in key or name == "reranker":
                yield Fault(f"{name}: no {key}", _refusing(name, _tensors(_drop(key))), LIMIT)
            yield Fault(f"{name}: {key} isn't finite", _refusing(name, _tensors(_set_nan(key))), LIMIT)
            yield Fault(f"{name}: {key} of another shape", _refusing(name, _tensors(_shorten(key))), LIMIT)
        for key in COUNTS:
            for value in ABSURD:
                yield Fault(f"{name}: {key} is {value!r}", _refusing_config(name, {key: value}), LIMIT)
        for number in range(HEADER_FLIPS):
            place, bit = random.random(), random.randrange(8)
            yield Fault(f"{name}: header, bit {bit} at {place:.4f} ({number})", _header(name, place, bit), LIMIT)
    yield Fault("a bi-encoder as a re-ranker", _refusing("bi-encoder", lambda _: None, load="reranker"), LIMIT)
    yield Fault("a re-ranker as a bi-encoder", _refusing("reranker", lambda _: None, load="bi-encoder"), LIMIT)
    yield Fault("a pickle", _refusing("reranker", _pickle, mentions="pickle"), LIMIT)
    yield Fault("a module of code", _refusing("reranker", _writing("modules.json", MODULE), mentions="code"), LIMIT)
    for number in range(VERSION_FLIPS):
        place, bit = random.random(), random.randrange(8)
        file = random.choice(
            sorted(path.name for path in (_place / "mine/1").iterdir() if path.name != "manifest.json")
        )
        yield Fault(f"a version's {file}, bit {bit} at {place:.4f} ({number})", _version(file, place, bit), LIMIT)


MODULE = json.dumps([{"idx": 0, "name": "0", "path": "", "type": "os.system"}]).encode()


def _copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(_place / name, folder / "model"))


def _refusing(
    name: str, change: Callable[[Path], None], *, load: str = "", mentions: str = ""
) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        target = _copied(name, folder)
        change(target)
        refused(lambda: values(load or name, target), "model", mentions)

    return run


def _refusing_config(name: str, changes: dict[str, object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return _refusing(name, change)


def _without(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


def _writing(file: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return change


def _cut(file: str, share: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / file).read_bytes().rstrip()
        (folder / file).write_bytes(content[: int(len(content) * share)])

    return change


def _tensors(edit: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        edit(tensors)
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})

    return change


def _drop(key: str) -> Callable[[dict[str, torch.Tensor]], None]:
    def edit(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[key]

    return edit


def _set_nan(key: str) -> Callable[[dict[str, torch.Tensor]], None]:
    def edit(tensors: dict[str, torch.Tensor]) -> None:
        tensors[key].view(-1)[0] = float("nan")

    return edit


def _shorten(key: str) -> Callable[[dict[str, torch.Tensor]], None]:
    def edit(tensors: dict[str, torch.Tensor]) -> None:
        tensors[key] = torch.cat([tensors[key], tensors[key][:1]]).contiguous()

    return edit


def _pickle(folder: Path) -> None:
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()


def _flipped(path: Path, place: float, bit: int, *, end: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * (end or len(content)))] ^= 1 << bit
    path.write_bytes(content)


def _header(name: str, place: float, bit: int) -> Callable[[Path], None]:
    """A bit of the names, shapes and places of the tensors; some say nothing, such as one of the metadata."""

    def run(folder: Path) -> None:
        path = _copied(name, folder) / WEIGHTS
        length = int.from_bytes(path.read_bytes()[:8], "little")
        _flipped(path, place, bit, end=8 + length)
        refused_or(lambda: values(name, path.parent), _equal(name), "model")

    return run


def _version(file: str, place: float, bit: int) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        target = Path(shutil.copytree(_place / "mine/1", folder / "models/mine/1"))
        _flipped(target / file, place, bit)
        refused(lambda: values("mine/1", target), "damaged", file)
        try:
            find_version("mine/1", folder / "models")
        except ModelError:
            return
        raise AssertionError(f"{file} was taken for whole")

    return run
