"""What a long command computed is kept item by item, whatever stops it."""

import os
from pathlib import Path

import pytest

from indexing.errors import BusyError, CorpusError, SettingsError
from search.journal import open_journal

IDENTITY = {"index": "small", "depth": 100}
DOING = "writes a run"


def fill(path: Path, *keys: str, identity: dict[str, object] | None = None) -> None:
    with open_journal(path, identity or IDENTITY, doing=DOING) as journal:
        for key in keys:
            journal.add(key, [key, 0.1])


def test_items_are_there_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.partial"
    fill(path, "1", "zwei", "\udce9")  # the last stands for a byte that isn't UTF-8
    with open_journal(path, IDENTITY, doing=DOING) as journal:
        assert journal.kept == ("1", "zwei", "\udce9")
        journal.add("4", None)
        assert list(journal.items()) == [
            ("1", ["1", 0.1]),
            ("zwei", ["zwei", 0.1]),
            ("\udce9", ["\udce9", 0.1]),
            ("4", None),
        ]
        journal.remove()
    assert not path.exists()


def test_a_line_cut_anywhere_is_dropped_and_what_stands_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    fill(path, "1", "2")
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        with open_journal(path, IDENTITY, doing=DOING) as journal:
            items = max(sum(end <= size for end in ends) - 1, 0)
            assert journal.kept == ("1", "2")[:items]
            journal.add("3", 3)
            assert [key for key, _ in journal.items()] == [*journal.kept, "3"]


def test_a_damaged_line_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    fill(path, "1", "2", "3")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"2"', b'"7"', 1)
    path.write_bytes(b"".join(lines))
    with open_journal(path, IDENTITY, doing=DOING) as journal:
        assert journal.kept == ("1",)


def test_one_that_was_begun_otherwise_is_refused_with_what_differs_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    fill(path, "1")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=r"keeps 1 query of a run that was stopped .*\(depth 100, now 10\)"):
        fill(path, identity={"index": "small", "depth": 10})
    assert path.read_bytes() == before


def test_one_without_an_item_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    fill(path)
    fill(path, "1", identity={"index": "other"})
    with open_journal(path, {"index": "other"}, doing=DOING) as journal:
        assert journal.kept == ("1",)


@pytest.mark.parametrize("content", ["my notes\n", "my notes", "1 Q0 a 1 0.5 tag\n", "\0" * 100])
def test_a_file_of_someone_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.partial"
    path.write_text(content)
    with pytest.raises(SettingsError, match="isn't a file of this program"):
        fill(path, "1")
    assert path.read_text() == content


def test_two_processes_cant_write_one(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    with (
        open_journal(path, IDENTITY, doing=DOING),
        pytest.raises(BusyError, match="Another process writes a run"),
        open_journal(path, IDENTITY, doing=DOING),
    ):
        pass


def test_a_place_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CorpusError, match=r"file/run\.partial can't be written"):
        fill(tmp_path / "file" / "run.partial")


def test_a_full_disk_leaves_whole_items(tmp_path: Path) -> None:
    path = tmp_path / "run.partial"
    with open_journal(path, IDENTITY, doing=DOING) as journal:
        journal.add("1", 1)
        full = os.open("/dev/full", os.O_WRONLY)
        kept = os.dup(journal._file.fileno())
        os.dup2(full, journal._file.fileno())
        with pytest.raises(CorpusError, match=r"can't be written \(No space left on device\); make room"):
            journal.add("2", 2)
        os.dup2(kept, journal._file.fileno())
        os.close(full)
        os.close(kept)
    with open_journal(path, IDENTITY, doing=DOING) as journal:
        assert journal.kept == ("1",)
