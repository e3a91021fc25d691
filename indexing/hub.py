"""Fetches judged collections from the Hugging Face hub into MS MARCO's layout under data/corpora/."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.encoder import load_quietly, reach_hub
from indexing.errors import HubError, first_line

ROOT = Path("data/corpora")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubCorpus:
    """Where a collection's passages, queries and judgments are on the hub, and what its fields are called."""

    repository: str
    passages: tuple[str, str]
    """Configuration and split of the passages."""
    queries: tuple[str, str]
    qrels: tuple[str, str] | None
    """None where the hub's copy has no judgments."""
    passage_fields: tuple[str, str]
    query_fields: tuple[str, str]
    qrels_fields: tuple[str, str] = ("query-id", "corpus-id")


HUB_CORPORA: Mapping[str, HubCorpus] = {
    "nano-msmarco": HubCorpus(
        "zeta-alpha-ai/NanoMSMARCO", ("corpus", "train"), ("queries", "train"), ("qrels", "train"),
        ("_id", "text"), ("_id", "text"),
    ),
    "msmarco": HubCorpus(
        "sentence-transformers/msmarco", ("corpus", "train"), ("queries", "train"), None,
        ("passage_id", "passage"), ("query_id", "query"),
    ),
}  # fmt: skip


def fetch(name: str, *, root: Path = ROOT, repository: str | None = None) -> Path:
    """The folder `root/name` with collection.tsv, queries.test.tsv and qrels.test.tsv, fetched if absent.

    `repository` may name a local folder in the hub's own layout in place of the hub's.

    Raises:
        HubError: the hub isn't reached, or the data set isn't as expected; nothing half-written stays.
    """
    source = HUB_CORPORA[name]
    target = root / name
    if target.is_dir():
        return target
    load_quietly()
    if repository is None:
        reach_hub(source.repository)
    try:
        with atomic.folder(target) as work:
            _write(work, source, repository or source.repository)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise HubError(
            f"{source.repository} couldn't be fetched from the Hugging Face hub ({first_line(error)}). "
            "Check the network, or download it elsewhere and give its folder: --corpus path/to/folder."
        ) from error
    return target


def _write(work: Path, source: HubCorpus, repository: str) -> None:
    with (work / "collection.tsv").open("w", encoding="utf-8") as file:
        for record in _records(repository, source.passages):
            file.write(_line(record, source.passage_fields))
    with (work / "queries.test.tsv").open("w", encoding="utf-8") as file:
        for record in _records(repository, source.queries):
            file.write(_line(record, source.query_fields))
    if source.qrels is not None:
        with (work / "qrels.test.tsv").open("w", encoding="utf-8") as file:
            for record in _records(repository, source.qrels):
                query, passage = (str(record[field]) for field in source.qrels_fields)
                file.write(f"{query}\t0\t{passage}\t{int(record.get('score', 1))}\n")


def _records(repository: str, part: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """Records of one configuration and split, streamed."""
    from datasets import load_dataset  # slow to import, wanted by few

    configuration, split = part
    yield from load_dataset(repository, configuration, split=split, streaming=True)


def _line(record: Mapping[str, Any], fields: tuple[str, str]) -> str:
    key, text = (" ".join(str(record[field]).split()) for field in fields)
    return f"{key}\t{text}\n"
