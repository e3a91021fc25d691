"""Lists trained re-rankers on disk, finds one by name and version, and checks it against its manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from indexing import atomic, places
from indexing.errors import ModelError, SettingsError
from indexing.manifest import FILE
from search.served import SHIPPED, VERSION, absent_version
from training.versions.manifest import SCHEMA_VERSION, VersionManifest

NEEDED = ("config.json", "tokenizer.json", "README.md")
WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Version:
    """One trained re-ranker: weights, tokenizer, manifest and model card in a folder."""

    id: str
    """NAME/VERSION, or `shipped`."""
    folder: Path
    manifest: VersionManifest = field(default_factory=VersionManifest)
    """The manifest in its folder; one without values if it can't be read."""
    fault: str = ""
    """What is wrong with it; empty if nothing is."""

    @property
    def bytes(self) -> int:
        """Size of its files on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def check_id(version: str) -> None:
    """Raise SettingsError if it isn't NAME/VERSION or `shipped`."""
    if version != SHIPPED and not VERSION.fullmatch(version):
        raise SettingsError(
            f"Version {version!r} must be NAME/VERSION, each of letters, digits, '.', '_' or '-' and at most 64 of "
            f"them, or {SHIPPED}."
        )


def versions(models: Path | None = None, *, shipped: Path | None = None) -> list[Version]:
    """Every version by name and age, a damaged one with its fault; `shipped` comes first.

    Sizes are checked, but checksums aren't: see `find`. A folder without a manifest isn't a version.
    """
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    paths = [path.parent for path in models.glob(f"*/*/{FILE}")]
    trained = [_read(f"{path.parent.name}/{path.name}", path, models, full=False) for path in paths]
    trained = [version for version in trained if VERSION.fullmatch(version.id)]
    trained.sort(key=lambda version: (version.folder.parent, version.manifest.created, version.id))
    first = [_read(SHIPPED, shipped, shipped, full=False)] if (shipped / FILE).is_file() else []
    return first + trained


def find_version(version: str, models: Path | None = None, *, shipped: Path | None = None) -> Version:
    """A version, each of whose files has the checksum in its manifest.

    Raises:
        SettingsError: `version` isn't a version's id.
        ModelError: it doesn't exist, or is damaged.
    """
    check_id(version)
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    folder = shipped if version == SHIPPED else models / version
    if not (folder / FILE).is_file():
        raise absent_version(version, [known.id for known in versions(models, shipped=shipped)], models)
    trained = _read(version, folder, shipped if version == SHIPPED else models, full=True)
    if trained.fault:
        raise ModelError(f"Version {version} is damaged: {trained.fault}. Train it again, or choose another.")
    return trained


def listing(entries: Sequence[Version], *, promoted: str, before: str) -> list[str]:
    """One line per version, in aligned columns; `promoted` is served, and a rollback serves `before` again."""
    rows = [("version", "state", "created", "recipe", "from", "MB")]
    for version in entries:
        marks = {before: "previous", promoted: "served"}.get(version.id, "")
        state = " ".join(filter(None, (marks, "damaged" if version.fault else "")))
        manifest, size = version.manifest, f"{version.bytes / 1e6:.1f}"
        rows.append((version.id, state, manifest.created[:16], manifest.recipe, manifest.started_from, size))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + [f"{version.id} is damaged: {version.fault}." for version in entries if version.fault]


def _read(version: str, folder: Path, root: Path, *, full: bool) -> Version:
    try:
        manifest = VersionManifest.load(folder)
    except ModelError as error:
        return Version(version, folder, fault=str(error))
    if not folder.resolve().is_relative_to(root.resolve()):
        return Version(version, folder, manifest, f"its folder leads out of {root}")
    return Version(version, folder, manifest, _fault(version, folder, manifest, full=full))


def _fault(version: str, folder: Path, manifest: VersionManifest, *, full: bool) -> str:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name, path in sorted(paths.items()):
        if path.is_symlink():
            return f"{name} is a link"
    absent = [name for name in NEEDED if name not in paths]
    if absent:
        return f"{absent[0]} is absent"
    if not any(name.endswith(WEIGHTS) for name in paths):
        return f"it holds no {WEIGHTS} weights"
    if version == SHIPPED and manifest.files is None:
        return ""  # git checks the files that it stores
    if manifest.schema_version != SCHEMA_VERSION:
        return f"{FILE} has schema {manifest.schema_version}, this program reads {SCHEMA_VERSION}"
    return _difference(folder, manifest.files or {}, set(paths) - {FILE}, full=full)


def _difference(folder: Path, table: Mapping[str, Mapping[str, Any]], names: set[str], *, full: bool) -> str:
    """The first difference between the files that a manifest lists and those in the folder."""
    try:
        rows = {name: {"bytes": int(row["bytes"]), "sha256": str(row["sha256"])} for name, row in table.items()}
    except (KeyError, TypeError, ValueError):
        rows = {}
    if not rows:
        return f"{FILE} lacks its files' sizes and checksums"
    for name in rows:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            return f"{FILE} names {name!r}, which is outside of the folder"
    more = sorted(names - rows.keys())
    if more:
        return f"{more[0]} is not in {FILE}"
    return next(iter(atomic.changed_files(folder, rows, full=full)), "")
