"""A version is judged once, and the verdict then decides later; what changed in between is noticed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexing.errors import ModelError, SettingsError
from search.pipeline import RetrieveAndRerank
from search.rerank.reranker import Reranker
from tests.conftest import PASSAGES
from tests.support.fakes import WordOverlapReranker
from tests.support.versions import make_version
from training.versions import expectations
from training.versions.expectations import ExpectedPassage
from training.versions.gate_settings import GateSettings
from training.versions.promote import Assessment, assess, serve
from training.versions.promoted import Promotion, current_promotion

pytestmark = pytest.mark.usefixtures("in_float32")


@dataclass(frozen=True)
class Bench:
    """mine/1 and mine/2 beside the shipped one, which is served; the small index has one dev query."""

    models: Path
    shipped: Path
    pipeline: RetrieveAndRerank

    def assess(self, version: str = "mine/1") -> Assessment:
        return assess(version, self.pipeline, GateSettings(models=self.models, shipped=self.shipped, depth=5))

    def serve(self, assessment: Assessment, *, force: bool = True, reason: str = "a test") -> Promotion:
        return serve(assessment, by="ann", reason=reason, force=force)


@pytest.fixture
def bench(tmp_path: Path, tiny_cross_encoder: Path, pipeline: RetrieveAndRerank) -> Bench:
    shipped = make_version(tmp_path, "shipped", tiny_cross_encoder)
    for name in ("mine/1", "mine/2"):
        make_version(tmp_path / "models", name, tiny_cross_encoder)
    return Bench(tmp_path / "models", shipped, pipeline)


def pin(bench: Bench) -> None:
    above, below = (ExpectedPassage(key, PASSAGES[key]) for key in ("a1", "b1"))
    expectations.add_expectation("honey", above=above, below=below, by="ann", path=bench.models / "expectations.jsonl")


def test_judging_changes_nothing(bench: Bench) -> None:
    assessment = bench.assess()
    assert (assessment.candidate, assessment.seen.promoted, assessment.verdict.against) == (
        "mine/1",
        "shipped",
        "shipped",
    )
    assert assessment.verdict.comparison is not None
    assert assessment.verdict.comparison.queries == 1
    assert assessment.changes is not None
    assert assessment.changes.sentence() == "Of these queries 0 won, 0 lost and 1 tied."
    assert "too few queries to tell" in assessment.verdict.objections[0]
    assert not (bench.models / "promoted.json").exists()


def test_what_was_judged_is_served_with_its_verdict(bench: Bench) -> None:
    assessment = bench.assess()
    now = bench.serve(assessment)
    assert now == current_promotion(bench.models)
    assert (now.promoted, now.before, now.action, now.reason) == ("mine/1", "shipped", "force", "a test")
    assert now.verdict["objections"] == list(assessment.verdict.objections)


def test_what_is_refused_needs_force_and_a_reason(bench: Bench) -> None:
    assessment = bench.assess()
    with pytest.raises(ModelError, match=r"mine/1 is not promoted: .*too few queries"):
        bench.serve(assessment, force=False)
    with pytest.raises(SettingsError, match="needs a reason"):
        bench.serve(assessment, reason=" ")
    assert current_promotion(bench.models).promoted == "shipped"


def test_a_promotion_in_between_is_noticed(bench: Bench) -> None:
    first, second = bench.assess("mine/1"), bench.assess("mine/2")
    bench.serve(second)
    with pytest.raises(ModelError, match="mine/2 was promoted by ann while mine/1 was judged against shipped"):
        bench.serve(first)


def test_an_expectation_pinned_in_between_is_noticed(bench: Bench) -> None:
    assessment = bench.assess()
    pin(bench)
    with pytest.raises(ModelError, match="pinned or removed since mine/1 was judged"):
        bench.serve(assessment)
    assert bench.serve(bench.assess()).promoted == "mine/1"


def test_damage_in_between_is_noticed(bench: Bench) -> None:
    assessment = bench.assess()
    weights = bench.models / "mine/1/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match="mine/1 is damaged"):
        bench.serve(assessment)


def test_every_expectation_comes_with_the_candidates_logits(bench: Bench) -> None:
    pin(bench)
    opened: list[str] = []

    def overlap(path: str) -> Reranker:
        opened.append(path)
        return WordOverlapReranker()

    assessment = assess(
        "mine/1",
        bench.pipeline,
        GateSettings(models=bench.models, shipped=bench.shipped, depth=5, open_model=overlap),
    )
    assert [(pinned.above, pinned.below, pinned.holds) for pinned in assessment.checked] == [
        (1.0, 0.0, True)
    ]  # a1 says honey
    assert assessment.verdict.failed == ()
    assert opened == [str(bench.models / "mine/1"), str(bench.shipped)]


def test_an_absent_version_is_named_before_anything_is_measured(bench: Bench) -> None:
    shutil.rmtree(bench.models / "mine/1")
    with pytest.raises(ModelError, match="no version 'mine/1'"):
        bench.assess()
