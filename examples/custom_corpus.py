"""Build an index of passages of your own, in a temporary folder, and search it: first stage only, with the defaults."""

import tempfile
from pathlib import Path

from indexing import Corpus, build, open_index
from search import open_pipeline

PASSAGES = {
    "bees": "Bees make honey from the nectar of flowers and store it in wax combs for the winter.",
    "light": "A lighthouse lamp turns so that every ship sees a flash of known length.",
    "bread": "Sourdough bread rises by wild yeast and bacteria that live in a paste of flour and water.",
    "ice": "Glaciers carve valleys with a round floor and steep walls as they slide down a mountain.",
}

with tempfile.TemporaryDirectory() as folder:
    corpus = Path(folder) / "collection.tsv"  # id TAB text, one passage a line
    corpus.write_text("".join(f"{key}\t{text}\n" for key, text in PASSAGES.items()), encoding="utf-8")
    root = Path(folder) / "indexes"

    manifest = build(Corpus(corpus), name="mine", root=root)
    print(f"{manifest.passages} passages, {manifest.dim} dimensions, FAISS {manifest.dense.kind}")

    index = open_index("mine", root=root)
    print(index.passages.by_id(index.passages.id_at(0)).content)

    pipeline = open_pipeline("mine", root=root, reranker=None)
    trace = pipeline.search("how does dough rise")
    for rank, passage_id, score in trace.final.top(2):
        print(rank, f"{score:.4f}", passage_id)
