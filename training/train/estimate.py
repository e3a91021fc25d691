"""Forecasts a training: shows some of its rows, and estimates the steps, time and memory that it will take.

Gathers the examples of a few queries as the training would, and times a few of its steps on this machine.
"""

import math
import time
from dataclasses import dataclass, replace

from datasets import Dataset
from transformers import AutoTokenizer

from indexing import places
from indexing.errors import SettingsError
from indexing.index import open_corpus_folder
from indexing.judged.sets import judged_sets
from indexing.pretrained import bundled_path
from indexing.progress import Progress, silent
from search.rerank.pairs import encode_pairs
from training.data.open_indexes import OpenIndexes
from training.data.readers.feedback import feedback_examples
from training.data.settings import DataSettings
from training.example import ignore
from training.fitting.fit import ROWS
from training.fitting.memory import free_bytes, memory_bytes, model_shape
from training.fitting.plan import seconds_a_step
from training.judgments.judged_set import judged_files
from training.mining.kept_negatives import FOLDER, Keeping
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import preview, read_rows
from training.recipes.settings import FitSettings
from training.source import Source
from training.train.forecast import QUERIES, Forecast
from training.train.inputs import RowGatherer, protection_of
from training.train.passes import passes_of
from training.train.request import TrainRequest, model_path
from training.train.whole import FORWARD_SHARE, minutes_to_train, share_of_evaluating

MEASURED_PAIRS = 256  # whose lengths in tokens are measured


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """The rows of a few queries."""

    rows: Dataset
    counts: RowCounts
    seconds: float
    """Time that gathering them took."""
    times: float | None
    """How many times as many examples the training will gather; None if unknown."""


def forecast(request: TrainRequest, *, progress: Progress = silent) -> Forecast:
    """Gather a few examples into `request.work`, time a few steps, and estimate the rest.

    If memory wouldn't suffice, nothing is timed and `seconds` has no entry for training.

    Raises:
        SettingsError: the recipe has several stages.
        SecondLookError: the training itself would fail in the same way.
    """
    if request.plan is not None:
        raise SettingsError(f"What recipe {request.recipe} of several stages takes can't be forecast; start it.")
    sample = _sample(request, progress)
    progress("time a few steps", 0, 0)
    settings, counts = whole_settings(request), sample.counts
    pairs_a_row = counts.pairs / counts.rows
    lengths = _lengths(settings, sample.rows)
    memory = memory_bytes(settings, model_shape(settings.base), pairs_a_row=pairs_a_row, lengths=lengths)
    free = free_bytes()
    a_step = seconds_a_step(settings, sample.rows) if memory < free else None
    whole = None if sample.times is None else counts.rows * sample.times
    seconds = {"gathering": sample.seconds * (sample.times or 1.0)}
    if request.whole and a_step is not None:
        settings = _timed(request, settings, seconds["gathering"], a_step, pairs_a_row)
    steps = steps_to_do(settings, a_step, rows=whole)
    if a_step is not None:
        seconds |= {"training": steps * a_step, "evaluating": _evaluating(request, a_step, steps, pairs_a_row)}
    return Forecast(
        rows=preview(request.work / ROWS),
        counts=counts,
        steps=steps,
        pairs=round(steps * settings.rows_a_step * pairs_a_row),
        passes=None if whole is None else steps * settings.rows_a_step / whole,
        seconds=seconds,
        memory=memory,
        free=free,
    )


def _timed(
    request: TrainRequest, settings: FitSettings, gathering: float, a_step: float, pairs_a_row: float
) -> FitSettings:
    """The settings with the minutes that will be left to train, where the request's minutes count everything.

    The served version and the result are measured once each; `gathering` and `a_step` are in seconds.
    """
    if settings.minutes is None:
        return settings
    dev_pairs = 0 if request.dev is None else request.dev.queries * request.dev.depth
    once = dev_pairs * a_step * FORWARD_SHARE / (settings.rows_a_step * pairs_a_row)
    share = share_of_evaluating(settings, pairs_a_row=pairs_a_row, dev_pairs=dev_pairs)
    minutes = minutes_to_train(settings.minutes, spent=(gathering + once) / 60, last=once / 60, share=share)
    return replace(settings, minutes=minutes)


