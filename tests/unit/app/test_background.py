"""Work in the background: it ends in one of four ways, one piece runs at a time, and the same isn't done twice."""

import threading
import time
from collections.abc import Callable

import pytest

from app.background import RESULTS_KEPT, BackgroundJob, BackgroundJobs, Subject, running_jobs, work_ahead
from indexing.errors import ModelError
from indexing.progress import PhaseProgress, Progress

LONG = 10.0  # seconds after which a test gives up


def until(holds: Callable[[], bool]) -> None:
    """Wait for something another thread does."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def finished(job: BackgroundJob[str]) -> BackgroundJob[str]:
    until(lambda: job.over)
    return job


def counted(progress: Progress) -> str:
    progress("dev", 1, 2)
    progress("dev", 1, 2)
    return "found"


class Gate:
    """Work that waits until it is let on, reporting all the while."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, progress: Progress) -> str:
        while not self.open.wait(0.002):
            progress("wait", 0, 1)
        return "through"


def test_work_that_is_done_has_its_result() -> None:
    job = finished(BackgroundJobs[str]().start("a", counted))
    assert (job.state, job.result, job.progress, job.problem) == ("done", "found", PhaseProgress("dev", 2, 2), "")


def test_work_that_leaves_something_is_done_again_once_it_is_over() -> None:
    jobs, gate = BackgroundJobs[str](), Gate()
    first = jobs.start("a", gate, again=True)
    assert jobs.start("a", counted, again=True) is first
    gate.open.set()
    assert finished(first).result == "through"
    second = finished(jobs.start("a", counted, again=True))
    assert second.result == "found"
    assert jobs.start("a", gate) is second is jobs.newest()


def test_a_fault_that_a_user_can_mend_is_a_sentence() -> None:
    def broken(progress: Progress) -> str:
        raise ModelError("Re-ranker x gave a score that isn't a finite number; choose another.")

    job = finished(BackgroundJobs[str]().start("a", broken))
    assert (job.state, job.result) == ("failed", None)
    assert job.problem == "Re-ranker x gave a score that isn't a finite number; choose another."


def test_a_fault_of_the_program_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    def broken(progress: Progress) -> str:
        raise KeyError("q7")

    job = finished(BackgroundJobs[str]().start("a", broken))
    assert job.problem == "It failed with an internal error ('q7'); the server's log has the details."
    assert "KeyError" in caplog.text


def test_work_stops_at_its_next_report_and_may_begin_anew() -> None:
    jobs, gate = BackgroundJobs[str](), Gate()
    job = jobs.start("a", gate)
    until(lambda: job.progress.phase == "wait")
    job.stop()
    assert finished(job).state == "stopped"
    assert jobs.find("a") is None
    gate.open.set()
    assert finished(jobs.start("a", gate)).result == "through"


def test_one_piece_runs_at_a_time_and_the_other_can_be_stopped_while_it_waits() -> None:
    jobs, other, gate = BackgroundJobs[str](), BackgroundJobs[str](), Gate()
    first = jobs.start("a", gate)
    until(lambda: first.state == "running")
    second, third = other.start("b", counted), other.start("c", counted)
    third.stop()
    assert finished(third).state == "stopped"
    assert (second.state, second.progress) == ("waiting", PhaseProgress())
    gate.open.set()
    assert finished(first).state == finished(second).state == "done"


def test_the_same_is_not_done_twice() -> None:
    jobs = BackgroundJobs[str]()
    done = finished(jobs.start("a", counted))
    assert jobs.start("a", counted) is done
    assert jobs.find("a") is done
    assert jobs.find("b") is None


def test_only_the_last_results_are_kept() -> None:
    jobs = BackgroundJobs[str]()
    for number in range(RESULTS_KEPT + 2):
        finished(jobs.start(number, counted))
    # each start but for its own keeps RESULTS_KEPT that are over: with RESULTS_KEPT + 1 over, the first is forgotten
    assert [number for number in range(RESULTS_KEPT + 2) if jobs.find(number)] == list(range(1, RESULTS_KEPT + 2))


def test_what_runs_is_listed_before_what_waits_and_forgotten_once_over() -> None:
    jobs, first, second = BackgroundJobs[str](), Gate(), Gate()
    held = jobs.start("a", first, Subject("the first"))
    until(lambda: held.state == "running")
    waiting = jobs.start("b", second, Subject("the second"))
    assert running_jobs() == [held, waiting]
    assert work_ahead() is held
    assert held.seconds_left is None  # nothing of it is done yet
    assert jobs.newest() is waiting
    waiting.stop()
    until(lambda: running_jobs() == [held])
    assert jobs.newest() is held
    first.open.set()
    until(lambda: running_jobs() == [])
    assert work_ahead() is None
    assert jobs.newest() is held  # whose result is kept


def test_the_time_left_follows_from_the_speed_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.background.time.monotonic", lambda: now[0])
    job = BackgroundJob[str](counted)
    job._report("dev", 0, 40)
    now[0] = 110.0
    job._report("dev", 10, 40)
    assert job.seconds_left == 30.0  # 10 of 40 in 10 s
    job._report("test", 1, 8)
    assert job.seconds_left is None  # the phase has just begun


def test_what_waits_for_another_machine_takes_no_turn() -> None:
    jobs, asking, computing = BackgroundJobs[str](), Gate(), Gate()
    asked = jobs.start("a", asking, Subject("the grading", computes=False))
    until(lambda: asked.state == "running")
    assert work_ahead() is None
    computed = jobs.start("b", computing)
    until(lambda: computed.state == "running")
    assert (asked.state, work_ahead()) == ("running", computed)
    assert finished(jobs.start("c", counted, Subject(computes=False))).result == "found"
    asking.open.set()
    computing.open.set()
    assert finished(asked).state == finished(computed).state == "done"
