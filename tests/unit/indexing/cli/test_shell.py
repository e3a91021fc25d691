"""Every program ends an error as one sentence, shows the traceback behind it on request, and reads old spellings."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexing.cli import shell
from indexing.errors import SettingsError
from indexing.verification import verifications

Captured = pytest.CaptureFixture[str]


def program(action: Callable[[argparse.Namespace], int]) -> shell.Parser:
    """A program with one command, `go`, that does this."""
    root = shell.Parser(prog="program")
    go = root.add_subparsers(required=True).add_parser("go")
    go.add_argument("--rerank-depth", type=int, default=50)
    shell.add_old_spelling(go, "--rerank-k", new="--rerank-depth", type=int)
    shell.add_verbose(root, go)
    go.set_defaults(run=action)
    return root


def raising(error: BaseException) -> shell.Parser:
    def fail(_: argparse.Namespace) -> int:
        raise error

    return program(fail)


def test_the_status_is_the_commands() -> None:
    assert shell.run(program(lambda _: 7), ["go"]) == 7


def test_a_command_that_ends_before_the_bytes_are_checked_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(verifications, "unfinished", lambda: [Path("data/indexes/large/20260101-000000")])
    assert shell.run(program(lambda _: 0), ["go"]) == 0
    assert capsys.readouterr() == (
        "",
        "The command was done before all bytes of index large were checked; to check them: "
        "python -m indexing verify large\n",
    )


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rerank-dpth", "5"], "There is no option '--rerank-dpth', the nearest is --rerank-depth;"),
        (["extra"], "'extra' is one argument too many;"),
        (["--rerank-depth", "many"], "--rerank-depth: invalid int value: 'many';"),
        (["--rerank-depth"], "--rerank-depth: expected one argument;"),
        (["--rer=\x1b[31m"], "ambiguous option: --rer=\\x1b[31m could match --rerank-depth, --rerank-k;"),
    ],
)
def test_a_command_line_is_refused_in_one_sentence(arguments: list[str], sentence: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        shell.run(program(lambda _: 0), ["go", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", f"{sentence} program go --help lists what there is.\n")


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("caf\udce9", "Argument 2, 'caf\\udce9', isn't UTF-8 text; rename what it names."),
        ("a\0b", "Argument 2, 'a\\0b', holds a NUL character; leave it out."),
        ("x" * 1_000_000, f"Argument 2, '{'x' * 60}…', has 1,000,000 characters; give at most 4,096."),
    ],
)
def test_an_argument_that_is_no_text_is_refused(argument: str, sentence: str, capsys: Captured) -> None:
    assert shell.run(program(lambda _: 0), ["go", argument]) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


def test_sigterm_ends_a_command_as_ctrl_c_does(capsys: Captured) -> None:
    def wait(_: argparse.Namespace) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        return 0

    assert shell.run(program(wait), ["go"], stopped="Stopped; nothing was written.") == 130
    assert capsys.readouterr().err == "Stopped; nothing was written.\n"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        ("", 0, "done"),
        (">&-", 0, ""),
        (">/dev/full", 2, "The system refused: No space left on device."),
        ("<&-", 0, "done"),
    ],
)
def test_closed_and_full_streams_give_no_traceback(redirection: str, status: int, said: str) -> None:
    code = (
        "import argparse, sys; from indexing.cli import shell; parser = shell.Parser(); "
        "parser.set_defaults(run=lambda options: print('done') or 0); sys.exit(shell.run(parser, []))"
    )
    ended = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status
    assert (ended.stdout + ended.stderr).strip() == said


COLOURED = "\x1b[31mred\x1b]0;title\x07\x9b2J\ttab"
SPELLED = r"\x1b[31mred\x1b]0;title\x07\x9b2J" + "\ttab"
PRINTS = f"""
import argparse, logging, sys
from indexing.cli import shell
from indexing.errors import SettingsError
def fail(options):
    print({COLOURED!r})
    logging.getLogger("indexing").warning({COLOURED!r})
    raise SettingsError({COLOURED!r})
parser = shell.Parser()
parser.set_defaults(run=fail)
sys.exit(shell.run(parser, []))
"""


def test_a_terminal_obeys_no_text_that_is_printed() -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", PRINTS]
    run = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.close(theirs)
    printed = os.read(ours, 10_000).decode()
    os.close(ours)
    assert printed.splitlines() == [SPELLED]
    assert run.stderr.splitlines() == [SPELLED, SPELLED]
    piped = subprocess.run(command, capture_output=True, check=False)
    assert piped.stdout.decode() == f"{COLOURED}\n"  # another program gets what there is
