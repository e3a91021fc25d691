"""A calibration turns scores into probabilities, only for the pipeline that it was fitted on, and says what differs."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from indexing.errors import IndexingError, SettingsError
from indexing.records import Passage, PassageId, Ranking
from search.calibration.curve import CalibratedPipeline, Calibration, Estimate, Knot, effective
from search.calibration.stored import (
    FILE,
    CalibrationsFile,
    calibrations,
    fitting,
    forget_calibrations,
    keep_calibration,
    read_calibrations,
)
from search.load import open_pipeline
from search.settings import PipelineSettings
from search.trace import NOTHING_ANSWERS, PipelineVersions, SearchTrace
from tests.support.fakes import WordOverlapReranker

SETTINGS = PipelineSettings(rerank_depth=7)
KNOTS = (
    Knot(score=-2.0, probability=0.1, low=0.05, high=0.2, passages=100, relevant=10),
    Knot(score=2.0, probability=0.7, low=0.55, high=0.8, passages=50, relevant=35),
)
CALIBRATION = Calibration(
    weights={"logit": 1.0},
    knots=KNOTS,
    cut=0.25,
    curve="isotonic",
    pipeline=asdict(SETTINGS),
    reranker="shipped",
    fingerprint="f1",
    build="b1",
    split="dev",
    queries=40,
)
OWN = CalibratedPipeline(SETTINGS, "f1", "b1")


def trace(best: float, *, calibration: Calibration | None = CALIBRATION) -> SearchTrace:
    """Two re-ranked passages, the first with this logit and the second with -9."""
    ids = [PassageId("a"), PassageId("b")]
    logits = dict(zip(ids, (best, -9.0), strict=True))
    return SearchTrace(
        query="why",
        settings=SETTINGS,
        versions=PipelineVersions(index="small", build="b1", bi_encoder="m", reranker="shipped", second_look=""),
        first_stage={},
        fused=Ranking.sort([(ids[1], 2.0), (ids[0], 1.0)]),
        reranked=Ranking.sort(logits.items()),
        logits=logits,
        seconds={},
        passages={name: Passage(name, "text") for name in ids},
        notes=("A note.",),
        calibration=calibration,
    )


def test_between_points_the_curve_is_straight_and_beyond_them_level() -> None:
    # half way: .1 + (.7 - .1) / 2, .05 + (.55 - .05) / 2, .2 + (.8 - .2) / 2
    assert CALIBRATION.estimate({"logit": 0.0}) == pytest.approx(Estimate(0.4, 0.3, 0.5))
    assert CALIBRATION.estimate({"logit": -50.0}) == pytest.approx(Estimate(0.1, 0.05, 0.2))
    assert CALIBRATION.estimate({"logit": 50.0, "late": 1.0}) == pytest.approx(Estimate(0.7, 0.55, 0.8))
    assert CALIBRATION.estimate({"late": 1.0}) is None


def test_several_scores_are_added_by_their_weights() -> None:
    both = replace(CALIBRATION, weights={"logit": 2.0, "late": 1.0})
    assert both.estimate({"logit": 0.5, "late": -1.0}) == CALIBRATION.estimate({"logit": 2 * 0.5 + 1 * -1.0})


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"knots": ()}, "points must rise"),
        ({"knots": KNOTS[::-1]}, "points must rise"),
        ({"weights": {"rrf": 1.0}}, "'rrf'"),
        ({"pipeline": {"depth": -1}}, "depth is -1"),
    ],
)
def test_what_no_calibration_can_be_is_refused(fields: dict[str, object], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        replace(CALIBRATION, **fields)  # type: ignore[arg-type]  # fields of any kind
    with pytest.raises(SettingsError, match="interval"):
        replace(KNOTS[0], low=0.3)


def test_a_list_below_the_cut_says_that_nothing_answers() -> None:
    # best: .1 + .6 * (score + 2) / 4, so .25 at score -1
    assert (trace(-1.01).answers, trace(-0.99).answers) == (False, True)
    assert trace(-1.01).told == (NOTHING_ANSWERS, "A note.")
    assert trace(-0.99).told == ("A note.",)
    assert trace(0.0).best == pytest.approx(0.4)
    plain = trace(-9.0, calibration=None)
    assert (plain.best, plain.answers, plain.told) == (None, None, ("A note.",))


def test_an_empty_list_has_no_best_and_answers_nothing() -> None:
    empty = replace(trace(0.0), fused=Ranking.sort([]), reranked=None)
    assert (empty.best, empty.answers) == (0.0, False)


def test_programs_get_the_probability_and_the_cut() -> None:
    values = json.loads(json.dumps(trace(0.0).to_dict()))
    assert values["final"][0]["probability"] == pytest.approx({"probability": 0.4, "low": 0.3, "high": 0.5})
    assert values["calibration"] == {
        "answers": True,
        "best": pytest.approx(0.4),
        "cut": 0.25,
        "split": "dev",
        "queries": 40,
    }
    weak = trace(-9.0).to_dict()
    assert weak["calibration"]["answers"] is False
    assert weak["notes"] == [NOTHING_ANSWERS, "A note."]


def test_a_single_retrievers_score_can_be_compared_and_a_reciprocal_rank_cannot() -> None:
    plain = replace(trace(0.0), reranked=None, logits={})
    assert plain.scores(PassageId("b")) == {}
    dense = replace(plain, settings=PipelineSettings(fusion="dense"))
    assert dense.scores(PassageId("b")) == {"cosine": 2.0}
    words = replace(plain, settings=PipelineSettings(fusion="bm25"))
    assert words.scores(PassageId("b")) == {"bm25": 2.0}


def test_it_holds_for_its_own_pipeline_and_says_what_differs() -> None:
    assert fitting([CALIBRATION], OWN, index="small") == (CALIBRATION, "")
    assert fitting([], OWN, index="small") == (None, "")
    for other, what in (
        (replace(OWN, settings=PipelineSettings()), "with other settings"),
        (replace(OWN, fingerprint="f2"), "with another re-ranker, or another version of it"),
        (replace(OWN, build="b2"), "on build b1, now b2"),
    ):
        assert fitting([CALIBRATION], other, index="small") == (
            None,
            f"No probability is shown, as index small was calibrated {what}; calibrate what it serves: "
            "python -m training calibrate small --serve",
        )
    assert fitting([CALIBRATION], replace(OWN, fingerprint=""), index="small")[0] is None


def test_settings_that_change_nothing_do_not_matter() -> None:
    assert effective(replace(SETTINGS, rerank_mix="dense")) == SETTINGS
    assert effective(replace(SETTINGS, rerank_mix="dense", rerank_weight=0.5)) != SETTINGS
    plain = PipelineSettings(rerank_depth=0)
    assert effective(replace(plain, rerank_order="dense", rerank_weight=0.3, rerank_mix="dense")) == plain


def test_a_file_keeps_one_for_each_pipeline(own_root: Path) -> None:
    assert calibrations("small", root=own_root) == ()
    first = keep_calibration("small", CALIBRATION, root=own_root)
    other = keep_calibration("small", replace(CALIBRATION, fingerprint="f2"), root=own_root)
    assert first.at.startswith("20")
    again = keep_calibration("small", replace(CALIBRATION, cut=0.3), root=own_root)
    assert calibrations("small", root=own_root) == (other, again)
    forget_calibrations("small", root=own_root)
    assert calibrations("small", root=own_root) == ()
    with pytest.raises(SettingsError, match="isn't calibrated"):
        forget_calibrations("small", root=own_root)


def test_the_file_is_read_again_once_it_has_changed(own_root: Path) -> None:
    file = CalibrationsFile(own_root / "small")
    assert file.read() == ()
    kept = keep_calibration("small", CALIBRATION, root=own_root)
    assert file.read() == (kept,)
    forget_calibrations("small", root=own_root)
    assert file.read() == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"calibrations": [{"cut": 1}]}', '{"calibrations": 3}'])
def test_a_broken_file_is_refused_and_an_answer_says_so(own_root: Path, text: str) -> None:
    (own_root / "small" / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(IndexingError, match=f"{FILE} can't be read"):
        read_calibrations(own_root / "small")
    found = open_pipeline("small", reranker="none", root=own_root).search("bread")
    assert found.calibration is None
    assert found.told[-1].startswith(str(own_root / "small" / FILE))


def test_an_answer_carries_the_calibration_of_its_pipeline(own_root: Path) -> None:
    settings = PipelineSettings(fusion="dense", rerank_depth=0)
    pipeline = open_pipeline("small", reranker="none", root=own_root)
    own = pipeline.calibrated_as(settings)
    assert (own.fingerprint, own.build) == ("none", pipeline.index.manifest.build)
    fitted = replace(
        CALIBRATION, weights={"cosine": 1.0}, pipeline=asdict(settings), fingerprint="none", build=own.build
    )
    kept = keep_calibration("small", fitted, root=own_root)
    found = pipeline.search("bread", settings)
    assert (found.calibration, found.uncalibrated) == (kept, "")
    best = found.final.top(1)
    assert found.best == pytest.approx(0.1 + 0.6 * (float(best.scores[0]) + 2) / 4)
    assert "with other settings" in pipeline.search("bread").uncalibrated


def test_a_re_ranker_that_no_files_tell_from_others_never_has_one(own_root: Path) -> None:
    pipeline = open_pipeline("small", reranker=WordOverlapReranker(), root=own_root)
    assert pipeline.calibrated_as().fingerprint == ""
    assert open_pipeline("small", reranker="late", root=own_root).calibrated_as().fingerprint == "late"
