"""Bars on a terminal, lines in a log: both count what was reported, and stay when the work ends."""

import io
import re

import pytest

from indexing.progress import LINE_EVERY, Bars, PhaseProgress, relabel, span
from tests.support.fakes import Reports


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def rows(self) -> list[str]:
        """What each line shows in the end: the cursor moves down, up, and back to the beginning of a line."""
        lines, row = [""], 0
        for part in re.findall(r"\n|\r|\x1b\[A|[^\n\r\x1b]+", self.getvalue()):
            if part in ("\n", "\x1b[A"):
                row += 1 if part == "\n" else -1
                lines += [""] * (row + 1 - len(lines))
            elif part != "\r":
                lines[row] = part.strip()
        return lines


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def test_each_phase_has_a_bar_of_its_own_with_rate_and_time_left(terminal: Terminal) -> None:
    with Bars("queries", stream=terminal) as bars:
        for _ in range(4):
            bars("first stage", 1, 4)
        bars("re-rank", 2, 4)
    first, second, rest = terminal.rows
    assert first.startswith("first stage: 100%")
    assert "4/4 [" in first
    assert second.startswith("re-rank:  50%")
    assert "2/4 [" in second
    assert "queries/s" in second
    assert rest == ""


def test_phases_that_take_turns_keep_their_bars(terminal: Terminal) -> None:
    with Bars("passages", total=6, stream=terminal) as bars:
        for _ in range(2):
            bars("read", 3, 0)
            bars("encode", 1, 0)
            bars("encode", 2, 0)
    assert [row.partition(":")[0] for row in terminal.rows] == ["read", "encode", ""]
    assert all("6/6" in row for row in terminal.rows[:2])


def test_a_phase_that_comes_again_has_a_new_bar(terminal: Terminal) -> None:
    with Bars("queries", stream=terminal) as bars:
        for total in (3, 2, 2):
            for _ in range(total):
                bars("distill", 1, total)
    assert [row.partition(" [")[0].rpartition(" ")[2] for row in terminal.rows] == ["3/3", "2/2", "2/2", ""]


def test_an_unknown_total_is_left_out(terminal: Terminal) -> None:
    with Bars("queries", stream=terminal) as bars:
        bars("teach", 64, 0)
    assert terminal.rows[0].startswith("teach: 64 queries [")


def test_a_bar_is_left_on_its_line_when_the_work_fails(terminal: Terminal) -> None:
    def work() -> None:
        with Bars("queries", stream=terminal) as bars:
            bars("mine", 3, 4)
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        work()
    assert "3/4" in terminal.rows[0]
    assert terminal.getvalue().endswith("\n")


def test_steps_are_shown_by_their_position_with_a_note(terminal: Terminal) -> None:
    with Bars("queries", stream=terminal) as bars:
        for step in (5, 6):  # of a training that was resumed
            bars.show("train", step, 8, unit="steps", note="loss 0.5")
    assert "6/8" in terminal.rows[0]
    assert "steps/s" in terminal.rows[0]
    assert "loss 0.5" in terminal.rows[0]


def test_a_log_has_a_line_every_few_seconds_and_one_at_the_end(log: io.StringIO) -> None:
    clock = Clock()
    with Bars("passages", stream=log, clock=clock) as bars:
        for second in range(12):
            clock.now = float(second)
            bars("encode", 100, 2_000)
        clock.now = 12.0
    assert log.getvalue().split("\n") == [
        # 100 passages were done at once, and 100 a second from there on
        "encode: 600 of 2,000 passages, 120.0 passages/s, 12 s left",
        "encode: 1,100 of 2,000 passages, 110.0 passages/s, 8 s left",
        "encode: 1,200 of 2,000 passages in 12 s",
        "",
    ]
    assert LINE_EVERY == 5.0


def test_a_log_says_what_is_known_where_the_total_is_not(log: io.StringIO) -> None:
    clock = Clock()
    with Bars("bytes", stream=log, clock=clock) as bars:
        bars("verify", 2_000_000, 0)
        clock.now = 5.0
        bars("verify", 8_000_000, 0)
    assert log.getvalue() == "verify: 10.0 MB, 2.0 MB/s\nverify: 10.0 MB in 5 s\n"


def test_a_log_counts_the_rate_of_a_resumed_training_from_where_it_resumed(log: io.StringIO) -> None:
    clock = Clock()
    with Bars("queries", stream=log, clock=clock) as bars:
        for step in range(101, 106):
            bars.show("train", step, 200, unit="steps", note="loss 0.5")
            clock.now += 2
    assert log.getvalue() == (
        "train: 104 of 200 steps, 0.7 steps/s, 2 min left, loss 0.5\n"  # 4 steps in 6 s; 96 are left
        "train: 105 of 200 steps in 10 s, loss 0.5\n"
    )


def test_a_phase_begins_when_its_name_or_total_is_new_or_the_last_one_is_full() -> None:
    progress = PhaseProgress()
    for report in (("dev", 1, 2), ("dev", 1, 2)):
        progress = progress.add(*report)
    assert progress == PhaseProgress("dev", 2, 2)
    assert progress.add("dev", 1, 2) == PhaseProgress("dev", 1, 2)
    assert PhaseProgress("dev", 1, 2).add("dev", 1, 5) == PhaseProgress("dev", 1, 5)
    assert PhaseProgress("dev", 1, 2).add("test", 1, 2) == PhaseProgress("test", 1, 2)
    assert PhaseProgress("dev", 7, 0).add("dev", 3, 0) == PhaseProgress("dev", 10, 0)


def test_reports_pass_on_under_another_phase_and_total() -> None:
    reports = Reports()
    relabel(reports, "compare", total=6)("re-rank", 1, 3)
    relabel(reports, "mine small")("mine", 2, 4)
    assert reports.rows == [("compare", 1, 6), ("mine small", 2, 4)]


@pytest.mark.parametrize(("seconds", "words"), [(4.4, "4 s"), (90, "2 min"), (7_199, "120 min"), (9_000, "2.5 h")])
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words
