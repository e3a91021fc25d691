"""How long a training may train where its minutes count everything: gathering, mining and measuring too."""

import json
from dataclasses import replace
from pathlib import Path

from indexing import atomic
from indexing.errors import TrainingError
from training.recipes.settings import FitSettings
from training.train.request import TrainRequest

FORWARD_SHARE = 1 / 3  # time to score some pairs, as a share of that of a training step on as many
LEAST_SHARE = 0.2  # of the minutes in all that are trained at least, however long the rest takes
MEASURING_SHARE = 0.4  # of the minutes in all that measuring the result, and the served version, takes at most
LEAST_QUERIES = 20  # that are measured on, however long that takes
FILE = "to-train.json"
QUERIES = "dev-queries.json"


def minutes_to_train(minutes: float, *, spent: float, last: float, share: float) -> float:
    """What is left of so many minutes for training itself, never below LEAST_SHARE of them.

    `spent` are the minutes that are over, `last` those of the evaluation of the result, and `share` is the time of the
    evaluations in between, as a share of the time of the steps.
    """
    return max((minutes - spent - last) / (1 + share), LEAST_SHARE * minutes)


def queries_to_measure(minutes: float, folder: Path, *, there: int, each: float) -> int:
    """How many of the dev queries are measured on where minutes count everything: all of them, or as many as fit.

    `each` are the minutes that one query takes in all. The number is written into `folder` at first and read from there
    by a training that resumes, so that its figures are of the same queries.
    """
    path = folder / QUERIES
    if not path.is_file():
        fitting = there if each <= 0 else int(MEASURING_SHARE * minutes / each)
        atomic.write_json(path, min(there, max(fitting, LEAST_QUERIES)))
    return int(_read(path))


def share_of_evaluating(settings: FitSettings, *, pairs_a_row: float, dev_pairs: int) -> float:
    """Time of all evaluations as a share of that of the steps between them; 0 where nothing is evaluated."""
    if not settings.evaluate_every:
        return 0.0
    return dev_pairs * FORWARD_SHARE / (settings.evaluate_every * settings.rows_a_step * pairs_a_row)


def within_whole(request: TrainRequest, folder: Path, *, spent: float, last: float, share: float) -> TrainRequest:
    """The request with the minutes that are left to train, if its minutes count everything; otherwise as it is.

    They are written into `folder` at first and read from there by a training that resumes, so that it stays the same.
    """
    minutes = request.settings.minutes
    if not request.whole or minutes is None:
        return request
    path = folder / FILE
    if not path.is_file():
        atomic.write_json(path, minutes_to_train(minutes, spent=spent, last=last, share=share))
    return replace(request, settings=replace(request.settings, minutes=_read(path)))


def _read(path: Path) -> float:
    try:
        minutes = json.loads(path.read_text(encoding="utf-8"))
        if type(minutes) in (int, float) and minutes > 0:
            return float(minutes)
    except (OSError, ValueError, RecursionError):
        pass
    raise TrainingError(f"{path} is damaged; delete {path.parent} and train anew.")
