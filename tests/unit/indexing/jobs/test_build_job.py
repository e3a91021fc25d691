"""A job's state is read from its folder alone, and is right however its process ended."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from indexing import atomic
from indexing.bm25.settings import Bm25Settings
from indexing.corpus.fields import Fields
from indexing.errors import BusyError, SettingsError
from indexing.jobs import build_job
from indexing.jobs.build_job import BuildConfig, Job, Status, forget, jobs, read_job, stop, write_status
from indexing.jobs.build_process import RATE_OVER, Reporter
from indexing.jobs.folder import hold, log_end, signal_holder, write_holder

CONFIG = BuildConfig(name="x", corpus="data/sample")


def make_job(root: Path, status: Status, *, name: str = "build-1", config: BuildConfig = CONFIG) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    atomic.write_json(folder / "config.json", asdict(config))
    write_status(folder, status)
    return folder


def job_of(folder: Path) -> Job:
    job = read_job(folder)
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
def test_what_the_process_wrote_last_counts_when_it_is_final(tmp_path: Path, state: str) -> None:
    folder = make_job(tmp_path, Status(state))
    assert job_of(folder).state == state
    with hold(folder):  # it has yet to end
        assert job_of(folder).state == state


def test_a_job_runs_while_its_lock_is_held_and_has_crashed_when_it_is_free(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with hold(folder):
        assert job_of(folder).state == "running"
        assert job_of(folder).alive
    assert job_of(folder).state == "crashed"
    assert not job_of(folder).alive


def test_a_killed_process_has_crashed(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with process_of(folder, "true") as process:
        assert job_of(folder).state == "running"
        os.killpg(process.pid, signal.SIGKILL)
        until("crashed", folder)


def test_stop_ends_the_process_and_its_children(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with process_of(folder, "sleep 60 & true") as process:  # the child holds the lock too
        stop(folder)
        assert process.wait(10) == -signal.SIGTERM
        until("stopped", folder)


def test_a_second_stop_ends_a_process_that_goes_on(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with process_of(folder, "trap '' TERM") as process:
        stop(folder)
        assert job_of(folder).state == "stopping"
        assert process.poll() is None
        stop(folder)
        assert process.wait(10) == -signal.SIGKILL
        until("stopped", folder)


def test_stop_leaves_a_process_alone_that_holds_no_lock(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    (folder / "lock").write_text(str(os.getpid()))  # of a process that ended long ago, and now another's number
    stop(folder)
    assert not (folder / "stop").exists()
    assert job_of(folder).state == "crashed"


def test_a_signal_is_for_who_holds_the_lock_alone(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    signal_holder(folder, signal.SIGKILL)  # nobody has held it yet
    with subprocess.Popen(["sleep", "60"]) as process:  # in this process's group, as a job that a shell began
        (folder / "lock").write_text(str(process.pid))
        signal_holder(folder, signal.SIGKILL)  # nobody holds it any longer
        assert process.poll() is None
        with hold(folder) as lock:
            write_holder(lock, process.pid)
            signal_holder(folder, signal.SIGTERM)  # to the group it would end this process too
            assert process.wait(10) == -signal.SIGTERM


def test_a_lock_is_held_once_and_can_be_looked_at_meanwhile(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with hold(folder):
        assert job_of(folder).alive
        with pytest.raises(BusyError, match="Job build-1 is going on already"), hold(folder):
            pass
    with hold(folder):
        assert job_of(folder).alive


def test_a_job_of_an_index_that_is_at_work_is_not_begun_twice(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with hold(folder), pytest.raises(BusyError, match="A job of index 'x' is going on already"):
        build_job.start(CONFIG, root=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["build-1"]


def test_a_job_is_forgotten_once_it_has_ended(tmp_path: Path) -> None:
    folder = make_job(tmp_path, Status("running"))
    with hold(folder):
        forget(folder)
        assert job_of(folder).alive
    forget(folder)
    forget(folder)  # a second tab
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_listed_newest_first_and_what_is_no_build_is_not(tmp_path: Path) -> None:
    for name in ("build-20260101-000000-000000-aa", "build-20260102-000000-000000-aa", "training-1"):
        make_job(tmp_path, Status("done"), name=name)
    (tmp_path / "build-empty").mkdir()
    make_job(tmp_path, Status("done"), name="build-broken")
    (tmp_path / "build-broken/status.json").write_text("{")
    make_job(tmp_path, Status("done"), name="build-newer")
    (tmp_path / "build-newer/status.json").write_text('{"state": "done", "estimate": null, "unknown": 1}')
    make_job(tmp_path, Status("done"), name="build-evil")
    (tmp_path / "build-evil/config.json").write_text(json.dumps({"name": "../x", "corpus": "c"}))
    names = [job.folder.name for job in jobs(tmp_path)]
    assert names == ["build-20260102-000000-000000-aa", "build-20260101-000000-000000-aa"]
    assert jobs(tmp_path / "nothing") == []


def test_a_config_says_how_to_build(tmp_path: Path) -> None:
    config = BuildConfig(name="x", corpus="c", dense="sq8", bm25_preset="msmarco-dev", bi_encoder="b", text_field="t")
    assert config.settings().bm25 == Bm25Settings(k1=0.82, b=0.68)
    assert (config.settings().dense, config.settings().bi_encoder) == ("sq8", "b")
    assert config.fields() == Fields(text="t")
    assert job_of(make_job(tmp_path, Status(), config=config)).config == config


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "../x"}, r"Index name '\.\./x' must be letters"),
        ({"task": "remove"}, "task 'remove'"),
        ({"bm25_preset": "best"}, "preset 'best'"),
    ],
)
def test_a_config_that_cannot_be_is_refused(values: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        BuildConfig(**{"name": "x", "corpus": "c", **values})  # type: ignore[arg-type]  # one of them is no string


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status(done=100, total=400, rate=50), 6.0),  # (400 - 100) / 50
        (Status(done=100, total=400), None),
        (Status(done=100, rate=50), None),
        (Status(done=400, total=400, rate=50), 0.0),
    ],
)
def test_time_left_is_what_remains_at_the_rate_of_late(status: Status, expected: float | None) -> None:
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
def reporter(tmp_path: Path, clock: Clock) -> Reporter:
    found = Reporter(make_job(tmp_path, Status()), Status("running"), clock=clock)
    found.count(10_000)
    return found


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], Status]:
    return lambda: job_of(tmp_path / "build-1").status


def test_progress_is_written_when_a_phase_begins_and_twice_a_second(
    reporter: Reporter, clock: Clock, written: Callable[[], Status]
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


def test_the_rate_is_that_of_the_last_seconds(reporter: Reporter, clock: Clock) -> None:
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
