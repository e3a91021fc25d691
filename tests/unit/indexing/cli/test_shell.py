"""Every program ends an error as one sentence, shows the traceback behind it on request, and reads old spellings."""

import argparse
import logging
from collections.abc import Callable

import pytest

from indexing.cli import shell
from indexing.errors import SettingsError

Captured = pytest.CaptureFixture[str]


def program(action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    """A program with one command, `go`, that does this."""
    root = argparse.ArgumentParser(prog="program")
    go = root.add_subparsers(required=True).add_parser("go")
    go.add_argument("--rerank-depth", type=int, default=50)
    shell.add_old_spelling(go, "--rerank-k", new="--rerank-depth", type=int)
    shell.add_verbose(root, go)
    go.set_defaults(run=action)
    return root


def raising(error: BaseException) -> argparse.ArgumentParser:
    def fail(_: argparse.Namespace) -> int:
        raise error

    return program(fail)


def test_the_status_is_the_commands() -> None:
    assert shell.run(program(lambda _: 7), ["go"]) == 7


def test_an_error_of_ours_is_its_sentence_and_nothing_else(capsys: Captured) -> None:
    assert shell.run(raising(SettingsError("depth is 0; give 1.")), ["go", "-v"]) == 2
    assert capsys.readouterr() == ("", "depth is 0; give 1.\n")


def test_a_traceback_comes_before_the_sentence_with_vv(capsys: Captured) -> None:
    assert shell.run(raising(SettingsError("depth is 0; give 1.")), ["go", "-vv"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "depth is 0; give 1."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(30, "Read-only file system", "data/runs"),
            "data/runs: Read-only file system. Check that the path exists and that you may read and write there.",
        ),
        (OSError(28, "No space left on device"), "The system refused: No space left on device."),
        (OSError("a library's own words"), "a library's own words"),
    ],
)
def test_an_error_of_the_system_names_its_file(error: OSError, expected: str, capsys: Captured) -> None:
    assert shell.run(raising(error), ["go"]) == 2
    assert capsys.readouterr().err == f"{expected}\n"


def test_ctrl_c_prints_what_was_left_and_ends_with_130(capsys: Captured) -> None:
    assert shell.run(raising(KeyboardInterrupt()), ["go"], stopped="Stopped; nothing was written.") == 130
    assert capsys.readouterr().err == "Stopped; nothing was written.\n"


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        (["go"], logging.WARNING),
        (["-v", "go"], logging.INFO),
        (["go", "--verbose"], logging.INFO),
        (["go", "-vv"], logging.DEBUG),
        (["-vv", "go"], logging.DEBUG),
        (["go", "-vvv"], logging.DEBUG),
    ],
)
def test_v_counts_before_and_after_the_command(arguments: list[str], level: int) -> None:
    assert shell.run(program(lambda _: 0), arguments) == 0
    assert {logging.getLogger(room).level for room in shell.ROOMS} == {level}
    shell.set_up_logging(logging.WARNING)


@pytest.mark.parametrize(
    ("arguments", "depth", "note"),
    [
        ([], 50, ""),
        (["--rerank-depth", "20"], 20, ""),
        (
            ["--rerank-k", "20"],
            20,
            "--rerank-k is now called --rerank-depth; the old name will go in a later version.\n",
        ),
    ],
)
def test_an_old_spelling_works_and_names_the_new_one(
    arguments: list[str], depth: int, note: str, capsys: Captured
) -> None:
    assert shell.run(program(lambda options: int(options.rerank_depth)), ["go", *arguments]) == depth
    assert capsys.readouterr().err == note
