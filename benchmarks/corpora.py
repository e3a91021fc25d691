"""python -m benchmarks.corpora sentences|recombined JUDGED OUTPUT: corpora of any size out of real text.

`sentences` has every sentence of the judged collections once, `recombined` passages of sentences drawn at random.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from indexing import atomic

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
WORDS = range(5, 61)  # a shorter piece is a heading, a longer one a list
SENTENCES_IN_A_PASSAGE = (2, 4)  # 60 words in the mean, as in MS MARCO


def texts(judged: Path) -> Iterator[str]:
    """Every passage text below a folder of judged collections, in a fixed order."""
    for path in sorted(judged.rglob("*")):
        if path.name == "collection.tsv":
            with path.open(encoding="utf-8") as file:
                yield from (line.rstrip("\n").split("\t")[1] for line in file)
        elif path.name == "corpus.jsonl":
            with path.open(encoding="utf-8") as file:
                yield from (json.loads(line)["text"] for line in file)
        elif path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as file:
                for record in map(json.loads, file):
                    yield from (candidate["text"] for candidate in record.get("candidates", []))
                    if "positive" in record:
                        yield record["positive"]


def sentences(judged: Path) -> list[str]:
    """Every sentence of 5 to 60 words, once, in order of first appearance."""
    found: dict[str, None] = {}
    for text in texts(judged):
        for piece in SENTENCE_END.split(text):
            sentence = " ".join(piece.split())
            if len(sentence.split()) in WORDS:
                found[sentence] = None
    return list(found)


def recombined(judged: Path, *, passages: int, seed: int = 0) -> Iterator[str]:
    """Passages of 2 to 4 sentences drawn at random: real words in real proportions, at any count."""
    pool = sentences(judged)
    rng = random.Random(seed)
    for _ in range(passages):
        yield " ".join(rng.choices(pool, k=rng.randint(*SENTENCES_IN_A_PASSAGE)))


def main() -> None:
    """Write OUTPUT/collection.tsv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("sentences", "recombined"))
    parser.add_argument("judged", type=Path, help="folder of judged collections")
    parser.add_argument("output", type=Path, help="folder to make")
    parser.add_argument("--passages", type=int, default=1_000_000, help="at most so many (%(default)s)")
    options = parser.parse_args()
    if options.kind == "sentences":
        found: Iterator[str] = iter(sentences(options.judged)[: options.passages])
    else:
        found = recombined(options.judged, passages=options.passages)
    with atomic.folder(options.output) as work, (work / "collection.tsv").open("w", encoding="utf-8") as file:
        for number, text in enumerate(tqdm(found, unit=" passages")):
            file.write(f"{number}\t{text}\n")
    print(options.output)


if __name__ == "__main__":
    main()
