"""The manifest: what an index was built from and with. A folder without one doesn't count as a build."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.bm25.settings import Bm25Settings
from indexing.errors import IndexingError
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import recorded_analyzer

FILE = "manifest.json"
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Quality:
    """The dense index's recall compared with exact search, and its cost."""

    recall: float
    """Mean share of the `depth` nearest passages (by exact search) that it finds, over the held-out queries."""
    depth: int
    queries: int
    """Held-out queries that recall was measured on; the parameters were chosen on as many others."""
    queries_from: str
    parameters: str
    """FAISS's search parameters: the cheapest with which recall on the other queries reached its target."""
    milliseconds: float
    """Median time of one query, one at a time, on the machine that built the index."""
    bytes_per_vector: float


@dataclass(frozen=True)
class Dense:
    """The FAISS index of a build."""

    preset: str
    """As requested: a preset or an index_factory string."""
    kind: str
    """The index_factory string that the preset resolved to."""
    reason: str
    """Why this kind was chosen, if the preset was `auto`; else empty."""
    quality: Quality


@dataclass(frozen=True)
class Manifest:
    """The record of a build: what it was built from, with which settings and models, and its files."""

    name: str
    build: str
    created: str
    """When the build began, UTC, ISO 8601; later changes to the corpus aren't in it."""
    corpus: str
    """Path the passages were read from."""
    passages: int
    corpus_fingerprint: str
    """Over ids, titles and texts; independent of their order."""
    shard_key: str
    """Builds with the same key can share shards: the same analyzer, weights, number format and shard size."""
    shard_size: int
    analyzer_fingerprint: str
    """With `language`, says which analyzer made the terms."""
    bm25: Bm25Settings
    bi_encoder: str
    bi_encoder_fingerprint: str
    precision: str
    """Number format in which passages were encoded."""
    dim: int
    dense: Dense
    tokenizer: str
    """The re-ranker whose tokens of every passage are stored; empty for none."""
    tokenizer_fingerprint: str
    seconds: Mapping[str, float]
    """Seconds of each phase, in the process that finished the build."""
    encoded: int
    """Passages encoded by the process that finished this build; the vectors of the others already existed."""
    skipped: tuple[str, ...] = ()
    """One sentence for each of the first lines of the corpus that were left out: which, and why."""
    skipped_count: int = 0
    change: str = ""
    """What was added or deleted, and from which build; empty for a build from a corpus."""
    language: str = ""
    """Of the analyzer; empty in indexes built before they had one, whose analyzer is English."""
    language_reason: str = ""
    """Why this language was chosen, as the end of a sentence; empty if it was given."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Bytes and SHA-256 of every other file of the build."""
    schema_version: int = SCHEMA_VERSION

    @property
    def bytes(self) -> int:
        """Size of all files on disk."""
        return sum(row["bytes"] for row in self.files.values())

    @property
    def has_postings(self) -> bool:
        """Whether BM25 can be computed with another k1 and b."""
        return any(name.startswith("terms/") for name in self.files)

    def analyzer(self) -> Analyzer | None:
        """The analyzer that made the terms; None if this program lacks it."""
        return recorded_analyzer(self.language, self.analyzer_fingerprint)

    def save(self, folder: Path) -> None:
        """Write the manifest; call this after all other files are written."""
        atomic.write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read the manifest. Raises IndexingError if it is absent, broken, or of another schema."""
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
            values["dense"] = Dense(**{**values["dense"], "quality": Quality(**values["dense"]["quality"])})
            values["skipped"] = tuple(values["skipped"])
            return cls(**values)
        except (KeyError, TypeError):
            raise IndexingError(f"{path} lacks what a manifest holds. {rebuild(folder)}") from None


def rebuild(folder: Path) -> str:
    """The command that builds an index again, as a sentence."""
    return f"Rebuild it: python -m indexing build --corpus CORPUS --index {folder.parent.name}"
