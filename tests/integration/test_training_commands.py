"""Mining negatives and serving versions from the shell: lines, exit codes, and one sentence for bad input."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.catalogue import current_build
from tests.conftest import write_lines
from tests.support.html_reports import checked
from training.__main__ import main, parser
from training.recipes.catalog import find_recipe
from training.recipes.plan_files import SHIPPED_PLANS, read_plan
from training.train import train
from training.train.request import DevSettings, TrainRequest


def test_mining_writes_a_folder_and_says_what_was_dropped(
    built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mined"
    command = ["mine", "--index", "small", "--root", str(built_root), "--output", str(output), "--fusion", "dense"]
    assert main([*command, "--relative-margin", "none", "--per-query", "2", "--form", "triplets"]) == 0
    assert {path.name for path in output.iterdir()} == {"triplets.jsonl", "mined.jsonl", "manifest.json"}
    assert str(output) in capsys.readouterr().out
    assert main(command) == 2
    assert "is there" in capsys.readouterr().err


def test_a_split_that_is_not_judged_is_told(
    built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["mine", "--index", "small", "--root", str(built_root), "--output", str(tmp_path / "mined")]
    assert main([*command, "--split", "other"]) == 2
    assert "no judged other queries" in capsys.readouterr().err
    assert not (tmp_path / "mined").exists()


def judged_files(folder: Path) -> list[str]:
    """Options for two queries, one of which has a judged passage that the index lacks."""
    queries = write_lines(folder / "own.tsv", ["x1\twhat do bees store in wax", "x2\twhat lives in sourdough"])
    qrels = write_lines(folder / "own.qrels", ["x1 0 a1 3", "x1 0 gone 1", "x2 0 c1 1"])
    return ["--queries", str(queries), "--qrels", str(qrels)]


def test_judgments_in_any_files_are_mined(built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mined"
    command = ["mine", "--index", "small", "--root", str(built_root), "--output", str(output), "--fusion", "dense"]
    assert main([*command, "--relative-margin", "none", *judged_files(tmp_path)]) == 0
    assert "Judged passages that the index lacks: 1" in capsys.readouterr().out
    made = json.loads((output / "manifest.json").read_text())
    assert (made["split"], made["report"]["queries"]) == ("own.tsv", 2)


@pytest.mark.parametrize(
    ("left_out", "more", "told"),
    [
        (slice(2, 4), [], "own.tsv alone doesn't say what is judged; give both --queries and --qrels."),
        (slice(0, 2), [], "own.qrels alone doesn't say"),
        (slice(0, 0), ["--split", "dev"], "--split dev and files of judgments are two things"),
        (slice(2, 4), ["--qrels", "gone"], "The qrels file gone doesn't exist; give one that does."),
    ],
)
def test_judgments_that_are_not_named_in_one_way_are_refused(
    built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: slice, more: list[str], told: str
) -> None:
    options = judged_files(tmp_path)
    del options[left_out]
    command = ["mine", "--index", "small", "--root", str(built_root), "--output", str(tmp_path / "mined")]
    assert main([*command, *options, *more]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_without_any_version_the_shipped_one_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--models", str(tmp_path)]) == 0
    assert "shipped" in capsys.readouterr().out
    assert main(["models", "--history", "--models", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_version_that_is_not_there_is_not_promoted(
    built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["promote", "none/1", "--index", "small", "--root", str(built_root), "--models", str(tmp_path)]
    assert main(command) == 2
    assert "none/1" in capsys.readouterr().err
    assert not (tmp_path / "promoted.json").exists()


def test_there_is_nothing_to_roll_back_to_at_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--models", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "two-hour-reranker --minutes 2",
            "Recipe two-hour-reranker has its own data and settings; leave out --minutes",
        ),
        ("two-hour-reranker --dropout 0", "leave out --dropout"),
        ("two-hour-reranker --data index:small", "leave out --data"),
        ("two-hour-reranker --gradient-checkpointing", "leave out --gradient-checkpointing"),
        ("two-hour-reranker --stages 0", "--stages is 0, recipe two-hour-reranker has 3; give 1 to 3."),
        ("two-hour-reranker --stages 4", "--stages is 4"),
        ("bce --stages 1", "Recipe bce has one stage; leave out --stages."),
    ],
)
def test_settings_that_a_recipe_would_not_heed_are_refused(
    given: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "made" / "1"
    assert main(["train", "--output", str(output), "--recipe", *given.split()]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not output.parent.exists()


def test_a_recipe_of_stages_trains_the_first_ones_from_the_base_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []

    def note(request: TrainRequest, **given: Any) -> None:
        output = request.output
        made.append((request.recipe, request.plan, output, given["command"]))
        output.mkdir(exist_ok=True)
        counts = {"examples": {"one": {"a": 2, "b": 3}, "two": {"a": 4}}, "dropped": {"protected": 7}, "pairs": 1600}
        atomic.write_json(output / "manifest.json", counts)

    monkeypatch.setattr(train, "train_version", note)
    line = ["train", "--recipe", "two-hour-reranker", "--output"]
    assert main([*line, str(tmp_path / "1")]) == 0
    told = "Gathered 9 examples, trained on 1,600 pairs; left out: 7 protected."  # 2 + 3 + 4
    assert capsys.readouterr().out == f"{told}\nRe-ranker: {tmp_path / '1'}\n"
    # what exists is never overwritten, and that is said before anything is loaded
    assert main([*line, str(tmp_path / "1")]) == 2
    assert f"{tmp_path / '1'} is there already" in capsys.readouterr().err
    assert main([*line, str(tmp_path / "2"), "--stages", "2", "--base", "data/models/other/1"]) == 0
    whole = find_recipe("two-hour-reranker").plan
    assert whole is not None
    command = "python -m training train --recipe two-hour-reranker"
    assert made == [
        ("two-hour-reranker", whole, tmp_path / "1", command),
        (
            "two-hour-reranker",
            replace(whole, stages=whole.stages[:2], base="data/models/other/1"),
            tmp_path / "2",
            f"{command} --stages 2",
        ),
    ]


def test_a_plan_of_one_s_own_is_read_from_a_file(
    built_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []

    def note(request: TrainRequest, **given: Any) -> None:
        made.append((request, given["command"]))
        request.output.mkdir(parents=True)
        atomic.write_json(request.output / "manifest.json", {"examples": {}, "dropped": {}, "pairs": 0})

    monkeypatch.setattr(train, "train_version", note)
    own = tmp_path / "mine.json"
    text = SHIPPED_PLANS["two-hour-reranker"].read_text(encoding="utf-8")
    write_lines(own, [text.replace('"groups": 1000', '"groups": 7', 1).rstrip()])
    dev = ["--dev", "small", "--root", str(built_root)]
    assert main(["train", "--recipe", str(own), "--output", str(tmp_path / "mine/1"), *dev]) == 0
    ((request, command),) = made
    assert (request.recipe, command) == ("mine", "python -m training train --recipe mine.json")
    assert request.plan == read_plan(own)
    assert request.plan is not None
    assert request.plan.stages[0].ingredients[0].groups == 7
    assert request.dev == DevSettings("small")
    capsys.readouterr()
    write_lines(own, [text.replace('"kind": "judged"', '"kind": "graded"', 1).rstrip()])
    line = next(number for number, words in enumerate(own.read_text().splitlines(), start=1) if "graded" in words)
    assert main(["train", "--recipe", str(own)]) == 2
    assert capsys.readouterr().err.startswith(f"{own}, line {line}: ingredient kind 'graded' is unknown; choose one")
    assert main(["train", "--recipe", str(tmp_path / "none.json")]) == 2
    assert "none.json can't be read (No such file or directory); name a file with a recipe." in capsys.readouterr().err
    assert main(["train", "--recipe", "best"]) == 2
    assert capsys.readouterr().err.startswith("Recipe 'best' is unknown; choose one of bce, ")


def leaves(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The commands below one that can be run, that one included."""
    below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    if not below or command.get_default("run") is not None:
        yield command
    for action in below:
        assert len(action._choices_actions) == len(action.choices), f"{command.prog} has a command without a help"
        for child in action.choices.values():
            yield from leaves(child)


