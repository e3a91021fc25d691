"""A bar counts what is done, and is left on its line even where the work fails."""

import pytest

from training.cli.bars import Bars


def test_each_phase_has_a_bar_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars("queries") as bars:
        bars.at("first stage", 4, 4)
        bars.at("re-rank", 2, 4)
    lines = capsys.readouterr().err.split("\n")
    assert [line.rsplit("\r", 1)[-1].partition(":")[0] for line in lines] == ["first stage", "re-rank", ""]
    assert "4/4" in lines[0]
    assert "2/4" in lines[1]


def test_what_is_done_since_the_last_call_is_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars("queries") as bars:
        for done in (1, 2, 1):
            bars.more("gather", done, 9)
    assert "4/9" in capsys.readouterr().err  # 1 + 2 + 1


def test_what_follows_by_the_same_name_has_a_bar_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars("steps") as bars:
        for total in (3, 2):
            for _ in range(total):
                bars.more("distill", 1, total, unit="queries")
    lines = capsys.readouterr().err.split("\n")
    assert "3/3" in lines[0]
    assert "2/2" in lines[1]
    assert "queries/s" in lines[1]


def test_an_unknown_total_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars("steps") as bars:
        bars.more("teach", 64, 0, unit="queries")
    assert "teach: 64 queries" in capsys.readouterr().err


def test_an_error_finds_the_bar_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with Bars("queries") as bars:
            bars.at("mine", 3, 4)
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        work()
    error = capsys.readouterr().err
    assert "3/4" in error
    assert error.endswith("\n")
