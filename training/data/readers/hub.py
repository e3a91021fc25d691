"""The hub's data for each training recipe, streamed as examples: no data set is ever loaded whole."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from indexing import places
from indexing.corpus.hub_layouts import RecordBatch, Repository
from indexing.corpus.hub_names import MS_MARCO_VERSIONS, folder_name
from indexing.errors import HubError, SettingsError, TrainingError, first_line
from indexing.index import Index
from indexing.pretrained import reach_hub
from training.data.readers.hub_rows import (
    LABELLED_LISTS,
    MICROSOFT_FIELDS,
    ORDERED_LISTS,
    SCORED_PAIRS,
    SCORED_TRIPLETS,
    TRIPLETS,
    HubRow,
    IdRows,
    Texts,
    microsoft_example,
)
from training.data.readers.query_store import QUERIES, query_store
from training.example import NO_QUERY, Example, OnSkip, ignore

MICROSOFT = "microsoft/ms_marco"
PREPARED = "sentence-transformers/msmarco"
PATIENCE = 1_000  # if the index holds the passages of none of this many rows, it is of another collection
BUILD = "python -m indexing build --corpus msmarco --index msmarco"
STORE = "queries-store"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubSource:
    """Where a recipe's rows are on the hub, and how they are read."""

    repository: str
    config: str
    split: str = "train"
    rows: IdRows | None = None
    """How rows of ids are read; None if rows hold their texts, as Microsoft's do."""

    @property
    def name(self) -> str:
        """Repository and configuration, which examples carry as their source."""
        return f"{self.repository} {self.config}"


_MICROSOFT = HubSource(MICROSOFT, MS_MARCO_VERSIONS[0])
HUB_DATA: Mapping[str, HubSource] = {
    "bce": _MICROSOFT,
    "bce-preprocessed": HubSource(PREPARED, "triplets", rows=TRIPLETS),
    "cmnrl": _MICROSOFT,
    "listnet": _MICROSOFT,
    "lambda": _MICROSOFT,
    "lambda-preprocessed": HubSource(PREPARED, "labeled-list", rows=LABELLED_LISTS),
    "lambda-hard-neg": _MICROSOFT,
    "listmle": _MICROSOFT,
    "plistmle": _MICROSOFT,
    "ranknet": _MICROSOFT,
    "adrmse": HubSource(PREPARED, "rankzephyr-colbert", rows=ORDERED_LISTS),
    "distill-mse": HubSource(PREPARED, "bert-ensemble-mse", rows=SCORED_PAIRS),
    "distill-margin-mse": HubSource(PREPARED, "bert-ensemble-margin-mse", rows=SCORED_TRIPLETS),
}
"""The data of each recipe, by the recipe's name."""


def hub_examples(
    recipe: str,
    *,
    index: Index | None,
    source: str | Path | None = None,
    version: str = MS_MARCO_VERSIONS[0],
    cache: Path | None = None,
    on_skip: OnSkip = ignore,
) -> Iterator[Example]:
    """The examples of a recipe's data, in order; arguments are checked at once, but rows are read lazily.

    `index` holds the passages of data sets that name them by id; other data sets need none. `source` is a local folder
    used in place of the repository: with a README.md that lists its configurations, with a folder for each, or with one
    table. `version` is that of Microsoft's set; other sets ignore it. `cache` is the folder for the query texts of data
    sets of ids, which are stored once. `on_skip` gets the reason for each query or passage that is left out.

    Raises:
        SettingsError: the recipe or the version is unknown.
        TrainingError: an index is needed but missing, or holds the passages of none of the first rows.
        HubError: the hub can't be reached, or the data isn't as expected.
    """
    data = _hub_source(recipe, version)
    if data.rows is not None and index is None:
        raise TrainingError(
            f"Recipe {recipe} trains on {data.name}, which names passages by id, so it needs an index of MS MARCO to "
            f"read them from; build one: {BUILD}"
        )
    place = Place(data.repository, None if source is None else Path(source))
    place.check()
    if data.rows is None or index is None:
        results = _results(data, place, MICROSOFT_FIELDS, lambda row: microsoft_example(data.name, row, on_skip))
        return (example for example in results if example is not None)
    return _by_id(data, data.rows, place, index, cache=cache or places.corpora(), on_skip=on_skip)


def _hub_source(recipe: str, version: str) -> HubSource:
    if recipe not in HUB_DATA:
        raise SettingsError(f"Recipe {recipe!r} has no data on the hub; choose one of {', '.join(HUB_DATA)}.")
    if version not in MS_MARCO_VERSIONS:
        raise SettingsError(f"{MICROSOFT} has no version {version!r}; choose {' or '.join(MS_MARCO_VERSIONS)}.")
    data = HUB_DATA[recipe]
    return replace(data, config=version) if data.repository == MICROSOFT else data


