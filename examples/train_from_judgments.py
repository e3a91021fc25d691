"""Train a re-ranker from judgments of your own, and measure every stage: everything is made in a temporary folder.

Training starts from the re-ranker that comes with the program. A dozen passages and three steps show the way, not a
good model: give it your corpus, and `minutes` in place of `steps`. Each file has one line for each record, its fields
separated by tabs: collection.tsv `id text`, queries.SPLIT.tsv `id text`, qrels.SPLIT.tsv `query 0 passage grade`.
Judged `train` queries are learned from, `test` queries measured.
"""

import tempfile
from pathlib import Path

from indexing import Corpus, build
from indexing.places import shipped_reranker
from search import open_pipeline
from training import (
    DataSettings,
    EvaluationRequest,
    Source,
    TrainRequest,
    TrainSettings,
    evaluate_stages,
    train_version,
)

PASSAGES = {
    "a1": "Bees make honey from the nectar of flowers and store it in wax combs for the winter.",
    "a2": "A beekeeper opens the hive in spring and looks for the queen.",
    "a3": "Wasps build paper nests from chewed wood and hunt other insects.",
    "b1": "Fresnel's lens bends the light of a small lamp into one strong beam.",
    "b2": "The keeper of a lighthouse trimmed the wick and kept a log of the weather.",
    "b3": "Buoys mark the channel into a harbour.",
    "c1": "Sourdough bread rises by wild yeast that lives in a paste of flour and water.",
    "c2": "Rye flour holds little gluten, so rye bread is dense.",
    "c3": "A hot stone and steam give bread a thick crust.",
    "d1": "A moraine is a ridge of stones that a glacier left behind when it melted.",
    "d2": "Fjords are valleys that glaciers cut below the level of the sea.",
    "d3": "Crevasses open where a glacier bends over a step in the rock.",
}
QUERIES = {
    "train": {"q1": "how do bees make honey", "q2": "why does bread rise", "q3": "what is a moraine"},
    "test": {"q4": "how does a lighthouse lens work", "q5": "which flour has no gluten"},
}
GRADES = {"q1": "a1", "q2": "c1", "q3": "d1", "q4": "b1", "q5": "c2"}  # the passage that answers, with grade 3


def write_corpus(folder: Path) -> Path:
    """Write passages, queries and judgments as your own files would have them."""
    folder.mkdir()
    lines = {"collection.tsv": [f"{key}\t{text}" for key, text in PASSAGES.items()]}
    for split, queries in QUERIES.items():
        lines[f"queries.{split}.tsv"] = [f"{key}\t{text}" for key, text in queries.items()]
        lines[f"qrels.{split}.tsv"] = [f"{key}\t0\t{GRADES[key]}\t3" for key in queries]
    for name, rows in lines.items():
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


with tempfile.TemporaryDirectory() as work:
    home = Path(work)
    indexes, version = home / "indexes", home / "models" / "mine" / "1"
    build(Corpus(write_corpus(home / "corpus")), name="mine", root=indexes)
    request = TrainRequest(
        recipe="lambda",
        data=DataSettings(sources=(Source.parse("index:mine"),)),
        settings=TrainSettings(base=str(shipped_reranker()), steps=3, batch=2, max_length=48, learning_rate=2e-5),
        output=version,
        root=indexes,
    )
    train_version(request)
    pipeline = open_pipeline("mine", reranker=version, root=indexes)
    evaluation = evaluate_stages(pipeline, EvaluationRequest(split="test", depth=10))
    for name, measured in evaluation.reports[0].comparison.systems.items():
        print(f"{name:<36} nDCG@10 {measured.means['nDCG@10']:.4f}")
