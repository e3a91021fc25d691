"""Removes an index whole, unless a job builds or reads it; its corpus and what was made with it stay."""

import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexing import atomic, places
from indexing.catalogue import REMOVED, build_folders, clear_removed, index_names
from indexing.errors import BusyError, IndexingError, SettingsError
from indexing.jobs.build_job import BuildJob
from indexing.jobs.folder import is_held, read_json
from indexing.jobs.needs import NEEDS, Needs
from indexing.typed_json import made


@dataclass(frozen=True, kw_only=True)
class IndexContents:
    """What goes with an index."""

    name: str
    folder: Path
    builds: int
    """Complete ones."""
    bytes: int
    """Of all files; one that several builds share counts once."""


def index_contents(name: str, *, root: Path) -> IndexContents:
    """What the folder of an index holds, whether or not the index can be opened.

    Raises:
        IndexingError: there is no index of this name, or its folder is a link.
    """
    folder = root / name
    if name not in index_names(root):
        known = ", ".join(index_names(root)) or "none"
        raise IndexingError(f"There is no index {name!r} in {root} (there: {known}); give the name of one.")
    if folder.is_symlink():
        raise IndexingError(f"{folder} is a link to {folder.resolve()}; remove the link, and that folder, by hand.")
    return IndexContents(name=name, folder=folder, builds=len(build_folders(folder)), bytes=_size(folder))


def remove_index(name: str, *, root: Path, jobs: Path | None = None) -> IndexContents:
    """Remove an index with all of its builds and its served default; what went.

    The folder is renamed first, in one step: whenever this process is killed, there is either the whole index or none,
    and what is left of it on disk goes with the next build or removal. Ended jobs of the index are forgotten. A process
    that has the index open can go on using it.

    Raises:
        IndexingError: there is no such index, or not all of it can be removed.
        BusyError: a job or another process is building it, or a job reads it.
    """
    contents = index_contents(name, root=root)
    check_unread(name, root=root, jobs=jobs)
    own = [job for job in BuildJob.all(jobs) if _is_of(job, name, root)]
    if working := next((job for job in own if job.alive), None):
        task = "A build of" if working.request.task == "build" else "An estimate for"
        raise BusyError(f"{task} index {name!r} is running; wait for it, or stop it, before the index is removed.")
    clear_removed(root)
    with atomic.hold(contents.folder, f"is building {contents.folder}"):
        _remove(contents.folder, root / f"{REMOVED}{name[:64]}-{secrets.token_hex(4)}")
    for job in own:
        job.forget()
    return contents


def check_unread(name: str, *, root: Path, jobs: Path | None = None) -> None:
    """Raise BusyError while a job of any kind runs that reads this index."""
    folder = str((root / name).absolute())
    for job in sorted(path for path in (jobs or places.jobs()).glob("*") if is_held(path)):
        with suppress(SettingsError):  # it needs none, or what it needs can't be read
            needs = made(Needs, read_json(job / NEEDS), str(job / NEEDS))
            if folder in needs.indexes:
                title = f"{needs.title[:1].upper()}{needs.title[1:]}"
                raise BusyError(f"{title} uses index {name!r}; wait for it, or stop it.")


def _size(folder: Path) -> int:
    sizes = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # a build is at work there
            state = path.stat()
            if path.is_file():
                sizes[state.st_dev, state.st_ino] = state.st_size
    return sum(sizes.values())


def _remove(folder: Path, aside: Path) -> None:
    try:
        folder.rename(aside)
        atomic.fsync_path(aside.parent)
    except OSError as error:
        raise IndexingError(f"{folder} can't be removed ({error.strerror}); make {folder.parent} writable.") from error
    try:
        shutil.rmtree(aside)
    except OSError as error:
        raise IndexingError(
            f"The index is gone, but not all of its files could be removed ({error.strerror}); remove {aside} by hand."
        ) from error


def _is_of(job: BuildJob, name: str, root: Path) -> bool:
    return job.request.name == name and Path(job.request.root).absolute() == root.absolute()
