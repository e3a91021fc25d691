"""One pass over a corpus makes one complete index build; what is stopped goes on where it was.

Passages come in shards. A finished shard stays on disk, in an unfinished folder beside the builds, until the
build is whole; then BM25, the table of ids and FAISS's index are made from the shards, the manifest is
written, and the folder takes its place.
"""

import hashlib
import logging
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from indexing import atomic
from indexing.bm25.analyzer import fingerprint as analyzer_fingerprint
from indexing.building import shards
from indexing.building.finish import Origin, finish
from indexing.building.settings import BuildSettings
from indexing.building.shards import KnownVectors, Shard, ShardMaker
from indexing.catalogue import build_folders, current_build, set_current, verify
from indexing.corpus.corpus import Corpus
from indexing.corpus.files import describe_unread
from indexing.dense.encoder import BiEncoder
from indexing.dense.faiss_index import check_kind
from indexing.errors import CorpusError, IndexingError
from indexing.manifest import Manifest
from indexing.names import check_name
from indexing.progress import Progress, silent, timed
from indexing.records import Passage
from indexing.store.passages import digest
from indexing.store.tokens import MAX_PASSAGE_TOKENS, PassageTokenizer

UNFINISHED = ".unfinished-"
log = logging.getLogger(__name__)


def build(
    corpus: Corpus,
    *,
    name: str,
    root: Path,
    settings: BuildSettings,
    progress: Progress = silent,
    encoder: BiEncoder | None = None,
) -> Manifest:
    """Build `root/name/<build>` and make it the current one; shards that are there already are kept.

    `encoder` is a loaded bi-encoder to use in place of loading the settings' own.

    Raises:
        CorpusError: the corpus can't be read or holds no passage.
        IndexingError: another process builds this index.
        SettingsError, ModelError, HubError: as the settings' own loaders say.
    """
    check_name(name)
    if unread := describe_unread(corpus.path):
        log.warning("%s", unread)
    encoder = encoder or BiEncoder(settings.bi_encoder, workers=settings.workers)
    content = iter(corpus)
    batches = iter(lambda: list(islice(content, settings.shard_size)), [])
    return build_from(
        batches, read=corpus, corpus=str(corpus.path), name=name, root=root, settings=settings, encoder=encoder,
        progress=progress,
    )  # fmt: skip


def build_from(
    batches: Iterator[Sequence[Passage]],
    *,
    read: Corpus | None,
    corpus: str,
    name: str,
    root: Path,
    settings: BuildSettings,
    encoder: BiEncoder,
    progress: Progress = silent,
    change: str = "",
    parent: Path | None = None,
) -> Manifest:
    """Build from passages that come shard by shard; `read` is the corpus whose bad lines the manifest lists.

    `encoder` is closed at the end. `corpus` and `change` are as in Manifest. `parent` is the build that has to be the
    current one still when this begins. Errors as of `build`.
    """
    started = datetime.now(UTC)
    folder = root / name
    check_kind(settings.dense, dim=encoder.dim)
    tokenizer = PassageTokenizer(settings.tokenizer) if settings.tokenizer else None
    key = shard_key(encoder, tokenizer, settings.shard_size)
    maker = ShardMaker(encoder, tokenizer, known_vectors(folder, encoder), progress)
    try:
        with unfinished(folder, f"{key}-change" if change else key) as work:
            if parent is not None and current_build(name, root=root) != parent:
                raise IndexingError(f"Another process has changed index {name} meanwhile; give the command again.")
            with timed() as spent:
                done, encoded = fill(work, batches, maker, sources=reusable(folder, key))
            if not done:
                raise CorpusError(f"Corpus {corpus} holds no passage that can be read.")
            origin = Origin(
                name=name,
                build=f"{started:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}",
                created=started.isoformat(),
                corpus=corpus,
                shard_key=key,
                encoded=encoded,
                skipped=tuple(read.skipped) if read else (),
                skipped_count=read.skipped_count if read else 0,
                change=change,
            )
            manifest = finish(work, done, maker, settings, origin, seconds={"shards": spent()})
            publish(work, folder, manifest.build)
            return manifest
    finally:
        encoder.close()