def test_every_command_explains_itself_and_does_something() -> None:
    found = {command.prog.removeprefix("python -m training "): command for command in leaves(parser())}
    assert {"prepare", "mine", "train", "evaluate", "models", "compare", "expect check", "export"} <= set(found)
    for command in found.values():
        assert callable(command.get_default("run"))
        assert command.prog in command.format_help()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--output", "--output can't be written to"),
        ("--json", "there.json is a folder; give a file"),
        ("--html", "there.json is a folder; give a file"),
    ],
)
def test_an_evaluation_that_could_not_be_written_is_refused_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, told: str
) -> None:
    (tmp_path / "there.json").mkdir()
    write_lines(tmp_path / "file", ["no folder"])
    place = tmp_path / ("file" if option == "--output" else "there.json")
    assert main(["evaluate", "--index", "none-such", option, str(place)]) == 2
    assert told in capsys.readouterr().err


def test_an_evaluation_is_written_as_one_file_to_share(
    built_root: Path, tmp_path: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "home"))
    command = ["evaluate", "--index", "small", "--root", str(built_root), "--reranker", str(tiny_cross_encoder)]
    assert main([*command, "--depth", "5", "--html", str(tmp_path / "report.html")]) == 0
    build = current_build("small", root=built_root).name
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    checked(report, basis=f"2 queries · 5 candidates re-ranked · index small, build {build}")


