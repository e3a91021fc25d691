"""A removal takes an index whole or not at all, and never what was made from it or what it was made from."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from indexing import atomic
from indexing.building.prune import prune
from indexing.catalogue import REMOVED, current_build, index_names
from indexing.errors import BusyError, IndexingError
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import hold, write_status
from indexing.jobs.needs import Needs
from indexing.jobs.remove import index_contents, remove_index


def job_of(folder: Path, name: str, root: Path, state: str) -> Path:
    """The folder of a job of an index."""
    folder.mkdir(parents=True)
    request = BuildRequest(name=name, corpus="anything", root=str(root))
    atomic.write_json(folder / "config.json", asdict(request))
    write_status(folder, BuildStatus(state=state))
    return folder


class Killed(BaseException):
    """Ends a removal as a signal does."""


def test_a_removed_index_is_gone_with_its_ended_jobs_and_its_corpus_stays(
    own_root: Path, tmp_path: Path, small_corpus: Path
) -> None:
    shutil.copytree(own_root / "small", own_root / "other")
    before = sorted(path.name for path in small_corpus.iterdir())
    job_of(tmp_path / "jobs/build-1", "small", own_root, "done")
    job_of(tmp_path / "jobs/build-2", "other", own_root, "done")
    job_of(tmp_path / "jobs/build-3", "small", tmp_path / "elsewhere", "done")
    gone = remove_index("small", root=own_root, jobs=tmp_path / "jobs")
    assert (gone.name, gone.folder, gone.builds) == ("small", own_root / "small", 1)
    assert [path.name for path in own_root.iterdir()] == ["other"]
    assert [job.name for job in BuildJob.all(tmp_path / "jobs")] == ["build-3", "build-2"]
    assert sorted(path.name for path in small_corpus.iterdir()) == before


def test_what_several_builds_share_counts_once(own_root: Path) -> None:
    build = current_build("small", root=own_root)
    size = index_contents("small", root=own_root).bytes
    assert size == sum(path.stat().st_size for path in (own_root / "small").rglob("*") if path.is_file())
    shutil.copytree(build, build.parent / "20200101-000000-abcdef", copy_function=os.link)
    again = index_contents("small", root=own_root)
    assert (again.builds, again.bytes) == (2, size)


def test_a_removal_that_is_killed_leaves_no_index_and_its_rest_goes_later(
    own_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(own_root / "small", own_root / "other")

    def die(folder: Path) -> None:
        assert folder.is_dir()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(Killed):
            remove_index("small", root=own_root, jobs=tmp_path)
    (rest,) = own_root.glob(f"{REMOVED}*")
    assert (rest / "current").is_file()
    assert index_names(own_root) == ["other"]
    with atomic.locked(rest):  # another process is removing it
        prune("other", root=own_root, keep=1)
        assert rest.is_dir()
    prune("other", root=own_root, keep=1)
    assert not rest.exists()
    assert index_names(own_root) == ["other"]


def test_killed_before_its_folder_is_renamed_an_index_is_whole(
    own_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(Killed):
        remove_index("small", root=own_root, jobs=tmp_path)
    assert index_names(own_root) == ["small"]


def test_an_index_that_is_being_built_stays(own_root: Path, tmp_path: Path) -> None:
    with atomic.locked(own_root / "small"), pytest.raises(BusyError, match=r"Another process is building .*small"):
        remove_index("small", root=own_root, jobs=tmp_path / "jobs")
    folder = job_of(tmp_path / "jobs/build-1", "small", own_root, "running")
    with hold(folder), pytest.raises(BusyError, match=r"^A build of index 'small' is running; wait for it"):
        remove_index("small", root=own_root, jobs=tmp_path / "jobs")  # it has yet to come to the index's folder
    assert index_names(own_root) == ["small"]


def test_an_index_that_a_job_of_another_kind_reads_stays(own_root: Path, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    (jobs / "training-1").mkdir(parents=True)
    needs = Needs(title="the training of mine/1", indexes=(str(own_root.absolute() / "small"),))
    atomic.write_json(jobs / "training-1/needs.json", asdict(needs))
    with hold(jobs / "training-1"), hold_of_unreadable(jobs / "training-0"):
        with pytest.raises(BusyError, match=r"^The training of mine/1 uses index 'small'; wait for it, or stop it\.$"):
            remove_index("small", root=own_root, jobs=jobs)
        assert index_names(own_root) == ["small"]
    remove_index("small", root=own_root, jobs=jobs)
    assert index_names(own_root) == []


@contextmanager
def hold_of_unreadable(folder: Path) -> Iterator[None]:
    """A running job of which nobody can tell what it needs."""
    folder.mkdir()
    (folder / "needs.json").write_text("[1]")
    with hold(folder):
        yield


@pytest.mark.parametrize("name", ["none", "../small", "", ".", "/etc"])
def test_only_an_index_is_removed(own_root: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(IndexingError, match=r"^There is no index .* \(there: small\)"):
        remove_index(name, root=own_root, jobs=tmp_path / "jobs")
    assert index_names(own_root) == ["small"]


def test_a_broken_index_can_be_removed_and_a_link_is_left(own_root: Path, tmp_path: Path) -> None:
    (own_root / "small/current").write_text("nothing")
    (own_root / "link").symlink_to(own_root / "small")
    with pytest.raises(IndexingError, match=r"link is a link to .*small; remove the link"):
        remove_index("link", root=own_root, jobs=tmp_path / "jobs")
    remove_index("small", root=own_root, jobs=tmp_path / "jobs")
    assert index_names(own_root) == []
