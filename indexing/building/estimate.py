"""What a build will take, before it starts: disk, memory and time, worked out from a measured sample of the corpus."""

import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from indexing.bm25.build import build_bm25
from indexing.building import shards
from indexing.building.figures import Estimate
from indexing.building.settings import BuildSettings
from indexing.building.shards import ShardMaker
from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.dense.encoder import BiEncoder
from indexing.dense.faiss_index import plan, probe
from indexing.errors import CorpusError
from indexing.records import Passage
from indexing.store.passages import digest
from indexing.store.tokens import PassageTokenizer

SAMPLE = 1_000  # passages that are read, analyzed and encoded
SECONDS_PER_BYTE = 1e-9  # of SHA-256, computed once for each file
SECONDS_PER_POSTING = 4e-7  # to write it into the BM25 index
VOCABULARY_GROWTH = 0.6  # the number of terms grows with that of passages to this power (Heaps' law, English text)
TERM_BYTES_IN_MEMORY = 150  # of a term and its number in a dictionary
TERM_BYTES_ON_DISK = 24  # in vocab.index.json and indptr.csc.index.npy


def estimate(corpus: Corpus, settings: BuildSettings) -> Estimate:
    """Read, analyze and encode the first SAMPLE passages, and scale up to all.

    Raises:
        CorpusError: the corpus can't be read or holds no passage.
    """
    begun = time.perf_counter()
    content = list(islice(corpus, SAMPLE))
    reading = time.perf_counter() - begun
    if not content:
        raise CorpusError(f"Corpus {corpus.path} holds no passage that can be read.")
    count = max(count_passages(corpus.path), len(content))
    return estimate_by(content, count=count, settings=settings, reading=reading)


def estimate_by(content: Sequence[Passage], *, count: int, settings: BuildSettings, reading: float = 0.0) -> Estimate:
    """Analyze and encode these passages, which took so many seconds to read, and scale up to `count` of their kind.

    Raises:
        SecondLookError: the bi-encoder can't be loaded, or FAISS knows no such kind of index.
    """
    encoder = BiEncoder(settings.bi_encoder, workers=settings.workers)
    tokenizer = PassageTokenizer(settings.tokenizer) if settings.tokenizer else None
    maker = ShardMaker(encoder=encoder, tokenizer=tokenizer, token_vectors=settings.token_vectors)
    try:
        if settings.token_vectors:
            encoder.check_tokens()
        encoder.encode_passages([passage.content for passage in content[:64]])  # loads and warms up
        with tempfile.TemporaryDirectory(prefix="second-look-estimate-") as name:
            work = Path(name)
            analyzing, encoding = _make_shard(work, content, maker)
            build_bm25(work / "terms", work / "bm25", settings.bm25)
            return _scaled(work, len(content), count, settings, encoder.dim, reading + analyzing, encoding)
    finally:
        encoder.close()


def _make_shard(work: Path, content: Sequence[Passage], maker: ShardMaker) -> tuple[float, float]:
    """Make one shard in `work`; return the seconds spent on analyzing its text, and on the rest: its vectors."""
    marks: list[float] = []

    def mark(phase: str, *_: int) -> None:
        if phase == "read":
            marks.append(time.perf_counter())

    begun = time.perf_counter()
    replace(maker, progress=mark).make(work, 0, content, f"{digest(content):032x}")
    return marks[0] - begun, time.perf_counter() - marks[0]


def _scaled(
    work: Path, sampled: int, count: int, settings: BuildSettings, dim: int, reading: float, encoding: float
) -> Estimate:
    planned = plan(settings.dense, dim=dim, passages=count)
    dense_bytes, dense_seconds = probe(planned.preset, dim=dim)
    times = count / sampled
    sizes = {form: _size(work / form) for form in shards.SHARD_FORMS if (work / form).is_dir()}
    postings = len(np.load(work / "bm25/indices.csc.index.npy", mmap_mode="r")) * times
    terms = len(np.load(work / "bm25/indptr.csc.index.npy", mmap_mode="r")) * times**VOCABULARY_GROWTH
    disk = {
        **{form: size * times for form, size in sizes.items()},
        "ids": 12.0 * count,
        "bm25": 8 * postings + TERM_BYTES_ON_DISK * terms,
        "dense": dense_bytes * count,
    }
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0  # includes models and libraries
    shard = min(count, settings.shard_size) / sampled  # how many times the sample fits in a shard
    memory = {
        # texts as Python strings, their terms, vectors in float32; plus two tables of hashes
        "encode": base + shard * (3 * sizes["passages"] + 8 * sizes["terms"] + 4 * sizes["vectors"]) + 16.0 * count,
        "bm25": base + disk["bm25"] + TERM_BYTES_IN_MEMORY * terms + 16.0 * count,
        "dense": base + disk["dense"] + 16.0 * count,
    }
    seconds = {
        "read": reading * times,
        "encode": encoding * times,
        "bm25": SECONDS_PER_POSTING * postings,
        "dense": dense_seconds * count,
        "checksums": SECONDS_PER_BYTE * sum(disk.values()),
    }
    return Estimate(count, sampled, disk, memory, seconds, planned.kind, planned.reason)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*"))
