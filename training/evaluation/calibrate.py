"""Calibrates what an index serves on judged queries: cross-fitted by query, chosen by held-out log loss, or refused."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np

from indexing.errors import SettingsError
from indexing.judged.fit import FittedSet, leave_out
from indexing.notes import counted
from indexing.progress import Progress, silent
from indexing.records import QueryId
from search.calibration.curve import SCORES, SHOWN, Calibration
from search.pipeline import RetrieveAndRerank
from training.evaluation.curves import CURVES, Flags, Numbers, calibration_error, fit_weights, log_loss
from training.evaluation.measures import relevant_grade
from training.evaluation.significance import Interval, bootstrap_interval

FEWEST = 20  # judged queries, relevant passages and others, below which no curve is fitted
FOLDS = 5
MISSED = 0.1  # share of the lists with a relevant passage that the cut may call weak
HIGHEST_CUT = 0.5  # a list whose best passage is as probable as not isn't called weak
UNTOLD = "No probability can be shown"


@dataclass(frozen=True)
class ShownPassages:
    """What a pipeline showed in the first ten places for judged queries, a row a passage."""

    queries: tuple[QueryId, ...]
    """The query of each passage."""
    names: tuple[str, ...]
    """Scores that every passage has."""
    values: Numbers
    """(passages, names)"""
    relevant: Flags
    """(passages,)"""
    asked: tuple[QueryId, ...]
    """Every judged query, those that found nothing among them."""
    minimum_grade: int
    unjudged: int
    """Passages without a judgment, which count as not relevant."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How good probabilities are on queries that they weren't fitted on."""

    queries: int
    passages: int
    relevant: int
    unjudged: int
    calibration_error: float
    """Expected, over ten bins of equal counts."""
    log_loss: float
    base_log_loss: float
    """Of the share of relevant passages, given to each."""
    gain: Interval
    """Of 95 %, of how much lower the log loss is than that, a query."""
    answered: int
    """Lists with a relevant passage."""
    answered_weak: int
    """Those that are called weak nevertheless."""
    unanswered: int
    """Lists without one."""
    unanswered_weak: int

    def sentence(self) -> str:
        """All of it in words."""
        return (
            f"Expected calibration error {self.calibration_error:.4f} over {counted(self.passages, 'passage')} of "
            f"{counted(self.queries, 'query', 'queries')} ({self.relevant:,} relevant); log loss {self.log_loss:.4f}, "
            f"by the base rate {self.base_log_loss:.4f}. Weak by the cut: {self.answered_weak:,} of {self.answered:,} "
            f"lists with a relevant passage, {self.unanswered_weak:,} of {self.unanswered:,} without one."
        )


@dataclass(frozen=True)
class Fitted:
    """A calibration, and how it did on queries that it wasn't fitted on."""

    calibration: Calibration
    held_out: HeldOut
    losses: Mapping[str, float]
    """Held-out log loss of every curve and score that was tried."""


def shown_passages(
    pipeline: RetrieveAndRerank,
    fitted: FittedSet,
    *,
    minimum_grade: int | None = None,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    progress: Progress = silent,
) -> ShownPassages:
    """Search for every judged query, by the pipeline's own settings; `turn` is held during each search.

    Raises:
        SettingsError: no score of this pipeline can be compared between queries.
        ModelError: the re-ranker doesn't give one finite number for each passage.
    """
    judged = fitted.judged
    grade = relevant_grade(judged.qrels, minimum_grade)
    rows: list[tuple[QueryId, dict[str, float], int | None]] = []
    for query in judged.queries:
        with turn():
            trace = pipeline.search(query.text)
        final = leave_out(trace.final, query.id) if query.id in fitted.own else trace.final
        grades = judged.qrels[query.id]
        rows += [(query.id, trace.scores(passage), grades.get(passage)) for passage in final.top(SHOWN).passage_ids]
        progress("calibrate", 1, len(judged.queries))
    names = tuple(name for name in SCORES if rows and all(name in scores for _, scores, _ in rows))
    if rows and not names:
        raise SettingsError(
            f"{UNTOLD}: {pipeline.settings.fusion} ranks without a re-ranker by what tells a passage's place in its "
            "own list alone; serve a re-ranker, or --fusion dense or bm25."
        )
    return ShownPassages(
        queries=tuple(query for query, _, _ in rows),
        names=names,
        values=np.array([[scores[name] for name in names] for _, scores, _ in rows]).reshape(len(rows), len(names)),
        relevant=np.array([(found or 0) >= grade for _, _, found in rows], dtype=bool),
        asked=tuple(query.id for query in judged.queries),
        minimum_grade=grade,
        unjudged=sum(found is None for _, _, found in rows),
    )


