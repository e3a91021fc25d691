"""Writes mined negatives as JSON lines, one file for each form that losses take, and reads them as datasets."""

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
from indexing.typed_json import made
from training.mining.negatives import MinedQuery, Positive, Text
from training.mining.settings import NegativesLayout

MANIFEST = "manifest.json"
RECORD = "mined"
"""Name of the file of ids, ranks and scores, one line per query, written beside the files of the forms."""


@dataclass(frozen=True)
class MinedTexts:
    """A mined query with the texts of its passages."""

    query: str
    positives: tuple[tuple[str, Positive], ...]
    negatives: tuple[tuple[str, float], ...]
    """Texts and scores."""
    per_query: int
    """Negatives requested for each query."""


NegativesRow = dict[str, Any]
RowMaker = Callable[[MinedTexts], Iterator[NegativesRow]]


def _triplets(mined: MinedTexts) -> Iterator[NegativesRow]:
    for positive, entry in mined.positives:
        for negative, score in mined.negatives:
            row = {"query": mined.query, "positive": positive, "negative": negative}
            yield row | {"scores": [entry.score, score]}


def _n_tuples(mined: MinedTexts) -> Iterator[NegativesRow]:
    if len(mined.negatives) < mined.per_query:
        return
    columns = {f"negative_{place}": text for place, (text, _) in enumerate(mined.negatives, start=1)}
    for positive, entry in mined.positives:
        scores = [entry.score, *(score for _, score in mined.negatives)]
        yield {"query": mined.query, "positive": positive, **columns, "scores": scores}


def _labeled_pairs(mined: MinedTexts) -> Iterator[NegativesRow]:
    for positive, entry in mined.positives:
        yield {"query": mined.query, "passage": positive, "label": 1, "scores": [entry.score]}
    for negative, score in mined.negatives:
        yield {"query": mined.query, "passage": negative, "label": 0, "scores": [score]}


def _labeled_lists(mined: MinedTexts) -> Iterator[NegativesRow]:
    yield {
        "query": mined.query,
        "passages": [text for text, _ in (*mined.positives, *mined.negatives)],
        "labels": [entry.grade for _, entry in mined.positives] + [0] * len(mined.negatives),
        "scores": [entry.score for _, entry in mined.positives] + [score for _, score in mined.negatives],
    }


ROW_MAKERS: Mapping[str, RowMaker] = {
    "triplets": _triplets,
    "n-tuples": _n_tuples,
    "labeled-pairs": _labeled_pairs,
    "labeled-lists": _labeled_lists,
}
"""For each of NEGATIVE_FORMS, the function that makes the rows of a query with a positive and a negative."""


def write_negatives(
    folder: Path,
    queries: Iterable[MinedQuery],
    layout: NegativesLayout,
    *,
    query_texts: Mapping[QueryId, str],
    text: Text,
    per_query: int,
) -> dict[str, int]:
    """Write FORM.jsonl for each form, and mined.jsonl, query by query; return the number of rows in each file."""
    counts = dict.fromkeys((*layout.forms, RECORD), 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8")) for name in counts}
        for mined in queries:
            rows = [(RECORD, _record(mined))]
            if mined.positives and mined.negatives:
                texts = _texts(mined, query_texts[mined.query_id], text, per_query)
                rows += [(form, row) for form in layout.forms for row in ROW_MAKERS[form](texts)]
            for name, row in rows:
                if not layout.scores:
                    row.pop("scores", None)
                files[name].write(json.dumps(row, ensure_ascii=False) + "\n")
                counts[name] += 1
    return counts


def _texts(mined: MinedQuery, query: str, text: Text, per_query: int) -> MinedTexts:
    return MinedTexts(
        query,
        tuple((text(positive.passage_id), positive) for positive in mined.positives),
        tuple((text(negative.passage_id), negative.score) for negative in mined.negatives),
        per_query,
    )


def _record(mined: MinedQuery) -> NegativesRow:
    return {
        "query_id": mined.query_id,
        "positives": [
            {"id": entry.passage_id, "grade": entry.grade, "rank": entry.rank, "score": entry.score}
            for entry in mined.positives
        ],
        "negatives": [{"id": entry.passage_id, "rank": entry.rank, "score": entry.score} for entry in mined.negatives],
    }


@dataclass(frozen=True)
class _Needed:
    """What a manifest of mined negatives must have to be read."""

    files: dict[str, dict[str, Any]]
    forms: tuple[str, ...]
    rows: dict[str, int]
    scores: bool
    settings: dict[str, Any]
    source: str
    """The fusion that ranked the candidates."""
    reranker: str | None
    """The re-ranker whose logits the scores are; None where they are the fusion's."""


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of mined negatives. Raises TrainingError if it has none."""
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        made(_Needed, {name: values[name] for name in _Needed.__dataclass_fields__}, MANIFEST)
        if not all({"bytes", "sha256"} <= row.keys() for row in values["files"].values()):
            raise KeyError
        if {f"{name}.jsonl" for name in (*values["forms"], RECORD)} - values["files"].keys():
            raise KeyError
        if set(values["forms"]) - values["rows"].keys() or type(values["settings"].get("per_query")) is not int:
            raise KeyError
    except (SettingsError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TrainingError(
            f"{folder} holds no mined negatives ({MANIFEST} is missing or broken); make them: "
            f"python -m training mine --output {folder}"
        ) from None
    return values


def read_negatives(folder: Path, form: str, *, scores: bool = False) -> Dataset:
    """The rows of one form, memory-mapped, with columns in the order in which losses take them.

    `scores` includes the column of scores, which a loss would take for an input.

    Raises:
        TrainingError: the folder lacks this form or the scores, or a file differs from its manifest.
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
        raise TrainingError(f"{folder} is broken: {faults[0]}; mine it again.")
    if not values["rows"][form]:
        raise TrainingError(f"{folder / name} is empty; mine again with more ranks or fewer negatives per query.")
    columns = _features(form, values["settings"]["per_query"])
    if values["scores"]:
        columns["scores"] = datasets.List(Value("float32"))
    rows = Dataset.from_json(str(folder / name), features=columns)
    return rows if scores or not values["scores"] else rows.remove_columns("scores")


def list_ids(folder: Path) -> Iterator[QueryId]:
    """Query ids of the rows of `labeled-lists`, in order. The rows hold none, because a loss would take it for input.

    Raises:
        TrainingError: the file of ids has changed since it was written.
    """
    name = f"{RECORD}.jsonl"
    faults = atomic.changed_files(folder, {name: manifest(folder)["files"][name]}, full=True)
    if faults:
        raise TrainingError(f"{folder} is broken: {faults[0]}; mine it again.")
    with (folder / name).open(encoding="utf-8") as file:
        for values in map(json.loads, file):
            if values["positives"] and values["negatives"]:
                yield QueryId(values["query_id"])


def _features(form: str, per_query: int) -> Features:
    text, texts = Value("string"), datasets.List(Value("string"))
    columns = {
        "triplets": {"positive": text, "negative": text},
        "n-tuples": {"positive": text} | {f"negative_{place}": text for place in range(1, per_query + 1)},
        "labeled-pairs": {"passage": text, "label": Value("int64")},
        "labeled-lists": {"passages": texts, "labels": datasets.List(Value("int64"))},
    }
    return Features({"query": text} | columns[form])
