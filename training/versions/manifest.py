"""A version's manifest: what it was made from, how, and its measured figures."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from indexing import atomic
from indexing.errors import ModelError, SettingsError
from indexing.manifest import FILE
from indexing.notes import counted
from indexing.typed_json import made

SCHEMA_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class IndexBuild:
    """An index build whose passages were trained on."""

    index: str
    build: str
    corpus: str
    """The last part of its path."""
    passages: int
    corpus_fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class ProtectedFile:
    """A file of queries that were not trained on."""

    file: str
    """Its name, without the folder."""
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class MeasuredSet:
    """What the figures of a judged set were measured on."""

    queries: int
    """Judged queries, all of which count."""
    depth: int
    """Passages re-ranked for each."""
    build: str = ""
    """Of the index; empty if it wasn't recorded."""

    def words(self) -> str:
        """The same in a few words."""
        queries = counted(self.queries, "query", "queries")
        return f"{queries}, depth {self.depth:,}, build {self.build or 'not recorded'}"


@dataclass(frozen=True, kw_only=True)
class VersionManifest:
    """Everything that determined a version; fields that an older manifest lacks have their defaults."""

    recipe: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """As requested, including `base` and `seed`; of a path outside the working folder, only the last part."""
    seed: int = 0
    base_model: str = ""
    """Where its lineage begins."""
    parent: str = ""
    """The model whose weights it started from."""
    lineage: tuple[str, ...] = ()
    """Models from `base_model` to `parent`."""
    averaged_lineages: tuple[tuple[str, ...], ...] = ()
    """If weights were averaged, the lineage of each averaged version, itself included."""
    data: tuple[IndexBuild, ...] = ()
    examples: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Lists of passages that were trained on, by stage and source."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Examples that were left out, by reason."""
    protect: tuple[ProtectedFile, ...] | None = None
    """Files whose queries weren't trained on; None if no such files could be named."""
    pairs: int = 0
    """Query-passage pairs that were trained on, repetitions included."""
    final_loss: Mapping[str, float] = field(default_factory=dict)
    """The last loss, by stage."""
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By judged set, then by measure."""
    measured_on: Mapping[str, MeasuredSet] = field(default_factory=dict)
    """By judged set, what its figures are of; manifests of older programs have none."""
    ms_marco: bool = True
    """Whether MS MARCO's terms apply; if that isn't known, they do."""
    minutes: float = 0.0
    created: str = ""
    """UTC, ISO 8601."""
    code_revision: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] | None = None
    """Bytes and SHA-256 of every other file of the version; None if they weren't recorded."""
    schema_version: int = SCHEMA_VERSION

    @property
    def started_from(self) -> str:
        """The model whose weights it started from, also for a manifest of the first schema."""
        return self.parent or str(self.settings.get("base", ""))

    def as_json(self) -> dict[str, Any]:
        """Plain data, as stored on disk."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        for name in ("averaged_lineages", "measured_on"):
            if not values[name]:
                del values[name]
        return dict(json.loads(json.dumps(values)))  # tuples become lists

    def save(self, folder: Path) -> None:
        """Write it, after all other files of the folder, with the size and checksum of each of them."""
        paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        rows = {name: atomic.file_row(path) for name, path in paths.items() if name != FILE}
        atomic.write_json(folder / FILE, replace(self, files=rows, schema_version=SCHEMA_VERSION).as_json())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it, whatever its schema; fields that this program doesn't know are ignored.

        Raises:
            ModelError: it can't be read, or a field has the wrong type.
        """
        try:
            values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            raise ModelError(f"{FILE} can't be read as JSON") from None
        if not isinstance(values, dict):
            raise ModelError(f"{FILE} is no JSON object")
        known = {own.name for own in fields(cls)}
        try:
            return made(cls, {name: value for name, value in values.items() if name in known}, FILE)
        except SettingsError as error:
            raise ModelError(str(error).removesuffix("; mend it.")) from None
