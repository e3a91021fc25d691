"""Teachers score the passages of examples: a cross-encoder, or the first stage's bi-encoder."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from indexing.encoder import DEFAULT_BI_ENCODER, BiEncoder
from indexing.errors import SettingsError
from indexing.records import Floats
from search.load import open_reranker
from search.rerank import Reranker
from training.examples import Example
from training.groups import COSINE_SCALE

FORMS = "first-stage, first-stage:BI-ENCODER or reranker:NAME"
MIDDLE_COSINE = 0.5  # of this cosine the logit is 0, so that a loss on absolute scores has little to shift
TOGETHER = 64  # examples whose texts are encoded at once


class Teacher(Protocol):
    """Says what a passage is worth."""

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """For each example (passages,) float32, raw logits on one scale for all queries."""


class RerankerTeacher:
    """A cross-encoder's raw logits."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """As Teacher."""
        return [self._reranker.score(example.query, example.passages).logits for example in examples]


class FirstStageTeacher:
    """The bi-encoder's cosines, as logits: 0.05 of cosine is 1."""

    def __init__(self, encoder: BiEncoder) -> None:
        self._encoder = encoder

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """As Teacher."""
        queries = self._encoder.encode_queries([example.query for example in examples])  # (examples, dim)
        texts = [text for example in examples for text in example.passages]
        vectors = self._encoder.encode_passages(texts)  # (passages of all, dim) float32
        found, start = [], 0
        for example, query in zip(examples, queries, strict=True):
            cosines = vectors[start : start + len(example.passages)] @ query
            start += len(example.passages)
            found.append(((cosines - MIDDLE_COSINE) * COSINE_SCALE).astype(np.float32))
        return found


def open_teacher(name: str) -> Teacher:
    """A teacher by name. Raises SettingsError for another form, ModelError or HubError where it can't be loaded."""
    kind, _, model = name.partition(":")
    if kind == "first-stage":
        return FirstStageTeacher(BiEncoder(model or DEFAULT_BI_ENCODER))
    if kind == "reranker" and model:
        reranker = open_reranker(model)
        if reranker is not None:
            return RerankerTeacher(reranker)
    raise SettingsError(f"Teacher {name!r} is unknown; give {FORMS}.")


def taught(
    examples: Iterable[Example], teacher: Teacher, *, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Example]:
    """The examples with the teacher's scores; `progress` is called with the examples done since the last call."""
    block: list[Example] = []
    for example in examples:
        block.append(example)
        if len(block) == TOGETHER:
            yield from _scored(block, teacher)
            progress(len(block))
            block = []
    if block:
        yield from _scored(block, teacher)
        progress(len(block))


def _scored(block: Sequence[Example], teacher: Teacher) -> Iterator[Example]:
    for example, scores in zip(block, teacher.scores(block), strict=True):
        yield replace(example, scores=tuple(scores.tolist()))
