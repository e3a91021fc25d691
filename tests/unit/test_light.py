"""`--help`, and what a command checks first, cost no heavy import."""

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.house import HEAVY

PROGRAMS = ("indexing", "search", "training")
MODULES = (
    *("atomic", "catalogue", "errors", "manifest", "names", "places", "pretrained", "progress", "records"),
    *("provenance", "typed_json", "bm25.formula", "bm25.settings", "building.settings", "corpus.hub_names"),
    *("judged.by_text", "judged.sets", "judged.queries", "judged.qrels", "notes", "dense.settings"),
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
        (("indexing", "build", "--corpus", "data/sample", "--index", "s", "--shard-size", "0"), "--shard-size is 0"),
        (("indexing", "build", "--corpus", "data/sample", "--index", "../s"), "'../s'"),
        (("indexing", "build", "--corpus", "data/sample", "--index", "s", "--workers", "gpu"), "--workers 'gpu'"),
        (("indexing", "build", "--corpus", "data/sample"), "No index is named"),
        (("indexing", "add", "s", "--corpus", "data/sample", "--workers", "gpu"), "--workers 'gpu'"),
        (("indexing", "tune", "s", "--depth", "-5"), "--depth is -5"),
        (("indexing", "tune", "s", "--queries", "README.md"), "--qrels"),
        (("indexing", "delete", "s"), "No passage is named"),
        (("indexing", "inspect"), "No index is named"),
        (("search", "query", "x", "--depth", "-5"), "--depth is -5"),
        (("search", "run", "none-such.tsv", "run.trec"), "none-such.tsv"),
        (("training", "train", "--recipe", "best"), "Recipe 'best' is unknown"),
        (("training", "train", "--recipe", "bce", "--data", "index:sample", "--epochs", "-1"), "epochs is -1"),
        (("training", "train", "--recipe", "bce", "--data", "index:none-such"), "none-such"),
        (("training", "train", "--recipe", "bce", "--dev", "sample", "--dev-depth", "-5"), "--dev-depth is -5"),
        (("training", "train", "--recipe", "bce", "--protect", "none.tsv"), "--protect none.tsv: there is no such"),
        (("training", "race", "--budget", "1m"), "A race is decided on judged queries"),
        (("training", "mine", "--output", "data/none-such", "--ranks", "9", "3"), "ranks are 9 to 3"),
        (("training", "evaluate", "--depth", "-5"), "depth is -5"),
        (("training", "decide", "sample", "--run", "theirs=none.trec"), "none"),
        (("training", "evaluate", "--run", "theirs=none.trec"), "--run theirs=none.trec: there is no such file"),
        (("training", "nano-beir", "--rerank-depth", "-5"), "--rerank-depth is -5"),
        (("training", "compare", "shipped", "shipped"), "Both are shipped"),
        (("training", "compare", "shipped", "none/7"), "no version 'none/7'"),
        (("training", "promote", "none/7", "--rerank-depth", "-5"), "--rerank-depth is -5"),
        (("training", "promote", "none/7"), "no version 'none/7'"),
        (("training", "promote", "none/7", "--force"), "--force needs a --reason"),
        (("training", "expect", "check", "none/7"), "no version 'none/7'"),
        (("training", "push-to-hub", "none/7", "ann/reranker"), "no version 'none/7'"),
        (("training", "run", "data/none-such"), "none-such"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_arguments_are_checked_before_anything_heavy_is_imported(words: tuple[str, ...], what: str) -> None:
    command = [sys.executable, "-c", RUN, *words]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert what in ended.stderr
    assert set(json.loads(ended.stdout.splitlines()[-1])) & HEAVY == set()


@pytest.mark.parametrize("command", [("models",), ("models", "--history"), ("jobs",), ("rollback",)], ids=" ".join)
def test_lists_of_training_load_nothing_heavy(command: tuple[str, ...], tmp_path: Path) -> None:
    words = [sys.executable, "-c", RUN, "training", *command]
    environment = {**os.environ, "SECOND_LOOK_HOME": str(tmp_path)}
    ended = subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == (2 if command == ("rollback",) else 0)  # there is nothing to roll back to
    modules = set(json.loads(ended.stdout.splitlines()[-1]))
    assert "training" in modules
    assert modules & HEAVY == set()
