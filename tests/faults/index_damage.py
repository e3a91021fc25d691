"""Damaged indexes: bits, sizes, files and manifests; the answer is that of the whole index, or a sentence.

Where the checksums are made to fit the damage, the answer may differ, and the checks of structure must hold.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from indexing.building.build import build
from indexing.building.finish import DENSE_FILE
from indexing.building.settings import BuildSettings
from indexing.catalogue import current_build
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.index import open_index
from indexing.records import Floats
from indexing.verification import NO_VERIFY
from search.retrieve import first_stage, retrieve_bm25
from search.settings import PipelineSettings
from tests.conftest import PASSAGES, write_lines
from tests.faults.fault import Fault, refused, refused_or
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder

AREA = "damaged indexes"
KINDS = {"flat": "Flat", "graph": "HNSW8,Flat", "clusters": "IVF2,Flat", "codes": "SQ8"}
QUERIES = ("how do bees make honey", "glacier ice", "bread of rye flour")
FLIPS, FORGED_FLIPS, MANIFEST_FLIPS = 3, 2, 60  # of each file
FAISS_ROUNDS = 2
BROKEN = "is broken"

_whole: dict[str, Any] = {}
_vectors: dict[str, Floats] = {}
_root = Path()


class KnownQueries:
    """Stands in for the bi-encoder, whose vectors of the queries are known."""

    def encode_query(self, text: str) -> Floats:
        return _vectors[text]

    def query_cut(self, text: str) -> None:
        """All of each is read."""


def prepare(folder: Path) -> None:
    """Build an index of each kind, and keep what each answers."""
    global _root  # what all cases read
    _root = folder / "indexes"
    write_lines(folder / "corpus/collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    bi_encoder = make_bi_encoder(folder / "bi-encoder")
    tokenizer = make_cross_encoder(folder / "cross-encoder")
    encoder = BiEncoder(str(bi_encoder))
    _vectors.update({query: encoder.encode_query(query) for query in QUERIES})
    for name, kind in KINDS.items():
        stored = str(tokenizer) if name == "flat" else ""
        settings = BuildSettings(
            bi_encoder=str(bi_encoder),
            shard_size=7,
            dense=kind,
            tokenizer=stored,
            token_vectors="int4" if stored else "",
        )
        build(Corpus(folder / "corpus"), name=name, root=_root, settings=settings)
        _whole[name] = answers(_root, name)


def answers(root: Path, name: str) -> list[Any]:
    """All that an index says: rankings with their texts, by BM25 with other parameters too, ids, tokens, vectors."""
    index = open_index(name, root=root)
    found: list[Any] = []
    encoder: Any = KnownQueries()
    for query in QUERIES:
        first = first_stage(index, encoder, query, PipelineSettings(depth=10, rerank_depth=0))
        found.append([(key, round(float(score), 5), first.passages[key].content) for _, key, score in first.fused])
        other = retrieve_bm25(index, query, depth=10, k1=1.5, b=0.7)
        found.append([(key, round(float(score), 5)) for _, key, score in other.ranking])
    found.append([passage.content for passage in index.passages])
    found.append([key in index.passages for key in PASSAGES])
    if index.tokens is not None:
        found.append([index.tokens.ids(row).tolist() for row in range(len(index.tokens))])
    if index.token_vectors is not None:
        found.append([index.token_vectors.vectors(row).tolist() for row in range(len(index.token_vectors))])
    found.append(index.vectors.rows(np.arange(len(index.vectors))).tolist())
    return found


def copy(folder: Path, name: str, *owned: str) -> Path:
    """An index whose files are links to those of the whole one, but for `owned`, the pointer and the manifest."""
    source = current_build(name, root=_root)
    target = folder / "indexes" / name / source.name

    def link(origin: str, place: str) -> None:
        own = Path(place).relative_to(target).as_posix() in (*owned, "manifest.json")
        (shutil.copyfile if own else os.link)(origin, place)

    shutil.copytree(source, target, copy_function=link)
    shutil.copyfile(_root / name / "current", target.parent / "current")
    return target


def forge(target: Path, *names: str) -> None:
    """Make a manifest fit files that were changed."""

    def change(values: dict[str, Any]) -> None:
        for name in names:
            content = (target / name).read_bytes()
            values["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    change_manifest(target, change, sealed=True)


def change_manifest(target: Path, change: Callable[[dict[str, Any]], object], *, sealed: bool) -> None:
    """Change a manifest, and give it the checksum that fits, or none, as those of older builds."""
    path = target / "manifest.json"
    values = json.loads(path.read_text())
    del values["sha256"]
    change(values)
    if sealed:
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        values["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(values))


def files(name: str) -> list[str]:
    """Every file of an index but its manifest."""
    folder = current_build(name, root=_root)
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def faults(random: Random) -> Iterator[Fault]:
    """Damage of every file of every index, and of manifests and pointers."""
    for file in files("flat"):
        yield from _file_faults("flat", file, random)
    for name in KINDS:  # which differ in FAISS's file alone
        for _ in range(FAISS_ROUNDS):
            yield from _file_faults(name, DENSE_FILE, random)
    for number in range(MANIFEST_FLIPS):
        place, bit = random.random(), random.randrange(8)
        yield Fault(
            f"manifest, bit {bit} at {place:.4f} ({number})", _damaging("flat", "manifest.json", _flip(place, bit))
        )
    for label, change in MANIFESTS.items():
        for sealed in (True, False):
            yield Fault(f"manifest: {label}{', sealed' if sealed else ''}", _manifest(change, sealed=sealed))
    for label, content in POINTERS.items():
        yield Fault(f"current: {label}", _pointer(content))


def _file_faults(name: str, file: str, random: Random) -> Iterator[Fault]:
    others = [other for other in files(name) if other != file]
    for _ in range(FLIPS):
        place, bit = random.random(), random.randrange(8)
        yield Fault(f"{name}: {file}, bit {bit} at {place:.4f}", _damaging(name, file, _flip(place, bit)))
    for _ in range(FORGED_FLIPS):
        place, bit = random.choice((random.random(), random.random() / 20)), random.randrange(8)
        yield Fault(f"{name}: {file}, bit {bit} at {place:.4f}, forged", _forging(name, file, _flip(place, bit)))
        yield Fault(
            f"{name}: {file}, bit {bit} at {place:.4f}, unchecked", _forging(name, file, _flip(place, bit), seal=False)
        )
    share = random.random()
    for label, change in {
        "cut": lambda content: content[: int(len(content) * share)],
        "emptied": lambda _: b"",
        "with more at its end": lambda content: content + b"more",
        "of zeros": lambda content: bytes(len(content)),
        "of ones": lambda content: b"\xff" * len(content),
        "turned": lambda content: content[::-1],
    }.items():
        yield Fault(f"{name}: {file} {label}", _damaging(name, file, change))
        yield Fault(f"{name}: {file} {label}, forged", _forging(name, file, change))
    other = random.choice(others)
    yield Fault(f"{name}: {file} absent", _removing(name, file))
    yield Fault(f"{name}: {file} is {other}", _swapping(name, file, other, forged=False))
    yield Fault(f"{name}: {file} is {other}, forged", _swapping(name, file, other, forged=True))


def _flip(place: float, bit: int) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        at = int(place * len(content))
        return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]

    return change


def _damaging(name: str, file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        path = copy(folder, name, file) / file
        path.write_bytes(change(path.read_bytes()))
        refused_or(lambda: answers(folder / "indexes", name), lambda found: found == _whole[name], name)

    return run


def _forging(name: str, file: str, change: Callable[[bytes], bytes], *, seal: bool = True) -> Callable[[Path], None]:
    """Whatever it answers, it mustn't crash: only the checks of structure can tell."""

    def run(folder: Path) -> None:
        target = copy(folder, name, file)
        (target / file).write_bytes(change((target / file).read_bytes()))
        if seal:
            forge(target, file)
        else:
            os.environ[NO_VERIFY] = "1"
        refused_or(lambda: answers(folder / "indexes", name), lambda _: True, BROKEN)

    return run


