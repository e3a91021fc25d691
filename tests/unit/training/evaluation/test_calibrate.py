"""A calibration is chosen on queries that it wasn't fitted on, measured on others, and refused where little tells."""

from dataclasses import asdict, dataclass, replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from indexing.errors import SettingsError
from indexing.judged.fit import FittedSet
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query, QueryId, Ranking
from search.calibration.curve import CalibratedPipeline
from search.pipeline import RetrieveAndRerank
from search.settings import PipelineSettings
from training.evaluation.calibrate import (
    ShownPassages,
    apply_calibration,
    choose_cut,
    fit_calibration,
    measure,
    shown_passages,
)


@dataclass(frozen=True)
class FixedPipeline:
    """Answers each query with a list of its own."""

    rankings: dict[str, Ranking]
    scores: bool = True
    fingerprint: str = "f1"
    settings = PipelineSettings()
    reranker = SimpleNamespace(name="made")

    def search(self, query: str) -> SimpleNamespace:
        final = self.rankings[query]
        found = {name: {"logit": score} if self.scores else {} for _, name, score in final}
        return SimpleNamespace(final=final, scores=found.__getitem__)

    def calibrated_as(self) -> CalibratedPipeline:
        return CalibratedPipeline(self.settings, self.fingerprint, "b1")


def pipeline(**fields: object) -> RetrieveAndRerank:
    return cast(RetrieveAndRerank, FixedPipeline({}, **fields))  # type: ignore[arg-type]  # fields of any kind


def made(queries: int = 120, seed: int = 1, *, slope: float = 2.0, of: int = 10) -> ShownPassages:
    """`of` passages a query, whose logits from -3 to 3 are relevant with the probability 1 / (1 + e^(1 - slope x))."""
    rng = np.random.default_rng(seed)
    logits = rng.uniform(-3, 3, queries * of)
    noise = rng.normal(size=queries * of)
    names = tuple(QueryId(f"q{number}") for number in range(queries))
    return ShownPassages(
        queries=tuple(name for name in names for _ in range(of)),
        names=("logit", "late"),
        values=np.stack([logits, noise], axis=1),
        relevant=rng.random(queries * of) < 1 / (1 + np.exp(1 - slope * logits)),
        asked=names,
        minimum_grade=2,
        unjudged=5,
    )


def test_the_fitted_curve_is_near_the_known_probability_on_new_queries() -> None:
    fitted = fit_calibration(pipeline(), made(), split="dev")
    calibration = fitted.calibration
    for logit in (-2.0, 0.0, 2.0):
        estimate = calibration.estimate({"logit": logit, "late": 0.0})
        assert estimate is not None
        assert estimate.probability == pytest.approx(1 / (1 + np.exp(1 - 2 * logit)), abs=0.07)
    on_others = apply_calibration(calibration, made(seed=2))
    assert on_others.calibration_error < 0.05
    assert on_others.log_loss == pytest.approx(fitted.held_out.log_loss, abs=0.05)
    assert on_others.gain.low > 0
    assert (calibration.fingerprint, calibration.build, calibration.split) == ("f1", "b1", "dev")
    assert (calibration.queries, calibration.passages, calibration.minimum_grade) == (120, 1200, 2)
    assert calibration.pipeline == asdict(PipelineSettings())


def test_the_curve_with_the_least_held_out_loss_is_taken() -> None:
    smooth = fit_calibration(pipeline(), made(), split="dev")  # a sigmoid is a sigmoid
    assert smooth.calibration.curve == "platt"
    assert min(smooth.losses.values()) == smooth.held_out.log_loss
    steps = made()
    level = np.where(np.abs(steps.values[:, 0]) < 2, 0.3, np.where(steps.values[:, 0] < 0, 0.0, 0.9))
    relevant = np.random.default_rng(5).random(len(level)) < level
    assert fit_calibration(pipeline(), replace(steps, relevant=relevant), split="dev").calibration.curve == "isotonic"


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        (made(19), "there are 19 judged dev queries that found anything, and 20 are needed"),
        (replace(made(), relevant=np.arange(1200) < 19), "there are 19 relevant passages in the first 10 places"),
        (replace(made(), relevant=np.arange(1200) >= 19), "there are 19 other passages in the first 10 places"),
        (made(slope=0.0), "so that scores tell too little"),
    ],
    ids=["queries", "relevant", "others", "noise"],
)
def test_where_too_little_tells_no_probability_is_shown(shown: ShownPassages, what: str) -> None:
    with pytest.raises(SettingsError, match=what) as raised:
        fit_calibration(pipeline(), shown, split="dev")
    assert str(raised.value).startswith("No probability can be shown: ")


