"""A training job's state is read from its folder alone, and it is stopped, killed and gone on with without a loss."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic, places
from indexing.errors import BusyError, SettingsError, TrainingError
from indexing.jobs.folder import WRITTEN_EVERY, log_end, write_status
from indexing.records import Passage, PassageId
from tests.conftest import PASSAGES
from tests.support.forks import Forks
from tests.support.versions import make_version
from training.__main__ import main
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.fitting import checkpoints
from training.fitting.callback import TrainingStep
from training.jobs.jobs import TrainingJob, next_output
from training.jobs.reporter import PrintLine, TrainingReporter, read_preview, resident
from training.jobs.run import Stopper, run_training
from training.jobs.status import FINAL, STATES, Metric, MetricsFile, TrainingStatus, read_metrics
from training.judgments.export import FEEDBACK_FILE, write_feedback
from training.judgments.feedback import FeedbackStore
from training.mining.settings import MiningSettings
from training.recipes.catalog import find_recipe
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train.request import DevSettings, TrainRequest
from training.train.workspace import hold_workspace as hold_version
from training.versions.manifest import VersionManifest

STEPS = 12
SAVE_EVERY = 5
WAIT = 120  # seconds until a process is given up; a busy machine starts slowly
DATA = DataSettings(sources=(Source("index", "small"),))
PLAIN = TrainRequest(output=Path("data/models/mine/1"), recipe="listnet", data=DATA)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, as the repository's root is when the app is started."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    (tmp_path / "data/sample").mkdir(parents=True)  # without queries that are protected
    return tmp_path


@pytest.fixture
def small(home: Path, built_root: Path, tiny_cross_encoder: Path) -> TrainRequest:
    """A few steps on the index `small`, whose train split has two queries."""
    settings = TrainSettings(base=str(tiny_cross_encoder), steps=STEPS, batch=1, max_length=64, save_every=SAVE_EVERY)
    data = DataSettings(sources=(Source("index", "small"),), mining=MiningSettings(per_query=3, relative_margin=None))
    output = home / "data/models/mine/1"
    return TrainRequest(output=output, recipe="listnet", settings=settings, data=data, root=built_root)


def made_job(request: TrainRequest, status: TrainingStatus | None = None, *, name: str = "training-1") -> Path:
    """A job's folder as it is before its process begins."""
    folder = places.jobs() / name
    folder.mkdir(parents=True)
    atomic.write_json(folder / "config.json", request.as_json())
    write_status(folder, status or TrainingStatus())
    return folder


def job_of(folder: Path) -> TrainingJob:
    job = TrainingJob.read(folder)
    assert job is not None
    return job


def do(folder: Path, *, resume: bool = False, print_line: PrintLine = lambda _: None) -> TrainingStatus:
    """Run a job in this process, as `python -m training run` does."""
    with TrainingJob.hold(folder):
        return run_training(folder, resume=resume, print_line=print_line)


