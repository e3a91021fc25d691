"""Builds a complete index in one pass over a corpus; a stopped build resumes where it left off.

Passages are processed in shards. Finished shards collect in an unfinished folder beside the builds. Once all
exist, BM25, the table of ids and FAISS's index are made from them, the manifest is written, and the folder is
renamed to a build.
"""

import hashlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from indexing import atomic, places
from indexing.building import shards
from indexing.building.figures import least_bytes
from indexing.building.finish import Origin, finish
from indexing.building.language import IndexLanguage, choose_language
from indexing.building.settings import BuildSettings
from indexing.building.shards import KnownVectors, Shard, ShardMaker
from indexing.catalogue import build_folders, clear_removed, current_build, set_current, verify
from indexing.corpus.corpus import Corpus
from indexing.corpus.folder import files_digest
from indexing.corpus.limits import LIMITS
from indexing.dense.encoder import BiEncoder
from indexing.dense.faiss_index import check_kind
from indexing.disk import check_space, disk_errors
from indexing.errors import CorpusError, IndexingError
from indexing.manifest import Manifest
from indexing.names import check_name
from indexing.notes import log_note
from indexing.progress import Progress, silent, timed
from indexing.records import Passage
from indexing.store.passages import digest
from indexing.store.token_vectors import open_token_vectors
from indexing.store.tokens import MAX_PASSAGE_TOKENS, PassageTokenizer
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import analyzer_for
from indexing.words.known_languages import SHIPPED, unknown_language_note
from indexing.words.languages import DEFAULT

UNFINISHED = ".unfinished-"


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """An index to build, from a corpus or from the passages of an earlier build."""

    name: str
    root: Path
    """The folder of all indexes."""
    settings: BuildSettings
    corpus: str
    """Path the passages were read from, for the manifest."""
    corpus_files: str = ""
    """Digest of its files, for the manifest."""
    language: IndexLanguage = field(default_factory=lambda: IndexLanguage(DEFAULT))
    """For the manifest."""
    analyzer: Analyzer = field(default_factory=analyzer_for)
    """Of that language, or the one that the earlier build has."""
    change: str = ""
    """What differs from `parent`, for the manifest; empty for a build from a corpus."""
    parent: Path | None = None
    """The build that must still be the current one when this one begins; None for any."""

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def folder(self) -> Path:
        """The folder of the index, which holds its builds."""
        return self.root / self.name


def build(
    corpus: Corpus,
    *,
    name: str,
    root: Path | None = None,
    settings: BuildSettings | None = None,
    progress: Progress = silent,
    encoder: BiEncoder | None = None,
    expected: int = 0,
) -> Manifest:
    """Build `root/name/<build>` and make it the current one; the finished shards of a stopped build are reused.

        manifest = build(Corpus(Path("my-passages.tsv")), name="mine")

    `root` defaults to `places.indexes()`. `encoder` is a loaded bi-encoder, used instead of loading the one that the
    settings name; it is closed at the end. `progress` counts passages, of which `expected` says how many there are, if
    that is known.

    Raises:
        DiskFullError: the disk is full, or can't hold an index of so many passages.
        CorpusError: the corpus can't be read or holds no passage.
        BusyError: another process is building this index.
        SettingsError, ModelError, HubError: a setting doesn't fit the corpus, or a model can't be loaded.
    """
    settings = settings or BuildSettings()
    check_name(name)
    language = choose_language(corpus, settings.language)
    request = BuildPlan(
        name=name,
        root=root or places.indexes(),
        settings=settings,
        corpus=str(corpus.path),
        corpus_files=files_digest(corpus.path),
        language=language,
        analyzer=analyzer_for(language.name),
    )
    models = {"bi-encoder": settings.bi_encoder, "shipped re-ranker": SHIPPED}
    if foreign := unknown_language_note(language.shares, models):
        log_note(foreign)
    passages = iter(corpus)
    batches = iter(lambda: list(islice(passages, settings.shard_size)), [])
    encoder = encoder or BiEncoder(settings.bi_encoder, workers=settings.workers)
    return build_from(request, batches, encoder=encoder, source=corpus, progress=progress, expected=expected)


