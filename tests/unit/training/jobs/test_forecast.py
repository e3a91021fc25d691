"""The output of a forecast's process is read; it is killed when nobody waits for it, and it fails in one sentence."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from indexing import atomic, places
from indexing.errors import TrainingError
from indexing.jobs.folder import NICENESS
from training.__main__ import main
from training.cli.forecast import PRINTED_EVERY, PhaseLines
from training.data.settings import DataSettings
from training.jobs.forecast import RESULT, forecast_apart, read_forecast
from training.mining.settings import MiningSettings
from training.recipes.row_counts import RowCounts
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train.forecast import Forecast
from training.train.request import TrainRequest

PLAIN = TrainRequest(
    output=Path("data/models/mine/1"), recipe="listnet", data=DataSettings(sources=(Source("index", "small"),))
)
FORECAST = Forecast(
    rows=[{"query": "größer?", "passages": ["one", "two"], "labels": [1.5, 0.0]}],
    counts=RowCounts({"judged small": 1}, {"protected": 2}, rows=1, pairs=2),
    steps=3,
    pairs=6,
    passes=None,
    seconds={"gathering": 0.1, "training": 2.5},
    memory=2e9,
    free=3.5e9,
)
Program = Callable[[str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Write a shell script that is run in place of Python; it gets the same arguments, the folder last."""

    def put(lines: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    return put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def test_a_forecast_is_read_back_as_it_was_written(folder: Path) -> None:
    for written in (FORECAST, replace(FORECAST, passes=1.5)):
        atomic.write_json(folder / RESULT, asdict(written))
        assert read_forecast(folder) == written


def test_the_output_of_the_process_and_its_forecast_are_read(folder: Path, tmp_path: Path, program: Program) -> None:
    atomic.write_json(tmp_path / "result.json", asdict(FORECAST))
    go = tmp_path / "go"
    program(
        f'echo "$2 $3"; echo mine small: 7; while [ ! -e {go} ]; do sleep 0.01; done\n'
        f'nice > "$4/nice"; cp {tmp_path}/result.json "$4/{RESULT}"'
    )

    def on_output(line: str) -> None:
        if line == "mine small: 7":
            go.touch()

    assert forecast_apart(PLAIN, folder, on_output=on_output) == FORECAST
    assert (folder / "output.txt").read_text(encoding="utf-8").splitlines() == ["training forecast", "mine small: 7"]
    assert int((folder / "nice").read_text(encoding="utf-8")) >= NICENESS
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == json.loads(json.dumps(PLAIN.as_json()))


class LeftError(Exception):
    """Raised when nobody waits for the forecast any more."""


def test_the_process_is_killed_when_nobody_waits(folder: Path, program: Program) -> None:
    program("echo $$; exec sleep 60")
    numbers: list[int] = []

    def on_output(line: str) -> None:
        if line:
            numbers.append(int(line))
            raise LeftError

    with pytest.raises(LeftError):
        forecast_apart(PLAIN, folder, on_output=on_output)
    with pytest.raises(ProcessLookupError):  # it no longer exists, not even as a zombie
        os.kill(numbers[0], 0)
    assert not (folder / RESULT).exists()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('echo "A library warns." >&2; echo "No index small." >&2; exit 2', r"No index small\."),
        (
            "echo ValueError: nine >&2; exit 1",
            r"The forecast failed because of an error in the program \(ValueError: nine\); see the server's log for "
            r"details\.",
        ),
        (
            "kill -9 $$",
            "The forecast was ended by SIGKILL, perhaps for lack of memory; choose fewer rows in memory at once, or a "
            r"smaller model\.",
        ),
    ],
)
def test_a_failure_is_one_sentence(folder: Path, program: Program, lines: str, expected: str) -> None:
    program(lines)
    with pytest.raises(TrainingError, match=f"^{expected}$"):
        forecast_apart(PLAIN, folder, on_output=lambda _: None)


def test_the_command_prints_and_stores_the_forecast(
    folder: Path,
    built_root: Path,
    tiny_cross_encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(folder.parent / "home"))
    (folder.parent / "home/sample").mkdir(parents=True)  # without queries that are protected
    settings = TrainSettings(base=str(tiny_cross_encoder), steps=3, batch=1, max_length=64)
    data = DataSettings(sources=(Source("index", "small"),), mining=MiningSettings(per_query=3, relative_margin=None))
    request = TrainRequest(
        output=places.models() / "mine/1", recipe="listnet", settings=settings, data=data, root=built_root
    )
    atomic.write_json(folder / "config.json", request.as_json())
    assert main(["forecast", str(folder)]) == 0
    result, lines = read_forecast(folder), capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mine small: ")
    assert lines[-6:-2] == [
        "Looked at: 2 rows with 8 (query, passage) pairs, from 2 of judged small",
        "Steps: 3",
        "Pairs: 12",  # 3 steps * 1 row * 4 pairs
        "Passes: 1.5",  # 3 rows of 2
    ]
    gathering, training = result.seconds["gathering"], result.seconds["training"]
    assert lines[-2] == f"Seconds: gathering {gathering:.1f}, training {training:.1f}, evaluating 0.0"
    assert lines[-1] == f"Memory: {result.memory / 1e9:.2f} GB, {result.free / 1e9:.2f} GB are free"
    assert {path.name for path in folder.iterdir()} == {"config.json", RESULT}  # rows and weights are removed
    assert not places.models().exists()  # where the training itself will work


def test_the_command_reports_a_user_s_error(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["forecast", str(folder)]) == 2
    assert "job/config.json can't be read" in capsys.readouterr().err
    atomic.write_json(folder / "config.json", {**PLAIN.as_json(), "root": str(tmp_path / "none")})
    assert main(["forecast", str(folder)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_phase_is_printed_when_it_begins_and_at_intervals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    lines = PhaseLines()
    for passed in (0.0, 0.1, PRINTED_EVERY):
        now[0] += passed
        lines("mine small", 1, 7)
    lines("time a few steps", 0, 0)
    assert capsys.readouterr().out.splitlines() == ["mine small: 1 of 7", "mine small: 3 of 7", "time a few steps"]
