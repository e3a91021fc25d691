"""Reads each layout that collections have on the hub, and writes collection.tsv, queries and qrels."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from indexing.corpus.fields import id_value, list_value, text_value
from indexing.progress import Progress, silent
from indexing.store.ids import SeenIds, id_hashes

RecordBatch = dict[str, list[Any]]
"""Lists of values by column."""

BATCH = 1_000  # records read at once
SPLITS = {"train": "train", "validation": "dev", "dev": "dev", "test": "test"}  # the hub's name: our name
QRELS = ("query-id", "corpus-id")
GRADES = ("score", "label", "labels", "grade", "rel", "relevance", "rating", "judgment")
"""What the column of grades is called."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repository:
    """A data set on the hub, or a local folder with its layout; its records are streamed."""

    name: str
    progress: Progress = silent

    def batches(self, configuration: str | None, split: str, fields: Sequence[str]) -> Iterator[RecordBatch]:
        """Records of one configuration and split. Raises ValueError if they lack one of `fields`."""
        yield from self._batches(self._load(configuration, split), fields)

    def splits(self, configuration: str | None, fields: Sequence[str]) -> dict[str, Iterator[RecordBatch]]:
        """Records of each split of a configuration, by our name for the split."""
        splits = self._load(configuration, None)
        return {SPLITS[split]: self._batches(splits[split], fields) for split in splits if split in SPLITS}

    def _load(self, configuration: str | None, split: str | None) -> Any:
        import datasets  # slow to import, needed by few

        datasets.disable_progress_bars()
        return datasets.load_dataset(self.name, configuration, split=split, streaming=True)

    def _batches(self, records: Any, fields: Sequence[str]) -> Iterator[RecordBatch]:
        for batch in records.iter(batch_size=BATCH):
            if absent := [field for field in fields if field not in batch]:
                raise ValueError(f"its records have no field {absent[0]!r}, only {', '.join(map(repr, sorted(batch)))}")
            yield batch
            self.progress("fetch", len(batch[fields[0]]), 0)


class Layout(Protocol):
    """How a collection is laid out on the hub."""

    def write(self, work: Path, repository: Repository) -> None:
        """Fill the folder `work`."""


@dataclass(frozen=True)
class Tables:
    """A repository whose configurations `corpus`, `queries` and `qrels` are passages, queries and judgments."""

    split: str
    """The split on the hub that holds all records."""
    passage_fields: tuple[str, str]
    query_fields: tuple[str, str]
    judged: bool = True
    """Whether it has judgments."""

    def write(self, work: Path, repository: Repository) -> None:
        """Write the judged collection as a test split; queries without judgments have no split."""
        _write_passages(work, repository.batches("corpus", self.split, self.passage_fields), self.passage_fields)
        queries = repository.batches("queries", self.split, self.query_fields)
        with _open(work / ("queries.test.tsv" if self.judged else "queries.tsv")) as file:
            for key, text in _pairs(queries, self.query_fields):
                file.write(f"{key}\t{text}\n")
        if self.judged:
            with _open(work / "qrels.test.tsv") as file:
                for query, passage, grade in _judgments(repository.batches("qrels", self.split, QRELS)):
                    file.write(f"{query}\t0\t{passage}\t{grade}\n")


@dataclass(frozen=True)
class BeirTables:
    """BEIR's layout: passages and queries in one repository, judgments of up to three splits in `NAME-qrels`."""

    def write(self, work: Path, repository: Repository) -> None:
        """Write each judged split with its own queries."""
        judged: dict[str, set[str]] = {}
        qrels = Repository(f"{repository.name}-qrels", repository.progress)
        for split, batches in qrels.splits(None, QRELS).items():
            with _open(work / f"qrels.{split}.tsv") as file:
                for query, passage, grade in _judgments(batches):
                    judged.setdefault(split, set()).add(query)
                    file.write(f"{query}\t0\t{passage}\t{grade}\n")
        with ExitStack() as stack:
            files = {split: stack.enter_context(_open(work / f"queries.{split}.tsv")) for split in judged}
            for key, text in _pairs(repository.batches("queries", "queries", ("_id", "text")), ("_id", "text")):
                for split, file in files.items():
                    if key in judged[split]:
                        file.write(f"{key}\t{text}\n")
        _write_passages(work, repository.batches("corpus", "corpus", ("_id", "text")), ("_id", "text"))


