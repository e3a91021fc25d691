"""`--help`, and what a command checks first, cost no heavy import."""

import argparse
import importlib
import os
from collections.abc import Iterator, Sequence

import pytest

from tests.conftest import REPOSITORY
from tests.support.house import HEAVY
from tests.support.light import PROGRAMS, Ran, run_light

MODULES = (
    *("atomic", "catalogue", "errors", "manifest", "names", "places", "pretrained", "progress", "records"),
    *("provenance", "typed_json", "bm25.formula", "bm25.settings", "building.settings", "corpus.hub_names"),
    *("judged.by_text", "judged.sets", "judged.queries", "judged.qrels", "notes", "dense.settings"),
)


def command_lines(program: str) -> Iterator[tuple[str, ...]]:
    """The words of a program's `--help`, and of that of each of its commands."""

    def walk(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield (*words, "--help")
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, command in action.choices.items():
                    yield from walk(command, (*words, name))

    yield from walk(importlib.import_module(f"{program}.__main__").parser(), (program,))


REFUSED = {
    ("indexing", "build", "--corpus", "data/sample", "--index", "s", "--k1", "-1"): "k1 is -1",
    ("indexing", "build", "--corpus", "data/sample", "--index", "s", "--shard-size", "0"): "--shard-size is 0",
    ("indexing", "build", "--corpus", "data/sample", "--index", "../s"): "'../s'",
    ("indexing", "build", "--corpus", "data/sample", "--index", "s", "--workers", "gpu"): "--workers 'gpu'",
    ("indexing", "build", "--corpus", "data/sample"): "No index is named",
    ("indexing", "add", "s", "--corpus", "data/sample", "--workers", "gpu"): "--workers 'gpu'",
    ("indexing", "tune", "s", "--depth", "-5"): "--depth is -5",
    ("indexing", "tune", "s", "--queries", "README.md"): "--qrels",
    ("indexing", "delete", "s"): "No passage is named",
    ("indexing", "inspect"): "No index is named",
    ("search", "query", "x", "--depth", "-5"): "--depth is -5",
    ("search", "run", "none-such.tsv", "run.trec"): "none-such.tsv",
    ("training", "train", "--recipe", "best"): "Recipe 'best' is unknown",
    ("training", "train", "--recipe", "bce", "--data", "index:sample", "--epochs", "-1"): "epochs is -1",
    ("training", "train", "--recipe", "bce", "--data", "index:none-such"): "none-such",
    ("training", "train", "--recipe", "bce", "--dev", "sample", "--dev-depth", "-5"): "--dev-depth is -5",
    ("training", "train", "--recipe", "bce", "--protect", "none.tsv"): "--protect none.tsv: there is no such",
    ("training", "race", "--budget", "1m"): "A race is decided on judged queries",
    ("training", "mine", "--output", "data/none-such", "--ranks", "9", "3"): "ranks are 9 to 3",
    ("training", "evaluate", "--depth", "-5"): "depth is -5",
    ("training", "decide", "sample", "--run", "theirs=none.trec"): "none",
    ("training", "evaluate", "--run", "theirs=none.trec"): "--run theirs=none.trec: there is no such file",
    ("training", "nano-beir", "--rerank-depth", "-5"): "--rerank-depth is -5",
    ("training", "compare", "shipped", "shipped"): "Both are shipped",
    ("training", "compare", "shipped", "none/7"): "no version 'none/7'",
    ("training", "promote", "none/7", "--rerank-depth", "-5"): "--rerank-depth is -5",
    ("training", "promote", "none/7"): "no version 'none/7'",
    ("training", "promote", "none/7", "--force"): "--force needs a --reason",
    ("training", "expect", "check", "none/7"): "no version 'none/7'",
    ("training", "push-to-hub", "none/7", "ann/reranker"): "no version 'none/7'",
    ("training", "run", "data/none-such"): "none-such",
}

HELP = [words for program in PROGRAMS for words in command_lines(program)]
LISTS = [("training", *words) for words in (("models",), ("models", "--history"), ("jobs",), ("rollback",))]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[Sequence[str], Ran]:
    """Each command of this file, run in a fork of a process that has loaded nothing heavy, and each light module."""
    home = {**os.environ, "SECOND_LOOK_HOME": str(tmp_path_factory.mktemp("home"))}
    modules = [(f"indexing.{name}",) for name in MODULES]
    return run_light([*HELP, *REFUSED], folder=REPOSITORY, environment=os.environ) | run_light(
        [*LISTS, *modules], folder=REPOSITORY, environment=home
    )


def heavy(modules: set[str]) -> set[str]:
    """Heavy libraries among modules."""
    return {name.partition(".")[0] for name in modules} & HEAVY


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...], ran: dict[Sequence[str], Ran]) -> None:
    found = ran[words]
    assert found.code == 0
    assert found.out.startswith("usage: ")
    assert words[0] in found.modules
    assert heavy(found.modules) == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_light_module_loads_nothing_heavy(module: str, ran: dict[Sequence[str], Ran]) -> None:
    found = ran[(f"indexing.{module}",)]
    assert f"indexing.{module}" in found.modules
    assert heavy(found.modules) == set()


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_arguments_are_checked_before_anything_heavy_is_imported(
    words: tuple[str, ...], ran: dict[Sequence[str], Ran]
) -> None:
    found = ran[words]
    assert found.code == 2
    assert REFUSED[words] in found.err
    assert heavy(found.modules) == set()


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_lists_of_training_load_nothing_heavy(words: tuple[str, ...], ran: dict[Sequence[str], Ran]) -> None:
    found = ran[words]
    assert found.code == (2 if "rollback" in words else 0)  # there is nothing to roll back to
    assert "training" in found.modules
    assert heavy(found.modules) == set()