def _removing(name: str, file: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        (copy(folder, name, file) / file).unlink()
        refused(lambda: answers(folder / "indexes", name), BROKEN, Path(file).name)

    return run


def _swapping(name: str, file: str, other: str, *, forged: bool) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        target = copy(folder, name, file, other)
        first, second = (target / file).read_bytes(), (target / other).read_bytes()
        (target / file).write_bytes(second)
        (target / other).write_bytes(first)
        if forged:
            forge(target, file, other)
        right = (lambda _: True) if forged else (lambda found: found == _whole[name])
        refused_or(lambda: answers(folder / "indexes", name), right, BROKEN)

    return run


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


MANIFESTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a passage more": lambda values: values.update(passages=21),
    "no passages": lambda values: values.update(passages=0),
    "passages below 0": lambda values: values.update(passages=-20),
    "passages as text": lambda values: values.update(passages="20"),
    "10^30 passages": lambda values: values.update(passages=10**30),
    "another k1": lambda values: values["bm25"].update(k1=1.9),
    "another b": lambda values: values["bm25"].update(b=0.9),
    "a k1 below 0": lambda values: values["bm25"].update(k1=-1),
    "another back end": lambda values: values["bm25"].update(backend="none"),
    "another dim": lambda values: values.update(dim=31),
    "a dim below 0": lambda values: values.update(dim=-32),
    "another analyzer": lambda values: values.update(analyzer_fingerprint="0" * 16),
    "parameters of another kind": lambda values: values["dense"]["quality"].update(parameters="nprobe=4"),
    "parameters that are none": lambda values: values["dense"]["quality"].update(parameters="x==1,,"),
    "parameters of code": lambda values: values["dense"]["quality"].update(parameters="efSearch=1e400"),
    "no files": lambda values: values.update(files=[]),
    "a file outside": lambda values: values["files"].update({"../../x": {"bytes": 0, "sha256": "0" * 64}}),
    "a file at the root": lambda values: values["files"].update({"/etc/passwd": {"bytes": 0, "sha256": "0" * 64}}),
    "a file without a size": lambda values: values["files"].update({"dense.faiss": {}}),
    "a size below 0": lambda values: values["files"]["dense.faiss"].update(bytes=-1),
    "a checksum that is none": lambda values: values["files"]["dense.faiss"].update(sha256="x"),
    "another schema": lambda values: values.update(schema_version=3),
    "a schema of text": lambda values: values.update(schema_version="2"),
    "an unknown field": lambda values: values.update(unknown=1),
    "no name": lambda values: values.pop("name"),
    "no dense": lambda values: values.pop("dense"),
    "a field nested deep": lambda values: values.update(skipped=_nested(300)),
    "seconds of text": lambda values: values.update(seconds={"a": "b"}),
    "seconds that are no number": lambda values: values.update(seconds={"a": float("nan")}),
}
POINTERS = {
    "empty": b"",
    "a path": b"../../etc",
    "an absolute path": b"/etc",
    "another index's build": b"20200101-000000-000000-0000",
    "bytes": b"\xff\xfe\x00",
    "long": b"x" * 100_000,
    "two lines": b"a\nb\n",
}


def _manifest(change: Callable[[dict[str, Any]], object], *, sealed: bool) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        change_manifest(copy(folder, "flat"), change, sealed=sealed)
        refused(lambda: answers(folder / "indexes", "flat"), "flat")

    return run


def _pointer(content: bytes) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        (copy(folder, "flat").parent / "current").write_bytes(content)
        refused(lambda: answers(folder / "indexes", "flat"), "current", "python -m indexing build")

    return run