@dataclass(frozen=True)
class Place:
    """A repository on the hub, or the local folder that is read in its place."""

    repository: str
    folder: Path | None

    def check(self) -> None:
        """Raise HubError if the folder doesn't exist or, within seconds, if the hub can't be reached."""
        if self.folder is None:
            try:
                reach_hub(self.repository)
            except HubError as error:
                raise HubError(f"{error} To train without the hub, name an index: --data index:sample.") from error
        elif not self.folder.is_dir():
            raise HubError(f"{self.folder} is not a folder; give one that holds the files of {self.repository}.")

    def batches(self, config: str, split: str, fields: Sequence[str]) -> Iterator[RecordBatch]:
        """Records of a configuration, in batches. Raises HubError if they can't be read or lack a field."""
        try:
            name, known = self._located(config)
            yield from Repository(name).batches(known, split, fields)
        except Exception as error:  # datasets, fsspec, httpx and pyarrow each raise their own types
            log.debug("reading %s %s failed", self.repository, config, exc_info=error)
            raise self.unreadable(config, error) from error

    def store(self, cache: Path) -> Path:
        """The folder for the queries stored from this place; it differs by local folder and changes with its files.

        It isn't in the folder of the fetched corpus, because that counts as fetched as soon as it exists.
        """
        name = f"{folder_name(self.repository)}-training"
        if self.folder is None:
            return cache / name / STORE
        files = sorted(path for path in self.folder.resolve().rglob("*") if path.is_file())
        seen = "\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
        digest = hashlib.sha256(seen.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return cache / f"{name}-{digest}" / STORE

    def unreadable(self, config: str, error: BaseException, *, part: str = "") -> HubError:
        """The error for a configuration, or a `part` of it, that can't be read."""
        name = f"{part}{self.repository} {config}"
        if self.folder is not None:
            return HubError(
                f"{name} couldn't be read from {self.folder} ({first_line(error)}); give a folder that holds the files "
                f"of {self.repository}."
            )
        return HubError(
            f"{name} couldn't be read from the Hugging Face hub ({first_line(error)}). Check the network, or download "
            "it elsewhere and give its folder."
        )

    def _located(self, config: str) -> tuple[str, str | None]:
        """The path for `datasets` to load, and the name of its configuration."""
        import datasets  # slow to import, and rarely needed

        if self.folder is None:
            return self.repository, config
        if datasets.get_dataset_config_names(str(self.folder)) != ["default"]:
            return str(self.folder), config
        inner = self.folder / config
        return str(inner if inner.is_dir() else self.folder), None


def _results(
    data: HubSource, place: Place, fields: Sequence[str], read: Callable[[HubRow], Example | None]
) -> Iterator[Example | None]:
    """For each row its example, or None if it has none."""
    number = 0
    for batch in place.batches(data.config, data.split, fields):
        for values in zip(*(batch[field] for field in fields), strict=True):
            number += 1
            try:
                example = read(dict(zip(fields, values, strict=True)))
            except (TypeError, ValueError) as error:
                raise place.unreadable(data.config, error, part=f"Row {number:,} of ") from error
            yield example


def _by_id(
    data: HubSource, rows: IdRows, place: Place, index: Index, *, cache: Path, on_skip: OnSkip
) -> Iterator[Example]:
    """Examples of rows of ids. Raises TrainingError if the index holds the passages of none of the first PATIENCE."""
    try:
        queries = query_store(place.store(cache), lambda: place.batches("queries", data.split, QUERIES))
    except ValueError as error:
        raise place.unreadable("queries", error) from error
    texts = Texts(index.passages, queries, on_skip)
    results = _results(data, place, rows.fields, partial(rows.example, data.name, texts=texts))
    number, any_example = 0, False
    for number, example in enumerate(results, start=1):
        if example is not None:
            any_example = True
            yield example
        elif number == PATIENCE and not any_example:
            break
    if number and not any_example:
        raise _no_example(data, index, number, texts)


def _no_example(data: HubSource, index: Index, rows: int, texts: Texts) -> TrainingError:
    if texts.left_out[NO_QUERY] == rows:
        return TrainingError(
            f"None of the first {rows:,} rows of {data.name} has its query in {data.repository} queries; give a folder "
            "whose tables match."
        )
    return TrainingError(
        f"None of the first {rows:,} rows of {data.name} has its passages in index {index.folder}; give an index of "
        f"MS MARCO with the original ids, made by: {BUILD}"
    )
