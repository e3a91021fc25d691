"""`--help`, and what a command checks first, cost no heavy import."""

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY

HEAVY = {"torch", "transformers", "sentence_transformers", "sklearn", "datasets", "faiss"}
PROGRAMS = ("indexing", "search")
MODULES = (
    *("atomic", "catalogue", "errors", "manifest", "names", "places", "pretrained", "progress", "records"),
    *("provenance", "typed_json", "bm25.formula", "bm25.settings", "building.settings", "corpus.hub_names"),
    *("corpus.judged", "dense.settings"),
)

RUN = """
import atexit, json, runpy, sys
atexit.register(lambda: print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules}))))
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def command_lines(program: str) -> Iterator[tuple[str, ...]]:
    """The words of a program's `--help`, and of that of each of its commands."""

    def walk(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield (*words, "--help")
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, command in action.choices.items():
                    yield from walk(command, (*words, name))

    yield from walk(importlib.import_module(f"{program}.__main__").parser(), (program,))


def loaded(code: str, *words: str) -> set[str]:
    """Top-level modules that a process of its own has loaded at its end."""
    command = [sys.executable, "-c", code, *words]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", [words for program in PROGRAMS for words in command_lines(program)], ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    modules = loaded(RUN, *words)
    assert words[0] in modules
    assert modules & HEAVY == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_light_module_loads_nothing_heavy(module: str) -> None:
    code = f"import json, sys, indexing.{module}; print(json.dumps(sorted(sys.modules)))"
    modules = loaded(code)
    assert f"indexing.{module}" in modules
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("indexing", "build", "--corpus", "data/sample", "--index", "s", "--k1", "-1"), "k1 is -1"),
        (("indexing", "build", "--corpus", "data/sample", "--index", "s", "--shard-size", "0"), "shard size is 0"),
        (("indexing", "build", "--corpus", "data/sample", "--index", "../s"), "'../s'"),
        (("indexing", "build", "--corpus", "data/sample", "--index", "s", "--workers", "gpu"), "--workers 'gpu'"),
        (("indexing", "build", "--corpus", "data/sample"), "No index is named"),
        (("indexing", "add", "s", "--corpus", "data/sample", "--workers", "gpu"), "--workers 'gpu'"),
        (("indexing", "tune", "s", "--depth", "-5"), "--depth is -5"),
        (("indexing", "tune", "s", "--queries", "q.tsv"), "--qrels"),
        (("indexing", "delete", "s"), "No passage is named"),
        (("indexing", "inspect"), "No index is named"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_arguments_are_checked_before_anything_heavy_is_imported(words: tuple[str, ...], what: str) -> None:
    command = [sys.executable, "-c", RUN, *words]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert what in ended.stderr
    assert set(json.loads(ended.stdout.splitlines()[-1])) & HEAVY == set()
