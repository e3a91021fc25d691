"""How far a model's grades agree with a user's, which must be known before it may grade."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexing import atomic
from indexing.errors import SettingsError, first_line
from indexing.judged.qrels import default_minimum_grade
from indexing.notes import Note, log_note
from indexing.progress import Progress, silent
from indexing.records import PassageId, QueryId
from indexing.typed_json import made
from training.judgments.agreement import Pairs, cohen_kappa, weighted_kappa
from training.judgments.by_model.chat import ModelAddress
from training.judgments.by_model.grader import Grader
from training.judgments.by_model.guideline import guideline_fingerprint
from training.judgments.by_model.own_grades import OwnGrade
from training.judgments.feedback import HIGHEST_GRADE

LEAST = 30  # pairs
SAMPLES = 1000  # of the bootstrap
SEED = 17
TAIL = 0.025  # of the samples on either side of the interval
AGREEMENT = "agreement.json"


@dataclass(frozen=True, kw_only=True)
class ModelAgreement:
    """A model's grades beside a person's, of the same pairs; what `agreement.json` holds."""

    address: str
    model: str
    guideline: str
    """Fingerprint of what was asked."""
    pairs: int
    without_grade: int
    """Pairs whose answer held no grade; they aren't among `pairs`."""
    same: float
    """Share of the pairs with the same grade."""
    quadratic: float
    """Kappa with quadratic weights (Cohen 1968) of the grades 0 to 3."""
    quadratic_interval: tuple[float, float]
    """95 %, bootstrapped over the pairs."""
    relevant_from: int
    """Least grade that is relevant in the binary kappa: 2 if the person gave grades above 1, else 1."""
    binary: float
    """Kappa of relevant or not (Cohen 1960)."""
    binary_interval: tuple[float, float]
    table: tuple[tuple[int, ...], ...]
    """How often each grade of the person's (row, from 0) met each of the model's (column)."""
    at: str
    """UTC, ISO 8601."""

    def sentence(self) -> str:
        """The agreement in one sentence."""
        low, high = self.quadratic_interval
        binary_low, binary_high = self.binary_interval
        return (
            f"{self.model} agrees with your grades of {self.pairs:,} pairs by a quadratic kappa of "
            f"{self.quadratic:.2f} ({low:.2f} to {high:.2f}) and a binary kappa of {self.binary:.2f} "
            f"({binary_low:.2f} to {binary_high:.2f}; grade {self.relevant_from} or more is relevant), "
            "where 1 is full agreement and 0 what chance gives"
        )

    @property
    def doubtful(self) -> bool:
        """Whether one of the intervals reaches chance."""
        return min(self.quadratic_interval[0], self.binary_interval[0]) <= 0


def measure_agreement(
    grader: Grader,
    own: Sequence[OwnGrade],
    address: ModelAddress,
    *,
    note: Note = log_note,
    progress: Progress = silent,
) -> ModelAgreement:
    """Let the model grade pairs that a person graded, and compare.

    Raises:
        SettingsError: there are fewer than LEAST pairs, before the model is asked or with its grades; or all grades are
            the same, so that no kappa exists.
        ModelError: as `Grader.grade` does.
    """
    _check_count(len(own), "of your grades can be measured against")
    grades = grader.grade([each.pair for each in own], note=note, progress=progress)
    pairs = [(each.grade, grade) for each, grade in zip(own, grades, strict=True) if grade is not None]
    _check_count(len(pairs), f"answers of {address.model} held a grade")
    return _compared(pairs, address, without=len(own) - len(pairs))


def _compared(pairs: Pairs, address: ModelAddress, *, without: int) -> ModelAgreement:
    """The agreement over pairs. Raises SettingsError if no kappa exists."""
    relevant = default_minimum_grade(
        {QueryId(""): {PassageId(str(place)): own for place, (own, _) in enumerate(pairs)}}
    )
    binary = [(int(first >= relevant), int(second >= relevant)) for first, second in pairs]
    quadratic_kappa, binary_kappa = weighted_kappa(pairs), cohen_kappa(binary)
    if quadratic_kappa is None or binary_kappa is None:
        raise SettingsError(
            f"Your grades of these {len(pairs)} pairs and those of {address.model} are all alike, so that agreement by "
            "chance can't be told from more; grade passages that differ, relevant ones and others."
        )
    counts = Counter(pairs)
    scale = range(HIGHEST_GRADE + 1)
    return ModelAgreement(
        address=address.url,
        model=address.model,
        guideline=guideline_fingerprint(),
        pairs=len(pairs),
        without_grade=without,
        same=sum(first == second for first, second in pairs) / len(pairs),
        quadratic=quadratic_kappa,
        quadratic_interval=_interval(pairs, weighted_kappa),
        relevant_from=relevant,
        binary=binary_kappa,
        binary_interval=_interval(binary, cohen_kappa),
        table=tuple(tuple(counts[first, second] for second in scale) for first in scale),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _check_count(count: int, what: str) -> None:
    if count < LEAST:
        raise SettingsError(
            f"Only {count} {what}; grade {LEAST - count} more, as at least {LEAST} pairs tell how far a model agrees."
        )


def _interval(pairs: Pairs, kappa: Callable[[Pairs], float | None]) -> tuple[float, float]:
    """95 % of the kappas of samples of the pairs; a sample whose grades are all alike counts as chance, 0."""
    rng = random.Random(SEED)
    values = sorted(kappa(rng.choices(pairs, k=len(pairs))) or 0.0 for _ in range(SAMPLES))
    return values[int(TAIL * SAMPLES)], values[int((1 - TAIL) * SAMPLES) - 1]


def write_agreement(folder: Path, agreement: ModelAgreement) -> None:
    """Write `agreement.json` in one step."""
    atomic.write_json(folder / AGREEMENT, asdict(agreement))


def read_agreement(folder: Path) -> ModelAgreement:
    """The agreement that allows grading.

    Raises:
        SettingsError: there is none, it is of another guideline or too few pairs, or can't be read.
    """
    path = folder / AGREEMENT
    again = f"measure it: python -m training judgments measure-judge {folder} --address URL --model NAME"
    if not path.is_file():
        raise SettingsError(f"{folder} holds no measured model ({AGREEMENT}); {again}.")
    try:
        agreement = made(ModelAgreement, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be read ({first_line(error)}); {again}.") from None
    if agreement.guideline != guideline_fingerprint():
        raise SettingsError(f"{path} was measured with another guideline than this program's; {again}.")
    if agreement.pairs < LEAST:
        raise SettingsError(f"{path} was measured on {agreement.pairs} pairs, fewer than {LEAST}; {again}.")
    return agreement
