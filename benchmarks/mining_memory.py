"""python -m benchmarks.mining_memory JUDGED: memory and speed of `python -m training mine` over a million passages.

The passages are recombined from real text and their vectors are the stand-in's of `benchmarks.build_memory`, so that
no hour goes into encoding; a query is the beginning of a passage, which is its judged positive. What is measured is the
command itself in a process of its own, with the real bi-encoder for the queries: its dense neighbours mean nothing
here, but are looked for in the same way. Memory is the most that was resident, the index's mapped pages included.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.build_memory import INDEXES, NAME, built_apart
from benchmarks.corpora import recombined
from indexing import atomic

LIMIT = 4 * 2**30  # bytes
QUERY_WORDS = 8
EVERY = 100  # passages, one gives a query


def main() -> None:
    """Build, mine, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("judged", type=Path, help="folder of judged collections")
    parser.add_argument("--passages", type=int, default=1_000_000, help="of the index (%(default)s)")
    parser.add_argument("--queries", type=int, default=2_000, help="to mine for (%(default)s)")
    parser.add_argument("--rescored", type=int, default=100, help="to mine for with a re-ranker too (%(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="second-look-mining-") as name:
        folder = Path(name)
        texts = _write(folder, options.judged, passages=options.passages)
        size = built_apart(folder / "collection.tsv")["bytes"]
        print(f"{options.passages:,} passages, index {size / 2**30:.2f} GiB", flush=True)
        rows: list[dict[str, Any]] = []
        for how, queries, more in (
            ("by the fused first stage", options.queries, []),
            ("re-scored by the shipped re-ranker", options.rescored, ["--reranker", "shipped"]),
        ):
            _judge(folder, texts, queries)
            rows.append({"how": how, "queries": len(texts[:queries]), **_mined(folder, more)})
    for row in rows:
        verdict = "under" if row["peak"] < LIMIT else "OVER"
        print(
            f"{row['how']}: {row['queries']:,} queries in {row['seconds']:.0f} s, peak {row['peak'] / 2**30:.2f} GiB "
            f"({verdict} 4 GiB)"
        )
    if options.json is not None:
        atomic.write_json(options.json, {"passages": options.passages, "index_bytes": size, "mined": rows})


def _write(folder: Path, judged: Path, *, passages: int) -> list[str]:
    """The corpus, and texts of it that queries are made of, evenly spread."""
    kept = []
    with (folder / "collection.tsv").open("w", encoding="utf-8") as file:
        for number, text in enumerate(recombined(judged, passages=passages)):
            file.write(f"{number}\t{text}\n")
            if number % EVERY == 0:
                kept.append(text)
    return kept


def _judge(folder: Path, texts: Sequence[str], queries: int) -> None:
    """So many queries, and the passage that each was taken from as its judgment."""
    with (
        (folder / "queries.train.tsv").open("w", encoding="utf-8") as asked,
        (folder / "qrels.train.tsv").open("w", encoding="utf-8") as judged,
    ):
        for number, text in enumerate(texts[:queries]):
            asked.write(f"q{number}\t{' '.join(text.split()[:QUERY_WORDS])}\n")
            judged.write(f"q{number} 0 {number * EVERY} 1\n")


def _mined(folder: Path, more: Sequence[str]) -> dict[str, float]:
    """Seconds and peak bytes of the command, opening the index included."""
    output = folder / "mined"
    command = [sys.executable, "-m", "training", "mine", "--index", NAME, "--root", str(folder / INDEXES)]
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "--output", str(output), *more], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    shutil.rmtree(output)
    return {"seconds": time.perf_counter() - begun, "peak": usage.ru_maxrss * 1024}  # the kernel counts in KiB


if __name__ == "__main__":
    main()