def shard_key(encoder: BiEncoder, tokenizer: PassageTokenizer | None, shard_size: int) -> str:
    """Changes with whatever would give a shard other files."""
    tokens = f"{tokenizer.fingerprint} {MAX_PASSAGE_TOKENS}" if tokenizer else ""
    parts = (analyzer_fingerprint(), encoder.fingerprint, encoder.precision, tokens, shard_size)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def known_vectors(folder: Path, encoder: BiEncoder) -> KnownVectors | None:
    """Vectors of the newest build that the same bi-encoder made in the same number format."""
    for build_folder in reversed(build_folders(folder).values()):
        with suppress(IndexingError):
            manifest = Manifest.load(build_folder)
            same = (manifest.bi_encoder_fingerprint, manifest.precision) == (encoder.fingerprint, encoder.precision)
            if same and not verify(build_folder, full=False):
                return KnownVectors(build_folder)
    return None


@contextmanager
def unfinished(folder: Path, key: str) -> Iterator[Path]:
    """The folder in which a build of these settings goes on; it stays where it holds a finished shard.

    Raises:
        BusyError: another process is at work on this index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomic.hold(folder, f"is building {folder}"):
        work = folder / f"{UNFINISHED}{key}"
        work.mkdir(exist_ok=True)
        try:
            yield work
        except BaseException:
            if shards.load(work, 0) is None:
                shutil.rmtree(work, ignore_errors=True)
                with suppress(OSError):  # other builds are in it
                    folder.rmdir()
            raise


def describe_stop(folder: Path, settings: BuildSettings) -> str:
    """One sentence on what a stopped build of the index in `folder` leaves for the next one."""
    unfinished_folders = sorted(folder.glob(f"{UNFINISHED}*"), key=lambda work: work.stat().st_mtime)
    finished = shards.load_all(unfinished_folders[-1]) if unfinished_folders else []
    if not finished:
        return (
            f"Stopped before the first shard of {settings.shard_size:,} passages was finished, so nothing is stored; a "
            "smaller --shard-size stores more often. The index in use is unchanged."
        )
    passages = sum(shard.passages for shard in finished)
    return (
        f"Stopped. {passages:,} passages in {len(finished):,} finished shards are stored; the same command resumes "
        "after them. The index in use is unchanged."
    )


def fill(
    work: Path, batches: Iterator[Sequence[Passage]], maker: ShardMaker, *, sources: dict[str, tuple[Path, int]]
) -> tuple[list[Shard], int]:
    """Make every shard that isn't there; give back all, and how many passages had to be encoded.

    `sources` are shards of other builds, by their digest.
    """
    done: list[Shard] = []
    encoded = 0
    for number, content in enumerate(batches):
        wanted = f"{digest(content):032x}"
        shard = _there(work, number, wanted) or _taken_over(sources.get(wanted), work, number)
        if shard is None:
            shard, count = maker.make(work, number, content, wanted)
            encoded += count
        else:
            maker.progress("read", shard.passages, 0)
            maker.progress("encode", shard.passages, 0)
        done.append(shard)
    shards.remove_others(work, done)
    return done, encoded


def publish(work: Path, folder: Path, build_id: str) -> None:
    """Give a finished build its name and serve it from now on."""
    work.rename(folder / build_id)
    atomic.fsync_path(folder)
    set_current(folder, build_id)


def reusable(folder: Path, key: str) -> dict[str, tuple[Path, int]]:
    """Shards of complete builds with this key, by digest: the build and the shard's number."""
    found: dict[str, tuple[Path, int]] = {}
    for build_folder in build_folders(folder).values():
        with suppress(IndexingError):
            if Manifest.load(build_folder).shard_key == key:
                found |= {
                    shard.digest: (build_folder, number) for number, shard in enumerate(shards.load_all(build_folder))
                }
    return found


def _there(work: Path, number: int, wanted: str) -> Shard | None:
    """The shard of this number, if a build that was stopped finished it with the same passages and it is sound."""
    shard = shards.load(work, number)
    return shard if shard is not None and shard.digest == wanted and shard.sound(work, number) else None


def _taken_over(source: tuple[Path, int] | None, work: Path, number: int) -> Shard | None:
    """A shard of another build linked into this one; None where there is none that is sound."""
    if source is None:
        return None
    folder, old = source
    shard = shards.load(folder, old)
    if shard is None or not shard.sound(folder, old):
        return None
    return shards.link(shard, folder, old, work, number)
