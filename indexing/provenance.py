"""Where an artefact comes from: the versions of the libraries and the revision of the code that made it."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from indexing import places

LIBRARIES = (
    *("bm25s", "faiss-cpu", "faiss-gpu", "numpy", "pyarrow", "PyStemmer"),
    *("rank-bm25", "sentence-transformers", "torch"),
)


def library_versions() -> dict[str, str]:
    """Versions of what computed the index."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except ModuleNotFoundError:  # faiss-gpu stands in for faiss-cpu
            continue
    return versions


PACKAGE = "second-look"


def code_revision(code: Path | None = None) -> str:
    """The commit that the program runs from, `-dirty` where files differ from it; outside of a checkout its version."""
    code = code or places.CHECKOUT
    if (code / ".git").exists():
        describe = ("git", "--no-optional-locks", "-C", str(code), "describe")
        description = _output(*describe, "--always", "--dirty", "--abbrev=40", "--exclude=*")
        if description:
            return description
    released = package_version()
    return f"{PACKAGE} {released}" if released else ""


@cache
def package_version() -> str:
    """The version of this program as a package; empty where it isn't installed as one."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git on this machine
        return ""
