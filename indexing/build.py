"""One pass over a corpus makes one complete index build; nothing is seen until all of it is there."""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from indexing import analyzer, atomic, passages
from indexing.bm25 import Bm25s, Bm25Settings
from indexing.corpus import Corpus
from indexing.dense import DenseIndex
from indexing.encoder import DEFAULT_BI_ENCODER, BiEncoder
from indexing.errors import CorpusError, SettingsError
from indexing.index import build_folders, check_name, set_current
from indexing.manifest import Manifest, library_versions
from indexing.records import Floats, Passage

Progress = Callable[[str, int], None]
"""Called with the phase and the passages done since the last call."""

ENCODE_CHUNK = 512  # passages encoded between two reports of progress
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildSettings:
    """How an index is built."""

    bi_encoder: str = DEFAULT_BI_ENCODER
    """Name on the hub, or path."""
    bm25: Bm25Settings = field(default_factory=Bm25Settings)
    dense: str = "flat"
    """FAISS preset or index_factory string."""
    shard_size: int = 100_000
    """Passages in one file."""

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise SettingsError(f"shard size is {self.shard_size}; give 1 passage or more.")


def build(corpus: Corpus, *, name: str, root: Path, settings: BuildSettings, progress: Progress) -> Manifest:
    """Build `root/name/<build>` and make it the current one.

    Raises:
        CorpusError: the corpus can't be read or holds no passage.
        SettingsError, ModelError, HubError: as the settings' own loaders say.
    """
    check_name(name)
    started = datetime.now(UTC)
    encoder = BiEncoder(settings.bi_encoder)
    build_id = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    with atomic.folder(root / name / build_id) as work:
        seconds, count = _fill(work, corpus, encoder, settings, progress)
        manifest = Manifest(
            name=name,
            build=build_id,
            created=started.isoformat(),
            corpus=str(corpus.path),
            passages=count,
            corpus_fingerprint=corpus.fingerprint,
            analyzer_fingerprint=analyzer.fingerprint(),
            bm25=settings.bm25,
            bi_encoder=settings.bi_encoder,
            bi_encoder_fingerprint=encoder.fingerprint,
            dim=encoder.dim,
            dense=settings.dense,
            seconds=seconds,
            skipped=tuple(corpus.skipped),
            libraries=library_versions(),
        )
        replace(manifest, files=atomic.file_table(work)).save(work)
    set_current(root / name, build_id)
    return Manifest.load(build_folders(root / name)[build_id])


def _fill(
    work: Path, corpus: Corpus, encoder: BiEncoder, settings: BuildSettings, progress: Progress
) -> tuple[dict[str, float], int]:
    """Write passages, vectors, BM25 and FAISS; give back seconds of each phase and the passage count."""
    (work / "passages").mkdir()
    (work / "vectors").mkdir()
    seconds = dict.fromkeys(("read", "encode", "bm25", "dense"), 0.0)
    analyzed: list[list[str]] = []
    stream = iter(corpus)
    number = 0
    while True:
        with _Timed(seconds, "read"):
            shard = list(islice(stream, settings.shard_size))
            if not shard:
                break
            passages.write_shard(work / "passages" / f"{number:05}.arrow", shard)
            analyzed.extend(analyzer.analyze(passage.content for passage in shard))
            progress("read", len(shard))
        with _Timed(seconds, "encode"):
            vectors = _encode(encoder, shard, progress)
            np.save(work / "vectors" / f"{number:05}.npy", vectors.astype(np.float16))  # (rows, dim) float16
        number += 1
    if not analyzed:
        raise CorpusError(f"Corpus {corpus.path} holds no passage that can be read.")
    with _Timed(seconds, "bm25"):
        if settings.bm25.backend == "bm25s":  # rank-bm25 has no form on disk: it's made from the passages
            Bm25s.build(analyzed, settings.bm25).save(work / "bm25")
        progress("bm25", len(analyzed))
    with _Timed(seconds, "dense"):
        shards = _vector_shards(work / "vectors", progress)
        DenseIndex.build(shards, dim=encoder.dim, preset=settings.dense).save(work / "dense.faiss")
    return {phase: round(value, 3) for phase, value in seconds.items()}, len(analyzed)


def _encode(encoder: BiEncoder, shard: list[Passage], progress: Progress) -> Floats:
    """Vectors of one shard. Lengths are sorted over the whole shard, so that batches are even."""
    order = sorted(range(len(shard)), key=lambda row: len(shard[row].content))
    vectors = np.empty((len(shard), encoder.dim), dtype=np.float32)  # (rows, dim) float32
    for start in range(0, len(order), ENCODE_CHUNK):
        rows = order[start : start + ENCODE_CHUNK]
        vectors[rows] = encoder.encode_passages([shard[row].content for row in rows])
        progress("encode", len(rows))
    return vectors


def _vector_shards(folder: Path, progress: Progress) -> Iterable[Floats]:
    for path in sorted(folder.glob("*.npy")):
        vectors = np.load(path, mmap_mode="r").astype(np.float32)
        yield vectors
        progress("dense", len(vectors))


class _Timed:
    """Adds the time of a block to one phase."""

    def __init__(self, seconds: dict[str, float], phase: str) -> None:
        self._seconds, self._phase = seconds, phase

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._phase] += time.perf_counter() - self._start
