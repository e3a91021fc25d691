"""Cases about models that aren't whole, indexes whose bytes changed, and passages of megabytes."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from indexing.catalogue import current_build
from tests.cases.case import Case, Checks
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder

CHECKS = Checks()
TEXTS = {
    "p1": "Bees make honey from the nectar of flowers.",
    "p2": "A moraine is a ridge of stones that a glacier left behind.",
    "p3": "Rye bread is dense and keeps fresh for a week.",
}
HEAD = "classifier.weight"
LIMIT_MS = 1000  # of tokenizing, where uncut passages of these sizes take ten times as long


def _nothing(folder: Path) -> None:
    (folder / "expect.md").write_text("Refused in a sentence.\n")


def _index(case: Case, texts: dict[str, str] = TEXTS) -> None:
    """Build the index `case` by a small bi-encoder."""
    corpus = case.home / "corpus"
    corpus.mkdir()
    lines = (json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items())
    (corpus / "corpus.jsonl").write_text("".join(lines))
    bi_encoder = make_bi_encoder(case.home / "bi-encoder")
    case.build("--bi-encoder", bi_encoder, corpus=corpus)


def _search(case: Case, reranker: str | Path) -> tuple[str, ...]:
    return ("search", "query", "how do bees make honey", "--index", "case", "--json", "--reranker", str(reranker))


def _refused_with(case: Case, change: Callable[[Path], None], *mentions: str) -> None:
    """A re-ranker's folder to which `change` was done is refused with these words, and ranks nothing."""
    folder = make_cross_encoder(case.home / "reranker")
    change(folder)
    case.refused(*_search(case, folder), mentions=[str(folder), *mentions])
    shutil.rmtree(folder)


def _set_head(values: Callable[[torch.Tensor], torch.Tensor | None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        new = values(tensors.pop(HEAD))
        if new is not None:
            tensors[HEAD] = new
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return change


def _change_config(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


@CHECKS.add("29-nan-reranker", _nothing)
def weights_that_are_no_numbers(case: Case) -> None:
    """A weight that isn't a number is refused, whatever it would have ranked."""
    _index(case)
    _refused_with(case, _set_head(lambda head: torch.full_like(head, torch.nan)), "isn't a finite number")


@CHECKS.add("30-two-label-reranker", _nothing)
def two_scores_a_pair(case: Case) -> None:
    """A model with two labels gives no single score to rank by."""
    _index(case)
    folder = make_cross_encoder(case.home / "two")
    tensors = load_file(folder / "model.safetensors")
    doubled = {
        key: torch.cat([value, value]).contiguous() if key.startswith("classifier") else value
        for key, value in tensors.items()
    }
    save_file(doubled, folder / "model.safetensors", metadata={"format": "pt"})
    _change_config(id2label={"0": "no", "1": "yes"}, label2id={"no": 0, "yes": 1})(folder)
    case.refused(*_search(case, folder), mentions=[str(folder), "2 scores per pair"])


@CHECKS.add("bi-encoder-as-reranker", _nothing)
def a_bi_encoder_is_no_reranker(case: Case) -> None:
    """Its missing head would be drawn at random, anew at each start."""
    _index(case)
    case.refused(*_search(case, case.home / "bi-encoder"), mentions=["lacks weights", "classifier"])


@CHECKS.add("reranker-lacks-a-part", _nothing)
def parts_of_a_model_that_are_absent(case: Case) -> None:
    """Head, tensor, tokenizer, configuration, weights; and configurations that no weights fit."""
    _index(case)
    _refused_with(case, _set_head(lambda _: None), "lacks weights", HEAD)
    _refused_with(case, lambda folder: (folder / "tokenizer.json").unlink(), "holds no tokenizer")
    _refused_with(case, lambda folder: (folder / "config.json").unlink(), "holds no config.json")
    _refused_with(case, lambda folder: (folder / "model.safetensors").unlink(), "holds no weights")
    _refused_with(case, _change_config(hidden_size=10**9), "hidden_size is 1,000,000,000")
    _refused_with(case, _change_config(num_hidden_layers=10**6), "num_hidden_layers is 1,000,000")


@CHECKS.add("index-with-flipped-bits", _nothing)
def bits_of_an_index(case: Case) -> None:
    """A bit of any file is noticed when the index is opened, though no size changed."""
    _index(case)
    folder = current_build("case", root=case.home / "indexes")
    for name in ("passages/00000.arrow", "dense.faiss", "bm25/indices.csc.index.npy", "vectors/00000.npy"):
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 4]) + content[-8:])
        case.refused(*_search(case, "none"), mentions=["is broken", name, "python -m indexing build"])
        path.write_bytes(content)
    case.done(*_search(case, "none"))


def _long(folder: Path) -> None:
    (folder / "expect.md").write_text("A passage of megabytes costs a query no more than another.\n")


@CHECKS.add("24-long-token", _long)
def passages_of_megabytes(case: Case) -> None:
    """Re-ranking reads the beginning of a text, so it costs no more than that."""
    words = {"long-1": "a" * 3_000_000, "long-2": "bees " * 600_000, "long-3": "honey." * 500_000}
    _index(case, TEXTS | {key: f"bees make honey {text}" for key, text in words.items()})
    reranker = make_cross_encoder(case.home / "reranker")
    said = case.done("search", "query", "how do bees make honey", "--index", "case", "--reranker", reranker).out
    final = said[said.index("Re-ranked by") :]
    assert all(key in final for key in words), final
    milliseconds = re.search(r"tokenize ([0-9.]+) ms", final)
    assert milliseconds is not None, final
    assert float(milliseconds[1]) < LIMIT_MS, final
