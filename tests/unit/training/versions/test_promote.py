"""A version is promoted if it is whole and no worse, and if not, only by force with a reason that is kept."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError, SettingsError
from indexing.index import open_index
from indexing.judged.sets import JudgedSet
from indexing.records import Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.served import reranker_path
from tests.conftest import PASSAGES, write_lines
from tests.support.versions import make_version
from training.evaluation.candidates import first_stage_lists, reranked
from training.versions import expectations
from training.versions.expectations import ExpectedPassage
from training.versions.gate_settings import GateSettings
from training.versions.promote import promote_version
from training.versions.promoted import Promotion, current_promotion, history

DEV = {str(number): passage.split(";")[0][:40] for number, passage in enumerate(list(PASSAGES.values())[:12:2])}
pytestmark = pytest.mark.usefixtures("in_float32")


@dataclass(frozen=True)
class Bench:
    """mine/good is promoted; mine/same scores as it does, mine/bad the opposite."""

    models: Path
    shipped: Path
    pipeline: RetrieveAndRerank

    def promote(self, version: str, *, force: bool = False, reason: str = "", depth: int = 10) -> Promotion:
        settings = GateSettings(depth=depth, models=self.models, shipped=self.shipped)
        return promote_version(version, self.pipeline, settings, by="ann", reason=reason, force=force)


@pytest.fixture(scope="module")
def dev_pipeline(
    tmp_path_factory: pytest.TempPathFactory, bi_encoder: BiEncoder, tiny_cross_encoder: Path
) -> RetrieveAndRerank:
    """An index whose six dev queries are judged as the tiny cross-encoder ranks, so that it is perfect there."""
    folder, root = tmp_path_factory.mktemp("dev-corpus"), tmp_path_factory.mktemp("dev-indexes")
    write_lines(folder / "collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    write_lines(folder / "queries.dev.tsv", [f"{key}\t{text}" for key, text in DEV.items()])
    build(Corpus(folder), name="dev", root=root, settings=BuildSettings(bi_encoder=bi_encoder.name))
    pipeline = RetrieveAndRerank(open_index("dev", root=root), bi_encoder, None)
    queries = tuple(Query(QueryId(key), text) for key, text in DEV.items())
    judged = JudgedSet("dev", queries, {query.id: {} for query in queries})
    lists = first_stage_lists(pipeline, judged, depth=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexing.precision.fastest_dtype", lambda on: torch.float32)
        run = reranked(lists, CrossEncoderReranker(str(tiny_cross_encoder)))
    best = [f"{query} 0 {ranking.passage_ids[0]} 3" for query, ranking in run.items()]
    write_lines(folder / "qrels.dev.tsv", best)
    return pipeline


@pytest.fixture(scope="module")
def promoted(
    tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path, dev_pipeline: RetrieveAndRerank
) -> Bench:
    """What every test has a copy of."""
    folder = tmp_path_factory.mktemp("promoted")
    shipped = make_version(folder, "shipped", tiny_cross_encoder)
    for name, sign in (("good", 1.0), ("same", 1.0), ("bad", -1.0)):
        make_version(folder / "models", f"mine/{name}", tiny_cross_encoder, sign=sign)
    bench = Bench(folder / "models", shipped, dev_pipeline)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexing.precision.fastest_dtype", lambda on: torch.float32)
        bench.promote("mine/good")
    return bench


@pytest.fixture
def bench(tmp_path: Path, promoted: Bench) -> Bench:
    models = Path(shutil.copytree(promoted.models, tmp_path / "models"))
    shipped = Path(shutil.copytree(promoted.shipped, tmp_path / "shipped"))
    return replace(promoted, models=models, shipped=shipped)


def test_what_is_not_worse_is_promoted_with_its_verdict(bench: Bench) -> None:
    promotion = bench.promote("mine/same")
    assert promotion == current_promotion(bench.models)
    assert (promotion.promoted, promotion.before, promotion.by, promotion.action) == (
        "mine/same",
        "mine/good",
        "ann",
        "promote",
    )
    comparison = promotion.verdict["comparison"]
    assert (comparison["outcome"], comparison["candidate_mean"], comparison["baseline_mean"]) == (
        "no difference shown",
        1,
        1,
    )
    assert (comparison["queries"], comparison["measure"], promotion.verdict["objections"]) == (6, "nDCG@10", [])
    assert promotion.verdict["against"] == "mine/good"
    build_id = bench.pipeline.index.manifest.build
    assert promotion.verdict["dev_set"] == f"index dev, build {build_id}, dev split, depth 10"
    assert reranker_path(models=bench.models) == str(bench.models / "mine/same")


def test_the_first_is_measured_against_the_shipped_one(bench: Bench) -> None:
    assert history(bench.models)[0].verdict["against"] == "shipped"


def test_what_is_worse_is_refused(bench: Bench) -> None:
    # worse on each of six queries: no resample of them has a mean of zero
    below_zero = r"\(95 %: -0\.\d{4} to -0\.\d{4}\), worse"
    with pytest.raises(ModelError, match=rf"mine/bad is not promoted: .* {below_zero}"):
        bench.promote("mine/bad")
    assert current_promotion(bench.models).promoted == "mine/good"
    assert len(history(bench.models)) == 1


def test_what_is_better_is_promoted(bench: Bench) -> None:
    bench.promote("mine/bad", force=True, reason="to see it")
    assert bench.promote("mine/same").verdict["comparison"]["outcome"] == "better"


def test_force_promotes_all_the_same_and_the_reason_is_recorded(bench: Bench) -> None:
    promotion = bench.promote("mine/bad", force=True, reason=" shown to nobody yet ")
    assert (promotion.promoted, promotion.action, promotion.reason) == ("mine/bad", "force", "shown to nobody yet")
    assert promotion.verdict["objections"][0].endswith(", worse")
    assert history(bench.models)[-1] == promotion


@pytest.mark.parametrize("reason", ["", "  "])
def test_force_without_a_reason_is_refused(bench: Bench, reason: str) -> None:
    with pytest.raises(SettingsError, match="--force needs a --reason"):
        bench.promote("mine/same", force=True, reason=reason)
    assert current_promotion(bench.models).promoted == "mine/good"


def test_where_nothing_speaks_against_it_force_forced_nothing(bench: Bench) -> None:
    assert bench.promote("mine/same", force=True, reason="it is late").action == "promote"


def pin(bench: Bench, *, wrong: bool) -> str:
    """An expectation that mine/same fails or holds; gives back the id that should stand above."""
    texts = [PASSAGES["a1"], PASSAGES["b1"]]
    logits = CrossEncoderReranker(str(bench.models / "mine/same")).score("honey", texts).logits
    order = ["a1", "b1"] if logits[0] > logits[1] else ["b1", "a1"]
    above, below = (ExpectedPassage(key, PASSAGES[key]) for key in (reversed(order) if wrong else order))
    expectations.add_expectation("honey", above=above, below=below, by="ann", path=bench.models / "expectations.jsonl")
    return above.id


def test_a_failing_expectation_blocks_a_promotion(bench: Bench) -> None:
    above = pin(bench, wrong=True)
    with pytest.raises(ModelError, match=f"1 of 1 expectations fail: for 'honey', {above} above"):
        bench.promote("mine/same")
    assert current_promotion(bench.models).promoted == "mine/good"
    forced = bench.promote("mine/same", force=True, reason="the expectation is out of date")
    assert len(forced.verdict["failed"]) == 1


def test_an_expectation_that_holds_blocks_nothing(bench: Bench) -> None:
    pin(bench, wrong=False)
    promotion = bench.promote("mine/same")
    assert (promotion.verdict["expectations"], promotion.verdict["failed"]) == (1, [])


def test_a_damaged_version_is_never_promoted(bench: Bench) -> None:
    (bench.models / "mine/same/README.md").unlink()
    with pytest.raises(ModelError, match=r"README\.md is absent"):
        bench.promote("mine/same", force=True, reason="in a hurry")


def test_what_is_promoted_already_is_not_promoted_again(bench: Bench) -> None:
    with pytest.raises(ModelError, match="mine/good is already served, since "):
        bench.promote("mine/good")


def test_a_promoted_version_that_is_gone_needs_force(bench: Bench) -> None:
    shutil.rmtree(bench.models / "mine/good")
    with pytest.raises(ModelError, match=r"couldn't be compared .* no version 'mine/good'"):
        bench.promote("mine/same")
    assert bench.promote("mine/same", force=True, reason="good is lost").promoted == "mine/same"


def test_where_nothing_is_served_there_is_nothing_to_be_worse_than(bench: Bench) -> None:
    (bench.models / "promoted.json").unlink()
    shutil.rmtree(bench.shipped)
    promotion = bench.promote("mine/bad")
    assert (promotion.promoted, promotion.verdict["comparison"]) == ("mine/bad", None)


def test_a_corpus_without_dev_queries_is_named(bench: Bench, tmp_path: Path) -> None:
    write_lines(tmp_path / "bare/collection.tsv", ["1\tx"])
    index = bench.pipeline.index
    bare = replace(index, manifest=replace(index.manifest, corpus=str(tmp_path / "bare")))
    with pytest.raises(SettingsError, match="index dev has no judged dev queries"):
        replace(bench, pipeline=RetrieveAndRerank(bare, bench.pipeline.encoder, None)).promote("mine/same")