def fit_calibration(pipeline: RetrieveAndRerank, shown: ShownPassages, *, split: str, seed: int = 0) -> Fitted:
    """The curve and score with the least held-out log loss, fitted on all of the queries.

    Raises:
        SettingsError: there is too little to fit a curve on, the re-ranker can't be told from others, or no curve is
            better than the base rate by the interval of 95 %.
    """
    own = pipeline.calibrated_as()
    if not own.fingerprint:
        raise SettingsError(f"{UNTOLD}: no files tell this re-ranker from others; name one that was loaded from files.")
    _check_enough(shown, split)
    folds = _folds(shown, seed)
    tried = _tried(shown, folds)
    losses = {name: float(log_loss(found, shown.relevant).mean()) for name, (_, _, found) in tried.items()}
    best = min(losses, key=lambda name: losses[name])
    curve, names, probabilities = tried[best]
    cut = choose_cut(shown, probabilities)
    held_out = measure(shown, probabilities, cut=cut, base=_base_rates(shown, folds))
    _check_gain(held_out, split)
    columns = _columns(shown, names)
    weights = fit_weights(columns, shown.relevant)
    calibration = Calibration(
        weights={name: weight for name, weight in zip(names, weights.tolist(), strict=True) if weight > 0},
        knots=CURVES[curve](columns @ weights, shown.relevant),
        cut=cut,
        curve=curve,
        pipeline=asdict(own.settings),
        reranker="" if pipeline.reranker is None else pipeline.reranker.name,
        fingerprint=own.fingerprint,
        build=own.build,
        split=split,
        queries=len(shown.asked),
        passages=len(shown.queries),
        relevant=int(shown.relevant.sum()),
        minimum_grade=shown.minimum_grade,
        figures={"held_out": asdict(held_out), "losses": losses},
    )
    return Fitted(calibration, held_out, losses)


Tried = Mapping[str, tuple[str, tuple[str, ...], Numbers]]
"""By name, a kind of curve, the scores that it reads, and the held-out probability of each passage, (passages,)."""


def _tried(shown: ShownPassages, folds: Sequence[Flags]) -> Tried:
    return {
        f"{curve} of {' + '.join(names)}": (curve, names, _cross_fit(shown, folds, curve, names))
        for names in _subsets(shown.names)
        for curve in CURVES
    }


def _check_gain(held_out: HeldOut, split: str) -> None:
    """Raise SettingsError if the best curve isn't better than the base rate by the interval of 95 %."""
    if held_out.gain.low <= 0:
        raise SettingsError(
            f"{UNTOLD}: on held-out {split} queries the best curve's log loss is {held_out.log_loss:.4f}, the base "
            f"rate's {held_out.base_log_loss:.4f}, so that scores tell too little; judge more queries."
        )


def apply_calibration(calibration: Calibration, shown: ShownPassages) -> HeldOut:
    """How a calibration does on other queries. Raises SettingsError if a score that it needs is missing."""
    if missing := calibration.weights.keys() - set(shown.names):
        raise SettingsError(f"These lists have no {', '.join(sorted(missing))} score; calibrate again.")
    rows = (dict(zip(shown.names, row, strict=True)) for row in shown.values.tolist())
    found = [calibration.estimate(row) for row in rows]
    probabilities = np.array([estimate.probability for estimate in found if estimate is not None])
    base = np.full(len(found), calibration.relevant / max(calibration.passages, 1))
    return measure(shown, probabilities, cut=calibration.cut, base=base)


