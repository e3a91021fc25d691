"""The rows of a training on disk, memory-mapped, so that a resumed training has the same ones."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset

from indexing import atomic
from indexing.errors import TrainingError
from indexing.notes import Note, log_note
from training.example import Example
from training.recipes.row_counts import RowCounts
from training.recipes.rows import Form, Row, rows_of

ROWS = "rows.arrow"
RECORD = "rows.json"
BLOCK = 2_000  # rows in memory while writing
PREVIEW = 20


def write_rows(
    folder: Path,
    examples: Iterable[Example],
    form: Form,
    *,
    seed: int,
    dropped: Counter[str] | None = None,
    note: Note = log_note,
) -> RowCounts:
    """Create `folder` with the rows of all examples; the iterator may add to `dropped`. `note` hears of equal labels.

    Raises TrainingError if no example makes a row, or one lacks what the form needs.
    """
    used, seen = Counter[str](), set[float]()
    left_out = Counter() if dropped is None else dropped
    counts = RowCounts()
    with atomic.folder(folder) as work, pa.OSFile(str(work / ROWS), "wb") as sink:
        schema = _schema(form)
        with pa.ipc.new_stream(sink, schema) as writer:
            block: list[Row] = []
            for example in examples:
                _check(example, form)
                rows = rows_of(example, form, seed=seed)
                if not rows:
                    left_out[f"query with less than this recipe needs: {form.least}"] += 1
                    continue
                used[example.source] += 1
                block += rows
                if len(seen) < 2:
                    seen.update(row["label"] for row in rows if "label" in row)
                counts.rows += len(rows)
                counts.pairs += sum(map(form.pairs, rows))
                if len(block) >= BLOCK:
                    writer.write_table(pa.Table.from_pylist(block, schema=schema))
                    block = []
            writer.write_table(pa.Table.from_pylist(block, schema=schema))
        _check_counts(counts, seen, left_out, note)
        counts.examples, counts.dropped = dict(used), dict(left_out)
        atomic.write_json(work / RECORD, vars(counts))
    return counts


def _check_counts(counts: RowCounts, labels: set[float], dropped: Counter[str], note: Note) -> None:
    """Raise TrainingError without a row; tell `note` if all have one label."""
    if not counts.rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "the source is empty"
        raise TrainingError(f"No example is left to train on ({reasons}); give other data, or loosen the rules.")
    if len(labels) == 1 and counts.rows > 1:
        label = next(iter(labels))
        note(f"All {counts.rows:,} rows have the label {label:g}, so there is little to learn from them.")


def read_rows(folder: Path) -> tuple[Dataset, RowCounts]:
    """The rows, memory-mapped, and their counts. Raises TrainingError if the folder isn't complete."""
    try:
        counts = RowCounts(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
        rows = Dataset.from_file(str(folder / ROWS))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{folder} holds no rows to train on ({error}); start the training anew.") from error
    return rows, counts


def preview(folder: Path) -> list[dict[str, Any]]:
    """The first rows, to be shown to a user."""
    rows, _ = read_rows(folder)
    return [dict(row) for row in rows.select(range(min(PREVIEW, len(rows))))]


def _check(example: Example, form: Form) -> None:
    if getattr(example, form.needs) is None and not form.or_scores:
        other = "give a --teacher" if form.needs == "scores" else "choose a recipe that learns from a teacher's scores"
        raise TrainingError(
            f"Examples of {example.source} have no {form.needs}, which this recipe learns from; {other}."
        )


def _schema(form: Form) -> pa.Schema:
    kinds = {"label": pa.float32(), "labels": pa.list_(pa.float32()), "passages": pa.list_(pa.string())}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in form.columns])
