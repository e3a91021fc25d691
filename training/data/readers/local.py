"""Streams examples from judgments on this disk, in each form that they come in."""

from collections.abc import Iterator
from pathlib import Path

from indexing.errors import SettingsError
from indexing.index import Index
from training.data.readers.feedback import feedback_lists
from training.data.readers.jsonl import _json_list
from training.data.readers.lines import data_lines
from training.data.readers.msmarco import id_triples, top1000, triples
from training.data.readers.passage_lists import Entry, PassageList, examples
from training.data.readers.run import run_lists
from training.example import Example, Skipped
from training.mining.files import list_ids, manifest, read_rows
from training.mining.groups import GroupSettings
from training.source import SOURCE_USAGE, Source


def local_examples(
    source: Source,
    *,
    index: Index | None = None,
    per_query: int = 8,
    seed: int = 17,
    skipped: Skipped = lambda _: None,
) -> Iterator[Example]:
    """The examples of a source in its order, read as they are taken, so that the first few cost little.

    An example has `per_query` passages at most, none twice, and at least one positive and one other passage unless it
    has scores; passage_lists.examples says which are kept. `skipped` is called with the reason for whatever is left
    out. `index` holds the passages of `qidpidtriples` and of a `run`, whose passages run_data.run_lists draws.

    Raises:
        SettingsError: `per_query` is below 2, or the index is missing.
        CorpusError: while it is read, at the first line that can't be, by file and line.
        TrainingError: while it is read, where a folder holds no mined lists, or a run nothing that is known.
    """
    if per_query < 2:
        raise SettingsError(f"{per_query} passages a query were asked for; give 2 or more.")
    source.check_files()
    lists = _lists(source, index, GroupSettings(per_query=per_query, seed=seed), skipped)
    return examples(lists, source=source.label(), per_query=per_query, seed=seed, skipped=skipped)


def _lists(source: Source, index: Index | None, settings: GroupSettings, skipped: Skipped) -> Iterator[PassageList]:
    match source.form:
        case "triples":
            return triples(source.path, per_query=settings.per_query)
        case "qidpidtriples" if source.queries is not None:
            passages = _needed(index, source)
            return id_triples(
                source.path, queries=source.queries, index=passages, per_query=settings.per_query, skipped=skipped
            )
        case "run":
            passages = _needed(index, source)
            return run_lists(source.path, index=passages, queries=source.queries, settings=settings, skipped=skipped)
        case "top1000" if source.qrels is not None:
            return top1000(source.path, qrels=source.qrels, skipped=skipped)
        case "mined":
            return _mined(source.path)
        case "feedback":
            return feedback_lists(source.path, skipped=skipped)
        case "jsonl":
            return data_lines(source.path, _json_list)
    raise SettingsError(f"{source} isn't read from this disk; give {SOURCE_USAGE}.")


def _needed(index: Index | None, source: Source) -> Index:
    if index is None:
        raise SettingsError(f"{source.path} holds ids alone; give the index that holds their passages.")
    return index


def _mined(folder: Path) -> Iterator[PassageList]:
    rows = read_rows(folder, "labeled-lists", scores=manifest(folder)["scores"])
    for row, query_id in zip(rows, list_ids(folder), strict=True):
        scores = row.get("scores") or [None] * len(row["passages"])
        entries = [Entry(*values) for values in zip(row["passages"], row["labels"], scores, strict=True)]
        yield PassageList(row["query"], entries, query_id)
