"""Fetches judged collections from the Hugging Face hub into MS MARCO's layout."""

import logging
import re
from pathlib import Path

from indexing import atomic, places
from indexing.corpus.hub_layouts import BeirTables, Layout, MsMarco, Repository, Tables
from indexing.corpus.hub_names import (
    HUB_CORPORA,
    HUB_FORMS,
    MS_MARCO_VERSIONS,
    NANO_BEIR,
    PLAIN,
    REPOSITORY,
    folder_name,
)
from indexing.errors import HubError, SecondLookError, SettingsError, first_line
from indexing.pretrained import reach_hub
from indexing.progress import Progress, silent

log = logging.getLogger(__name__)


def layout(name: str) -> tuple[str, Layout]:
    """The repository that a name stands for, and its layout. Raises SettingsError for an unknown name."""
    repository, colon, part = HUB_CORPORA.get(name, name).partition(":")
    if repository == NANO_BEIR:
        if not re.fullmatch(PLAIN, part):
            raise SettingsError(
                f"{name!r} names no collection of {NANO_BEIR}; add one of them behind a colon, as in "
                f"{NANO_BEIR}:NanoMSMARCO, or NanoNQ, NanoFiQA2018, NanoSciFact, NanoHotpotQA and so on."
            )
        return repository, Tables(part, ("_id", "text"), ("_id", "text"))
    if repository == "microsoft/ms_marco" and (part or MS_MARCO_VERSIONS[0]) in MS_MARCO_VERSIONS:
        return repository, MsMarco(part or MS_MARCO_VERSIONS[0])
    if colon or not REPOSITORY.fullmatch(repository):
        raise SettingsError(f"{name!r} is no collection that is read from the hub; give a folder, or {HUB_FORMS}.")
    if repository.startswith("BeIR/"):
        return repository, BeirTables()
    if repository == "sentence-transformers/msmarco":
        return repository, Tables("train", ("passage_id", "passage"), ("query_id", "query"), judged=False)
    return repository, Tables("train", ("_id", "text"), ("_id", "text"))


def fetch(name: str, *, root: Path | None = None, repository: str | None = None, progress: Progress = silent) -> Path:
    """The folder in `root` with collection.tsv, and queries and qrels by split; fetched if absent.

    `repository` may name a local folder in the hub's layout to read instead. `progress` counts records.

    Raises:
        SettingsError: the name isn't one of the known collections.
        HubError: the hub can't be reached, or the data set isn't as expected; nothing half-written stays.
    """
    hub_name, tables = layout(name)
    target = (root or places.corpora()) / folder_name(name)
    if target.is_dir():
        return target
    if repository is None:
        reach_hub(hub_name)
    try:
        with atomic.folder(target) as work:
            tables.write(work, Repository(repository or hub_name, progress))
    except SecondLookError:
        raise
    except Exception as error:  # datasets, fsspec, httpx and pyarrow each raise their own errors
        if target.is_dir():  # fetched by another process in the meantime
            return target
        log.debug("fetching %s failed", hub_name, exc_info=error)
        raise HubError(
            f"{hub_name} couldn't be fetched from the Hugging Face hub ({first_line(error)}). "
            "Check the network, or download it elsewhere and give its folder: --corpus path/to/folder."
        ) from error
    return target
