"""Files and folders appear whole or not at all."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.errors import BusyError
from tests.conftest import REPOSITORY
from tests.support.fakes import Reports


def test_write_text_replaces_the_whole_file(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "f.txt", "a long text that was there before")
    atomic.write_text(tmp_path / "f.txt", "é")
    assert (tmp_path / "f.txt").read_bytes() == "é".encode()


def test_write_text_leaves_no_other_file(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "f.txt", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["f.txt"]


def test_write_text_makes_the_folder(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a/b/f.txt", "text")
    assert (tmp_path / "a/b/f.txt").read_text() == "text"


def test_a_reader_of_the_old_file_keeps_the_old_text(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "f.txt", "old")
    with (tmp_path / "f.txt").open() as reader:
        atomic.write_text(tmp_path / "f.txt", "new")
        assert reader.read() == "old"  # replaced, not written over


def test_text_that_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "f.txt", "old")
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(tmp_path / "f.txt", "half a pair \ud800")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"f.txt": "old"}


def test_json_is_written_with_sorted_keys_and_plain_letters(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "f.json", {"b": "é", "a": 1})
    assert (tmp_path / "f.json").read_text(encoding="utf-8") == '{\n  "a": 1,\n  "b": "é"\n}\n'


def test_a_folder_takes_its_name_when_the_block_has_ended(tmp_path: Path) -> None:
    with atomic.folder(tmp_path / "made") as work:
        (work / "f.txt").write_text("text")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made/f.txt").read_text() == "text"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with atomic.folder(tmp_path / "made") as work:
            (work / "sub").mkdir()
            (work / "sub/f.txt").write_text("text")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/old.txt").write_text("old")
    with pytest.raises(OSError, match="made"), atomic.folder(tmp_path / "made") as work:
        (work / "new.txt").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "old.txt"]


def table_of(*paths: Path) -> dict[str, dict[str, Any]]:
    """The rows of these files by their names."""
    return {path.name: atomic.file_row(path) for path in paths}


def test_the_row_of_a_file_has_its_size_and_checksum(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    # SHA-256 of "abc", from FIPS 180-2
    checksum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert atomic.file_row(tmp_path / "f.txt") == {"bytes": 3, "sha256": checksum}


def test_a_checksum_is_that_of_the_whole_file_and_tells_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "HASHED_AT_ONCE", 4)
    (tmp_path / "f.txt").write_bytes(b"0123456789")
    read = Reports()
    assert atomic.sha256(tmp_path / "f.txt", progress=read) == hashlib.sha256(b"0123456789").hexdigest()
    assert read.counts == [4, 4, 2]


def test_files_that_are_as_before_have_not_changed(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    assert atomic.changed_files(tmp_path, table_of(tmp_path / "f.txt"), full=True) == []


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = table_of(tmp_path / "f.txt")
    (tmp_path / "f.txt").unlink()
    assert atomic.changed_files(tmp_path, table, full=False) == ["f.txt is absent"]


def test_a_changed_size_is_told_without_reading_the_file(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = table_of(tmp_path / "f.txt")
    (tmp_path / "f.txt").write_text("abcd")
    assert atomic.changed_files(tmp_path, table, full=False) == ["f.txt has 4 bytes, the manifest says 3"]


@pytest.mark.parametrize(("full", "faults"), [(True, 1), (False, 0)])
def test_a_changed_byte_is_told_by_checksum_only(tmp_path: Path, full: bool, faults: int) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = table_of(tmp_path / "f.txt")
    (tmp_path / "f.txt").write_text("abd")
    assert len(atomic.changed_files(tmp_path, json.loads(json.dumps(table)), full=full)) == faults


@pytest.mark.parametrize(("full", "read"), [(True, [3]), (False, [])])
def test_a_check_tells_the_bytes_it_has_read(tmp_path: Path, full: bool, read: list[int]) -> None:
    (tmp_path / "f.txt").write_text("abc")
    counted = Reports()
    atomic.changed_files(tmp_path, table_of(tmp_path / "f.txt"), full=full, progress=counted)
    assert counted.counts == read


def test_what_a_killed_process_left_of_a_folder_is_removed_by_the_next(tmp_path: Path) -> None:
    stale, others = tmp_path / ".made.partial-abc", [tmp_path / ".made2.partial-abc", tmp_path / "made.partial"]
    for path in (stale, *others):
        path.mkdir()
    with atomic.folder(tmp_path / "made"):
        assert not stale.exists()
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "made", *others])


def test_what_another_process_is_filling_is_left_alone(tmp_path: Path) -> None:
    with atomic.folder(tmp_path / "made") as work:
        (work / "f.txt").write_text("first")
        with pytest.raises(ValueError, match="stop"), atomic.folder(tmp_path / "made"):
            raise ValueError("stop")
    assert (tmp_path / "made/f.txt").read_text() == "first"


def test_a_folder_is_held_until_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = atomic.fsync_path

    def meanwhile(path: Path) -> None:
        """Another process makes the same folder just when this one is being synced, and fails."""
        monkeypatch.setattr(atomic, "fsync_path", sync)
        with pytest.raises(ValueError, match="stop"), atomic.folder(tmp_path / "made"):
            raise ValueError("stop")
        sync(path)

    monkeypatch.setattr(atomic, "fsync_path", meanwhile)
    with atomic.folder(tmp_path / "made") as work:
        (work / "f.txt").write_text("first")
    assert (tmp_path / "made/f.txt").read_text() == "first"


HOLDER = "from pathlib import Path; from indexing import atomic; import sys, time\n"
HOLDER += "with atomic.locked(Path(sys.argv[1])) as free: print(free, flush=True); time.sleep(60)"


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with atomic.locked(tmp_path) as first, atomic.locked(tmp_path) as second:
        assert (first, second) == (True, False)
    with atomic.locked(tmp_path) as third:
        assert third


def test_folders_are_held_apart(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with atomic.locked(tmp_path) as outer, atomic.locked(tmp_path / "inner") as inner:
        assert (outer, inner) == (True, True)


def test_a_folder_is_let_go_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), atomic.locked(tmp_path):
        raise ValueError("stop")
    with atomic.locked(tmp_path) as free:
        assert free


def test_a_folder_is_held_against_other_processes_until_they_end_however_they_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with atomic.locked(tmp_path) as free:
            assert not free
        process.kill()
        process.wait()
        with atomic.locked(tmp_path) as free:
            assert free


def test_holding_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    with atomic.locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_holds_is_busy(tmp_path: Path) -> None:
    busy = "^Another process is building x; wait for it, or stop it.$"
    with atomic.hold(tmp_path, "is building x"):
        with pytest.raises(BusyError, match=busy), atomic.hold(tmp_path, "is building x"):
            pass
        with atomic.locked(tmp_path) as free:
            assert not free
    with atomic.locked(tmp_path) as free:
        assert free
