"""A job's state is read from its folder alone, and is right however its process ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from indexing import atomic
from indexing.__main__ import main
from indexing.bm25.settings import Bm25Settings
from indexing.corpus.fields import Fields
from indexing.errors import BusyError, SettingsError
from indexing.jobs.build_job import BuildJob, BuildRequest, BuildStatus
from indexing.jobs.folder import hold, log_end, signal_holder, write_holder, write_status
from indexing.jobs.run import RATE_OVER, BuildReporter

REQUEST = BuildRequest(name="x", corpus="data/sample")


def make_job(root: Path, status: BuildStatus, *, name: str = "build-1", request: BuildRequest = REQUEST) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    atomic.write_json(folder / "config.json", asdict(request))
    write_status(folder, status)
    return folder


def job_of(folder: Path) -> BuildJob:
    job = BuildJob.read(folder)
    assert job is not None
    return job


@contextmanager
def process_of(folder: Path, script: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that holds a job's lock, as a build's does; it says one line when it is ready."""
    with hold(folder) as lock:
        process = subprocess.Popen(
            ["sh", "-c", f"{script}; echo ready; sleep 60"],
            pass_fds=(lock.fileno(),),
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        write_holder(lock, process.pid)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(state: str, folder: Path) -> None:
    end = time.monotonic() + 10
    while job_of(folder).state != state:
        assert time.monotonic() < end, job_of(folder)
        time.sleep(0.01)


@pytest.mark.parametrize("state", ["done", "failed", "stopped"])
def test_a_final_status_decides_the_state(tmp_path: Path, state: str) -> None:
    folder = make_job(tmp_path, BuildStatus(state=state))
    assert job_of(folder).state == state
    with hold(folder):  # it has yet to end
        assert job_of(folder).state == state


def test_a_job_is_running_while_its_lock_is_held_and_has_crashed_once_it_is_free(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with hold(folder):
        assert job_of(folder).state == "running"
        assert job_of(folder).alive
    assert job_of(folder).state == "crashed"
    assert not job_of(folder).alive


def test_a_killed_process_has_crashed(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with process_of(folder, "true") as process:
        assert job_of(folder).state == "running"
        os.killpg(process.pid, signal.SIGKILL)
        until("crashed", folder)


def test_stop_ends_the_process_and_its_children(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with process_of(folder, "sleep 60 & true") as process:  # the child holds the lock too
        job_of(folder).stop()
        assert process.wait(10) == -signal.SIGTERM
        until("stopped", folder)


def test_a_second_stop_kills_a_process_that_ignores_the_first(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with process_of(folder, "trap '' TERM") as process:
        job_of(folder).stop()
        assert job_of(folder).state == "stopping"
        assert process.poll() is None
        job_of(folder).stop()
        assert process.wait(10) == -signal.SIGKILL
        until("stopped", folder)


def test_stop_does_not_signal_a_process_without_the_lock(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    (folder / "lock").write_text(str(os.getpid()))  # of a process that ended long ago, and now another's number
    job_of(folder).stop()
    assert not (folder / "stop").exists()
    assert job_of(folder).state == "crashed"


def test_a_signal_goes_only_to_the_holder_of_the_lock(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    signal_holder(folder, signal.SIGKILL, children=True)  # nobody has held it yet
    with subprocess.Popen(["sleep", "60"]) as process:  # in this process's group, as a job that a shell began
        (folder / "lock").write_text(str(process.pid))
        signal_holder(folder, signal.SIGKILL, children=True)  # nobody holds it any longer
        assert process.poll() is None
        with hold(folder) as lock:
            write_holder(lock, process.pid)
            signal_holder(folder, signal.SIGTERM, children=True)  # to the group it would end this process too
            assert process.wait(10) == -signal.SIGTERM


def test_a_held_lock_can_be_checked_but_not_taken(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with hold(folder):
        assert job_of(folder).alive
        with pytest.raises(BusyError, match="Job build-1 is already running; wait for it, or stop it"), hold(folder):
            pass
    with hold(folder):
        assert job_of(folder).alive


def test_a_second_job_of_an_index_is_refused_while_one_is_running(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    with (
        hold(folder),
        pytest.raises(BusyError, match=r"^A job for index 'x' is already running; wait for it, or stop it\.$"),
    ):
        BuildJob.start(REQUEST, BuildJob.new_folder(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["build-1"]


def test_only_an_ended_job_is_forgotten(tmp_path: Path) -> None:
    folder = make_job(tmp_path, BuildStatus(state="running"))
    job = job_of(folder)
    with hold(folder):
        job.forget()
        assert job_of(folder).alive
    job.forget()
    job.forget()  # a second tab
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_listed_newest_first_without_other_folders(tmp_path: Path) -> None:
    for name in ("build-20260101-000000-000000-aa", "build-20260102-000000-000000-aa", "training-1"):
        make_job(tmp_path, BuildStatus(state="done"), name=name)
    (tmp_path / "build-empty").mkdir()
    make_job(tmp_path, BuildStatus(state="done"), name="build-broken")
    (tmp_path / "build-broken/status.json").write_text("{")
    make_job(tmp_path, BuildStatus(state="done"), name="build-newer")
    (tmp_path / "build-newer/status.json").write_text('{"state": "done", "estimate": null, "unknown": 1}')
    make_job(tmp_path, BuildStatus(state="done"), name="build-evil")
    (tmp_path / "build-evil/config.json").write_text(json.dumps({"name": "../x", "corpus": "c"}))
    names = [job.folder.name for job in BuildJob.all(tmp_path)]
    assert names == ["build-20260102-000000-000000-aa", "build-20260101-000000-000000-aa"]
    assert BuildJob.all(tmp_path / "nothing") == []


OLD_CONFIG = """{
  "bi_encoder": "b", "bm25_preset": "msmarco-dev", "corpus": "data/sample", "dense": "auto", "id_field": "",
  "name": "sample", "root": "data/indexes", "skip_bad_lines": true, "task": "estimate", "text_field": "body",
  "title_field": ""
}"""
OLD_STATUS = """{
  "done": 12, "estimate": {"disk": {"bm25": 1e6}, "kind": "Flat", "memory": {"encode": 4e8}, "passages": 2000,
    "reason": "it is small", "sampled": 1000, "seconds": {"encode": 30}},
  "phase": "", "rate": 0.0, "sentence": "", "started": 1760000000.0, "state": "done", "total": 2000
}"""


def test_a_job_of_an_earlier_version_of_the_program_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(OLD_CONFIG, encoding="utf-8")
    (tmp_path / "status.json").write_text(OLD_STATUS, encoding="utf-8")
    job = job_of(tmp_path)
    assert (job.state, job.alive) == ("done", False)
    assert job.request == BuildRequest(
        name="sample",
        corpus="data/sample",
        root="data/indexes",
        task="estimate",
        bm25_preset="msmarco-dev",
        bi_encoder="b",
        skip_bad_lines=True,
        text_field="body",
    )
    assert job.status.estimate is not None
    assert (job.status.estimate.passages, job.status.estimate.disk) == (2000, {"bm25": 1e6})


def test_the_process_of_a_started_job_holds_its_lock_and_runs_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"  # in place of the interpreter
    script.write_text('#!/bin/sh\necho "$@"\nexec sleep 60\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    ended = make_job(tmp_path / "jobs", BuildStatus(state="failed"))
    job = BuildJob.start(REQUEST, BuildJob.new_folder(tmp_path / "jobs"))
    try:
        assert not ended.exists()  # of the same index
        assert job_of(job.folder).state == "running"
        end = time.monotonic() + 10
        while not (log := log_end(job.folder)):
            assert time.monotonic() < end
            time.sleep(0.005)
        assert log.startswith(f"-m indexing run {job.folder} --lock ")
        with pytest.raises(BusyError, match="A job for index 'x' is already running"):
            BuildJob.start(REQUEST, BuildJob.new_folder(tmp_path / "jobs"))
    finally:
        os.kill(int((job.folder / "lock").read_text()), signal.SIGKILL)
    until("crashed", job.folder)


def test_the_command_refuses_a_folder_that_is_not_a_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path)]) == 2
    assert f"{tmp_path}/config.json can't be read" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_failed_build_is_reported_in_its_status_and_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    request = BuildRequest(name="x", corpus=str(tmp_path / "none"), root=str(tmp_path / "indexes"))
    folder = make_job(tmp_path, BuildStatus(), request=request)
    assert main(["run", str(folder)]) == 2
    status = job_of(folder).status
    assert status.state == "failed"
    assert str(tmp_path / "none") in status.sentence
    assert f"failed: {status.sentence}" in capfd.readouterr().err


def test_a_config_holds_the_settings_of_the_build(tmp_path: Path) -> None:
    request = BuildRequest(name="x", corpus="c", dense="sq8", bm25_preset="msmarco-dev", bi_encoder="b", text_field="t")
    assert request.settings().bm25 == Bm25Settings(k1=0.82, b=0.68)
    assert (request.settings().dense, request.settings().bi_encoder) == ("sq8", "b")
    assert request.fields() == Fields(text="t")
    assert job_of(make_job(tmp_path, BuildStatus(), request=request)).request == request


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "../x"}, r"Index name '\.\./x' must be letters"),
        (
            {"task": "remove"},
            "^A job has the task 'remove' and the BM25 preset 'trec-dl'; give one of the tasks build, estimate and one "
            "of the presets msmarco-dev, trec-dl",
        ),
        ({"bm25_preset": "best"}, "^A job has the task 'build' and the BM25 preset 'best'; give "),
    ],
)
def test_an_invalid_config_is_refused(values: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        BuildRequest(**{"name": "x", "corpus": "c", **values})  # type: ignore[arg-type]  # one of them is no string


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (BuildStatus(done=100, total=400, rate=50), 6.0),  # (400 - 100) / 50
        (BuildStatus(done=100, total=400), None),
        (BuildStatus(done=100, rate=50), None),
        (BuildStatus(done=400, total=400, rate=50), 0.0),
    ],
)
def test_time_left_is_the_rest_at_the_recent_rate(status: BuildStatus, expected: float | None) -> None:
    assert status.seconds_left == expected


def test_the_logs_end_is_its_last_lines(tmp_path: Path) -> None:
    assert log_end(tmp_path) == ""
    (tmp_path / "log.txt").write_bytes(b"\xff\n" * 9_000 + b"one\ntwo \xff\nthree\n\n")
    assert log_end(tmp_path, lines=3) == "one\ntwo �\nthree"


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(tmp_path: Path, clock: Clock) -> BuildReporter:
    build_reporter = BuildReporter(make_job(tmp_path, BuildStatus()), BuildStatus(state="running"), clock=clock)
    build_reporter.expect(10_000)
    return build_reporter


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], BuildStatus]:
    return lambda: job_of(tmp_path / "build-1").status


def test_progress_is_written_when_a_phase_begins_and_twice_a_second(
    reporter: BuildReporter, clock: Clock, written: Callable[[], BuildStatus]
) -> None:
    reporter("read", 5_000, 0)
    assert (written().phase, written().done, written().total) == ("", 0, 10_000)
    reporter("encode", 100, 0)
    assert (written().phase, written().done, written().rate) == ("encode", 100, 0.0)
    clock.now += 0.4
    reporter("encode", 100, 0)
    assert written().done == 100
    clock.now += 0.1
    reporter("encode", 100, 0)
    assert written().done == 300
    assert written().rate == pytest.approx(200 / 0.5)  # 200 passages since the first report
    reporter("bm25", 10_000, 0)
    assert (written().phase, written().done, written().rate) == ("bm25", 10_000, 0.0)


def test_the_rate_covers_the_last_seconds(reporter: BuildReporter, clock: Clock) -> None:
    reporter("encode", 1_000, 0)
    for _ in range(40):
        clock.now += 1
        reporter("encode", 10, 0)
    assert reporter.status.rate == pytest.approx(10)
    for _ in range(int(RATE_OVER)):
        clock.now += 1
        reporter("encode", 30, 0)
    assert reporter.status.rate == pytest.approx(30)
    assert reporter.status.seconds_left == pytest.approx((10_000 - 1_000 - 40 * 10 - 20 * 30) / 30)
