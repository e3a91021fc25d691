"""Logs that a user sends: read under the user's names, refused where they are too large, and gone afterwards."""

import gzip
import io
from pathlib import Path

import pytest

from indexing.errors import CorpusError, SettingsError
from training.judgments.clicks.log import read_log
from training.judgments.clicks.received import logs, logs_here
from training.judgments.received import SentFile, received

LINE = b'{"query_id": "1", "user_query": "wax", "query_response_object_ids": ["a1"]}\n'


def sent(name: str, content: bytes) -> SentFile:
    return SentFile(name, io.BytesIO(content))


def test_files_of_one_name_are_read_under_it_and_gone_afterwards() -> None:
    files = [sent("log.jsonl", LINE), sent("log.jsonl", gzip.compress(LINE.replace(b'"1"', b'"2"')))]
    for _ in range(2):  # the same files can be read again
        with received(files, logs(), limit=1) as log:
            assert read_log(log.paths).texts == {"1": "wax", "2": "wax"}
            assert log.named(f"{log.paths[1]}: read.") == "log.jsonl: read."
        assert not any(path.exists() for path in log.paths)


def test_a_fault_names_the_file_as_the_user_does() -> None:
    with (
        pytest.raises(CorpusError, match=r"^events\.jsonl:2: no JSON that can be read"),
        received([sent("events.jsonl", LINE + b"{")], logs(), limit=1) as log,
    ):
        read_log(log.paths)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b" " * 3_000_000, "log.jsonl has more than 2 MB, which is the most for an upload"),
        (gzip.compress(b" " * 22_000_000), "log.jsonl unpacks to more than 20 MB"),
        (gzip.compress(LINE * 100)[:-9], "log.jsonl can't be unpacked"),
    ],
)
def test_what_is_too_large_or_broken_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(CorpusError, match=words), received([sent("log.jsonl", content)], logs(), limit=2):
        pytest.fail("it was received")


@pytest.mark.parametrize("name", ["../log.jsonl", "a/log.jsonl", "log.csv", "", "\0.json"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="isn't taken"), received([sent(name, LINE)], logs(), limit=1):
        pytest.fail("it was received")


def test_logs_on_the_server_are_those_of_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    assert logs_here() == []
    folder = tmp_path / "click-logs"
    folder.mkdir()
    (folder / "b.jsonl").write_bytes(LINE)
    (folder / "notes.txt").write_bytes(LINE)
    (tmp_path / "secret.jsonl").write_bytes(LINE)
    (folder / "a.jsonl").symlink_to(tmp_path / "secret.jsonl")
    assert logs_here() == [folder / "b.jsonl"]