def _sample(request: TrainRequest, progress: Progress) -> _Sample:
    begun = time.monotonic()
    sample, indexes = (
        replace(request, data=_shortened(request)),
        OpenIndexes(request.root, keeping=Keeping(places.runs() / FOLDER, anew=True)),
    )
    gatherer = RowGatherer(sample, protection=protection_of(sample), indexes=indexes, progress=progress)
    counts = gatherer.gather(passes_of(sample)[0])
    seconds = time.monotonic() - begun
    times = _times_as_many(request, indexes)
    gatherer.close()
    return _Sample(rows=read_rows(request.work / ROWS)[0], counts=counts, seconds=seconds, times=times)


def steps_to_do(settings: FitSettings, seconds_a_step: float | None, *, rows: float | None) -> int:
    """Optimizer steps that a training on this many rows would plan; 0 if that can't be known."""
    passes = settings.loss_recipe.passes
    epochs = 0 if rows is None else passes * max(1, round((settings.epochs or 1) * -(-rows // settings.rows_a_step)))
    requested = settings.steps or epochs
    if settings.minutes is None:
        return requested
    fitting = 0 if seconds_a_step is None else max(1, int(settings.minutes * 60 / seconds_a_step))
    if settings.steps is None and settings.epochs is None:
        return fitting
    return min(requested, fitting) if requested and fitting else max(requested, fitting)


def whole_settings(request: TrainRequest) -> FitSettings:
    """The settings of the whole training, not of one of its passes."""
    settings = replace(request.settings, base=model_path(request.settings.base))
    return settings.by(request.recipe)


def _shortened(request: TrainRequest) -> DataSettings:
    data = request.data
    cold = replace(data.cold, queries=min(data.cold.queries, QUERIES))
    return replace(data, limit=min(data.limit or QUERIES, QUERIES), cold=cold)


def _lengths(settings: FitSettings, rows: Dataset) -> list[int]:
    """Lengths in tokens of some of the rows' pairs."""
    pairs: list[tuple[str, str]] = []
    for row in rows.select(range(min(len(rows), MEASURED_PAIRS))):
        texts = [value for name, value in row.items() if name not in ("query", "label", "labels")]
        pairs += [(row["query"], text) for value in texts for text in (value if isinstance(value, list) else [value])]
    queries, passages = zip(*pairs[:MEASURED_PAIRS], strict=True)
    tokenizer = AutoTokenizer.from_pretrained(bundled_path(settings.base), trust_remote_code=False)
    encoded = encode_pairs(tokenizer, queries, passages, max_length=settings.max_length)
    return [len(row["input_ids"]) for row in encoded.ids]


def _times_as_many(request: TrainRequest, indexes: OpenIndexes) -> float | None:
    """How many times as many examples the training will gather as the forecast did; None if unknown."""
    data = request.data
    if request.resolved_recipe.from_passages:
        return data.cold.queries / min(data.cold.queries, QUERIES)
    few = all_of_them = 0.0
    for source in data.sources:
        available = min(_queries(source, indexes), data.limit or math.inf)
        few += min(available, QUERIES)
        all_of_them += available
    return all_of_them / few if 0 < all_of_them < math.inf else None


def _queries(source: Source, indexes: OpenIndexes) -> float:
    """Number of queries in a source; infinite if counting them would mean reading all of it."""
    if source.form == "index":
        return len(judged_sets(open_corpus_folder(indexes.index(source.index)))["train"].queries)
    if source.queries is not None and source.qrels is not None:
        return len(judged_files(source.queries, source.qrels).queries)
    if source.form == "feedback":
        return sum(1 for _ in feedback_examples(source, on_skip=ignore))
    return math.inf


def _evaluating(request: TrainRequest, seconds_a_step: float, steps: int, pairs_a_row: float) -> float:
    """Seconds of all evaluations on the dev set, that of the current model included."""
    if request.dev is None:
        return 0.0
    a_pair = seconds_a_step / (whole_settings(request).rows_a_step * pairs_a_row) * FORWARD_SHARE
    times = 2 + (steps // request.settings.evaluate_every if request.settings.evaluate_every else 0)
    return times * request.dev.queries * request.dev.depth * a_pair
