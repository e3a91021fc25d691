"""A forecast of a process of its own is heard, ended when nobody waits for it, and fails in one sentence."""

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
FOUND = Forecast(
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
    """A shell script that takes the place of Python; it gets what Python would, the folder last."""

    def put(lines: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    return put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "job"
    made.mkdir()
    return made


def test_a_forecast_comes_back_as_it_was_written(folder: Path) -> None:
    for found in (FOUND, replace(FOUND, passes=1.5)):
        atomic.write_json(folder / RESULT, asdict(found))
        assert read_forecast(folder) == found


def test_the_process_is_heard_and_its_forecast_read(folder: Path, tmp_path: Path, program: Program) -> None:
    atomic.write_json(tmp_path / "found.json", asdict(FOUND))
    go = tmp_path / "go"
    program(
        f'echo "$2 $3"; echo mine small: 7; while [ ! -e {go} ]; do sleep 0.01; done\n'
        f'nice > "$4/nice"; cp {tmp_path}/found.json "$4/{RESULT}"'
    )
    heard: list[str] = []

    def told(line: str) -> None:
        heard.append(line)
        if line == "mine small: 7":
            go.touch()

    assert forecast_apart(PLAIN, folder, told=told) == FOUND
    assert (folder / "said.txt").read_text(encoding="utf-8").splitlines() == ["training forecast", "mine small: 7"]
    assert int((folder / "nice").read_text(encoding="utf-8")) >= NICENESS
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == json.loads(json.dumps(PLAIN.as_json()))


class LeftError(Exception):
    """Nobody waits any more."""


def test_where_nobody_waits_the_process_is_ended(folder: Path, program: Program) -> None:
    program("echo $$; exec sleep 60")
    numbers: list[int] = []

    def told(line: str) -> None:
        if line:
            numbers.append(int(line))
            raise LeftError

    with pytest.raises(LeftError):
        forecast_apart(PLAIN, folder, told=told)
    with pytest.raises(ProcessLookupError):  # it isn't there, not even as a zombie
        os.kill(numbers[0], 0)
    assert not (folder / RESULT).exists()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('echo "A library warns." >&2; echo "No index small." >&2; exit 2', r"No index small\."),
        ("echo ValueError: nine >&2; exit 1", r"The forecast ended with a fault of the program \(ValueError: nine\);"),
        ("kill -9 $$", "The process that forecasts was ended by SIGKILL, perhaps for lack of memory; choose fewer"),
    ],
)
def test_a_failure_is_one_sentence(folder: Path, program: Program, lines: str, expected: str) -> None:
    program(lines)
    with pytest.raises(TrainingError, match=f"^{expected}"):
        forecast_apart(PLAIN, folder, told=lambda _: None)


def test_the_command_prints_what_it_finds_and_keeps_it(
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
    found, lines = read_forecast(folder), capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mine small: ")
    assert lines[-6:-2] == [
        "Looked at: 2 rows with 8 (query, passage) pairs, from 2 of judged small",
        "Steps: 3",
        "Pairs: 12",  # 3 steps * 1 row * 4 pairs
        "Passes: 1.5",  # 3 rows of 2
    ]
    gathering, training = found.seconds["gathering"], found.seconds["training"]
    assert lines[-2] == f"Seconds: gathering {gathering:.1f}, training {training:.1f}, evaluating 0.0"
    assert lines[-1] == f"Memory: {found.memory / 1e9:.2f} GB, {found.free / 1e9:.2f} GB are free"
    assert {path.name for path in folder.iterdir()} == {"config.json", RESULT}  # rows and weights are gone
    assert not places.models().exists()  # where the training itself will work


def test_the_command_tells_a_users_error(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["forecast", str(folder)]) == 2
    assert "job/config.json can't be read" in capsys.readouterr().err
    atomic.write_json(folder / "config.json", {**PLAIN.as_json(), "root": str(tmp_path / "none")})
    assert main(["forecast", str(folder)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_phase_is_told_when_it_begins_and_now_and_then(
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
