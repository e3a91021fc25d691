"""The indexes on disk: their names and builds, which build is current, and whether its files are intact."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic, places
from indexing.errors import IndexingError, SecondLookError
from indexing.manifest import FILE, Manifest, rebuild
from indexing.names import check_name
from indexing.progress import Progress, silent

LONGEST_ID = 255  # characters; file systems take no longer name
REMOVED = ".removed-"
"""What the name of an index's folder begins with while it is being removed; nothing lists it from then on."""


@dataclass(frozen=True, kw_only=True)
class IndexSummary:
    """One row of a list of indexes."""

    name: str
    build: str = ""
    """Id of the current build; empty if that can't be read."""
    builds: int = 0
    """Complete builds on disk, the current one included."""
    passages: int = 0
    bytes: int = 0
    """Size of the current build."""
    created: str = ""
    """When the current build began, UTC, ISO 8601."""
    fault: str = ""
    """Why the current build can't be read; empty if it can."""


def index_names(root: Path | None = None) -> list[str]:
    """Names of the indexes below `root` that have a current build."""
    names = (path.parent.name for path in (root or places.indexes()).glob("*/current"))
    return sorted(name for name in names if not name.startswith(REMOVED))


def summaries(root: Path | None = None) -> list[IndexSummary]:
    """Every index below `root` that has a current build, by name; only manifests are read."""
    root = root or places.indexes()
    return [_summary(name, root) for name in index_names(root)]


def _summary(name: str, root: Path) -> IndexSummary:
    builds = len(build_folders(root / name))
    try:
        folder = current_build(name, root=root)
        manifest = Manifest.load(folder)
    except SecondLookError as error:
        return IndexSummary(name=name, builds=builds, fault=str(error))
    return IndexSummary(
        name=name,
        build=folder.name,
        builds=builds,
        passages=manifest.passages,
        bytes=manifest.bytes,
        created=manifest.created,
    )


def build_folders(folder: Path) -> dict[str, Path]:
    """The complete builds of one index, by build id, oldest first."""
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"[!.]*/{FILE}"))}


def clear_removed(root: Path) -> None:
    """Remove what is left of indexes whose removal was killed half-way."""
    for path in root.glob(f"{REMOVED}*"):
        with suppress(OSError), atomic.locked(path) as free:  # it may be gone by now
            if free:
                shutil.rmtree(path)


def set_current(folder: Path, build_id: str) -> None:
    """Make this build the current one, atomically: readers see either the old one or the new one."""
    atomic.write_text(folder / "current", build_id + "\n")


def current_build(name: str, *, root: Path | None = None) -> Path:
    """The folder of an index's current build. Raises IndexingError if it has none."""
    check_name(name)
    root = root or places.indexes()
    pointer = root / name / "current"
    if not pointer.is_file():
        known = ", ".join(index_names(root)) or "none"
        raise IndexingError(
            f"There is no index {name!r} in {root} (there: {known}). "
            f"Build it: python -m indexing build --corpus CORPUS --index {name}, or on the app's Indexes page."
        )
    with pointer.open(encoding="utf-8", errors="replace") as file:
        build_id = file.read(LONGEST_ID + 1).strip()
    folders = build_folders(root / name)
    if build_id not in folders:
        raise IndexingError(f"{pointer} names build {build_id!r}, which doesn't exist. {rebuild(pointer)}")
    return folders[build_id]


def verify(folder: Path, *, full: bool, progress: Progress = silent) -> list[str]:
    """Files that differ from the manifest in size or, if `full`, in checksum; `progress` counts bytes."""
    files = {name: dict(row) for name, row in Manifest.load(folder).files.items()}
    return atomic.changed_files(folder, files, full=full, progress=progress)
