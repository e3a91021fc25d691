"""The indexes on disk: their names and builds, which build is current, and whether its files are whole."""

from pathlib import Path

from indexing import atomic, places
from indexing.errors import IndexingError
from indexing.manifest import FILE, Manifest, rebuild
from indexing.names import check_name
from indexing.progress import Progress, silent


def index_names(root: Path | None = None) -> list[str]:
    """Names of the indexes below `root` that have a current build."""
    return sorted(path.parent.name for path in (root or places.indexes()).glob("*/current"))


def build_folders(folder: Path) -> dict[str, Path]:
    """The complete builds of one index, by build id, oldest first."""
    return {path.parent.name: path.parent for path in sorted(folder.glob(f"[!.]*/{FILE}"))}


def set_current(folder: Path, build_id: str) -> None:
    """Serve this build from now on; readers see the old one or the new one."""
    atomic.write_text(folder / "current", build_id + "\n")


def current_build(name: str, *, root: Path | None = None) -> Path:
    """The folder of an index's current build. Raises IndexingError where there is none."""
    check_name(name)
    root = root or places.indexes()
    pointer = root / name / "current"
    if not pointer.is_file():
        known = ", ".join(index_names(root)) or "none"
        raise IndexingError(
            f"There is no index {name!r} in {root} (there: {known}). "
            f"Build it: python -m indexing build --corpus CORPUS --name {name}"
        )
    build_id = pointer.read_text(encoding="utf-8", errors="replace").strip()
    folders = build_folders(root / name)
    if build_id not in folders:
        raise IndexingError(f"{pointer} names build {build_id!r}, which isn't there. {rebuild(pointer)}")
    return folders[build_id]


def verify(folder: Path, *, full: bool, progress: Progress = silent) -> list[str]:
    """What differs from the manifest: sizes, and if `full` every checksum; `progress` counts bytes."""
    files = {name: dict(row) for name, row in Manifest.load(folder).files.items()}
    return atomic.changed_files(folder, files, full=full, progress=progress)