def test_a_re_ranker_without_files_is_refused() -> None:
    with pytest.raises(SettingsError, match="no files tell this re-ranker from others"):
        fit_calibration(pipeline(fingerprint=""), made(), split="dev")


def lists(*bests: tuple[float, bool]) -> tuple[ShownPassages, np.ndarray]:
    """A list of one passage a query, with its probability and whether it is relevant."""
    names = tuple(QueryId(f"q{number}") for number in range(len(bests)))
    shown = ShownPassages(
        queries=names,
        names=("logit",),
        values=np.zeros((len(bests), 1)),
        relevant=np.array([relevant for _, relevant in bests]),
        asked=(*names, QueryId("empty")),
        minimum_grade=1,
        unjudged=0,
    )
    return shown, np.array([best for best, _ in bests])


def test_the_cut_calls_at_most_a_tenth_of_the_answered_lists_weak() -> None:
    # 40 answered lists with .01, .02, ... .40: 4 of 40 may lie below, so the fifth lowest is the cut
    shown, probabilities = lists(*((number / 100, True) for number in range(1, 41)), (0.005, False), (0.3, False))
    cut = choose_cut(shown, probabilities)
    assert cut == 0.05
    measured = measure(shown, probabilities, cut=cut, base=np.full(42, 0.5))
    assert (measured.answered, measured.answered_weak) == (40, 4)
    assert (measured.unanswered, measured.unanswered_weak) == (3, 2)  # an empty list is weak


def test_a_list_as_probable_as_not_is_never_weak() -> None:
    shown, probabilities = lists(*((0.9, True) for _ in range(40)))
    assert choose_cut(shown, probabilities) == 0.5
    shown, probabilities = lists((0.2, False))
    assert choose_cut(shown, probabilities) == 0.0


def test_the_first_ten_places_are_taken_by_grade_without_the_querys_own_passage() -> None:
    ranking = Ranking.sort([(PassageId(f"p{number}"), 20.0 - number) for number in range(12)])
    queries = (Query(QueryId("p0"), "first"), Query(QueryId("q"), "second"))
    qrels = {
        QueryId("p0"): {PassageId("p1"): 3, PassageId("p2"): 1},
        QueryId("q"): {PassageId("p0"): 2, PassageId("p11"): 3},
    }
    fitted = FittedSet(judged=JudgedSet("dev", queries, qrels), own=frozenset({QueryId("p0")}), absent={}, notes=())
    answers = cast(RetrieveAndRerank, FixedPipeline({"first": ranking, "second": ranking}))
    shown = shown_passages(answers, fitted)
    assert shown.names == ("logit",)
    assert shown.queries == (QueryId("p0"),) * 10 + (QueryId("q"),) * 10
    assert shown.values[[0, 10], 0].tolist() == [19.0, 20.0]
    assert np.flatnonzero(shown.relevant).tolist() == [0, 10]  # p11 stands at rank 12
    assert (shown.minimum_grade, shown.unjudged) == (2, 8 + 9)


def test_lists_without_a_score_to_compare_are_refused() -> None:
    ranking = Ranking.sort([(PassageId("p"), 1.0)])
    queries = (Query(QueryId("q"), "first"),)
    judged = JudgedSet("dev", queries, {QueryId("q"): {PassageId("p"): 1}})
    fitted = FittedSet(judged=judged, own=frozenset(), absent={}, notes=())
    answers = cast(RetrieveAndRerank, FixedPipeline({"first": ranking}, scores=False))
    with pytest.raises(SettingsError, match="rrf ranks without a re-ranker"):
        shown_passages(answers, fitted)
