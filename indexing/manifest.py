"""What an index was built from and with; an index without its manifest does not exist."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.bm25 import Bm25Settings
from indexing.errors import IndexingError

FILE = "manifest.json"
SCHEMA_VERSION = 1
LIBRARIES = ("bm25s", "faiss-cpu", "numpy", "pyarrow", "PyStemmer", "rank-bm25", "sentence-transformers", "torch")


@dataclass(frozen=True)
class Manifest:
    """Everything that says which index this is."""

    name: str
    build: str
    created: str
    """When the build began, UTC, ISO 8601: a corpus changed since then is not in it."""
    corpus: str
    """Path the passages were read from."""
    passages: int
    corpus_fingerprint: str
    analyzer_fingerprint: str
    bm25: Bm25Settings
    bi_encoder: str
    bi_encoder_fingerprint: str
    dim: int
    dense: str
    """FAISS preset or index_factory string."""
    seconds: Mapping[str, float]
    """Time of each phase of the build."""
    skipped: tuple[str, ...] = ()
    """Lines of the corpus that were left out, and why."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Bytes and SHA-256 of every other file of the build."""
    schema_version: int = SCHEMA_VERSION

    def save(self, folder: Path) -> None:
        """Write it, last of all files."""
        atomic.write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read it. Raises IndexingError where it is absent, broken, or of another schema."""
        path = folder / FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise IndexingError(f"{folder} has no {FILE}: the build is not complete. {rebuild(folder)}") from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise IndexingError(f"{path} is broken. {rebuild(folder)}") from None
        try:
            if values["schema_version"] != SCHEMA_VERSION:
                raise IndexingError(
                    f"{path} has schema {values['schema_version']}, this program reads {SCHEMA_VERSION}. "
                    f"{rebuild(folder)}"
                )
            values["bm25"] = Bm25Settings(**values["bm25"])
            values["skipped"] = tuple(values["skipped"])
            return cls(**values)
        except (KeyError, TypeError):
            raise IndexingError(f"{path} lacks what a manifest holds. {rebuild(folder)}") from None


def rebuild(folder: Path) -> str:
    """The command that makes an index anew, as a sentence."""
    return f"Rebuild it: python -m indexing build --corpus CORPUS --name {folder.parent.name}"


def library_versions() -> dict[str, str]:
    """Versions of what computed the index."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:  # faiss-gpu stands in for faiss-cpu
            continue
    return found
