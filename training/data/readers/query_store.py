"""The queries of a data set on the hub, stored on disk, memory-mapped and looked up by id."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from indexing import atomic
from indexing.corpus.fields import id_value, text_value
from indexing.corpus.hub_layouts import RecordBatch
from indexing.errors import IndexingError, TrainingError, first_line
from indexing.records import Passage, PassageId
from indexing.store.ids import IdTable, write_ids
from indexing.store.passages import PassageStore, shard_ids, write_passages

STORE_SHARD = 10_000  # queries in memory while their store is written
QUERIES = ("query_id", "query")


def query_store(folder: Path, records: Callable[[], Iterator[RecordBatch]]) -> PassageStore:
    """The queries stored in `folder`, which is first made from the records if it doesn't exist.

    Raises:
        TrainingError: the stored queries can't be read.
        ValueError: a record has no id, or a query that is no text.
    """
    if not folder.is_dir():
        try:
            with atomic.folder(folder) as work:
                _write_store(work, records())
        except OSError:
            if not folder.is_dir():  # made by another process in the meantime
                raise
    try:
        return PassageStore(folder / "passages", IdTable(folder / "ids"))
    except (IndexingError, OSError, ValueError) as error:  # a broken Arrow file is a ValueError
        raise TrainingError(
            f"The queries in {folder} can't be read ({first_line(error)}); delete that folder, and it is made again."
        ) from error


def _write_store(work: Path, records: Iterator[RecordBatch]) -> None:
    (work / "passages").mkdir()
    queries = (
        Passage(PassageId(id_value(key)), query)
        for batch in records
        for key, text in zip(*(batch[field] for field in QUERIES), strict=True)
        if (query := text_value(text, "query"))
    )
    number = 0
    while shard := list(islice(queries, STORE_SHARD)):
        write_passages(work / "passages" / f"{number:05}.arrow", shard)
        number += 1
    write_ids(work / "ids", shard_ids(work / "passages"))
