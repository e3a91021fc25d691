"""Mined negatives on disk: JSON lines in each form that losses take, whole or not at all, read back as datasets."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
from datasets import Dataset, Features, Value

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from indexing.records import QueryId
from training.mining.negatives import MinedQuery, Positive, Text

MANIFEST = "manifest.json"
RECORD = "mined"
"""The file of ids, ranks and scores, one line a query, that is written beside the forms."""


@dataclass(frozen=True)
class Spelled:
    """One mined query with its texts."""

    query: str
    positives: tuple[tuple[str, Positive], ...]
    negatives: tuple[tuple[str, float], ...]
    """Texts and scores."""
    wanted: int
    """Negatives that every query was to have."""


Row = dict[str, Any]
Form = Callable[[Spelled], Iterator[Row]]


def _triplets(item: Spelled) -> Iterator[Row]:
    for positive, entry in item.positives:
        for negative, score in item.negatives:
            row = {"query": item.query, "positive": positive, "negative": negative}
            yield row | {"scores": [entry.score, score]}


def _n_tuples(item: Spelled) -> Iterator[Row]:
    if len(item.negatives) < item.wanted:
        return
    columns = {f"negative_{place}": text for place, (text, _) in enumerate(item.negatives, start=1)}
    for positive, entry in item.positives:
        scores = [entry.score, *(score for _, score in item.negatives)]
        yield {"query": item.query, "positive": positive, **columns, "scores": scores}


def _labeled_pairs(item: Spelled) -> Iterator[Row]:
    for positive, entry in item.positives:
        yield {"query": item.query, "passage": positive, "label": 1, "scores": [entry.score]}
    for negative, score in item.negatives:
        yield {"query": item.query, "passage": negative, "label": 0, "scores": [score]}


def _labeled_lists(item: Spelled) -> Iterator[Row]:
    yield {
        "query": item.query,
        "passages": [text for text, _ in (*item.positives, *item.negatives)],
        "labels": [entry.grade for _, entry in item.positives] + [0] * len(item.negatives),
        "scores": [entry.score for _, entry in item.positives] + [score for _, score in item.negatives],
    }


FORMS: Mapping[str, Form] = {
    "triplets": _triplets,
    "n-tuples": _n_tuples,
    "labeled-pairs": _labeled_pairs,
    "labeled-lists": _labeled_lists,
}
"""Each makes rows of one query that has a positive and a negative, columns in the order in which losses take them.

