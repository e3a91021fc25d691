"""Judgments that a user sends for an index: read, compared with its passages, and kept beside its corpus."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.errors import SettingsError, first_line
from indexing.index import corpus_folder
from indexing.judged.fit import FittedSet, fit_judgments
from indexing.judged.sets import SPLITS, JudgedSet, read_judged, split_qrels
from indexing.notes import silent_note
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore
from training.judgments.protection import Protection
from training.judgments.quepid import write_judged
from training.judgments.received import SentFile, SentKind, received

ENDINGS = (".tsv", ".txt", ".csv", ".trec", ".qrels", ".json", ".jsonl", ".gz")
"""Of files that may hold queries or judgments."""


@dataclass(frozen=True, kw_only=True)
class SentJudgments:
    """Judgments as they were sent for an index, and how they fit it."""

    judged: JudgedSet
    fitted: FittedSet
    protected: int
    """Of a train set, how many queries no training may use, as they are dev or test queries already; else 0."""

    @property
    def judgments(self) -> int:
        """How many grades there are."""
        return sum(map(len, self.judged.qrels.values()))


def read_sent(
    judgments: SentFile, queries: SentFile | None, *, index: str, split: str, root: Path, limit: int
) -> SentJudgments:
    """Read judgments for an index, and the texts of the judged queries; `limit` is in megabytes a file.

    Judgments that name queries by their texts, as Quepid's and OpenSearch's do, need no file of queries.

    Raises:
        CorpusError: a file can't be read as given, or is too large.
        SettingsError: no judged query has a text, or the index holds none of the judged passages.
        IndexingError: the index can't be read.
    """
    folder = corpus_folder(index, root=root)
    sent = [judgments] if queries is None else [judgments, queries]
    with received(sent, SentKind("A file", ENDINGS, folder), limit=limit) as files:
        texts = None if queries is None else files.paths[1]
        judged = read_judged(texts, files.paths[0], split=split, note=silent_note)
        judged = replace(judged, notes=tuple(map(files.named, judged.notes)))
    if not judged.queries:
        what = f"No judged query of {judgments.name} has a text" + (f" in {queries.name}" if queries else "")
        raise SettingsError(f"{what}; give the file of these queries, with their ids.")
    build = current_build(index, root=root)
    passages = PassageStore(build / "passages", IdTable(build / "ids"))
    fitted = fit_judgments(judged, passages, name=f"index {index}")
    return SentJudgments(judged=judged, fitted=fitted, protected=_protected(judged, folder))


def _protected(judged: JudgedSet, folder: Path) -> int:
    if judged.split != "train":
        return 0
    held_out = Protection.read([], [path for path in (folder, places.sample()) if path.is_dir()]).within(folder)
    return sum(map(held_out.covers, judged.queries))


def free_splits(folder: Path) -> Mapping[str, Path | None]:
    """By split, the file of its judgments that lies beside a corpus; None for a split that can be added."""
    return {split: split_qrels(folder, split) for split in SPLITS}


def keep_beside(judged: JudgedSet, folder: Path) -> None:
    """Keep a judged set in the folder of a corpus, where every judged set of its indexes is looked for.

    Raises:
        SettingsError: the folder holds judgments of that split already, or can't be written into.
        BusyError: another process is adding judgments there.
        CorpusError: an id can't stand in a line of fields.
    """
    if not folder.is_dir():
        raise SettingsError(f"The corpus folder {folder} isn't there; put it back, as its judgments are kept in it.")
    try:
        with atomic.hold(folder, f"is adding judgments to {folder}"):
            if (taken := split_qrels(folder, judged.split)) is not None:
                raise SettingsError(
                    f"There are {judged.split} judgments already, {taken}; choose another use, or move them away."
                )
            write_judged(judged, folder)
    except OSError as error:
        raise SettingsError(
            f"Judgments can't be written into {folder} ({first_line(error)}); let this server write there."
        ) from error