def choose_cut(shown: ShownPassages, probabilities: Numbers) -> float:
    """The highest cut that calls at most MISSED of the lists with a relevant passage weak, and at most HIGHEST_CUT."""
    best, answered = _lists(shown, probabilities)
    bests = sorted(best[query] for query in answered)
    return min(bests[int(MISSED * len(bests))], HIGHEST_CUT) if bests else 0.0


def measure(shown: ShownPassages, probabilities: Numbers, *, cut: float, base: Numbers) -> HeldOut:
    """How good these probabilities are, and the cut by them."""
    loss, base_loss = log_loss(probabilities, shown.relevant), log_loss(base, shown.relevant)
    best, answered = _lists(shown, probabilities)
    weak = {query for query in shown.asked if best[query] < cut}
    gains = dict.fromkeys(shown.queries, 0.0)
    for query, gain in zip(shown.queries, (base_loss - loss).tolist(), strict=True):
        gains[query] += gain
    return HeldOut(
        queries=len(shown.asked),
        passages=len(shown.queries),
        relevant=int(shown.relevant.sum()),
        unjudged=shown.unjudged,
        calibration_error=calibration_error(probabilities, shown.relevant),
        log_loss=float(loss.mean()) if len(loss) else 0.0,
        base_log_loss=float(base_loss.mean()) if len(loss) else 0.0,
        gain=bootstrap_interval(list(gains.values())) if gains else Interval(0.0, 0.0),
        answered=len(answered),
        answered_weak=len(answered & weak),
        unanswered=len(set(shown.asked) - answered),
        unanswered_weak=len(weak - answered),
    )


def _lists(shown: ShownPassages, probabilities: Numbers) -> tuple[dict[QueryId, float], set[QueryId]]:
    """The best probability of each list, 0 of an empty one, and the queries whose lists hold a relevant passage."""
    best = dict.fromkeys(shown.asked, 0.0)
    for query, probability in zip(shown.queries, probabilities.tolist(), strict=True):
        best[query] = max(best[query], probability)
    return best, {query for query, is_relevant in zip(shown.queries, shown.relevant, strict=True) if is_relevant}


def _check_enough(shown: ShownPassages, split: str) -> None:
    relevant = int(shown.relevant.sum())
    for count, what in (
        (len(set(shown.queries)), f"judged {split} queries that found anything"),
        (relevant, f"relevant passages in the first {SHOWN} places"),
        (len(shown.queries) - relevant, f"other passages in the first {SHOWN} places"),
    ):
        if count < FEWEST:
            raise SettingsError(f"{UNTOLD}: there are {count} {what}, and {FEWEST} are needed; judge more queries.")


def _folds(shown: ShownPassages, seed: int) -> list[Flags]:
    """(passages,) for each fold, whether it holds a passage out: all passages of a query lie in one fold."""
    order = np.random.default_rng(seed).permutation(sorted(set(shown.queries)))
    fold = {str(query): place % FOLDS for place, query in enumerate(order)}
    of_passages = np.array([fold[query] for query in shown.queries])
    return [of_passages == number for number in range(FOLDS)]


def _cross_fit(shown: ShownPassages, folds: Sequence[Flags], curve: str, names: tuple[str, ...]) -> Numbers:
    """(passages,) the probability of each by what was fitted on the other folds."""
    found = np.empty(len(shown.queries))
    columns = _columns(shown, names)
    for held in folds:
        weights = fit_weights(columns[~held], shown.relevant[~held])
        knots = CURVES[curve](columns[~held] @ weights, shown.relevant[~held])
        at, probabilities = [knot.score for knot in knots], [knot.probability for knot in knots]
        found[held] = np.interp(columns[held] @ weights, at, probabilities)
    return found


def _base_rates(shown: ShownPassages, folds: Sequence[Flags]) -> Numbers:
    """(passages,) the share of relevant passages in the other folds."""
    found = np.empty(len(shown.queries))
    for held in folds:
        found[held] = shown.relevant[~held].mean()
    return found


def _subsets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every choice of scores that is tried."""
    return [found for count in range(1, len(names) + 1) for found in combinations(names, count)]


def _columns(shown: ShownPassages, names: tuple[str, ...]) -> Numbers:
    columns: Numbers = shown.values[:, [shown.names.index(name) for name in names]]
    return columns
