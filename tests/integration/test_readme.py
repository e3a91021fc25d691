"""What README and manual tell people to type is accepted, and what they point to exists."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import indexing.__main__
import search.__main__
import training.__main__
from tests.conftest import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TEXTS = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in DOCUMENTS}
PARSERS = {
    "indexing": indexing.__main__.parser,
    "search": search.__main__.parser,
    "training": training.__main__.parser,
}
COMMANDS = [
    pytest.param(command, id=f"{name}: {command}")
    for name, text in TEXTS.items()
    for command in re.findall(r"^    (python -m (?:indexing|search|training) .+)$", text, flags=re.MULTILINE)
]
BENCHMARKS = {module for text in TEXTS.values() for module in re.findall(r"python -m (benchmarks\.\w+)", text)}
TARGETS = sorted(
    {
        target
        for text in TEXTS.values()
        for target in re.findall(r"(?:`|^    )make ([a-z-]+)\b", text, flags=re.MULTILINE)
    }
)
LINKS = [
    pytest.param(name, link, id=f"{name}: {link}")
    for name, text in TEXTS.items()
    for link in re.findall(r"\]\(([^)#:]+)\)", text)
]


def test_the_readme_has_commands_of_every_program() -> None:
    assert set(re.findall(r"^    python -m (\w+) ", TEXTS["README.md"], flags=re.MULTILINE)) == set(PARSERS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_manual_is_understood(command: str) -> None:
    words = shlex.split(command, comments=True)
    parser = PARSERS[words[2]]()
    if words[-1] == "--help":
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(words[3:])
        assert ended.value.code == 0
    else:
        assert callable(parser.parse_args(words[3:]).run)


def test_the_commands_of_the_page_on_indexing_run_one_after_the_other(
    tmp_path: Path, tiny_bi_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    monkeypatch.chdir(REPOSITORY)
    commands = re.findall(r"^    python -m indexing (.+)$", TEXTS["docs/indexing.md"], flags=re.MULTILINE)
    assert {shlex.split(command)[0] for command in commands} >= {"build", "inspect", "add", "delete", "tune", "gc"}
    for command in commands:
        words = shlex.split(command, comments=True)
        model = ["--bi-encoder", str(tiny_bi_encoder)] if words[0] == "build" else []
        assert indexing.__main__.main([*words, *model]) == 0, command


OLD_SPELLINGS = [
    "indexing build --corpus data/sample --name sample --estimate",
    "indexing build --corpus data/sample --name sample --dense pq-fastscan",
    "indexing tune sample",
    "indexing add sample --corpus more.jsonl",
    "indexing delete sample p17 p18",
    "search query 'how many people live in berlin' --rerank-k 20",
    "search run data/sample/queries.dev.tsv data/runs/dev.trec",
    "training train --recipe cold-start --index msmarco-mini --queries 2000 --minutes 10",
    "training race --budget 60m --seeds 17 18 --data index:msmarco-mini --dev msmarco-mini --queries 400",
    "training mine --index sample --output data/runs/negatives --source dense",
    "training models compare raced/1 mean-reranker/1 --index msmarco-mini --depth 20",
    "training promote lambda/1 --depth 20",
    "training export lambda/1 --format onnx --queries 8 --depth 20",
    "training evaluate --index sample --json figures.json",
    "training nano-beir --rerank-k 50 --json figures.json",
]
"""What former manuals showed, and their options that have another name now."""
RENAMED = re.compile(r"--name|--rerank-k|--queries|--source|models compare|(?<=lambda/1) --depth|(?<=mini) --depth")


@pytest.mark.parametrize("command", OLD_SPELLINGS)
def test_an_old_spelling_is_understood_and_its_new_name_printed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command)
    current = training.__main__.current_words(words[1:]) if words[0] == "training" else words[1:]
    assert callable(PARSERS[words[0]]().parse_args(current).run)
    notices = capsys.readouterr().err
    for old in RENAMED.findall(command):
        assert f"{old.strip()} is now called " in notices


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


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_a_file_that_a_document_points_to_is_there(document: str, link: str) -> None:
    assert ((REPOSITORY / document).parent / link).is_file()


def test_the_readme_lists_every_page_of_the_manual() -> None:
    pages = {name for name in TEXTS if name.startswith("docs/")}
    assert pages == set(re.findall(r"\]\((docs/\w+\.md)\)", TEXTS["README.md"]))


@pytest.mark.parametrize("module", sorted(BENCHMARKS))
def test_a_benchmark_that_a_document_names_exists(module: str) -> None:
    assert (REPOSITORY / (module.replace(".", "/") + ".py")).is_file()
