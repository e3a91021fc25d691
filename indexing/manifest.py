"""The manifest: what an index was built from and with. A folder without one doesn't count as a build."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from indexing import atomic
from indexing.bm25.settings import Bm25Settings
from indexing.errors import IndexingError, SettingsError
from indexing.names import check_name
from indexing.typed_json import made
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import recorded_analyzer

FILE = "manifest.json"
CHECKSUM = "sha256"
"""The field with the SHA-256 of the other fields; manifests of older builds have none."""
SHA256 = re.compile(r"[0-9a-f]{64}")
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
    notes: tuple[str, ...] = ()
    """Sentences on the corpus as it was read: what was left out, undone or looks wrong."""
    corpus_files: str = ""
    """Digest of the names, sizes and times of the corpus's files when they were read; older builds have none."""
    change: str = ""
    """What was added or deleted, and from which build; empty for a build from a corpus."""
    language: str = ""
    """Of the analyzer; empty in indexes built before they had one, whose analyzer is English."""
    language_reason: str = ""
    """How the language was found, as the end of a sentence; empty if it was given."""
    languages: Mapping[str, float] = field(default_factory=dict)
    """Share of each language among sampled passages, most first."""
    token_vectors: str = ""
    """How the bi-encoder's token vectors of every passage are stored, `int8` or `int4`; empty if they aren't."""
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
        """Write the manifest with its own checksum; call this after all other files are written."""
        values = asdict(self)
        atomic.write_json(folder / FILE, values | {CHECKSUM: _checksum(values)})

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read the manifest. Raises IndexingError if it is absent, broken, or of another schema."""
        values = _read(folder)
        schema = values.get("schema_version")
        if schema != SCHEMA_VERSION:
            raise IndexingError(
                f"{folder / FILE} has schema {str(schema)[:40]}, this program reads {SCHEMA_VERSION}. {rebuild(folder)}"
            )
        stated = values.pop(CHECKSUM, None)
        try:
            manifest = made(cls, values, FILE)
            _check_numbers(values, FILE)
            check_name(manifest.name)  # folders of what is kept for an index bear it
        except (SettingsError, RecursionError) as error:
            raise broken(folder, str(error).removesuffix("; mend it.").removesuffix(".")) from None
        _check_files(folder, manifest.files)
        if stated is not None and stated != _checksum(values):
            raise broken(folder, f"{FILE} has another checksum than it says")
        return manifest


def _read(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise IndexingError(f"{folder} has no {FILE}: the build is not complete. {rebuild(folder)}") from None
    except (ValueError, RecursionError):
        raise broken(folder, f"{FILE} is no JSON") from None
    except OSError as error:
        raise broken(folder, f"{FILE} can't be read ({error.strerror})") from None
    if not isinstance(values, dict):
        raise broken(folder, f"{FILE} is no JSON object")
    return values


def _checksum(values: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest's fields, whatever their order and spacing in the file."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check_numbers(value: object, place: str) -> None:
    """Raise SettingsError for a number below 0 or that isn't finite: a manifest holds none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_numbers(inner, f"{place} {name}")
    elif isinstance(value, list):
        for inner in value:
            _check_numbers(inner, place)
    elif isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
        raise SettingsError(f"{place} is {value}")


def _check_files(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise IndexingError for a file outside of the build's folder, or a row without a size and a checksum."""
    for name, row in files.items():
        if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name:
            raise broken(folder, f"{FILE} names the file {name[:80]!r}, which is outside of the folder")
        size, checksum = row.get("bytes"), row.get("sha256")
        if type(size) is not int or not isinstance(checksum, str) or not SHA256.fullmatch(checksum):
            raise broken(folder, f"{FILE} lacks the size or the checksum of {name[:80]}")


def broken(folder: Path, fault: str) -> IndexingError:
    """The error for a build with a damaged file; `fault` names the file and says what is wrong with it."""
    return IndexingError(f"Index {folder} is broken: {fault}. {rebuild(folder)}")


def rebuild(folder: Path) -> str:
    """The command that builds an index again, as a sentence."""
    return f"Rebuild it: python -m indexing build --corpus CORPUS --index {folder.parent.name}"