def decide_command(root: Path, folder: Path, model: Path) -> list[str]:
    """`decide` on eight queries, one word each, and their judgments."""
    words = {
        "honey": "a1",
        "queen": "a2",
        "lens": "b2",
        "keeper": "b3",
        "yeast": "c1",
        "rye": "c4",
        "moraine": "d2",
        "ice": "d3",
    }
    queries = write_lines(folder / "decide.tsv", [f"{word}\t{word}" for word in words])
    qrels = write_lines(folder / "decide.qrels", [f"{word} 0 {passage} 1" for word, passage in words.items()])
    files = ["--queries", str(queries), "--qrels", str(qrels), "--reranker", str(model), "--budget", "2s"]
    return ["decide", "small", "--root", str(root), *files]


def test_decide_prints_a_table_and_a_verdict_and_says_what_it_cant_serve(
    own_root: Path,
    tmp_path: Path,
    tiny_cross_encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(own_root))
    command = decide_command(own_root, tmp_path, tiny_cross_encoder)
    assert main([*command, "--html", str(tmp_path / "decision.html")]) == 0
    checked((tmp_path / "decision.html").read_text(encoding="utf-8"), basis=current_build("small", root=own_root).name)
    printed = capsys.readouterr().out
    assert "| on 4 of 8 judged queries | how | nDCG@10 |" in printed
    assert "Can't tell: 8 judged queries (of which 4 compare) are too few" in printed
    assert main([*command, "--serve"]) == 2
    assert "nothing was decided" in capsys.readouterr().err
    assert main([*command, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["verdict"], made["judged"], made["comparing"]) == ("can't tell", 8, 4)
    assert main([*command, "--if-absent"]) == 0
    known = capsys.readouterr().out
    assert "on 8 decide.tsv queries, of which 4 compare; other splits had no part in it." in known
    assert known.endswith(f"{made['sentence']}\n")
    assert main([*command, "--if-absent", "--seed", "1"]) == 0
    assert "| on 4 of 8 judged queries | how |" in capsys.readouterr().out
    assert main([*command, "--stop-early"]) == 2
    assert "give --serve too" in capsys.readouterr().err
    assert main(["decide", "small", "--root", str(own_root), "--rollback"]) == 2
    assert "no served default of its own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["decide", "none-such"], "There is no index 'none-such'"),
        (["decide", "small", "--budget", "soon"], "'soon' isn't a time such as 90s, 10m or 1h"),
        (["decide", "small", "--run", "theirs=none.trec"], "--run theirs=none.trec: there is no such file"),
        (["decide", "small", "--reranker", "mine/7"], "There is no version 'mine/7'"),
        (["decide", "small", "--split", "other", "--reranker", "late"], "no judged other queries"),
    ],
)
def test_a_decision_that_cant_be_made_is_refused(
    built_root: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    try:
        status = main([*words, "--root", str(built_root)])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert told in capsys.readouterr().err
