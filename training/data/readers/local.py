"""Streams examples from local files of judgments, in every form."""

from collections.abc import Iterator

from indexing.errors import SettingsError
from indexing.index import Index
from training.data.readers.feedback import feedback_examples
from training.data.readers.graded_lists import list_examples
from training.data.readers.jsonl import json_examples
from training.data.readers.mined import mined_examples
from training.data.readers.msmarco import id_triples, top1000, triples
from training.data.readers.run import run_examples
from training.data.readers.trim import trim
from training.example import Example, OnSkip, ignore
from training.mining.groups import GroupSettings
from training.source import SOURCE_USAGE, Source


def local_examples(
    source: Source,
    *,
    index: Index | None = None,
    per_query: int = 8,
    others: int = 0,
    seed: int = 17,
    on_skip: OnSkip = ignore,
) -> Iterator[Example]:
    """The examples of a source in order, read lazily, so the first few cost little.

    An example has at most `per_query` distinct passages, chosen by trim.trim, and at least one relevant and one other
    passage unless it has scores. `on_skip` gets the reason for each query or passage left out. `index` holds the
    passages of `qidpidtriples` and of a `run`.

    Raises:
        SettingsError: `per_query` is below 2, the index is missing, or a file of the source doesn't exist.
        CorpusError: (during iteration) a line can't be read.
        TrainingError: (during iteration) a folder holds no mined lists, or a run shares nothing with queries or index.
    """
    if per_query < 2:
        raise SettingsError(f"per_query is {per_query}; give 2 passages or more.")
    source.check_files()
    examples = _read(source, index, GroupSettings(per_query=per_query, seed=seed), on_skip)
    return trim(examples, per_query=per_query, others=others, seed=seed, on_skip=on_skip)


def _read(source: Source, index: Index | None, settings: GroupSettings, on_skip: OnSkip) -> Iterator[Example]:
    match source.form:
        case "jsonl":
            return json_examples(source, on_skip=on_skip)
        case "lists":
            return list_examples(source, on_skip=on_skip)
        case "triples":
            return triples(source, per_query=settings.per_query, on_skip=on_skip)
        case "qidpidtriples":
            return id_triples(source, index=_passages(index, source), per_query=settings.per_query, on_skip=on_skip)
        case "top1000":
            return top1000(source, on_skip=on_skip)
        case "run":
            return run_examples(source, index=_passages(index, source), settings=settings, on_skip=on_skip)
        case "mined":
            return mined_examples(source)
        case "feedback":
            return feedback_examples(source, on_skip=on_skip)
    raise SettingsError(f"{source} is not a source of local files; give {SOURCE_USAGE}.")


def _passages(index: Index | None, source: Source) -> Index:
    if index is None:
        raise SettingsError(f"{source.path} holds only ids; give the index that holds their passages.")
    return index
