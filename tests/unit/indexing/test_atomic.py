"""Files and folders appear whole or not at all."""

import json
from pathlib import Path

import pytest

from indexing import atomic


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


def test_the_table_of_a_folder_has_size_and_checksum_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/f.txt").write_text("abc")
    # SHA-256 of "abc", from FIPS 180-2
    checksum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert atomic.file_table(tmp_path) == {"sub/f.txt": {"bytes": 3, "sha256": checksum}}


def test_files_that_are_as_before_have_not_changed(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    assert atomic.changed_files(tmp_path, atomic.file_table(tmp_path), full=True) == []


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = atomic.file_table(tmp_path)
    (tmp_path / "f.txt").unlink()
    assert atomic.changed_files(tmp_path, table, full=False) == ["f.txt is absent"]


def test_a_changed_size_is_told_without_reading_the_file(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = atomic.file_table(tmp_path)
    (tmp_path / "f.txt").write_text("abcd")
    assert atomic.changed_files(tmp_path, table, full=False) == ["f.txt has 4 bytes, the manifest says 3"]


@pytest.mark.parametrize(("full", "faults"), [(True, 1), (False, 0)])
def test_a_changed_byte_is_told_by_checksum_only(tmp_path: Path, full: bool, faults: int) -> None:
    (tmp_path / "f.txt").write_text("abc")
    table = atomic.file_table(tmp_path)
    (tmp_path / "f.txt").write_text("abd")
    assert len(atomic.changed_files(tmp_path, json.loads(json.dumps(table)), full=full)) == faults
