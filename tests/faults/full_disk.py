"""Faults of disks: each writer meets a limit on its files after a number of bytes, and what was there still serves."""

import io
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import faiss
import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import save_file

from indexing import atomic
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.catalogue import current_build, verify
from indexing.corpus.corpus import Corpus
from indexing.corpus.upload import Upload, store_upload
from indexing.dense.encoder import BiEncoder
from indexing.dense.faiss_index import DenseIndex
from indexing.disk import check_space, write_array
from indexing.errors import DiskFullError
from indexing.manifest import Manifest
from tests.faults.fault import Fault, LostError, WrongAnswerError, refused
from tests.support.loaded_once import load_once
from tests.support.tiny_models import make_bi_encoder

AREA = "full disk"
BUILDS = 36
WRITERS: dict[str, Callable[[Path], object]] = {
    "numpy": lambda path: write_array(path / "x.npy", np.ones((400, 100))),
    "faiss": lambda path: DenseIndex(_flat()).save(path / "x.faiss"),
    "safetensors": lambda path: save_file({"a": torch.ones(400, 100)}, path / "x.safetensors"),
    "torch": lambda path: torch.save({"a": torch.ones(400, 100)}, path / "x.pt"),
    "arrow": lambda path: _arrow(path / "x.arrow"),
    "text": lambda path: (path / "x.txt").write_text("x" * 100_000, encoding="utf-8"),
    "a copy": lambda path: shutil.copyfile(_state["corpus"], path / "x.tsv"),
}
SHORT_BY = (1, 100, 3_000, 20_000)
"""Bytes that are missing; what lies in a buffer until the file is closed is lost without a word in some libraries."""
_state: dict[str, Path] = {}


def prepare(folder: Path) -> None:
    """A bi-encoder of two layers, a corpus, and an index of its beginning."""
    faiss.omp_set_num_threads(1)
    _state["encoder"] = make_bi_encoder(folder)
    lines = [f"{number}\tberth {number} of the harbour, tide {number * 7919 % 1000}\n" for number in range(900)]
    _state["corpus"], _state["small"] = folder / "more.tsv", folder / "small.tsv"
    _state["corpus"].write_text("".join(lines), encoding="utf-8")
    _state["small"].write_text("".join(lines[:40]), encoding="utf-8")
    _state["root"] = folder / "indexes"
    load_once(BiEncoder, str(_state["encoder"]))
    _build(_state["small"], _state["root"])


def faults(random: Random) -> Iterator[Fault]:
    """Limits within a build, within each library's writer, and on small files."""
    for number in range(BUILDS):
        limit = int(10 ** random.uniform(2, 5.3))
        yield Fault(f"build {number}, files of at most {limit:,} bytes", _building(limit))
    for name, write in WRITERS.items():
        for missing in SHORT_BY:
            yield Fault(f"{name}, {missing:,} bytes short", _writing(write, missing))
    for limit in (0, 1, 100, 4_000):
        yield Fault(f"a pointer, {limit} bytes", _replacing(limit))
        yield Fault(f"an upload, {limit} bytes", _uploading(limit))
    yield Fault("an index larger than the disk", _too_large)


def _building(limit: int) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        root = folder / "indexes"
        shutil.copytree(_state["root"], root)
        before = current_build("x", root=root)
        try:
            with _limited(limit):
                _build(_state["corpus"], root)
        except DiskFullError as error:
            if str(root / "x") not in str(error):
                raise WrongAnswerError(f"refused without the place: {error}") from error
            if current_build("x", root=root) != before:
                raise LostError("another build is current") from error
            _check_no_rest(root)
        _check_sound(current_build("x", root=root))
        _check_sound(before)
        if _build(_state["corpus"], root).passages != 900:
            raise LostError("the build doesn't go on once there is space")
        _check_sound(current_build("x", root=root))

    return run


def _writing(write: Callable[[Path], object], missing: int) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        target = folder / "made"
        with TemporaryDirectory() as whole:
            write(Path(whole))
            size = next(Path(whole).iterdir()).stat().st_size

        def make() -> None:
            with _limited(size - missing), atomic.folder(target) as work:
                write(work)

        refused(make, str(target))
        if _names(folder):
            raise WrongAnswerError(f"left {_names(folder)}")

    return run


def _replacing(limit: int) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        path = folder / "current"
        atomic.write_text(path, "before")

        def replace() -> None:
            with _limited(limit):
                atomic.write_text(path, "after" * 1_000)

        refused(replace, str(path))
        if path.read_text(encoding="utf-8") != "before" or _names(folder) != ["current"]:
            raise LostError(f"{path} holds {path.read_text(encoding='utf-8')[:20]}, beside it {_names(folder)}")

    return run


def _uploading(limit: int) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        def upload() -> None:
            with _limited(limit):
                store_upload(Upload("a.tsv", "mine"), io.BytesIO(_state["corpus"].read_bytes()), root=folder)

        refused(upload)
        if _names(folder):
            raise WrongAnswerError(f"left {_names(folder)}")

    return run


def _too_large(folder: Path) -> None:
    refused(lambda: check_space(folder, 1 << 60, "An index"), str(folder), "more are needed")


@contextmanager
def _limited(limit: int) -> Iterator[None]:
    """No file grows beyond `limit` bytes, as a full disk lets none grow; the error is EFBIG in place of ENOSPC."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _build(corpus: Path, root: Path) -> Manifest:
    settings = BuildSettings(bi_encoder=str(_state["encoder"]), shard_size=300)
    return build(Corpus(corpus), name="x", root=root, settings=settings, encoder=BiEncoder(settings.bi_encoder))


def _check_sound(folder: Path) -> None:
    if faults := verify(folder, full=True):
        raise LostError(f"{folder} is damaged: {faults[0]}")


def _check_no_rest(root: Path) -> None:
    """Of a failed build only finished shards stay."""
    rest = [path for path in root.rglob("*") if path.is_file() and path.name.startswith(".")]
    for work in (root / "x").glob(".unfinished-*"):
        rest += [path for path in work.iterdir() if path.is_file() or path.name in ("ids", "bm25")]
    if rest:
        raise WrongAnswerError(f"left {rest}")


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _flat() -> faiss.Index:
    index = faiss.IndexFlatIP(100)
    index.add(np.ones((400, 100), dtype=np.float32))
    return index


def _arrow(path: Path) -> None:
    table = pa.table({"a": pa.array(range(20_000))})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
