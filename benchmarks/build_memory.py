"""python -m benchmarks.build_memory JUDGED: peak memory of whole builds, and what that means for 8.84 million passages.

Each build runs in a process of its own over passages of real text (`benchmarks.corpora.recombined`). The bi-encoder
is a stand-in that adds up a fixed random vector for each word, so that an hour's encoding takes a minute: passages,
postings, BM25, ids, FAISS and the checks are the real ones. What is measured is the resident memory, the mapped
pages of files included. A line through all sizes but the largest has to meet the largest before it is drawn on.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from rank_bm25 import BM25Okapi

from benchmarks.corpora import recombined
from indexing import atomic
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.index import open_index
from indexing.progress import Progress, silent
from indexing.records import Floats

MS_MARCO = 8_841_823
LIMIT = 8 * 2**30  # bytes
WORDS = 65_536  # rows of the stand-in's table
PERIOD = 0.05  # seconds between two looks at the memory
NAME, INDEXES = "memory", "indexes"  # of what is built, and its folder beside the corpus
SIZES = (250_000, 500_000, 1_000_000)


class StandIn(BiEncoder):
    """A bi-encoder whose vector of a text is the sum of fixed random vectors of its words."""

    def __init__(self) -> None:
        super().__init__()
        self._table = np.random.default_rng(0).normal(size=(WORDS, self.dim)).astype(np.float32)  # (words, dim)

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        """Vectors of many texts, (texts, dim) float32, unit length."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._table[[zlib.crc32(word.encode()) % WORDS for word in text.lower().split()]].sum(axis=0)
        progress("encode", len(texts), len(texts))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """Likewise."""
        return self.encode_passages(texts)


class Watch:
    """The most memory that this process held in each phase."""

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}
        self.phase = "read"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def __call__(self, phase: str, *_: int) -> None:
        """Progress of a build."""
        self.phase = phase

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(PERIOD):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            resident = int(status.split("VmRSS:")[1].split()[0]) * 1024
            self.peaks[self.phase] = max(self.peaks.get(self.phase, 0), resident)


def main() -> None:
    """Build each size in a process of its own, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judged", type=Path, help="folder of judged collections")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="passages (%(default)s)")
    parser.add_argument("--dense", default="pq-fastscan")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--usual", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(_usual(options.one) if options.usual else _one(options.one, options.dense)))
        return
    rows = []
    for size in sorted(options.sizes):
        rows.append(measured(options.judged, passages=size, dense=options.dense))
        row = rows[-1]
        phases = ", ".join(f"{phase} {_gib(peak)}" for phase, peak in row["peaks"].items())
        print(
            f"{size:>9,} passages: peak {_gib(row['peak'])} GiB ({phases}), index {_gib(row['bytes'])} GiB, "
            f"{row['seconds']:.0f} s, opened in {row['open']:.2f} s",
            flush=True,
        )
    line = _projected(rows)
    print(
        f"a line through the smaller sizes says {_gib(line['predicted'])} GiB for {rows[-1]['passages']:,}, measured "
        f"{_gib(line['measured'])}; through all it says {_gib(line['ms_marco'])} GiB for MS MARCO's {MS_MARCO:,} "
        f"({'under' if line['ms_marco'] < LIMIT else 'OVER'} 8 GiB)"
    )
    if options.json is not None:
        atomic.write_json(options.json, {"dense": options.dense, "builds": rows, "projection": line})


def measured(judged: Path, *, passages: int, dense: str = "pq-fastscan", usual: bool = False) -> dict[str, Any]:
    """Build in a process of its own, here or the usual way; what `_one` or `_usual` says of it."""
    with tempfile.TemporaryDirectory(prefix="second-look-memory-") as name:
        corpus = Path(name) / "collection.tsv"
        with corpus.open("w", encoding="utf-8") as file:
            file.writelines(f"{n}\t{text}\n" for n, text in enumerate(recombined(judged, passages=passages)))
        return built_apart(corpus, dense=dense, usual=usual)


def built_apart(corpus: Path, *, dense: str = "pq-fastscan", usual: bool = False) -> dict[str, Any]:
    """Likewise of a corpus that is there; its index is put into INDEXES beside it, by the name NAME."""
    command = [sys.executable, "-m", "benchmarks.build_memory", ".", "--one", str(corpus), "--dense", dense]
    command += ["--usual"] if usual else []
    row: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return row


def _usual(corpus: Path) -> dict[str, object]:
    """Every text, float32 vector and term in memory: `encode`, IndexFlatIP, rank_bm25.BM25Okapi."""
    watch = Watch()
    texts = [passage.content for passage in Corpus(corpus)]
    vectors = StandIn().encode_passages(texts)
    dense = faiss.IndexFlatIP(vectors.shape[1])
    dense.add(vectors)
    bm25 = BM25Okapi([text.lower().split() for text in texts])
    watch.stop()
    kept = (len(texts), dense.ntotal, bm25.corpus_size)
    return {"passages": kept[0], "peak": max(watch.peaks.values()), "bytes": 4 * vectors.size}


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f}"


def _one(corpus: Path, dense: str) -> dict[str, object]:
    """Build, and open what was built."""

    watch = Watch()
    begun = time.perf_counter()
    root = corpus.parent / INDEXES
    settings = BuildSettings(dense=dense)
    manifest = build(Corpus(corpus), name=NAME, root=root, settings=settings, progress=watch, encoder=StandIn())
    seconds = time.perf_counter() - begun
    watch.stop()
    begun = time.perf_counter()
    open_index(NAME, root=root).bm25.search(["water"], depth=1000)
    return {
        "passages": manifest.passages,
        "peaks": watch.peaks,
        "peak": max(watch.peaks.values()),
        "bytes": manifest.bytes,
        "seconds": seconds,
        "phases": dict(manifest.seconds),
        "open": time.perf_counter() - begun,
        "recall": manifest.dense.quality.recall,
        "kind": manifest.dense.kind,
    }


def _projected(rows: Sequence[dict[str, object]]) -> dict[str, float]:
    """Lines fitted by least squares: through all sizes but the largest, and through all."""
    sizes = np.array([row["passages"] for row in rows], dtype=np.float64)
    peaks = np.array([row["peak"] for row in rows], dtype=np.float64)
    few = np.polyfit(sizes[:-1], peaks[:-1], 1)
    every = np.polyfit(sizes, peaks, 1)
    return {
        "predicted": float(np.polyval(few, sizes[-1])),
        "measured": float(peaks[-1]),
        "ms_marco": float(np.polyval(every, MS_MARCO)),
        "bytes_a_passage": float(every[0]),
    }


if __name__ == "__main__":
    main()
