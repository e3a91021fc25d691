"""Cases about files of training examples."""

import json
from pathlib import Path
from typing import Any

from indexing.errors import CorpusError
from tests.cases.case import Case, Checks
from training.data.readers.local import local_examples
from training.example import Example
from training.source import Source

CHECKS = Checks()
WANTED = ("query", "positive", "negative", "pos", "neg")


def _lines(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def _flag_embedding(folder: Path) -> None:
    both = {"query": "who digs", "pos": ["Moles dig tunnels."], "neg": ["Larks sing.", "Tin melts."]}
    _lines(folder / "train.jsonl", both | {"pos_scores": [7.5], "neg_scores": [0.5, 0.25]})
    _lines(
        folder / "triplets.jsonl",
        {"anchor": "who digs", "positive": "Moles dig tunnels.", "negative": "Larks sing."},
    )


def _examples(path: Path) -> tuple[list[Example], str]:
    """The examples of a file, or the sentence with which it is refused."""
    try:
        return list(local_examples(Source("jsonl", str(path)))), ""
    except CorpusError as error:
        return [], str(error)


@CHECKS.add("28-flagembedding-jsonl", _flag_embedding)
def other_tools_names(case: Case) -> None:
    """Every passage of every line is read with its label and score, or the line is refused with the names."""
    paths = sorted(case.folder.glob("*.jsonl"))
    assert paths, "no file of examples"
    for path in paths:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        examples, refusal = _examples(path)
        if refusal:
            absent = [name for name in (*records[0], *WANTED) if name not in refusal]
            assert not absent, f"{refusal} doesn't name {absent}"
            continue
        assert len(examples) == len(records)
        for record, example in zip(records, examples, strict=True):
            assert example.query == record.get("query", record.get("anchor"))
            positives = record.get("pos") or [record["positive"]]
            negatives = record.get("neg") or [record["negative"]]
            assert example.labels is not None
            labels = dict(zip(example.passages, example.labels, strict=True))
            assert labels == dict.fromkeys(positives, 1.0) | dict.fromkeys(negatives, 0.0)
            if "pos_scores" in record:
                scores = dict(zip(example.passages, example.scores or (), strict=True))
                assert scores == dict(
                    zip((*positives, *negatives), (*record["pos_scores"], *record["neg_scores"]), strict=True)
                )


def _misspelled(folder: Path) -> None:
    _lines(folder / "train.jsonl", {"query": "who digs", "positves": ["Moles."], "negs": ["Larks."]})


@CHECKS.add("made-misspelled-names", _misspelled)
def misspelled_names(case: Case) -> None:
    """A training on misspelled names is refused with file, line, the names that are there and those that are wanted."""
    file = case.folder / "train.jsonl"
    output = case.home / "version"
    case.refused(
        *("training", "train", "--recipe", "bce", "--data", f"jsonl:{file}", "--output", output),
        mentions=(f"{file}:1", "'positves'", "positives", "negatives"),
    )
    assert not output.exists()
