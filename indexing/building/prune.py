"""Lists the builds of an index and removes the old ones; the current one always stays."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic
from indexing.catalogue import build_folders, current_build
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
    """Size of its files; files that builds share count in each."""


def list_builds(name: str, *, root: Path, keep: int) -> list[BuildFolder]:
    """Every build of an index, newest first, and what stopped builds left; `keep` builds stay, the current one too."""
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
    """Remove old builds and what stopped builds left; give back what was removed.

    A process that has an old build open continues to use it. Raises BusyError during a build.
    """
    _current(name, root)  # refuses a name that is no index
    with atomic.hold(root / name, f"is building {root / name}"):
        gone = [row for row in list_builds(name, root=root, keep=keep) if row.state in ("old", "unfinished")]
        for row in gone:
            (row.folder / FILE).unlink(missing_ok=True)  # first: from here on it is no build
            shutil.rmtree(row.folder)
        for file in (root / name).glob(".current.*"):  # of a process that was killed while it switched
            file.unlink()
    return gone


def _current(name: str, root: Path) -> Path | None:
    """The current build; None where a first one was begun and never ended. Raises IndexingError for no index."""
    check_name(name)
    unfinished_only = (root / name).is_dir() and not (root / name / "current").is_file()
    return None if unfinished_only else current_build(name, root=root)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
