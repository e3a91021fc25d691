"""Lists the builds of an index and removes the old ones; the current one always stays."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic
from indexing.catalogue import build_folders, clear_removed, current_build
from indexing.errors import SettingsError
from indexing.manifest import FILE
from indexing.names import check_name


@dataclass(frozen=True)
class BuildFolder:
    """One folder of an index."""

    folder: Path
    state: str
    """`current`, `kept`, `old` (to be removed) or `unfinished` (to be removed)."""
    bytes: int
    """Size of its files; a file shared by several builds counts in each."""


def list_builds(name: str, *, root: Path, keep: int) -> list[BuildFolder]:
    """Every build of an index, newest first, then what stopped builds left; `keep` counts the current one too."""
    if keep < 1:
        raise SettingsError(f"--keep is {keep}; give 1 or more, the current build always stays.")
    current = _current(name, root)
    builds = list(reversed(build_folders(root / name).values()))
    others = [folder for folder in builds if folder != current]
    staying = set(others[: keep - (current is not None)])
    states = [(folder, "current" if folder == current else "kept" if folder in staying else "old") for folder in builds]
    rest = [path for path in sorted((root / name).iterdir()) if path.is_dir() and path not in builds]
    states += [(path, "unfinished") for path in rest]
    return [BuildFolder(folder, state, _size(folder)) for folder, state in states]


def prune(name: str, *, root: Path, keep: int) -> list[BuildFolder]:
    """Remove old builds and what stopped builds left behind; return what was removed.

    A process that has an old build open can go on using it. Raises BusyError during a build.
    """
    _current(name, root)  # raises for a name without an index
    clear_removed(root)
    with atomic.hold(root / name, f"is building {root / name}"):
        removed = [row for row in list_builds(name, root=root, keep=keep) if row.state in ("old", "unfinished")]
        for row in removed:
            (row.folder / FILE).unlink(missing_ok=True)  # first, so that from here on the folder isn't a build
            shutil.rmtree(row.folder)
        for file in (root / name).glob(".current.*"):  # left by a process killed while switching builds
            file.unlink()
    return removed


def _current(name: str, root: Path) -> Path | None:
    """The current build; None if the first was begun but never finished. Raises IndexingError without an index."""
    check_name(name)
    unfinished_only = (root / name).is_dir() and not (root / name / "current").is_file()
    return None if unfinished_only else current_build(name, root=root)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
