"""Old builds and what stopped builds left are listed and removed; what serves stays."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexing import atomic
from indexing.building.prune import list_builds, prune
from indexing.catalogue import current_build, set_current, verify
from indexing.dense.encoder import BiEncoder
from indexing.errors import BusyError, IndexingError, SettingsError
from indexing.index import open_index
from search.pipeline import RetrieveAndRerank
from search.settings import PipelineSettings

BUILDS = [f"2020010{day}-000000-abcdef" for day in range(1, 5)]  # oldest first


@pytest.fixture
def root(own_root: Path) -> Path:
    """A folder of indexes whose index `small` has four builds, the newest in use."""
    folder = current_build("small", root=own_root)
    for name in BUILDS[:-1]:
        shutil.copytree(folder, own_root / "small" / name)
    folder.rename(own_root / "small" / BUILDS[-1])
    set_current(own_root / "small", BUILDS[-1])
    return own_root


def states(root: Path, *, keep: int) -> dict[str, str]:
    return {row.folder.name: row.state for row in list_builds("small", root=root, keep=keep)}


def left(root: Path) -> Sequence[str]:
    return sorted(path.name for path in (root / "small").iterdir() if path.is_dir())


def test_builds_are_listed_newest_first(root: Path) -> None:
    assert list(states(root, keep=2)) == BUILDS[::-1]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (1, ["current", "old", "old", "old"]),
        (2, ["current", "kept", "old", "old"]),
        (4, ["current", "kept", "kept", "kept"]),
        (9, ["current", "kept", "kept", "kept"]),
    ],
)
def test_the_current_build_and_the_newest_others_are_kept(root: Path, keep: int, expected: list[str]) -> None:
    assert states(root, keep=keep) == dict(zip(BUILDS[::-1], expected, strict=True))


@pytest.mark.parametrize(("keep", "gone"), [(1, BUILDS[:3]), (2, BUILDS[:2]), (4, [])])
def test_what_is_listed_as_old_is_removed(root: Path, keep: int, gone: list[str]) -> None:
    removed = prune("small", root=root, keep=keep)
    assert sorted(row.folder.name for row in removed) == gone
    assert left(root) == [name for name in BUILDS if name not in gone]
    assert verify(current_build("small", root=root), full=True) == []


def test_a_current_build_that_is_not_the_newest_stays(root: Path) -> None:
    set_current(root / "small", BUILDS[0])  # taken back
    assert states(root, keep=2) == dict(zip(BUILDS, ["current", "old", "old", "kept"], strict=True))
    prune("small", root=root, keep=1)
    assert left(root) == BUILDS[:1]
    assert len(open_index("small", root=root).passages) == 20


@pytest.mark.parametrize("name", [".unfinished-0123456789abcdef", ".unfinished-0123456789abcdef-change", "20200101-1"])
def test_what_a_stopped_build_left_is_unfinished_and_removed(root: Path, name: str) -> None:
    (root / "small" / name / "vectors").mkdir(parents=True)
    (root / "small" / name / "vectors/00000.npy").write_bytes(b"x" * 1000)
    (row,) = (row for row in list_builds("small", root=root, keep=4) if row.state == "unfinished")
    assert (row.folder.name, row.bytes) == (name, 1000)
    assert prune("small", root=root, keep=4) == [row]
    assert left(root) == BUILDS


def test_an_unfinished_folder_with_its_manifest_is_still_no_build(root: Path) -> None:
    shutil.copytree(root / "small" / BUILDS[0], root / "small/.unfinished-0")  # stopped before it got its name
    assert states(root, keep=9)[".unfinished-0"] == "unfinished"
    prune("small", root=root, keep=9)
    assert left(root) == BUILDS


def test_what_a_stopped_write_of_the_pointer_left_is_removed(root: Path) -> None:
    (root / "small/.current.k2j3h4").write_text("")  # as atomic.write_text names it
    prune("small", root=root, keep=9)
    assert not (root / "small/.current.k2j3h4").exists()


def test_the_size_of_a_build_is_that_of_its_files(root: Path) -> None:
    folder = current_build("small", root=root)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert list_builds("small", root=root, keep=1)[0].bytes == size > 0


def test_listing_removes_nothing(root: Path) -> None:
    list_builds("small", root=root, keep=1)
    assert left(root) == BUILDS


def test_files_that_builds_share_stay_with_the_one_that_is_kept(root: Path) -> None:
    for path in (root / "small" / BUILDS[0] / "vectors").iterdir():
        shared = root / "small" / BUILDS[-1] / "vectors" / path.name
        path.unlink()
        path.hardlink_to(shared)
    prune("small", root=root, keep=1)
    assert verify(current_build("small", root=root), full=True) == []


def test_an_open_index_goes_on_after_its_build_is_removed(root: Path, bi_encoder: BiEncoder) -> None:
    set_current(root / "small", BUILDS[0])
    pipeline = RetrieveAndRerank(open_index("small", root=root), bi_encoder, None)
    set_current(root / "small", BUILDS[-1])
    settings = PipelineSettings(depth=20, rerank_depth=0)
    before = pipeline.search("rye bread", settings).final
    prune("small", root=root, keep=1)
    assert not pipeline.index.folder.exists()
    assert pipeline.search("rye bread", settings).final == before
    assert len(pipeline.search("a lens of glass", settings).passages) == 20  # also what was never read before


def test_while_a_build_goes_on_nothing_is_removed(root: Path) -> None:
    with atomic.locked(root / "small"), pytest.raises(BusyError, match="Another process"):
        prune("small", root=root, keep=1)
    assert left(root) == BUILDS


@pytest.mark.parametrize("keep", [0, -1])
def test_to_keep_none_is_refused(root: Path, keep: int) -> None:
    for act in (list_builds, prune):
        with pytest.raises(SettingsError, match=f"--keep is {keep}"):
            act("small", root=root, keep=keep)
    assert left(root) == BUILDS


def test_an_index_that_is_not_there_is_told(root: Path) -> None:
    for act in (list_builds, prune):
        with pytest.raises(IndexingError, match="no index 'other'"):
            act("other", root=root, keep=2)