@dataclass(frozen=True)
class MsMarco:
    """Microsoft's question-answering layout: each query with the passages shown for it, some of them selected.

    A passage's id is the hash of its text in 16 hexadecimal digits; equal texts are one passage.
    """

    version: str

    def write(self, work: Path, repository: Repository) -> None:
        """Write the passages of every split, and the queries of a split that have a selected passage."""
        seen = SeenIds()
        fields = ("query_id", "query", "passages")
        with _open(work / "collection.tsv") as collection:
            for split, batches in repository.splits(self.version, fields).items():
                queries, qrels = work / f"queries.{split}.tsv", work / f"qrels.{split}.tsv"
                with _open(queries) as query_file, _open(qrels) as qrels_file:
                    for batch in batches:
                        passages, query_lines, judgments = _ms_marco_lines(batch, seen)
                        collection.writelines(passages)
                        query_file.writelines(query_lines)
                        qrels_file.writelines(judgments)
                if not qrels.stat().st_size:
                    queries.unlink()
                    qrels.unlink()


def _ms_marco_lines(batch: RecordBatch, seen: SeenIds) -> tuple[list[str], list[str], list[str]]:
    """Lines of the passages not seen before, of the queries that have a selected passage, and of their qrels."""
    queries, qrels, texts = [], [], []
    for query_id, query, shown in zip(batch["query_id"], batch["query"], batch["passages"], strict=True):
        cleaned = [text_value(text, "passage_text") for text in list_value(shown, "passage_text")]
        selected = list_value(shown, "is_selected")
        if other := [value for value in selected if value not in (0, 1)]:
            raise ValueError(f"is_selected is {str(other[0])[:40]!r}, not 0 or 1")
        texts += [text for text in cleaned if text]
        chosen = [text for text, picked in zip(cleaned, selected, strict=True) if picked and text]
        if chosen and (asked := text_value(query, "query")):
            queries.append(f"{id_value(query_id)}\t{asked}\n")
            qrels += [f"{id_value(query_id)}\t0\t{key}\t1\n" for key in dict.fromkeys(_text_ids(chosen))]
    ids = _text_ids(texts)
    passages = [
        f"{key}\t{text}\n" for key, text, repeat in zip(ids, texts, seen.repeats(ids), strict=True) if not repeat
    ]
    return passages, queries, qrels


def _text_ids(texts: Sequence[str]) -> list[str]:
    return [f"{value:016x}" for value in id_hashes(texts).tolist()]


def _write_passages(work: Path, batches: Iterator[RecordBatch], fields: tuple[str, str]) -> None:
    """Write one line per passage: id, text, and title if any. A passage without a text has its title as the text."""
    empty = 0
    with _open(work / "collection.tsv") as file:
        for batch in batches:
            titles = batch.get("title") or [""] * len(batch[fields[0]])
            for key, text, title in zip(batch[fields[0]], batch[fields[1]], titles, strict=True):
                parts = [part for part in (text_value(text, fields[1]), text_value(title, "title")) if part]
                empty += not parts
                if parts:
                    file.write("\t".join([id_value(key), *parts]) + "\n")
    if empty:
        log.warning("Passages left out because they have neither text nor title: %s.", f"{empty:,}")


def _pairs(batches: Iterator[RecordBatch], fields: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Id and text of each record that has a text."""
    for batch in batches:
        for key, text in zip(batch[fields[0]], batch[fields[1]], strict=True):
            if spaced := text_value(text, fields[1]):
                yield id_value(key), spaced


def _judgments(batches: Iterator[RecordBatch]) -> Iterator[tuple[str, str, int]]:
    """Query, passage and grade; in a table without grades, every passage has grade 1."""
    for batch in batches:
        named = [name for name in GRADES if name in batch]
        if len(named) > 1:
            raise ValueError(f"its judgments have both {named[0]!r} and {named[1]!r}")
        grades = batch[named[0]] if named else [1] * len(batch[QRELS[0]])
        for query, passage, grade in zip(batch[QRELS[0]], batch[QRELS[1]], grades, strict=True):
            if int(grade) != grade:
                raise ValueError(f"the grade of query {query!r} and passage {passage!r} is {grade}, no whole number")
            yield id_value(query), id_value(passage), int(grade)


def _open(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8")