def build_from(
    request: BuildPlan,
    batches: Iterator[Sequence[Passage]],
    *,
    encoder: BiEncoder,
    source: Corpus | None = None,
    progress: Progress = silent,
    expected: int = 0,
) -> Manifest:
    """Build from batches of passages, one per shard; the manifest lists the lines that `source` left out.

    `encoder` is closed at the end. Raises what `build` raises, and IndexingError if `request.parent` is no longer
    the current build.
    """
    settings, started = request.settings, datetime.now(UTC)
    try:
        check_kind(settings.dense, dim=encoder.dim)
        if settings.token_vectors:
            encoder.check_tokens()
        tokenizer = PassageTokenizer(settings.tokenizer) if settings.tokenizer else None
        key = shard_key(
            request.analyzer,
            encoder,
            tokenizer,
            shard_size=settings.shard_size,
            token_vectors=settings.token_vectors,
        )
        maker = ShardMaker(
            encoder=encoder,
            tokenizer=tokenizer,
            known=known_vectors(request.folder, encoder, token_vectors=settings.token_vectors),
            analyzer=request.analyzer,
            token_vectors=settings.token_vectors,
            progress=progress,
        )
        clear_removed(request.root)
        if least := least_bytes(expected, dim=encoder.dim, dense=settings.dense):
            check_space(request.root, least, f"An index of {expected:,} passages")
        work_name = f"{key}-change" if request.change else key
        with disk_errors(request.folder), unfinished(request.folder, work_name) as work:
            _check_parent(request)
            with timed() as elapsed:
                finished, encoded = fill(work, batches, maker, sources=reusable(request.folder, key))
            if not finished:
                raise CorpusError(f"Corpus {request.corpus} holds no passage that can be read.")
            for told in source.notes if source else ():
                log_note(told)
            origin = _origin(request, started, key, encoded, source)
            manifest = finish(work, finished, maker, settings, origin, seconds={"shards": elapsed()})
            publish(work, request.folder, manifest.build)
            return manifest
    finally:
        encoder.close()


def _check_parent(request: BuildPlan) -> None:
    if request.parent is not None and current_build(request.name, root=request.root) != request.parent:
        raise IndexingError(f"Another process has changed index {request.name} meanwhile; give the command again.")


def _origin(request: BuildPlan, started: datetime, key: str, encoded: int, source: Corpus | None) -> Origin:
    """The build's name and source; a build from an earlier one keeps what was said of the passages that it kept."""
    earlier = Manifest.load(request.parent) if request.parent else None
    skipped = (*(earlier.skipped if earlier else ()), *(source.skipped if source else ()))
    notes = (*(earlier.notes if earlier else ()), *(source.notes if source else ()))
    return Origin(
        name=request.name,
        build=f"{started:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}",
        created=started.isoformat(),
        corpus=request.corpus,
        corpus_files=request.corpus_files,
        shard_key=key,
        encoded=encoded,
        skipped=skipped[: LIMITS.faults],
        skipped_count=(earlier.skipped_count if earlier else 0) + (source.skipped_count if source else 0),
        notes=tuple(dict.fromkeys(notes)),
        change=request.change,
        language=request.language.name,
        language_reason=request.language.reason,
        languages=request.language.shares,
    )


def shard_key(
    analyzer: Analyzer,
    encoder: BiEncoder,
    tokenizer: PassageTokenizer | None,
    *,
    shard_size: int,
    token_vectors: str = "",
) -> str:
    """A key that changes with anything that affects the contents of a shard's files."""
    tokens = f"{tokenizer.fingerprint} {MAX_PASSAGE_TOKENS}" if tokenizer else ""
    more = (token_vectors,) if token_vectors else ()  # without them the keys are those of older builds
    parts = (analyzer.fingerprint, encoder.fingerprint, encoder.precision, tokens, shard_size, *more)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def known_vectors(folder: Path, encoder: BiEncoder, *, token_vectors: str = "") -> KnownVectors | None:
    """Vectors of the newest intact build made by the same bi-encoder in the same number format; None without one.

    Those of tokens are among them if that build stores them in the form `token_vectors`.
    """
    for build_folder in reversed(build_folders(folder).values()):
        with suppress(IndexingError):
            manifest = Manifest.load(build_folder)
            same = (manifest.bi_encoder_fingerprint, manifest.precision) == (encoder.fingerprint, encoder.precision)
            if same and not verify(build_folder, full=False):
                stored = token_vectors if manifest.token_vectors == token_vectors else ""
                return KnownVectors(build_folder, open_token_vectors(build_folder, stored, dim=manifest.dim))
    return None


