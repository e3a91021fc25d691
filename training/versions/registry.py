"""Trained re-rankers on disk, by name and version: listed, found, and checked against their manifests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from indexing import atomic, places
from indexing.errors import ModelError, SettingsError
from indexing.manifest import FILE
from search.served import SHIPPED, VERSION, absent_version
from training.versions.manifest import SCHEMA_VERSION

NEEDED = ("config.json", "tokenizer.json", "README.md")
WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Version:
    """One trained re-ranker: weights, tokenizer, manifest and model card in a folder."""

    id: str
    """NAME/VERSION, or `shipped`."""
    folder: Path
    manifest: Mapping[str, Any]
    """As written beside the weights; empty where it can't be read."""
    fault: str = ""
    """What is wrong with it; else empty."""

    @property
    def bytes(self) -> int:
        """Size of its files on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def check_id(version: str) -> None:
    """Refuse what isn't NAME/VERSION or `shipped`."""
    if version != SHIPPED and not VERSION.fullmatch(version):
        raise SettingsError(
            f"Version {version!r} must be NAME/VERSION, each of letters, digits, '.', '_' or '-' and at most 64 of "
            f"them, or {SHIPPED}."
        )


def versions(models: Path | None = None, *, shipped: Path | None = None) -> list[Version]:
    """Every version that is whole, and every damaged one with its fault, by name and age; `shipped` stands first.

    Sizes are checked, checksums are not: see `find`. A folder without its manifest is no version.
    """
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    paths = [path.parent for path in models.glob(f"*/*/{FILE}")]
    found = [_read(f"{path.parent.name}/{path.name}", path, models, full=False) for path in paths]
    found = [version for version in found if VERSION.fullmatch(version.id)]
    found.sort(key=lambda version: (version.folder.parent, str(version.manifest.get("created", "")), version.id))
    first = [_read(SHIPPED, shipped, shipped, full=False)] if (shipped / FILE).is_file() else []
    return first + found


def find(version: str, models: Path | None = None, *, shipped: Path | None = None) -> Version:
    """A version whose every file has the checksum that its manifest says.

    Raises:
        SettingsError: that is no version's name.
        ModelError: it isn't there, or is damaged.
    """
    check_id(version)
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    folder = shipped if version == SHIPPED else models / version
    if not (folder / FILE).is_file():
        raise absent_version(version, [one.id for one in versions(models, shipped=shipped)], models)
    found = _read(version, folder, shipped if version == SHIPPED else models, full=True)
    if found.fault:
        raise ModelError(f"Version {version} is damaged: {found.fault}. Train it anew, or choose another.")
    return found


def listing(found: Sequence[Version], *, promoted: str, before: str) -> list[str]:
    """One line a version, columns aligned: what is served stands as `promoted`, what rollback brings as `before`."""
    marks = {before: "before", promoted: "promoted"}
    rows = [("version", "state", "created", "recipe", "from", "MB")]
    for item in found:
        values = item.manifest
        started = values.get("parent") or _settings(values).get("base", "")
        created = str(values.get("created", ""))[:16]
        state = marks.get(item.id, "") if not item.fault else " ".join(filter(None, (marks.get(item.id), "damaged")))
        size = f"{item.bytes / 1e6:.1f}"
        rows.append((item.id, state, created, str(values.get("recipe", "")), str(started), size))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + [f"{item.id} is damaged: {item.fault}." for item in found if item.fault]


def _read(version: str, folder: Path, root: Path, *, full: bool) -> Version:
    path = folder / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Version(version, folder, {}, f"{FILE} can't be read as JSON")
    if not isinstance(values, dict):
        return Version(version, folder, {}, f"{FILE} is no JSON object")
    if not folder.resolve().is_relative_to(root.resolve()):
        return Version(version, folder, values, f"its folder leads out of {root}")
    return Version(version, folder, values, _fault(version, folder, values, full=full))


def _fault(version: str, folder: Path, values: Mapping[str, Any], *, full: bool) -> str:
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name, path in sorted(there.items()):
        if path.is_symlink():
            return f"{name} is a link"
    absent = [name for name in NEEDED if name not in there]
    if absent:
        return f"{absent[0]} is absent"
    if not any(name.endswith(WEIGHTS) for name in there):
        return f"it holds no {WEIGHTS} weights"
    if version == SHIPPED and "files" not in values:
        return ""  # what git keeps needs no other checksum
    if values.get("schema_version") != SCHEMA_VERSION:
        return f"{FILE} has schema {values.get('schema_version')}, this program reads {SCHEMA_VERSION}"
    return _difference(folder, values.get("files"), set(there) - {FILE}, full=full)


def _difference(folder: Path, table: Any, there: set[str], *, full: bool) -> str:
    """The first difference between the files of a manifest and those that are there."""
    try:
        rows = {str(name): {"bytes": int(row["bytes"]), "sha256": str(row["sha256"])} for name, row in table.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return f"{FILE} lacks its files' sizes and checksums"
    for name in rows:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            return f"{FILE} names {name!r}, which is outside of the folder"
    more = sorted(there - rows.keys())
    if more:
        return f"{more[0]} is not in {FILE}"
    return next(iter(atomic.changed_files(folder, rows, full=full)), "")


def _settings(values: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = values.get("settings")
    return settings if isinstance(settings, dict) else {}
