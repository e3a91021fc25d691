"""judgments clicks from the shell: the table that the least views are chosen by, and files only where asked for."""

import json
from pathlib import Path

import pytest

from tests.unit.training.judgments.clicks.logs import swapped, write_log
from training.__main__ import main


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "log.jsonl", *swapped("wax", "a1", "a4"))


def test_counts_are_printed_and_nothing_is_written(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judgments", "clicks", str(log), "--views", "15"]) == 0
    printed = capsys.readouterr().out
    assert "20 searches of 1 query: 12 clicks on 40 views (impressions) on the first 20 places" in printed
    assert "    1       20        8          0.400" in printed
    assert "         15          2        1  <- --views" in printed
    assert "         20          2        1\n         50          0        0" in printed
    assert "2 judgments from clicks, with 15 views and 1 expected clicks or more: 0 of grade 0, 1 of grade 1" in printed
    assert [path.name for path in log.parent.iterdir()] == ["log.jsonl"]


def test_files_are_written_and_the_next_command_is_named(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert main(["judgments", "clicks", str(log), "--output", str(output), "--bounds", "1", "2", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["grades"] == {"0": 1, "1": 1, "2": 0, "3": 0}
    assert (output / "qrels.clicks.tsv").is_file()
    assert main(["judgments", "clicks", str(log), "--output", str(output)]) == 2
    assert "exists already; give another --output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--views", "0"], "--views is 0; give a whole number, 1 or more."),
        (["--bounds", "2", "1", "3"], "bounds are 2, 1, 3; give 3 numbers above 0 that rise, for grades 1, 2 and 3."),
        (["--queries", "q.tsv"], "--queries names what --output writes; give --output too, or leave --queries out."),
    ],
)
def test_options_are_checked_in_one_sentence(
    log: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    assert main(["judgments", "clicks", str(log), *more]) == 2
    assert told in capsys.readouterr().err
