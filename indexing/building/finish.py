"""Turns finished shards into a complete build: the table of ids, BM25, FAISS's index and its recall, the manifest."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from indexing import atomic
from indexing.bm25.build import build_bm25
from indexing.building import shards
from indexing.building.settings import BuildSettings
from indexing.building.shards import Shard, ShardMaker
from indexing.dense.faiss_index import DenseIndex, plan
from indexing.dense.recall import choose_parameters, sample_queries
from indexing.dense.vectors import VectorStore
from indexing.manifest import FILE, Dense, Manifest
from indexing.progress import Progress, timed
from indexing.provenance import library_versions
from indexing.store.ids import IdTable, write_ids
from indexing.store.passages import PassageStore, shard_ids

DENSE_FILE = "dense.faiss"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A build's name and source; the fields mean what they do in Manifest."""

    name: str
    build: str
    created: str
    corpus: str
    shard_key: str
    encoded: int
    skipped: tuple[str, ...] = ()
    skipped_count: int = 0
    notes: tuple[str, ...] = ()
    corpus_files: str = ""
    change: str = ""
    language: str = ""
    language_reason: str = ""
    languages: Mapping[str, float] = field(default_factory=dict)


def finish(
    work: Path,
    finished: Sequence[Shard],
    maker: ShardMaker,
    settings: BuildSettings,
    origin: Origin,
    *,
    seconds: Mapping[str, float],
) -> Manifest:
    """Make everything that needs all shards, the manifest last; `seconds` are those of earlier phases."""
    _clear(work)
    count = sum(shard.passages for shard in finished)
    dense, more_seconds = _make_indexes(work, count, maker, settings, corpus=Path(origin.corpus))
    manifest = Manifest(
        **asdict(origin),
        passages=count,
        corpus_fingerprint=f"{sum(int(shard.digest, 16) for shard in finished) % 2**128:032x}"[:16],
        shard_size=settings.shard_size,
        analyzer_fingerprint=maker.analyzer.fingerprint,
        bm25=settings.bm25,
        bi_encoder=settings.bi_encoder,
        bi_encoder_fingerprint=maker.encoder.fingerprint,
        precision=maker.encoder.precision,
        dim=maker.encoder.dim,
        dense=dense,
        tokenizer=settings.tokenizer,
        tokenizer_fingerprint=maker.tokenizer.fingerprint if maker.tokenizer else "",
        token_vectors=settings.token_vectors,
        seconds={phase: round(value, 3) for phase, value in {**seconds, **more_seconds}.items()},
        libraries=library_versions(),
        files=_files(work, finished),
    )
    manifest.save(work)
    return manifest


def _make_indexes(
    work: Path, count: int, maker: ShardMaker, settings: BuildSettings, *, corpus: Path
) -> tuple[Dense, dict[str, float]]:
    """Write the table of ids, BM25 and FAISS's index; return FAISS's record and the seconds of each phase."""
    seconds = {}
    with timed() as elapsed:
        write_ids(work / "ids", _counted(shard_ids(work / "passages"), count, maker.progress))
    seconds["ids"] = elapsed()
    with timed() as elapsed:
        if (
            settings.bm25.backend == "bm25s"
        ):  # rank-bm25 stores nothing on disk: it is made from the passages when opened
            build_bm25(work / "terms", work / "bm25", settings.bm25, progress=maker.progress)
    seconds["bm25"] = elapsed()
    with timed() as elapsed:
        dense = _dense(work, maker, settings, corpus)
    seconds["dense"] = elapsed()
    return dense, seconds


def _dense(work: Path, maker: ShardMaker, settings: BuildSettings, corpus: Path) -> Dense:
    vectors = VectorStore(work / "vectors")
    planned = plan(settings.dense, dim=vectors.dim, passages=len(vectors))
    index = DenseIndex.build(vectors, kind=planned.kind, progress=maker.progress)
    index.save(work / DENSE_FILE)
    queries, source = sample_queries(corpus, PassageStore(work / "passages", IdTable(work / "ids")))
    quality = choose_parameters(
        index,
        vectors,
        maker.encoder,
        queries,
        source,
        file=work / DENSE_FILE,
        progress=maker.progress,
    )
    return Dense(preset=settings.dense, kind=planned.kind, reason=planned.reason, quality=quality)


def _counted(ids: Iterator[list[str]], total: int, progress: Progress) -> Iterator[list[str]]:
    for shard in ids:
        yield shard
        progress("ids", len(shard), total)


def _clear(work: Path) -> None:
    """Remove what a build that stopped in this module left behind."""
    for path in work.iterdir():
        if path.is_dir() and path.name not in (*shards.SHARD_FORMS, shards.RECORDS):
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def _files(work: Path, finished: Sequence[Shard]) -> dict[str, dict[str, int | str]]:
    """Sync every file and return its size and checksum; for shards' files these come from the shards' records."""
    table = {
        shards.path(work, form, number).relative_to(work).as_posix(): dict(row)
        for number, shard in enumerate(finished)
        for form, row in shard.files.items()
    }
    for path in sorted(work.rglob("*")):
        name = path.relative_to(work).as_posix()
        if path.is_file() and name not in table and name != FILE:
            table[name] = atomic.file_row(path)
        atomic.fsync_path(path)
    return dict(sorted(table.items()))
