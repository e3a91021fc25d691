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
from training.data.sources import LocalSource
from training.example import Example, Skipped
from training.mining.files import list_ids, manifest, read_rows
from training.mining.groups import GroupSettings


def local_examples(
    source: LocalSource,
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
    lists = _lists(source, index, GroupSettings(per_query=per_query, seed=seed), skipped)
    return examples(lists, source=source.name, per_query=per_query, seed=seed, skipped=skipped)


def _lists(
    source: LocalSource, index: Index | None, settings: GroupSettings, skipped: Skipped
) -> Iterator[PassageList]:
    match source:
        case LocalSource("triples", path):
            return triples(path, per_query=settings.per_query)
        case LocalSource("qidpidtriples", path, Path() as queries):
            if index is None:
                raise SettingsError(f"{path} holds ids alone; give the index that holds their passages.")
            return id_triples(path, queries=queries, index=index, per_query=settings.per_query, skipped=skipped)
        case LocalSource("run", path, queries):
            if index is None:
                raise SettingsError(f"{path} holds ids alone; give the index that holds their passages.")
            return run_lists(path, index=index, queries=queries, settings=settings, skipped=skipped)
        case LocalSource("top1000", path, qrels=Path() as qrels):
            return top1000(path, qrels=qrels, skipped=skipped)
        case LocalSource("mined", path):
            return _mined(path)
        case LocalSource("feedback", path):
            return feedback_lists(path, skipped=skipped)
    return data_lines(source.path, _json_list)


def _mined(folder: Path) -> Iterator[PassageList]:
    rows = read_rows(folder, "labeled-lists", scores=manifest(folder)["scores"])
    for row, query_id in zip(rows, list_ids(folder), strict=True):
        scores = row.get("scores") or [None] * len(row["passages"])
        entries = [Entry(*values) for values in zip(row["passages"], row["labels"], scores, strict=True)]
        yield PassageList(row["query"], entries, query_id)
