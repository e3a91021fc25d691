"""Starts the app in a process of its own, from the checkout or from a folder that stands in for it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from indexing.catalogue import current_build
from indexing.manifest import Manifest
from indexing.places import HOME
from tests.conftest import REPOSITORY, write_lines

WAIT = 180  # seconds until something that must appear is given up; a busy machine starts slowly


def own_environment() -> dict[str, str]:
    """This process's environment without what it says to the app."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SECOND_LOOK_")}


def lay_out(folder: Path, *, index: Path, dev_queries: int) -> Path:
    """Make the folder one that the app can be started in: the collection, an index of it, and no re-ranker.

    Only the first dev queries are there, so that a version is soon judged; the index says that it was built from this
    collection, wherever it was, so that its judged queries are these.
    """
    sample = folder / "data/sample"
    shutil.copytree(REPOSITORY / ".streamlit", folder / ".streamlit")
    shutil.copytree(REPOSITORY / "data/sample", sample)
    shutil.copytree(index, folder / "data/indexes/sample")
    queries = (sample / "queries.dev.tsv").read_text(encoding="utf-8").splitlines()[:dev_queries]
    ids = {line.split("\t")[0] for line in queries}
    qrels = (sample / "qrels.dev.tsv").read_text(encoding="utf-8").splitlines()
    write_lines(sample / "queries.dev.tsv", queries)
    write_lines(sample / "qrels.dev.tsv", [line for line in qrels if line.split()[0] in ids])
    build = current_build("sample", root=folder / "data/indexes")
    replace(Manifest.load(build), corpus=str(sample)).save(build)
    return folder


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(folder: Path, environment: Mapping[str, str], log: Path, *, port: int | None = None) -> Iterator[str]:
    """The address of the app, once it answers; it keeps everything in the folder's `data`, and ends with the block."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "app/main.py"), "--server.port", str(port)]
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), environment.get("PYTHONPATH")]))
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, HOME: str(folder / "data"), "PYTHONPATH": paths},
            stdout=output,
            stderr=output,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"The app didn't start: {log.read_text()[-2000:]}")