`triplets` pair every positive with every negative; `n-tuples` give every positive all negatives, and leave out
queries with fewer than were wanted; `labeled-pairs` are labelled 1 and 0; `labeled-lists` have positives first, best
grade first, with their grades as labels, and 0 for negatives.
"""


@dataclass(frozen=True)
class Layout:
    """What is written of mined queries."""

    forms: tuple[str, ...] = tuple(FORMS)
    """Some of FORMS, a file each."""
    scores: bool = False
    """Whether each row says what its passages scored, positives first."""

    def __post_init__(self) -> None:
        if not self.forms or len(set(self.forms)) < len(self.forms) or not set(self.forms) <= FORMS.keys():
            raise SettingsError(f"Mined negatives can't be written as {self.forms}; choose of {', '.join(FORMS)}.")


def write_rows(
    folder: Path,
    mined: Iterable[MinedQuery],
    layout: Layout,
    *,
    queries: Mapping[QueryId, str],
    text: Text,
    wanted: int,
) -> dict[str, int]:
    """Write FORM.jsonl for each form, and mined.jsonl, as the queries come; give back the rows of each."""
    rows = dict.fromkeys((*layout.forms, RECORD), 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8")) for name in rows}
        for item in mined:
            made = [(RECORD, _record(item))]
            if item.positives and item.negatives:
                spelled = _spelled(item, queries[item.query_id], text, wanted)
                made += [(form, row) for form in layout.forms for row in FORMS[form](spelled)]
            for name, row in made:
                if not layout.scores:
                    row.pop("scores", None)
                files[name].write(json.dumps(row, ensure_ascii=False) + "\n")
                rows[name] += 1
    return rows


def _spelled(item: MinedQuery, query: str, text: Text, wanted: int) -> Spelled:
    return Spelled(
        query,
        tuple((text(positive.passage_id), positive) for positive in item.positives),
        tuple((text(negative.passage_id), negative.score) for negative in item.negatives),
        wanted,
    )


def _record(item: MinedQuery) -> Row:
    return {
        "query_id": item.query_id,
        "positives": [
            {"id": entry.passage_id, "grade": entry.grade, "rank": entry.rank, "score": entry.score}
            for entry in item.positives
        ],
        "negatives": [{"id": entry.passage_id, "rank": entry.rank, "score": entry.score} for entry in item.negatives],
    }


def manifest(folder: Path) -> dict[str, Any]:
    """What a folder of mined negatives was made from and with. Raises TrainingError where it holds none."""
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if not {"files", "forms", "rows", "scores", "settings"} <= values.keys():
            raise KeyError
    except (OSError, ValueError, KeyError, AttributeError):
        raise TrainingError(
            f"{folder} holds no mined negatives ({MANIFEST} is absent or broken); make them: "
            f"python -m training mine --output {folder}"
        ) from None
    return values


def read_rows(folder: Path, form: str, *, scores: bool = False) -> Dataset:
    """The rows of one form, on disk and mapped, columns in the order in which losses take them.

    `scores` keeps that column, which a loss would take for an input.

    Raises:
        TrainingError: the folder doesn't hold this form, or without scores, or a file differs from its manifest.
    """
    values = manifest(folder)
    if form not in values["forms"] or (scores and not values["scores"]):
        raise TrainingError(
            f"{folder} holds {', '.join(values['forms'])} {'with' if values['scores'] else 'without'} scores, not "
            f"{form} {'with' if scores else 'without'} them; mine them: --form {form}{' --scores' if scores else ''}."
        )
    name = f"{form}.jsonl"
    faults = atomic.changed_files(folder, {name: values["files"][name]}, full=True)
    if faults:
        raise TrainingError(f"{folder} is broken: {faults[0]}; mine anew.")
    if not values["rows"][form]:
        raise TrainingError(f"{folder / name} has no row; mine with more ranks or fewer negatives a query.")
    columns = _features(form, values["settings"]["per_query"])
    if values["scores"]:
        columns["scores"] = datasets.List(Value("float32"))
    rows = Dataset.from_json(str(folder / name), features=columns)
    return rows if scores or not values["scores"] else rows.remove_columns("scores")


def list_ids(folder: Path) -> Iterator[QueryId]:
    """Ids of the queries of `labeled-lists`, one a row. Rows hold none, as a loss would take it for an input.

    Raises:
        TrainingError: the file of ids isn't as it was written.
    """
    name = f"{RECORD}.jsonl"
    faults = atomic.changed_files(folder, {name: manifest(folder)["files"][name]}, full=True)
    if faults:
        raise TrainingError(f"{folder} is broken: {faults[0]}; mine anew.")
    with (folder / name).open(encoding="utf-8") as file:
        for values in map(json.loads, file):
            if values["positives"] and values["negatives"]:
                yield QueryId(values["query_id"])


def _features(form: str, wanted: int) -> Features:
    text, texts = Value("string"), datasets.List(Value("string"))
    columns = {
        "triplets": {"positive": text, "negative": text},
        "n-tuples": {"positive": text} | {f"negative_{place}": text for place in range(1, wanted + 1)},
        "labeled-pairs": {"passage": text, "label": Value("int64")},
        "labeled-lists": {"passages": texts, "labels": datasets.List(Value("int64"))},
    }
    return Features({"query": text} | columns[form])
