"""What the README tells people to type is accepted, and what it shows is there."""

import re
import shlex
import subprocess

import pytest

import indexing.__main__
import search.__main__
import training.__main__
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PARSERS = {
    "indexing": indexing.__main__.parser,
    "search": search.__main__.parser,
    "training": training.__main__.parser,
}
COMMANDS = re.findall(r"^    (python -m .+)$", README, flags=re.MULTILINE)
TARGETS = sorted(set(re.findall(r"\bmake ([a-z]+)\b", README)))


def test_the_readme_has_commands_of_every_package() -> None:
    assert {shlex.split(command)[2] for command in COMMANDS} == set(PARSERS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_understood(command: str) -> None:
    words = shlex.split(command, comments=True)
    options = PARSERS[words[2]]().parse_args(words[3:])
    assert callable(options.run)


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "No rule to make target" not in done.stderr


def test_make_help_explains_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.+)$", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert phony is not None
    for target in phony[1].split():
        assert re.search(rf"make {target} ", shown), f"make help says nothing of {target}"


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#:]+)\)", README))
def test_a_file_that_the_readme_points_to_is_there(path: str) -> None:
    assert (REPOSITORY / path).is_file()
