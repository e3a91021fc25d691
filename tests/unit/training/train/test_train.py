"""A training makes a version that can be found, checked and served; one that was stopped waits to be resumed."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.catalogue import current_build
from indexing.errors import BusyError, ModelError, SettingsError, TrainingError
from indexing.judged.sets import judged_sets
from indexing.records import Query, QueryId
from search.load import open_pipeline
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import NO_RERANKER
from search.settings import PipelineSettings
from tests.conftest import PASSAGES, QUERIES, REPOSITORY, write_lines
from tests.support.tiny_training import StoppedError, plain, settings
from training.__main__ import main
from training.data.open_indexes import OpenIndexes
from training.data.questions import ColdStart
from training.data.settings import DataSettings
from training.evaluation.candidates import ndcg, reranked
from training.fitting.callback import TrainingStep
from training.mining.settings import MiningSettings
from training.recipes.row_files import read_rows
from training.recipes.settings import TrainSettings
from training.source import Source
from training.train import train
from training.train.inputs import dev_lists, gather_inputs, protection_of
from training.train.passes import passes_of, shared
from training.train.request import DevSettings, TrainRequest, work_folder
from training.train.train import train_version
from training.train.workspace import hold_workspace
from training.versions import registry

DATA = DataSettings(sources=(Source("index", "small"),), mining=MiningSettings(per_query=5, relative_margin=None))
COLD = DataSettings(index="small", cold=ColdStart(queries=6, per_list=4, depth=10))
DEV = DevSettings("small", "dev", 10, 8)
COMMAND = "python -m training train --recipe listnet"
pytestmark = pytest.mark.usefixtures("elsewhere")


def request(models: Path, base: Path, root: Path, **given: Any) -> TrainRequest:
    asked = settings(base, "listnet", steps=4, batch=1, evaluate_every=2, save_every=1)
    asked = given.pop("settings", asked)
    usual: dict[str, Any] = {"recipe": asked.recipe, "settings": plain(asked), "data": DATA, "dev": DEV}
    return TrainRequest(output=models / "tiny" / "1", root=root, **(usual | given))


def take(output: Path, *, resume: bool) -> None:
    with hold_workspace(output, resume=resume):
        pass


def stop_at(step: int) -> Any:
    def report(at: TrainingStep) -> None:
        if at.step == step:
            raise StoppedError

    return report


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> TrainRequest:
    """A request that was met; its phases and steps lie beside it."""
    asked = request(tmp_path_factory.mktemp("models"), tiny_cross_encoder, built_root)
    phases: Counter[str] = Counter()
    steps: list[TrainingStep] = []

    def progress(name: str, done: int, _: int) -> None:
        phases[name] += done

    assert train_version(asked, progress=progress, report=steps.append, command=COMMAND) == asked.output
    told = {"phases": phases, "steps": [at.step for at in steps], "best": steps[-1].best_ndcg}
    write_lines(asked.output.parent / "told.json", [json.dumps(told)])
    return asked


def told(made: TrainRequest) -> dict[str, Any]:
    return dict(json.loads((made.output.parent / "told.json").read_text()))


def test_a_version_is_found_whole_by_the_registry(made: TrainRequest) -> None:
    version = registry.find_version("tiny/1", models=made.output.parent.parent)
    assert version.fault == ""
    names = {path.name for path in made.output.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "manifest.json"} <= names
    assert not made.work.exists()


def test_its_manifest_says_how_it_was_made(made: TrainRequest, built_root: Path) -> None:
    found = manifest(made.output)
    assert (found["recipe"], found["seed"], found["parent"]) == ("listnet", 17, "tiny-cross-encoder")
    assert found["lineage"] == ["tiny-cross-encoder"]
    assert (found["settings"]["steps"], found["settings"]["learning_rate"]) == (4, 3e-3)
    assert found["settings"]["data"]["sources"] == ["index:small"]
    assert found["settings"]["dev"] == {"index": "small", "split": "dev", "queries": 10, "depth": 8}
    assert found["examples"] == {"listnet": {"judged small": 2}}
    assert found["pairs"] == 4 * 1 * 6  # steps, lists a step, passages a list
    assert found["final_loss"]["listnet"] > 0
    (row,) = found["data"]
    assert (row["index"], row["passages"], row["build"]) == ("small", 20, current_build("small", root=built_root).name)


def test_its_figure_is_that_of_the_weights_that_were_kept(made: TrainRequest) -> None:
    assert manifest(made.output)["metrics"] == {"small dev": {"nDCG@10": pytest.approx(told(made)["best"])}}


def test_what_is_served_has_the_order_that_was_measured(made: TrainRequest, built_root: Path) -> None:
    served = CrossEncoderReranker(str(made.output))
    lists = dev_lists(DEV, OpenIndexes(built_root))
    values = ndcg(reranked(lists, served), lists)
    assert list(values) == ["3"]
    ranks = [round(2 ** (1 / ndcg) - 1) for ndcg in (values[QueryId("3")], told(made)["best"])]  # of its one answer
    assert abs(ranks[0] - ranks[1]) <= 1  # weights are served in bfloat16, and neighbours may swap
    assert "| small dev (1 query, depth 8, build " in (made.output / "README.md").read_text()
    assert COMMAND in (made.output / "README.md").read_text()


def test_phases_and_steps_are_told(made: TrainRequest) -> None:
    assert told(made)["phases"] == {
        "dev queries": 1,
        "mine small": 2,
        "measuring on the dev queries": 2,  # one query after steps 2 and 4
    }
    assert told(made)["steps"] == [1, 2, 3, 4]


def test_a_version_that_is_there_is_not_made_again(made: TrainRequest) -> None:
    before = manifest(made.output)
    with pytest.raises(TrainingError, match=f"{made.output} is there already"):
        train_version(made, resume=True, command=COMMAND)
    assert manifest(made.output) == before


def test_a_stopped_training_is_gone_on_with_only_when_asked(
    made: TrainRequest, tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    asked = request(tmp_path, tiny_cross_encoder, built_root)
    with pytest.raises(StoppedError):
        train_version(asked, report=stop_at(3), command=COMMAND)
    assert not asked.output.exists()
    with pytest.raises(TrainingError, match=f"was stopped and lies in {asked.work}; give --resume"):
        train_version(asked, command=COMMAND)
    steps: list[int] = []
    phases: list[str] = []
    train_version(
        asked,
        resume=True,
        report=lambda at: steps.append(at.step),
        progress=lambda name, *_: phases.append(name),
        command=COMMAND,
    )
    assert steps == [3, 4]
    assert "mine small" not in phases  # its rows are there
    assert not asked.work.exists()
    weights = "model.safetensors"
    assert (asked.output / weights).read_bytes() == (made.output / weights).read_bytes()
    assert manifest(asked.output)["final_loss"] == manifest(made.output)["final_loss"]  # of the steps of both processes


def test_a_second_training_of_the_version_is_refused_while_the_first_one_runs(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    asked = request(tmp_path, tiny_cross_encoder, built_root)
    refused: list[bool] = []

    def report(at: TrainingStep) -> None:
        for resume in (False, True):
            with pytest.raises(BusyError, match=f"Another process trains {asked.output}, in .*; wait for it, or"):
                train_version(asked, resume=resume, command=COMMAND)
            refused.append(resume)

    train_version(asked, report=report, command=COMMAND)
    assert refused == [False, True] * 4
    assert not asked.work.exists()


def test_a_version_is_free_again_once_the_process_that_trained_it_is_killed(tmp_path: Path) -> None:
    output = tmp_path / "1"
    script = (
        "import sys, time; from pathlib import Path; from indexing import atomic\n"
        "with atomic.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    take(output, resume=False)
    command = [sys.executable, "-c", script, str(work_folder(output))]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match="Another process trains"):
            take(output, resume=True)
        process.kill()
    take(output, resume=True)


@pytest.mark.parametrize("evaluate_every", [0, 1])
def test_a_training_that_diverges_makes_no_version(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, evaluate_every: int
) -> None:
    wild = settings(
        tiny_cross_encoder, "bce", steps=6, batch=2, learning_rate=1e9, save_every=1, evaluate_every=evaluate_every
    )
    asked = request(tmp_path, tiny_cross_encoder, built_root, settings=wild)
    for resume in (False, True):
        with pytest.raises(TrainingError, match="nan: the training has diverged; give a lower --learning-rate"):
            train_version(asked, resume=resume, command=COMMAND)
    assert not asked.output.exists()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> TrainRequest:
    """A request whose training was stopped; whoever is refused leaves it as it is."""
    data = DataSettings(sources=(Source("index", "small"),))
    asked = request(tmp_path_factory.mktemp("stopped"), tiny_cross_encoder, built_root, dev=None, data=data)
    with pytest.raises(StoppedError):
        train_version(asked, report=stop_at(2), command=COMMAND)
    return asked


def test_other_settings_than_those_of_the_stopped_training_are_refused(
    stopped: TrainRequest, tiny_cross_encoder: Path
) -> None:
    other = settings(tiny_cross_encoder, "listnet", steps=4, batch=2, evaluate_every=2, save_every=1)
    with pytest.raises(TrainingError, match="with batch 1, now it is 2"):
        train_version(replace(stopped, settings=plain(other)), resume=True, command=COMMAND)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": DataSettings(sources=(Source("index", "small"),), limit=1)}, "limit None, now it is 1"),
        ({"data": DataSettings(sources=(Source("hub"),))}, "sources .*hub"),
        ({"protect": (REPOSITORY / "data/sample/queries.dev.tsv",)}, "protect .*queries.dev.tsv"),
        ({"dev": DevSettings("small", "test")}, "dev None"),
    ],
)
def test_rows_of_other_data_or_protection_are_not_gone_on_with(
    stopped: TrainRequest, given: dict[str, Any], said: str
) -> None:
    other = replace(stopped, **given)
    with pytest.raises(TrainingError, match=f"began with {said}"):
        train_version(other, resume=True, command=COMMAND)
    assert not other.output.exists()


def test_a_request_that_cannot_be_met_leaves_no_version(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    absent = DataSettings(sources=(Source("jsonl", "nosuch.jsonl"),))
    nothing = request(tmp_path, tiny_cross_encoder, built_root, data=absent)
    with pytest.raises(
        SettingsError, match=r"The file nosuch\.jsonl of source jsonl doesn't exist; give one that does\."
    ):
        train_version(nothing, command=COMMAND)
    assert list(nothing.output.parent.iterdir()) == []  # and nothing that wants --resume


def test_a_base_that_is_no_model_is_told_before_anything_is_gathered(tmp_path: Path, built_root: Path) -> None:
    def progress(name: str, *_: int) -> None:
        assert name == "dev queries"

    with pytest.raises(ModelError, match=f"Re-ranker {tmp_path} can't be loaded"):
        train_version(request(tmp_path / "models", tmp_path, built_root), progress=progress, command=COMMAND)


def test_protected_are_files_and_every_judged_split_but_train(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    file = write_lines(tmp_path / "secret.tsv", ["77\tWhat is secret?"])
    asked = request(tmp_path, tiny_cross_encoder, built_root, protect=(file,))
    protection = protection_of(asked)
    for split, queries in QUERIES.items():
        for text in queries.values():
            assert protection.covers(Query(QueryId(""), text.upper())) == (split != "train")
    assert protection.covers(Query(QueryId("77"), "another text"))
    assert protection.covers(Query(QueryId("1"), "what is secret"))
    only_dev = request(tmp_path, tiny_cross_encoder, built_root, data=DataSettings(sources=(Source("hub"),)))
    assert protection_of(only_dev).covers(Query(QueryId(""), QUERIES["test"]["4"]))  # of the index of the dev queries


def test_the_sample_s_judged_queries_are_protected_everywhere(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = judged_sets(REPOSITORY / "data/sample")["test"].queries[0]
    asked = request(tmp_path, tiny_cross_encoder, built_root)
    assert not protection_of(asked).covers(sample)
    monkeypatch.delenv("SECOND_LOOK_HOME")
    assert protection_of(asked).covers(Query(QueryId(""), sample.text))


def test_protected_queries_are_in_no_row(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    file = write_lines(tmp_path / "secret.tsv", [f"x\t{QUERIES['train']['1']}"])
    asked = request(tmp_path, tiny_cross_encoder, built_root, protect=(file,))
    with hold_workspace(asked.output, resume=False) as workspace:
        counts = gather_inputs(asked, workspace).counts
    assert (counts.examples, counts.dropped) == ({"judged small": 1}, {"protected query": 1})
    assert read_rows(asked.work / "rows")[0]["query"] == [QUERIES["train"]["2"]]


def test_the_manifest_names_the_files_of_protected_queries_and_no_folder(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    file = write_lines(tmp_path / "secret.tsv", [f"x\t{QUERIES['train']['1']}"])
    found = manifest(train_version(request(tmp_path, tiny_cross_encoder, built_root, protect=(file,)), command=COMMAND))
    assert [row["file"] for row in found["protect"]] == ["secret.tsv"]
    assert found["dropped"] == {"protected query": 1}
    assert str(tmp_path) not in json.dumps(found)


def test_dev_lists_are_the_served_first_stage_s(built_root: Path) -> None:
    lists = dev_lists(DEV, OpenIndexes(built_root))
    pipeline = open_pipeline("small", reranker=NO_RERANKER, root=built_root)
    assert [query.id for query in lists.queries] == ["3"]
    fused = pipeline.search(QUERIES["dev"]["3"], PipelineSettings(depth=8, rerank_depth=0)).fused
    assert lists.run == {QueryId("3"): fused}
    assert len(dev_lists(DevSettings("small", "test", 1, 5), OpenIndexes(built_root)).queries) == 1


def test_a_split_that_is_not_judged_is_told(built_root: Path) -> None:
    with pytest.raises(SettingsError, match=r"index small has no judged other queries .*; give another --dev"):
        dev_lists(DevSettings("small", "other"), OpenIndexes(built_root))


def test_a_request_is_plain_data(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    asked = request(tmp_path, tiny_cross_encoder, built_root, protect=(tmp_path / "secret.tsv",))
    found = json.loads(json.dumps(asked.as_json()))
    assert found["output"] == str(tmp_path / "tiny" / "1")
    assert found["protect"] == [str(tmp_path / "secret.tsv")]
    assert found["settings"]["recipe"] == "listnet"
    assert found["data"]["mining"]["per_query"] == 5


def cold(models: Path, base: Path, root: Path) -> TrainRequest:
    asked = settings(base, "cold-start", steps=4, batch=3, save_every=1)
    return request(models, base, root, settings=asked, data=COLD)


@pytest.fixture(scope="module")
def cold_version(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Path:
    """A version that was trained without judgments."""
    return train_version(cold(tmp_path_factory.mktemp("cold"), tiny_cross_encoder, built_root), command="cold")


def test_a_cold_start_makes_a_version_in_two_passes(cold_version: Path) -> None:
    found = manifest(cold_version)
    assert registry.find_version("tiny/1", models=cold_version.parent.parent).fault == ""
    assert found["recipe"] == "cold-start"
    assert found["examples"] == {"cold-start": {"questions of small": 6}}
    assert found["pairs"] == 4 * 3 * 4  # steps of both passes, lists a step, passages a list
    assert [row["index"] for row in found["data"]] == ["small"]
    assert set(found["metrics"]) == {"small dev"}
    logits = CrossEncoderReranker(str(cold_version)).score("bees", list(PASSAGES.values())).logits
    assert logits.std() > 0


def test_a_cold_start_s_steps_and_minutes_are_for_both_passes() -> None:
    settings = TrainSettings(steps=9, minutes=3, seed=5)
    half = shared(settings, 2)
    assert (half.steps, half.minutes) == (4, 1.5)
    assert shared(TrainSettings(steps=1), 2).steps == 1
    assert shared(settings, 1) == settings
    first, second = passes_of(TrainRequest(output=Path("m/1"), recipe="cold-start", settings=settings))
    assert first.settings == half.by("cold-start")
    assert second.settings == replace(first.settings, base="m/.1.training/self-taught/first", seed=6)
    assert (first.self_taught, second.self_taught) == (False, True)


def test_a_cold_start_is_measured_in_both_passes_and_its_best_weights_are_kept(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    measured: list[float | None] = []
    asked = settings(tiny_cross_encoder, "cold-start", steps=4, batch=3, evaluate_every=1)
    wanted = request(tmp_path, tiny_cross_encoder, built_root, settings=asked, data=COLD)
    train_version(wanted, report=lambda at: measured.append(at.ndcg), command="cold")
    best = max(value for value in measured if value is not None)
    assert len(measured) == 4
    assert None not in measured
    assert manifest(wanted.output)["metrics"] == {"small dev": {"nDCG@10": pytest.approx(best)}}


def test_the_train_split_is_not_measured_on() -> None:
    with pytest.raises(SettingsError, match="train split of small is trained on; measure on another"):
        DevSettings("small", "train")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--data index:small --data jsonl:x.jsonl", "reads one index and nothing else; leave out --data jsonl:x.jsonl"),
        ("--data index:small --index other", "leave out --data index:small"),
        ("--data hub --index small", "leave out --data hub"),
        (
            "--index small --teacher first-stage",
            "cold-start is taught by the first stage and then by itself; remove the teacher first-stage.",
        ),
        ("--index small --seed 3000000000", "seed is 3000000000; give at most 2,147,483,647"),
    ],
)
def test_what_a_cold_start_would_not_read_is_refused(
    tmp_path: Path,
    tiny_cross_encoder: Path,
    built_root: Path,
    capsys: pytest.CaptureFixture[str],
    given: str,
    said: str,
) -> None:
    command = f"train --recipe cold-start {given} --base {tiny_cross_encoder} --output {tmp_path / 'm/1'}"
    assert main(f"{command} --root {built_root}".split()) == 2
    assert said in capsys.readouterr().err


def test_a_cold_start_that_was_stopped_in_its_second_pass_ends_as_if_it_never_was(
    cold_version: Path, tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    seen: list[int] = []

    def report(at: TrainingStep) -> None:
        seen.append(at.step)
        if len(seen) == 4:
            raise StoppedError

    asked = cold(tmp_path, tiny_cross_encoder, built_root)
    with pytest.raises(StoppedError):
        train_version(asked, report=report, command="cold")
    assert seen == [1, 2, 1, 2]
    train_version(asked, resume=True, command="cold")
    weights = "model.safetensors"
    assert (asked.output / weights).read_bytes() == (cold_version / weights).read_bytes()


def test_the_command_trains_and_says_where_the_version_is(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps({"query": "bees", "positives": ["honey"], "negatives": ["paper", "wood"]})] * 2
    source = write_lines(tmp_path / "judged.jsonl", lines)
    output = tmp_path / "models" / "mine" / "1"
    command = (
        f"train --recipe bce --data jsonl:{source} --base {tiny_cross_encoder} --output {output} --steps 2 --batch 3"
    )
    assert main(f"{command} --root {built_root}".split()) == 0
    assert f"Re-ranker: {output}\n" in capsys.readouterr().out
    assert manifest(output)["examples"] == {"bce": {"jsonl judged.jsonl": 2}}
    assert main(f"{command} --root {built_root}".split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_evaluates_only_on_judged_queries(
    tmp_path: Path, tiny_cross_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"train --recipe bce --base {tiny_cross_encoder} --output {tmp_path / 'm' / '1'} --evaluate-every 5"
    assert main(command.split()) == 2
    assert "give --dev INDEX" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_minutes_that_count_everything_leave_room_for_the_last_evaluation(
    tiny_cross_encoder: Path, built_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = settings(tiny_cross_encoder, "listnet", minutes=1.0, steps=2, batch=2, save_every=1)
    whole = request(tmp_path, tiny_cross_encoder, built_root, settings=asked, whole=True)
    monkeypatch.setattr(train, "seconds_a_list", lambda *_: 6.0)
    with hold_workspace(whole.output, resume=False) as workspace:
        inputs = gather_inputs(whole, workspace)
        queries = len(inputs.dev.queries) if inputs.dev else 0
        assert queries > 0
        same, minutes = train.fit_measuring(whole, inputs, workspace, times=2)
        assert same.dev == inputs.dev
        assert minutes == pytest.approx(2 * queries * 6.0 / 60)
        assert train.fit_measuring(replace(whole, whole=False), inputs, workspace) == (inputs, 0.0)
    train_version(whole, resume=True)
    assert manifest(whole.output)["settings"]["whole"] is True


def test_as_many_dev_queries_are_measured_on_as_few_minutes_allow_and_a_resumed_training_has_the_same(
    tiny_cross_encoder: Path, built_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = settings(tiny_cross_encoder, "listnet", minutes=1.0, steps=2, batch=2, save_every=1)
    whole = request(tmp_path, tiny_cross_encoder, built_root, settings=asked, whole=True)
    monkeypatch.setattr(train, "seconds_a_list", lambda *_: 12.0)
    told: list[str] = []
    with hold_workspace(whole.output, resume=False) as workspace:
        inputs = gather_inputs(whole, workspace)
        assert inputs.dev is not None
        names = [QueryId(f"q{number}") for number in range(50)]
        (query,) = inputs.dev.queries
        many = replace(
            inputs.dev,
            queries=tuple(replace(query, id=name) for name in names),
            qrels=dict.fromkeys(names, inputs.dev.qrels[query.id]),
            run=dict.fromkeys(names, inputs.dev.run[query.id]),
        )
        inputs = replace(inputs, dev=many)
        few, minutes = train.fit_measuring(whole, inputs, workspace, progress=lambda phase, *_: told.append(phase))
        assert few.dev is not None
        assert len(few.dev.queries) == len(few.dev.qrels) == len(few.dev.run) == 20  # 2 fit, and 20 are the least
        assert minutes == pytest.approx(20 * 12.0 / 60)
        assert few.dev.queries[1].id == "q2"  # from all over the set
        assert told == ["measuring on 20 of 50 dev queries, as many as the minutes allow"]
        monkeypatch.setattr(train, "seconds_a_list", lambda *_: 0.0)  # a machine that is faster later
        again, _ = train.fit_measuring(whole, inputs, workspace)
        assert again.dev == few.dev
