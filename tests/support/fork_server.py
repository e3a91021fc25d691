"""Builds and trains in forked children, which are killed at a chosen moment, and runs scripts in others.

`python -m tests.support.fork_server BI_ENCODER` starts it.

One request a line comes in as JSON, one answer a line goes out. See tests.moments for what a moment is. Libraries are
loaded once, before the first fork; every child computes with one thread.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import faiss
import torch

from indexing import precision
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.jobs import run as build_run
from indexing.progress import Progress, silent
from indexing.records import Floats
from tests.support.moments import Moments
from tests.support.tiny_training import resumable, train
from tests.support.two_ranks import train_as_two
from training.__main__ import main as training
from training.fitting.callback import TrainingStep


class CountingEncoder(BiEncoder):
    """The bi-encoder that writes to `log` how many passages it encoded."""

    log = -1

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        found = super().encode_passages(texts, progress=progress)
        if self.log >= 0:
            os.write(self.log, f"encoded {len(texts)}\n".encode())
        return found


def make(request: dict[str, Any], encoder: BiEncoder) -> None:
    """One build, as asked for."""
    settings = BuildSettings(bi_encoder=encoder.name, shard_size=request["shard_size"], dense=request["dense"])
    corpus, root = Corpus(Path(request["corpus"])), Path(request["root"])
    build(corpus, name=request["name"], root=root, settings=settings, encoder=encoder)


def attempt_build(request: dict[str, Any], encoder: CountingEncoder, log: int) -> None:
    """The same in the child, with all told to `log`."""
    encoder.log = log
    Moments(Path(request["root"]), log, kill_before=request["kill_before"], power_cut=request["power_cut"])
    make(request, encoder)


def attempt_training(request: dict[str, Any], _: CountingEncoder, log: int) -> None:
    """Train, tell of each step, and die at one of them."""

    def report(at: TrainingStep) -> None:
        os.write(log, f"step {at.step}\n".encode())
        if at.step == request["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    train(Path(request["folder"]), resumable(request["base"], "listnet"), report=report)


def attempt_job(request: dict[str, Any], _: CountingEncoder, log: int) -> None:
    """Do the training of a job's folder, which has the log."""
    said = os.open(Path(request["folder"]) / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    training(["run", request["folder"]])


def attempt_build_job(request: dict[str, Any], _: CountingEncoder, __: int) -> None:
    """Do the build of a job's folder."""
    build_run.run_build(Path(request["folder"]))


def attempt_two_ranks(request: dict[str, Any], _: CountingEncoder, __: int) -> None:
    """Train in two processes."""
    train_as_two(Path(request["folder"]), request["base"], **request["given"])


def attempt_script(request: dict[str, Any], _: CountingEncoder, __: int) -> None:
    """Run a file as Python does, with its output in files."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT), number)
    os.environ["SECOND_LOOK_HOME"] = request["home"]
    sys.path.insert(0, str(Path(request["path"]).parent))
    try:
        runpy.run_path(request["path"], run_name="__main__")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


ATTEMPTS = {
    "script": attempt_script,
    "build": attempt_build,
    "training": attempt_training,
    "two ranks": attempt_two_ranks,
    "job": attempt_job,
    "build job": attempt_build_job,
}


def answer(request: dict[str, Any], encoder: CountingEncoder) -> dict[str, Any]:
    """Fork, wait, and tell how the child ended and what it did until then."""
    with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            gc.freeze()  # or a collection would write to, and so copy, all pages that the two share
            status = 1
            try:
                os.dup2(errors.fileno(), 2)
                ATTEMPTS[request["what"]](request, encoder, log.fileno())
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
            "steps": [int(text) for kind, text in lines if kind == "step"],
            "encoded": sum(int(text) for kind, text in lines if kind == "encoded"),
            "error": errors.read().decode(errors="replace")[-2000:],
        }


def main() -> None:
    """Warm up by one build that doesn't count, then answer requests until there are no more."""
    importlib.import_module("training.jobs.run")  # commands import it when they run, and a fork is to have it
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
