"""Adds passages to an index or deletes some, by a new build from the old one in which only new passages are encoded."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from indexing import atomic
from indexing.building.build import BuildPlan, build_from
from indexing.building.language import IndexLanguage
from indexing.building.settings import BuildSettings
from indexing.building.shards import load_all
from indexing.catalogue import current_build
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.dense.vectors import VectorStore
from indexing.errors import CorpusError, IndexingError, SettingsError
from indexing.index import check_encoder, opened_analyzer
from indexing.manifest import Manifest, rebuild
from indexing.progress import Progress, silent
from indexing.records import Passage, PassageId
from indexing.store.ids import IdTable
from indexing.store.passages import PassageStore

READ_FROM = ("passages/", "ids/", "shards/")
Batches = Iterator[Sequence[Passage]]


def add_passages(
    corpus: Corpus,
    *,
    name: str,
    root: Path | None = None,
    progress: Progress = silent,
    on_existing: str = "stop",
    workers: Sequence[str] = (),
) -> Manifest:
    """Make a new current build with these passages added; those that the index holds with the same text are skipped.

    `on_existing` decides about an id that the index holds with another text: raise CorpusError (`stop`), keep the old
    text (`skip`) or take the new one (`replace`).

    Raises:
        CorpusError: the corpus can't be read, holds nothing new, or has another text for an id of the index (`stop`).
        IndexingError: no such index exists, or it was built with other weights.
    """
    folder = current_build(name, root=root)
    store = _checked_store(folder)
    count, replaced = _differences(corpus, store, name, on_existing)
    if not count and not replaced:
        raise CorpusError(f"{corpus.path} holds no passage that index {name} doesn't hold already.")

    def batches(size: int) -> Batches:
        second_reading = Corpus(
            corpus.path, skip_bad_lines=corpus.skip_bad_lines, fields=corpus.fields, mend=corpus.mend
        )
        new = (passage for passage in second_reading if passage.id in replaced or passage.id not in store)
        return _topped_up(_without(folder, store, replaced), new, size)

    change = f"{count:,} added" + (f", {len(replaced):,} replaced" if replaced else "")
    return _rebuild(folder, batches, f"{change} from {corpus.path}", progress=progress, workers=workers, source=corpus)


def _differences(corpus: Corpus, store: PassageStore, name: str, on_existing: str) -> tuple[int, set[PassageId]]:
    """How many passages the index lacks, and the ids of those to replace."""
    count, replaced = 0, set()
    for passage in corpus:
        if passage.id not in store:
            count += 1
        elif store.by_id(passage.id) != passage:
            if on_existing == "stop":
                raise CorpusError(
                    f"Passage id {passage.id!r} of {corpus.path} is in index {name} with another text. Keep the old "
                    "text with --on-existing skip, or take the new one with --on-existing replace."
                )
            if on_existing == "replace":
                replaced.add(passage.id)
    return count, replaced


def delete_passages(
    ids: Collection[PassageId], *, name: str, root: Path | None = None, progress: Progress = silent
) -> Manifest:
    """Make a new current build without these passages.

    Raises:
        SettingsError: an id isn't in the index, or nothing would be left.
        IndexingError: no such index exists, or it was built with other weights.
    """
    folder = current_build(name, root=root)
    store = _checked_store(folder)
    unknown = [passage_id for passage_id in ids if passage_id not in store]
    if unknown or not ids:
        raise SettingsError(f"Index {name} holds no passage {unknown[0] if unknown else ''!r}; nothing was deleted.")
    removed = set(ids)
    if len(removed) == len(store):
        raise SettingsError(
            f"Index {name} would be empty without these {len(removed):,} passages; nothing was deleted."
        )
    return _rebuild(folder, lambda _: _without(folder, store, removed), f"{len(removed):,} deleted", progress=progress)


def _rebuild(
    folder: Path,
    batches: Callable[[int], Batches],
    change: str,
    *,
    progress: Progress,
    workers: Sequence[str] = (),
    source: Corpus | None = None,
) -> Manifest:
    """Build from these batches, with the settings of the old build in `folder`."""
    old = Manifest.load(folder)
    settings = BuildSettings(
        bi_encoder=old.bi_encoder,
        bm25=old.bm25,
        dense=old.dense.preset,
        tokenizer=old.tokenizer,
        token_vectors=old.token_vectors,
        shard_size=old.shard_size,
        workers=tuple(workers),
    )
    encoder = BiEncoder(settings.bi_encoder, workers=settings.workers)
    passages = PassageStore(folder / "passages", IdTable(folder / "ids"))
    check_encoder(folder, encoder, manifest=old, passages=passages, vectors=VectorStore(folder / "vectors"))
    request = BuildPlan(
        language=IndexLanguage(old.language, old.language_reason, old.languages),
        analyzer=opened_analyzer(folder, old),
        name=folder.parent.name,
        root=folder.parent.parent,
        settings=settings,
        corpus=old.corpus,
        corpus_files=old.corpus_files,
        change=f"{change}; before: build {old.build}",
        parent=folder,
    )
    return build_from(request, batches(settings.shard_size), encoder=encoder, source=source, progress=progress)


def _checked_store(folder: Path) -> PassageStore:
    """Open a build's passages after checking every file's size, and the checksums of the files read for them."""
    files = {name: dict(row) for name, row in Manifest.load(folder).files.items()}
    read = {name: row for name, row in files.items() if name.startswith(READ_FROM)}
    faults = atomic.changed_files(folder, files, full=False) or atomic.changed_files(folder, read, full=True)
    if faults:
        raise IndexingError(f"Index {folder} is broken: {faults[0]}. {rebuild(folder)}")
    return PassageStore(folder / "passages", IdTable(folder / "ids"))


def _without(folder: Path, store: PassageStore, removed: Collection[PassageId]) -> Batches:
    """The passages of each shard without the removed ones; shards keep their bounds, so that most can be reused."""
    row = 0
    for shard in load_all(folder):
        content = [store[place] for place in range(row, row + shard.passages)]
        row += shard.passages
        remaining = [passage for passage in content if passage.id not in removed]
        if remaining:
            yield remaining


def _topped_up(batches: Batches, new: Iterable[Passage], size: int) -> Batches:
    """Fill the last shard up with new passages, then put the rest into further shards."""
    last: list[Passage] = []
    for batch in batches:
        if last:
            yield last
        last = list(batch)
    for passage in new:
        if len(last) >= size:
            yield last
            last = []
        last.append(passage)
    yield last