@contextmanager
def unfinished(folder: Path, key: str) -> Iterator[Path]:
    """The folder of an unfinished build with this key; if the block fails, it stays only with a finished shard in it.

    Raises:
        BusyError: another process is building this index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with atomic.hold(folder, f"is building {folder}"):
        work = folder / f"{UNFINISHED}{key}"
        work.mkdir(exist_ok=True)
        try:
            yield work
        except BaseException:
            shards.remove_unfinished(work)
            if shards.load(work, 0) is None:
                shutil.rmtree(work, ignore_errors=True)
                with suppress(OSError):  # it holds other builds
                    folder.rmdir()
            raise


def describe_stop(folder: Path, settings: BuildSettings) -> str:
    """One sentence on what a stopped build of the index in `folder` leaves for the next one."""
    unfinished_folders = sorted(folder.glob(f"{UNFINISHED}*"), key=lambda work: work.stat().st_mtime)
    finished = shards.load_all(unfinished_folders[-1]) if unfinished_folders else []
    if not finished:
        return (
            f"Stopped before the first shard of {settings.shard_size:,} passages was finished, so nothing is stored; "
            "smaller shards (--shard-size) are stored sooner. The index in use is unchanged."
        )
    passages = sum(shard.passages for shard in finished)
    return (
        f"Stopped. {passages:,} passages in {len(finished):,} finished shards are stored; the same command resumes "
        "after them. The index in use is unchanged."
    )


def fill(
    work: Path, batches: Iterator[Sequence[Passage]], maker: ShardMaker, *, sources: dict[str, tuple[Path, int]]
) -> tuple[list[Shard], int]:
    """Make every shard that doesn't exist yet; return all of them, and how many passages had to be encoded.

    `sources` are the shards of other builds, by digest.
    """
    finished: list[Shard] = []
    encoded = 0
    for number, content in enumerate(batches):
        content_digest = f"{digest(content):032x}"
        shard = _finished(work, number, content_digest) or _link(sources.get(content_digest), work, number)
        if shard is None:
            shard, count = maker.make(work, number, content, content_digest)
            encoded += count
        else:
            maker.progress("read", shard.passages, 0)
            maker.progress("encode", shard.passages, 0)
        finished.append(shard)
    shards.remove_others(work, finished)
    return finished, encoded


def publish(work: Path, folder: Path, build_id: str) -> None:
    """Give a finished build its name and make it the current one."""
    work.rename(folder / build_id)
    atomic.fsync_path(folder)
    set_current(folder, build_id)


def reusable(folder: Path, key: str) -> dict[str, tuple[Path, int]]:
    """Shards of complete builds with this key, by digest: the build and the shard's number."""
    sources: dict[str, tuple[Path, int]] = {}
    for build_folder in build_folders(folder).values():
        with suppress(IndexingError):
            if Manifest.load(build_folder).shard_key == key:
                sources |= {
                    shard.digest: (build_folder, number) for number, shard in enumerate(shards.load_all(build_folder))
                }
    return sources


def _finished(work: Path, number: int, content_digest: str) -> Shard | None:
    """The shard with this number if a stopped build finished it with the same passages and it is intact."""
    shard = shards.load(work, number)
    return shard if shard is not None and shard.digest == content_digest and shard.sound(work, number) else None


def _link(source: tuple[Path, int] | None, work: Path, number: int) -> Shard | None:
    """Link a shard of another build into this one; None if there is no intact one."""
    if source is None:
        return None
    folder, old = source
    shard = shards.load(folder, old)
    if shard is None or not shard.sound(folder, old):
        return None
    return shards.link(shard, folder, old, work, number)