@contextmanager
def when_step(folder: Path, step: int, act: Any) -> Iterator[None]:
    """While the block runs, call `act` once that step is in the chart."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.002):
            if (metrics := read_metrics(folder)) and metrics[-1].step >= step:
                act()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def losses(folder: Path) -> dict[int, float | None]:
    return {metric.step: metric.loss for metric in read_metrics(folder)}


# Configurations


def test_a_config_is_read_back_as_it_was_written() -> None:
    request = TrainRequest(
        output=Path("data/models/mine/2"),
        recipe="distill-mse",
        settings=TrainSettings(learning_rate=1e-4, minutes=2, batch=8, gradient_checkpointing=True),
        data=DataSettings(
            sources=(Source("index", "a"), Source("hub")),
            index="a",
            limit=7,
            teacher="first-stage",
            mining=MiningSettings(ranks=(2, 9), relative_margin=None, absolute_margin=0.5),
            cold=ColdStart(queries=3),
        ),
        dev=DevSettings("a", queries=5),
        protect=(Path("x.tsv"), Path("y.tsv")),
        root=Path("elsewhere"),
    )
    staged = replace(PLAIN, recipe="mine", data=DataSettings(), plan=find_recipe("judges-reranker").plan)
    assert TrainRequest.from_json(json.loads(json.dumps(staged.as_json())), place="config.json") == staged
    assert TrainRequest.from_json(json.loads(json.dumps(request.as_json())), place="config.json") == request
    assert TrainRequest.from_json(json.loads(json.dumps(PLAIN.as_json())), place="config.json") == PLAIN


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wings": 2}, "config.json has the unknown field 'wings'; its fields are data, dev, "),
        ({"output": 3}, "config.json output is 3, text is wanted"),
        ({"settings": []}, r"config.json settings is \[\], an object is wanted"),
        ({"settings": {"recipe": "listnet", "steps": "many"}}, "config.json settings steps is 'many', a whole number"),
        ({"settings": {"recipe": "listnet", "steps": True}}, "config.json settings steps is True, a whole number"),
        ({"settings": {"recipe": "listnet", "minutes": "1"}}, "config.json settings minutes is '1', a number"),
        ({"settings": {"recipe": "best"}}, "Recipe 'best' is unknown"),
        ({"settings": {}}, "config.json settings lacks 'recipe'"),
        ({"data": {"sources": "hub"}}, "config.json data sources is 'hub', a list is wanted"),
        ({"data": {"sources": [3]}}, "config.json data sources is 3, text is wanted"),
        ({"data": {"sources": ["csv:x"]}}, "'csv:x' names no training data; give hub"),
        ({"data": {"mining": {"ranks": [1, 2, 3]}}}, r"config.json data mining ranks is \[1, 2, 3\], a list of 2"),
        ({"data": {"mining": {"ranks": [9, 1]}}}, "ranks are 9 to 1; give two from 1 to 10,000, the lower one first."),
        ({"dev": {"queries": 0.5}}, "config.json dev queries is 0.5, a whole number"),
        ({"protect": [None]}, "config.json protect is None, text is wanted"),
    ],
)
def test_an_invalid_config_is_refused_with_the_field_s_path(change: dict[str, object], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        TrainRequest.from_json(json.loads(json.dumps({**PLAIN.as_json(), **change})), place="config.json")


def test_a_folder_that_is_not_a_job_is_refused_and_left_unchanged(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "other").mkdir()
    assert main(["run", str(home / "other")]) == 2
    assert "other/config.json can't be read" in capsys.readouterr().err
    (home / "other/config.json").write_text("[]", encoding="utf-8")
    assert main(["run", str(home / "other")]) == 2
    assert capsys.readouterr().err == f"{home}/other/config.json is [], an object is wanted; mend it.\n"
    assert [path.name for path in (home / "other").iterdir()] == ["config.json"]


OLD_CONFIG = """{
  "data": {
    "cold": {"depth": 60, "per_list": 8, "queries": 3000, "seed": 17},
    "index": "",
    "limit": null,
    "mining": {
      "absolute_margin": null, "max_score": null, "min_score": null, "minimum_grade": 1, "near_duplicate": 0.9,
      "per_query": 7, "ranks": [1, 100], "relative_margin": 0.05, "sampling": "mixed", "seed": 17
    },
    "sources": ["index:small"],
    "teacher": ""
  },
  "dev": {"depth": 30, "index": "small", "queries": 100, "split": "dev"},
  "output": "data/models/mine/1",
  "protect": ["held-out.tsv"],
  "root": "data/indexes",
  "settings": {
    "base": "sentence-transformers/all-MiniLM-L6-v2", "batch": null, "dropout": 0.0, "epochs": 1.0,
    "evaluate_every": 0, "gradient_checkpointing": false, "learning_rate": null, "max_length": 160,
    "micro_batch": null, "minutes": null, "patience": 0, "precision": "auto", "recipe": "listnet", "save_every": 100,
    "seed": 17, "steps": 80, "warmup": 0.1, "weight_decay": 0.01
  }
}"""
OLD_STATUS = """{
  "best_ndcg": 0.65, "current": "", "current_ndcg": null, "done": 0, "error": "", "learning_rate": 1e-05,
  "loss": 0.5, "memory": 900000000, "ndcg": 0.65, "pairs_per_second": 30.0, "phase": "", "seconds_left": 0.0,
  "started": 1760000000.0, "state": "finished", "step": 80, "steps": 80, "total": 0, "updated": 1760000100.0,
  "version": "data/models/mine/1"
}"""


def test_a_job_of_an_earlier_version_of_the_program_is_still_read(home: Path) -> None:
    folder = home / "training-20260101-120000-000000-abcd"
    folder.mkdir()
    (folder / "config.json").write_text(OLD_CONFIG, encoding="utf-8")
    (folder / "status.json").write_text(OLD_STATUS, encoding="utf-8")
    job = job_of(folder)
    assert (job.state, job.alive, job.can_resume) == ("finished", False, False)
    assert (job.status.ndcg, job.status.step, job.status.version) == (0.65, 80, "data/models/mine/1")
    assert job.request.data.mining.ranks == (1, 100)
    assert job.request.dev == DevSettings("small")
    assert job.request.protect == (Path("held-out.tsv"),)


# Whether it lives


@pytest.mark.parametrize("state", FINAL)
def test_a_final_status_decides_the_state(home: Path, state: str) -> None:
    folder = made_job(PLAIN, TrainingStatus(state=state))
    assert job_of(folder).state == state
    assert job_of(folder).can_resume == (state != "finished")
    with TrainingJob.hold(folder):  # it has yet to end
        assert job_of(folder).state == state


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINAL])
def test_a_job_is_alive_while_its_lock_is_held_and_has_crashed_once_it_is_free(home: Path, state: str) -> None:
    folder = made_job(PLAIN, TrainingStatus(state=state))
    with TrainingJob.hold(folder):
        assert job_of(folder).state == state
        assert job_of(folder).alive
        (folder / "stop").touch()
        assert job_of(folder).state == "stopping"
        assert job_of(folder).alive
    assert job_of(folder).state == "stopped"  # as it was asked to, even if it had to be ended at once
    (folder / "stop").unlink()
    assert job_of(folder).state == "crashed"
    assert not job_of(folder).alive
    assert job_of(folder).can_resume


def test_a_second_training_is_refused_and_names_the_first(home: Path) -> None:
    first, second = made_job(PLAIN, TrainingStatus(state="training")), TrainingJob.new_folder()
    with (
        TrainingJob.hold(first),
        pytest.raises(
            BusyError,
            match=r"^Training training-1 \(listnet, to make data/models/mine/1\) is running, and only one can run at a "
            r"time; wait for it, or stop it\.$",
        ),
    ):
        TrainingJob.start(PLAIN, second)
    with TrainingJob.hold(first), pytest.raises(BusyError, match="Job training-1 is already running; wait for it"):
        job_of(first).resume()
    assert [path.name for path in places.jobs().iterdir()] == ["training-1"]


def test_stop_does_not_signal_a_process_without_the_lock(home: Path) -> None:
    folder = made_job(PLAIN, TrainingStatus(state="training"))
    (folder / "lock").write_text(str(os.getpid()))  # of a process that ended long ago, and now another's number
    job_of(folder).stop()
    assert not (folder / "stop").exists()
    assert job_of(folder).state == "crashed"


def test_jobs_are_listed_newest_first_without_other_folders(home: Path) -> None:
    assert TrainingJob.all() == []
    for name in ("training-20260101", "training-20260102", "build-20260103"):
        made_job(PLAIN, name=name)
    for name, file in (("training-3", "config.json"), ("training-4", "status.json")):
        (made_job(PLAIN, name=name) / file).write_text("{", encoding="utf-8")
    write_values = {**asdict(TrainingStatus()), "state": "dreaming"}
    atomic.write_json(made_job(PLAIN, name="training-5") / "status.json", write_values)
    assert [job.name for job in TrainingJob.all()] == ["training-20260102", "training-20260101"]


def test_jobs_are_listed_in_a_shell(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = TrainingStatus(state="failed", step=3, steps=9, ndcg=0.5, error="Memory is full.", started=0.0)
    made_job(PLAIN, status)
    assert main(["jobs"]) == 0
    expected = "training-1  failed  1970-01-01T00:00  listnet  3 of 9 steps  nDCG@10 0.5000  Memory is full.\n"
    assert capsys.readouterr().out == expected


def test_the_next_output_is_neither_a_version_nor_the_output_of_a_job(home: Path) -> None:
    models = home / "data/models"
    assert next_output("mine") == models / "mine/1"
    made_job(replace(PLAIN, output=models / "mine/1"))
    (models / "mine/2").mkdir(parents=True)
    assert next_output("mine") == models / "mine/3"
    assert next_output("other") == models / "other/1"


def test_only_an_ended_job_is_forgotten_and_its_version_stays(home: Path) -> None:
    request = replace(PLAIN, output=home / "data/models/mine/1")
    folder = made_job(request, TrainingStatus(state="stopped"))
    request.work.mkdir(parents=True)
    request.output.mkdir()
    job = job_of(folder)
    with TrainingJob.hold(folder):
        job.forget()
        assert folder.is_dir()
    with TrainingJob.hold(
        made_job(request, TrainingStatus(state="training"), name="training-2")
    ):  # another one is no hindrance
        job.forget()
    job.forget()  # a second tab
    assert not folder.exists()
    assert not request.work.exists()
    assert request.output.is_dir()


def test_forgetting_a_job_leaves_rows_that_another_process_trains_on(home: Path) -> None:
    request = replace(PLAIN, output=home / "data/models/mine/1")
    folder = made_job(request, TrainingStatus(state="stopped"))
    with hold_version(request.output, resume=False):
        job_of(folder).forget()
    assert not folder.exists()
    assert request.work.is_dir()


def test_the_logs_end_is_its_last_lines(home: Path) -> None:
    assert log_end(home) == ""
    (home / "log.txt").write_bytes(b"\xff\n" * 9_000 + b"one\ntwo \xff\nthree\n\n")
    assert log_end(home, lines=3) == "one\ntwo �\nthree"


# What it says


def test_repeated_steps_replace_the_earlier_ones(home: Path) -> None:
    metrics = MetricsFile(home)
    for step in range(1, 8):
        metrics.add(Metric(step, step / 10, 1e-5, 0.5 if step == 6 else None))
    with (home / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "lo')  # the process was killed here
    assert [metric.step for metric in read_metrics(home)] == list(range(1, 8))
    again = MetricsFile(home)  # it goes on from step 5
    again.add(Metric(6, 60.0, 1e-6))
    again.add(Metric(7, None, 1e-6, 0.6))
    assert read_metrics(home) == [
        *(Metric(step, step / 10, 1e-5) for step in range(1, 6)),
        Metric(6, 60.0, 1e-6),
        Metric(7, None, 1e-6, 0.6),
    ]
    assert len((home / "metrics.jsonl").read_text().splitlines()) == 7


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(step: int, **more: Any) -> TrainingStep:
    values: dict[str, Any] = {"loss": 0.5, "learning_rate": 1e-5, "pairs_per_second": 3.0, "seconds_left": 4.0, **more}
    return TrainingStep(step=step, steps=STEPS, **values)


def test_progress_is_written_when_a_phase_begins_and_twice_a_second(home: Path) -> None:
    folder, clock, lines = made_job(PLAIN), Clock(), list[str]()
    reporter = TrainingReporter(folder, print_line=lines.append, clock=clock)
    reporter.enter("gathering")
    reporter.progress("mine small", 1, 7)
    assert (TrainingJob.read_status(folder).state, TrainingJob.read_status(folder).phase) == ("gathering", "mine small")
    clock.now += WRITTEN_EVERY - 0.1
    reporter.progress("mine small", 1, 7)
    assert TrainingJob.read_status(folder).done == 0
    clock.now += 0.1
    reporter.progress("mine small", 1, 7)
    assert (TrainingJob.read_status(folder).done, TrainingJob.read_status(folder).total) == (3, 7)
    for step in (1, 2, 3):
        clock.now += 0.3
        reporter.step(progress(step, ndcg=0.25 if step == 1 else None, best_ndcg=0.25))
    status = TrainingJob.read_status(folder)
    assert (status.state, status.step, status.steps) == ("training", 2, STEPS)  # written at 0.6 s, not at 0.9 s
    assert (status.ndcg, status.best_ndcg, status.loss) == (0.25, 0.25, 0.5)
    assert (status.pairs_per_second, status.seconds_left, status.done, status.total) == (3.0, 4.0, 0, 0)
    assert status.memory > 50e6  # this process has loaded torch
    assert abs(status.updated - time.time()) < 60
    assert list(losses(folder)) == [1, 2, 3]
    assert lines == ["gathering", "gathering: mine small"]
    reporter.step(progress(STEPS, loss=float("nan")))
    assert lines[-1] == f"step {STEPS} of {STEPS}, loss None"
    assert losses(folder)[STEPS] is None


def test_memory_is_that_of_this_process() -> None:
    before = resident()
    block = bytearray(os.urandom(1) * 50_000_000)
    assert resident() - before > 40e6
    del block


# Its end, and other ends


@pytest.mark.usefixtures("in_float32")
def test_a_stopped_and_resumed_job_ends_like_an_uninterrupted_one(small: TrainRequest) -> None:
    whole = made_job(replace(small, output=small.output.with_name("2")), name="training-0")
    assert do(whole).state == "finished"
    assert list(losses(whole)) == list(range(1, STEPS + 1))
    folder = made_job(small)
    with when_step(folder, 7, terminate):
        stopped = do(folder)
    assert stopped.state == job_of(folder).state == "stopped"
    assert not small.output.exists()
    last = checkpoints.checkpoints(small.work)[-1]
    assert 0 <= stopped.step - checkpoints.step_of(last) <= SAVE_EVERY
    with pytest.raises(TrainingError, match=r"was stopped and lies in .*; give --resume"):
        do(folder)
    assert job_of(folder).state == "stopped"
    ended = do(folder, resume=True)
    assert (ended.state, ended.version) == ("finished", str(small.output))
    assert losses(folder) == pytest.approx(losses(whole))
    weights = [(job.request.output / "model.safetensors").read_bytes() for job in TrainingJob.all()]
    assert weights[0] == weights[1]
    assert not small.work.exists()


def test_a_killed_job_has_crashed_and_resumes_from_its_last_checkpoint(small: TrainRequest, forks: Forks) -> None:
    folder = made_job(replace(small, settings=replace(small.settings, steps=150, save_every=40)))
    forks.begin("job", folder=str(folder))
    end = time.monotonic() + WAIT
    while len(read_metrics(folder)) <= 40:
        assert time.monotonic() < end, log_end(folder)
        time.sleep(0.005)
    assert job_of(folder).alive
    os.kill(int((folder / "lock").read_text()), signal.SIGKILL)
    assert forks.end().code == -signal.SIGKILL
    assert job_of(folder).state == "crashed"
    assert job_of(folder).can_resume
    assert not small.output.exists()
    assert checkpoints.checkpoints(small.work)
    assert do(folder, resume=True).state == "finished"
    assert list(losses(folder)) == list(range(1, 151))
    assert log_end(folder).startswith("gathering")


def test_the_process_of_a_started_job_holds_its_lock(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"  # in place of the interpreter
    script.write_text('#!/bin/sh\necho "$@"\nexec sleep 60\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    folder = places.jobs() / "training-1"
    TrainingJob.start(PLAIN, folder, fill=lambda work: (work / "extra").touch())
    assert (folder / "extra").is_file()
    assert job_of(folder).alive
    with pytest.raises(BusyError, match=r"Training training-1 .* is running"):
        TrainingJob.start(replace(PLAIN, output=PLAIN.output.with_name("2")), TrainingJob.new_folder())
    end = time.monotonic() + WAIT
    while not (log := log_end(folder)):
        assert time.monotonic() < end
        time.sleep(0.005)
    assert log.startswith(f"-m training run {folder} --lock ")
    os.kill(int((folder / "lock").read_text()), signal.SIGKILL)
    while (job := job_of(folder)).alive:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert job.state == "crashed"


def test_a_job_previews_its_rows_and_is_measured_beside_the_current_model(
    small: TrainRequest, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = small.output.parent.parent
    make_version(models, "old/1", tiny_cross_encoder)
    atomic.write_json(models / "promoted.json", {"promoted": "old/1"})
    settings = replace(small.settings, evaluate_every=SAVE_EVERY)
    folder = made_job(replace(small, settings=settings, dev=DevSettings("small", queries=1, depth=5)))
    told: list[str] = []
    ended = do(folder, print_line=told.append)
    served = "training: measuring the served version"
    assert told.index("training: measuring on the dev queries") == told.index(served) + 1  # not before the first step
    figures = json.loads((small.output / "manifest.json").read_text(encoding="utf-8"))["metrics"]
    assert ended.ndcg == figures["small dev"]["nDCG@10"]
    assert ended.current == "old/1"
    assert ended.current_ndcg is not None
    measured = {metric.step: metric.ndcg for metric in read_metrics(folder) if metric.ndcg is not None}
    assert list(measured) == [5, 10, STEPS]
    assert ended.best_ndcg == max(measured.values())
    preview = read_preview(folder)
    assert preview is not None
    rows, counts = preview
    assert {row["query"] for row in rows} == {"how do bees make honey", "why does bread rise"}
    assert counts.examples == {"judged small": 2}
    assert counts.rows == len(rows) == 2
    monkeypatch.setattr("training.jobs.run.open_reranker", None)  # what is known isn't scored again
    another = replace(job_of(folder).request, output=small.output.with_name("2"), settings=replace(settings, steps=1))
    told.clear()
    assert do(made_job(another, name="training-2"), print_line=told.append).current_ndcg == ended.current_ndcg
    assert served not in told
    assert any("old/1 was measured on " in line for line in told)


def test_the_served_version_is_measured_on_the_few_queries_that_the_minutes_allow(
    small: TrainRequest, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = small.output.parent.parent
    make_version(models, "old/1", tiny_cross_encoder, sign=-1.0)
    atomic.write_json(models / "promoted.json", {"promoted": "old/1"})
    settings = replace(small.settings, steps=1)
    dev = DevSettings("small", split="test", queries=2, depth=5)
    whole = do(made_job(replace(small, settings=settings, dev=dev)))  # which also keeps the served version's run
    monkeypatch.setattr("training.train.whole.LEAST_QUERIES", 1)
    monkeypatch.setattr("training.train.train.seconds_a_list", lambda *_: 60.0)
    minutes = replace(settings, minutes=0.1)
    asked = replace(small, settings=minutes, dev=dev, whole=True, output=small.output.with_name("2"))
    told: list[str] = []
    ended = do(made_job(asked, name="training-2"), print_line=told.append)
    assert any("measuring on 1 of 2 dev queries" in line for line in told)
    assert ended.current == "old/1"
    assert ended.current_ndcg != whole.current_ndcg  # of one of the two
    known = VersionManifest.load(asked.output).measured_on["small test"]
    assert known.queries == 1


def test_the_second_pass_of_a_cold_start_continues_the_first_one_s_step_count(small: TrainRequest) -> None:
    settings = TrainSettings(base=small.settings.base, steps=8, batch=2, max_length=64, save_every=2)
    data = DataSettings(sources=(Source("index", "small"),), cold=ColdStart(queries=6, per_list=4))
    folder = made_job(replace(small, recipe="cold-start", settings=settings, data=data))
    with when_step(folder, 6, terminate):
        stopped = do(folder)
    assert (stopped.state, stopped.steps) == ("stopped", 8)  # 4 of each pass
    before = losses(folder)
    ended = do(folder, resume=True)
    assert (ended.state, ended.step, ended.steps) == ("finished", 8, 8)
    assert list(losses(folder)) == list(range(1, 9))
    assert {step: losses(folder)[step] for step in range(1, 5)} == {step: before[step] for step in range(1, 5)}


def test_a_finished_job_is_not_repeated(small: TrainRequest) -> None:
    folder = made_job(small)
    do(folder)
    with pytest.raises(TrainingError, match="mine/1 is there already"):
        do(folder)
    assert job_of(folder).state == "finished"
    write_status(
        folder, replace(TrainingJob.read_status(folder), state="evaluating", ndcg=None)
    )  # killed before it could report so
    assert job_of(folder).state == "crashed"
    ended = do(folder, resume=True)
    assert (ended.state, ended.version) == ("finished", str(small.output))
    other = made_job(replace(small, settings=replace(small.settings, seed=3)), name="training-2")
    with pytest.raises(TrainingError, match="mine/1 is there already"):
        do(other, resume=True)


def test_a_failed_job_gives_the_reason_in_one_sentence(small: TrainRequest, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made_job(replace(small, data=DataSettings(sources=(Source("index", "nothing"),))))
    assert main(["run", str(folder)]) == 2
    assert job_of(folder).state == "failed"
    sentence = job_of(folder).status.error
    assert sentence.startswith("There is no index 'nothing'")
    assert capsys.readouterr().err == f"{sentence}\n"
    atomic.write_json(folder / "config.json", small.as_json())
    assert main(["run", str(folder), "--resume"]) == 0
    assert f"Re-ranker: {small.output}\n" in capsys.readouterr().out
    assert job_of(folder).status.error == ""


def test_a_job_that_diverges_fails_and_makes_no_version(
    small: TrainRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = DevSettings("small", queries=1, depth=5)
    folder = made_job(replace(small, settings=replace(small.settings, learning_rate=1e9), dev=dev))
    for more in ([], ["--resume"]):
        assert main(["run", str(folder), *more]) == 2
        status = job_of(folder).status
        assert status.state == "failed"
        assert status.error.endswith("is nan: the training has diverged; give a lower --learning-rate than 1e+09.")
        assert capsys.readouterr().err.splitlines()[-1] == status.error
    assert not small.output.exists()


def test_an_unexpected_error_is_reported_too(small: TrainRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise TypeError("a library's error")

    folder = made_job(small)
    monkeypatch.setattr("training.jobs.run.train_on", failing)
    with pytest.raises(TypeError):
        do(folder, resume=True)
    assert job_of(folder).state == "failed"
    error = job_of(folder).status.error
    assert error.startswith("An unexpected error occurred (")
    assert error.endswith("); see the end of the log.")


def test_the_first_signal_waits_for_the_step_and_the_second_does_not() -> None:
    with Stopper() as stopper:
        stopper.check()
        with pytest.raises(KeyboardInterrupt):
            terminate()
    with Stopper() as stopper:
        stopper.waits = True
        terminate()
        with pytest.raises(KeyboardInterrupt):
            stopper.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


# Grades that people gave


def test_grades_become_a_file_in_the_job_s_folder(home: Path, built_root: Path) -> None:
    store = FeedbackStore.open(home / "feedback.sqlite3", protected_share=0.0)
    for index, passage, text in (("small", "a1", PASSAGES["a1"]), ("small", "a2", "older text"), ("gone", "x", "text")):
        store.grade("bees", Passage(PassageId(passage), text), grade=2, rater="ann", index=index, build="b")
    written = write_feedback(store, home, root=built_root)
    assert (written.lines, written.changed, written.absent) == (1, 1, 1)
    assert json.loads((home / FEEDBACK_FILE).read_text(encoding="utf-8"))["passage"] == PASSAGES["a1"]


DAMAGES = {
    "config.json": ["", "{", "[]", "null", '{"output": 3}', "[" * 100_000, '{"recipe": "\\ud800"}', "1" * 5_000],
    "status.json": [
        *("", "[]", '{"state": "flying"}', '{"step": "3"}', '{"started": 1e300}', '{"updated": -1}'),
        *(
            '{"ndcg": NaN}',
            '{"memory": 1e999}',
            '{"error": "\\ud800"}',
            '{"loss": Infinity}',
            f'{{"steps": {10**400}}}',
        ),
    ],
}


@pytest.mark.parametrize(("name", "content"), [(name, content) for name in DAMAGES for content in DAMAGES[name]])
def test_a_job_that_cannot_be_read_is_told_and_the_others_are_listed(
    name: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "jobs"
    sound, hurt = (TrainingJob.new_folder(root) for _ in range(2))
    for folder in (sound, hurt):
        folder.mkdir(parents=True)
        atomic.write_json(folder / "config.json", TrainRequest(output=tmp_path / "v", recipe="bce").as_json())
        atomic.write_json(folder / "status.json", asdict(TrainingStatus(state="stopped")))
    (hurt / name).write_text(content)
    assert [job.name for job in TrainingJob.all(root)] == [sound.name]
    (sentence,) = TrainingJob.broken(root)
    assert sentence.startswith(f"Job {hurt.name}: {hurt}")
    assert name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500
    assert main(["jobs", "--jobs", str(root)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence


@pytest.mark.parametrize(
    "line", ["{", '{"step": 1e999}', '{"step": 2, "loss": 1' + "0" * 400 + ', "learning_rate": 0}']
)
def test_a_damaged_line_of_the_chart_is_left_out(line: str, tmp_path: Path) -> None:
    metric = Metric(1, 0.5, 1e-3)
    MetricsFile(tmp_path).add(metric)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(f"{line}\n")
    assert read_metrics(tmp_path) == [metric]


@pytest.mark.parametrize("content", ["", "[]", '{"rows": 3, "counts": {}}', '{"rows": [{}], "counts": {"rows": "x"}}'])
def test_a_damaged_preview_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text(content)
    assert read_preview(tmp_path) is None
