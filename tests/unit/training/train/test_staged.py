"""A recipe of stages trains one after the other, and one that was stopped ends with the same weights."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.errors import BusyError, SettingsError, TrainingError
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.conftest import QUERIES, write_lines
from tests.support.tiny_training import StoppedError
from training.fitting.callback import ReportStep, TrainingStep
from training.mining.groups import GroupSettings
from training.recipes.row_files import read_rows
from training.recipes.stages import Ingredient, Stage, StagePlan
from training.train.request import TrainRequest
from training.train.train import train_version

STAGES = (
    Stage("distil", (Ingredient("small", "distill", 4),), learning_rate=1e-3),
    Stage("judged", (Ingredient("small", "judged", 4, repeats=2),), learning_rate=1e-3),
)
WEIGHTS = "model.safetensors"
pytestmark = pytest.mark.usefixtures("elsewhere")


def make(output: Path, base: Path, root: Path, **given: Any) -> Path:
    plan = StagePlan(
        STAGES, base=str(base), max_length=64, groups_per_step=2, mining=GroupSettings(relative_margin=None)
    )
    names = ("resume", "report")
    options = {name: given.pop(name) for name in names if name in given}
    values: dict[str, Any] = {"plan": given.pop("recipe", plan), "root": root, **given}
    request = TrainRequest(output=output, recipe="tiny", **values)
    return train_version(request, command="python -m training train", **options)


def stop_in(stage: int) -> ReportStep:
    """Stops a training after the first step of this stage, counted from 1."""
    begun = 0

    def stop(at: TrainingStep) -> None:
        nonlocal begun
        begun += at.step == 1
        if begun == stage:
            raise StoppedError

    return stop


Whole = tuple[Path, list[TrainingStep]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Whole:
    """A version that nothing stopped, and its steps."""
    steps: list[TrainingStep] = []
    output = tmp_path_factory.mktemp("whole") / "tiny/1"
    return make(output, tiny_cross_encoder, built_root, report=steps.append), steps


def test_the_version_tells_of_each_stage(whole: Whole) -> None:
    made, steps = whole
    values = json.loads((made / "manifest.json").read_text())
    assert {name: dict(counts) for name, counts in values["examples"].items()}.keys() == {"distil", "judged"}
    # each stage counts its own steps from 1, two groups a step
    firsts = [at.steps for at in steps if at.step == 1]
    assert len(firsts) == 2
    assert len(steps) == sum(firsts)
    assert not made.with_name(".1.training").exists()


def test_a_stop_in_the_second_stage_changes_nothing(
    whole: Whole, tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    with pytest.raises(StoppedError):
        make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, report=stop_in(2))
    assert not (tmp_path / "stopped/1").exists()
    resumed = make(tmp_path / "stopped/1", tiny_cross_encoder, built_root, resume=True)
    assert (resumed / WEIGHTS).read_bytes() == (whole[0] / WEIGHTS).read_bytes()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, built_root: Path) -> Path:
    """Where a version was to be whose training was stopped."""
    output = tmp_path_factory.mktemp("stopped") / "1"
    with pytest.raises(StoppedError):
        make(output, tiny_cross_encoder, built_root, report=stop_in(1))
    return output


def test_rows_of_another_recipe_are_not_gone_on_with(stopped: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    with pytest.raises(TrainingError, match="began with recipe "):
        make(stopped, tiny_cross_encoder, built_root, resume=True, recipe=StagePlan(STAGES[:1], seed=5))


@pytest.mark.parametrize("line", ["x\tbees", "1\tsomething else"])
def test_rows_with_other_protected_queries_are_not_gone_on_with(
    stopped: Path, tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, line: str
) -> None:
    protect = (write_lines(tmp_path / "secret.tsv", [line]),)
    with pytest.raises(TrainingError, match="began with protected queries "):
        make(stopped, tiny_cross_encoder, built_root, resume=True, protect=protect)


def queries(output: Path) -> list[str]:
    """What a training that was stopped in its first stage was to learn from."""
    return sorted(set(read_rows(output.with_name(f".{output.name}.training") / "stage-1" / "rows")[0]["query"]))


@pytest.mark.parametrize("line", ["x\tHow do bees make HONEY?", "1\tsomething else"])
def test_queries_of_files_are_protected_and_counted_after_a_stop_too(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, line: str
) -> None:
    given = {"protect": (write_lines(tmp_path / "secret.tsv", [line]),)}
    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, built_root, report=stop_in(2), **given)
    assert queries(tmp_path / "1") == [QUERIES["train"]["2"]]
    made = make(tmp_path / "1", tiny_cross_encoder, built_root, resume=True, **given)
    values = json.loads((made / "manifest.json").read_text())
    assert values["dropped"] == {"protected query": 2}  # once a stage
    assert [row["file"] for row in values["protect"]] == ["secret.tsv"]
    assert str(tmp_path) not in json.dumps(values)


def test_the_sample_s_judged_queries_are_protected(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECOND_LOOK_HOME")  # its dev queries hold one of those that the small corpus trains on
    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, built_root, report=stop_in(1))
    assert queries(tmp_path / "1") == [QUERIES["train"]["2"]]


def test_the_other_splits_beside_the_indexes_are_protected(
    tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path, tiny_cross_encoder: Path
) -> None:
    shutil.copytree(small_corpus, tmp_path / "corpus")
    # one train query has the text of a test query, another the id of a dev query, and is reworded
    lines = [f"1\t{QUERIES['test']['4'].upper()}", "3\treworded", f"2\t{QUERIES['train']['2']}"]
    write_lines(tmp_path / "corpus/queries.train.tsv", lines)
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(tmp_path / "corpus"), name="small", root=tmp_path / "root", settings=settings)
    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, tmp_path / "root", report=stop_in(1))
    assert queries(tmp_path / "1") == [QUERIES["train"]["2"]]


def test_the_index_of_the_queries_is_told_of_too(
    tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    shutil.copytree(small_corpus, tmp_path / "msmarco")
    root = shutil.copytree(built_root, tmp_path / "root")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(tmp_path / "msmarco"), name="asked", root=root, settings=settings)
    recipe = StagePlan(
        (replace(STAGES[0], ingredients=(Ingredient("small", "distill", 2, queries="asked"),)),),
        base=str(tiny_cross_encoder),
        max_length=64,
    )
    values = json.loads((make(tmp_path / "1", tiny_cross_encoder, root, recipe=recipe) / "manifest.json").read_text())
    assert [row["index"] for row in values["data"]] == ["asked", "small"]
    assert values["ms_marco"]


LEARNING = (
    STAGES[1],
    Stage("itself", (Ingredient("small", "distill", 2, teacher="itself"),), learning_rate=1e-3, seed=29),
)


def test_a_stage_learns_from_the_re_ranker_of_the_stage_before(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    recipe = StagePlan(LEARNING, base=str(tiny_cross_encoder), max_length=64, groups_per_step=2)
    with pytest.raises(StoppedError):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=recipe, report=stop_in(2))
    work = tmp_path / ".1.training"
    rows = read_rows(work / "stage-2" / "rows")[0]
    before = CrossEncoderReranker(str(work / "stage-1" / "model"))
    began = CrossEncoderReranker(str(tiny_cross_encoder))
    assert len(rows) == 2
    for row in rows:
        passages = row["passages"]
        assert row["labels"] == pytest.approx(before.score(row["query"], passages).logits, abs=1e-4)
        assert row["labels"] != pytest.approx(began.score(row["query"], passages).logits, abs=1e-4)


def test_a_first_stage_has_no_re_ranker_before_it() -> None:
    with pytest.raises(SettingsError, match="Stage 'itself' is the first and has no re-ranker before it"):
        StagePlan(LEARNING[1:])


def test_itself_is_replaced_among_other_teachers() -> None:
    item = Ingredient("small", "distill", 2, teacher="given+itself")
    stage = Stage("one", (item, STAGES[1].ingredients[0]), learning_rate=1e-3)
    assert [made.teacher for made in stage.with_itself("data/x").ingredients] == ["given+reranker:data/x", ""]


def test_a_stage_draws_by_its_own_seed(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    drawn = {}
    for seed in (None, 17, 29):
        stage = replace(STAGES[0], seed=seed, ingredients=(Ingredient("small", "distill", 4, repeats=2),))
        recipe = StagePlan((stage,), base=str(tiny_cross_encoder), mining=GroupSettings(per_query=3))

        with pytest.raises(StoppedError):
            make(tmp_path / f"{seed}", tiny_cross_encoder, built_root, recipe=recipe, report=stop_in(1))
        rows = read_rows(tmp_path / f".{seed}.training" / "stage-1" / "rows")[0]
        drawn[seed] = [tuple(row["passages"]) for row in rows]
    assert drawn[None] == drawn[17]  # that of the recipe's mining
    assert drawn[29] != drawn[17]


def test_a_recipe_without_stages_is_refused(tmp_path: Path, tiny_cross_encoder: Path, built_root: Path) -> None:
    with pytest.raises(SettingsError, match="Recipe tiny has no stage"):
        make(tmp_path / "1", tiny_cross_encoder, built_root, recipe=replace(StagePlan(STAGES), stages=()))


def test_a_second_training_of_the_version_is_refused_while_the_first_one_runs(
    tmp_path: Path, tiny_cross_encoder: Path, built_root: Path
) -> None:
    refused = []

    def report(at: TrainingStep) -> None:
        with pytest.raises(BusyError, match="Another process trains"):
            make(tmp_path / "1", tiny_cross_encoder, built_root, resume=True)
        refused.append(at.step)

    make(
        tmp_path / "1",
        tiny_cross_encoder,
        built_root,
        recipe=StagePlan(STAGES[:1], str(tiny_cross_encoder)),
        report=report,
    )
    assert refused
