"""Builds indexes in forked children and kills them at a chosen moment: `python -m tests.kill_builds BI_ENCODER`.

One request a line comes in as JSON, one answer a line goes out. A moment is just before something changes on disk: a
file is opened to write, linked, renamed, removed or synced, a folder is made or removed. Libraries are loaded once,
before the first fork; every child computes with one thread.
"""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import faiss
import torch

from indexing import precision
from indexing.build import build
from indexing.corpus import Corpus
from indexing.encoder import BiEncoder
from indexing.records import Floats
from indexing.settings import BuildSettings
from tests.fakes import no_progress

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
REMOVALS = ("os.remove", "os.rmdir")


class Moments:
    """Tells `log` of each moment of this process in a folder, and kills the process at one of them."""

    def __init__(self, root: Path, log: int, *, kill_before: int, power_cut: bool) -> None:
        self._root, self._log, self._last, self._power_cut = str(root), log, kill_before, power_cut
        self._count = 0
        self._safe = {file.stat().st_ino for file in root.rglob("*") if file.is_file()}  # inodes of synced files
        self._fsync = os.fsync
        sys.addaudithook(self._hear)
        patch.object(os, "fsync", self._synced).start()

    def _hear(self, event: str, values: tuple[Any, ...]) -> None:
        """What Python tells of before it happens; of what changes nothing, such as making a folder again, no word."""
        path = Path(str(values[0])) if values else Path()
        if event in REMOVALS and values[1] >= 0:
            path = Path(f"/proc/self/fd/{values[1]}", values[0]).resolve()  # named from a folder that is open
        counts = {
            "open": lambda: bool(values[2] & WRITING),
            "os.rename": lambda: True,
            "os.link": lambda: True,
            "os.mkdir": lambda: not path.exists(),
            **dict.fromkeys(REMOVALS, path.exists),
        }
        if event in counts and counts[event]():
            self._next(event, str(path))

    def _synced(self, handle: int) -> None:
        self._next("fsync", str(Path(f"/proc/self/fd/{handle}").readlink()))
        self._fsync(handle)
        self._safe.add(os.fstat(handle).st_ino)

    def _next(self, event: str, path: str) -> None:
        if not path.startswith(self._root):
            return
        self._count += 1
        os.write(self._log, f"moment {event} {path}\n".encode())
        if self._count == self._last:
            if self._power_cut:
                self._lose()
            os.kill(os.getpid(), signal.SIGKILL)

    def _lose(self) -> None:
        """Leave half of every file that was written but not synced, as a power cut may."""
        for file in Path(self._root).rglob("*"):
            if file.is_file() and file.stat().st_ino not in self._safe and file.stat().st_nlink == 1:
                os.truncate(file, file.stat().st_size // 2)


class CountingEncoder(BiEncoder):
    """The bi-encoder that writes to `log` how many passages it encoded."""

    log = -1

    def encode_passages(self, texts: Sequence[str], *, progress: Callable[[int], None] = lambda _: None) -> Floats:
        found = super().encode_passages(texts, progress=progress)
        if self.log >= 0:
            os.write(self.log, f"encoded {len(texts)}\n".encode())
        return found


def make(request: dict[str, Any], encoder: BiEncoder) -> None:
    """One build, as asked for."""
    settings = BuildSettings(bi_encoder=encoder.name, shard_size=request["shard_size"], dense=request["dense"])
    corpus, root = Corpus(Path(request["corpus"])), Path(request["root"])
    build(corpus, name=request["name"], root=root, settings=settings, progress=no_progress, encoder=encoder)


def attempt(request: dict[str, Any], encoder: CountingEncoder, log: int) -> None:
    """The same in the child, with all told to `log`."""
    encoder.log = log
    Moments(Path(request["root"]), log, kill_before=request["kill_before"], power_cut=request["power_cut"])
    make(request, encoder)


def answer(request: dict[str, Any], encoder: CountingEncoder) -> dict[str, Any]:
    """Fork, wait, and tell how the child ended and what it did until then."""
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.dup2(errors.fileno(), 2)
                attempt(request, encoder, log.fileno())
                status = 0
            except BaseException as error:
                os.write(2, repr(error).encode())
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        log.seek(0)
        errors.seek(0)
        lines = [line.split(" ", 1) for line in log.read().decode().splitlines()]
        return {
            "code": os.waitstatus_to_exitcode(status),
            "moments": [text for kind, text in lines if kind == "moment"],
            "encoded": sum(int(text) for kind, text in lines if kind == "encoded"),
            "error": errors.read().decode(errors="replace")[-2000:],
        }


def main() -> None:
    """Warm up by one build that doesn't count, then answer requests until there are no more."""
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    # the same in every attempt, whatever else the machine does
    patch.object(precision, "fastest_dtype", lambda on: torch.float32).start()
    encoder = CountingEncoder(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "c.tsv").write_text("1\tThe cat sat.\n", encoding="utf-8")
        first = {"root": folder, "corpus": f"{folder}/c.tsv", "name": "warm", "shard_size": 1, "dense": "flat"}
        make(first, encoder)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), encoder)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
