"""Teachers that score the passages of examples: a cross-encoder, the bi-encoder by texts or tokens, or several."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.names import DEFAULT_BI_ENCODER
from indexing.progress import Progress, silent
from indexing.records import Floats
from search.load import open_reranker
from training.example import Example
from training.targets import as_logits
from training.teachers.late_interaction import LateInteractionTeacher
from training.teachers.names import JOINED, TEACHER_USAGE

BY_BI_ENCODER = {"first-stage", "late-interaction"}
BLOCK_SIZE = 64  # examples whose texts are encoded at once


class Teacher(Protocol):
    """Scores how relevant each passage of an example is."""

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Raw logits, (passages,) float32 for each example, on one scale for all queries."""


class GivenTeacher:
    """The examples' own scores, those of the run or the first stage that the examples come from."""

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """The examples' own scores, (passages,) float32 each. Raises SettingsError for an example without any."""
        scores = []
        for example in examples:
            if example.scores is None:
                raise SettingsError(
                    f"Teacher 'given' uses the examples' own scores, but those of {example.source} have none; choose "
                    "another teacher."
                )
            scores.append(np.array(example.scores, dtype=np.float32))
        return scores


class PairScorer(Protocol):
    """The part of a re-ranker that RerankerTeacher uses; CrossEncoderReranker implements it."""

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str]) -> Floats:
        """Raw logits, (pairs,) float32."""


class RerankerTeacher:
    """A cross-encoder's raw logits; a pair that appears in several examples of a block is scored once."""

    def __init__(self, reranker: PairScorer) -> None:
        self._reranker = reranker

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """The re-ranker's raw logits, (passages,) float32 for each example."""
        pairs = list(dict.fromkeys((example.query, text) for example in examples for text in example.passages))
        values = self._reranker.score_pairs([query for query, _ in pairs], [text for _, text in pairs])
        logits = dict(zip(pairs, values.tolist(), strict=True))
        return [
            np.array([logits[example.query, text] for text in example.passages], dtype=np.float32)
            for example in examples
        ]


class FirstStageTeacher:
    """The bi-encoder's cosines as logits: a difference of 0.05 becomes 1."""

    def __init__(self, encoder: BiEncoder) -> None:
        self._encoder = encoder

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """Centered and scaled cosines of query and passage, (passages,) float32 for each example."""
        queries = self._encoder.encode_queries([example.query for example in examples])  # (examples, dim)
        texts = [text for example in examples for text in example.passages]
        vectors = self._encoder.encode_passages(texts)  # (passages of all, dim) float32
        logits, start = [], 0
        for example, query in zip(examples, queries, strict=True):
            cosines = vectors[start : start + len(example.passages)] @ query
            start += len(example.passages)
            logits.append(as_logits(cosines).astype(np.float32))
        return logits


class MeanTeacher:
    """The mean of several teachers' logits."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = teachers

    def scores(self, examples: Sequence[Example]) -> list[Floats]:
        """The teachers' mean logits, (passages,) float32 for each example."""
        logits = zip(*(teacher.scores(examples) for teacher in self._teachers), strict=True)
        return [np.mean(values, axis=0, dtype=np.float32) for values in logits]


def open_teacher(
    name: str, opened: dict[str, Teacher] | None = None, *, bi_encoder: str = DEFAULT_BI_ENCODER
) -> Teacher:
    """A teacher by name, or the mean of several; each is taken from `opened`, or opened and added to it.

    `bi_encoder` is that of `first-stage` and `late-interaction` where they name no other.

    Raises:
        SettingsError: the name doesn't follow TEACHER_USAGE.
        ModelError, HubError: a model can't be loaded.
    """
    opened = {} if opened is None else opened
    names = [f"{single}:{bi_encoder}" if single in BY_BI_ENCODER else single for single in JOINED.split(name)]
    for single_name in names:
        if single_name not in opened:
            opened[single_name] = _open_single(single_name)
    return opened[names[0]] if len(names) == 1 else MeanTeacher([opened[single_name] for single_name in names])


def takes_bi_encoder(name: str) -> bool:
    """Whether a teacher of this name needs to be told which bi-encoder it uses."""
    return not BY_BI_ENCODER.isdisjoint(JOINED.split(name))


def uses_own_scores(name: str) -> bool:
    """Whether a teacher of this name uses the examples' own scores."""
    return "given" in JOINED.split(name)


def _open_single(name: str) -> Teacher:
    kind, _, model = name.partition(":")
    if name == "given":
        return GivenTeacher()
    if kind == "first-stage" and model:
        return FirstStageTeacher(BiEncoder(model))
    if kind == "late-interaction" and model:
        return LateInteractionTeacher(BiEncoder(model))
    if kind == "reranker" and model:
        reranker = open_reranker(model)
        if reranker is not None:
            return RerankerTeacher(reranker)
    raise SettingsError(f"Teacher {name!r} is unknown; give {TEACHER_USAGE}.")


def teach(examples: Iterable[Example], teacher: Teacher, *, progress: Progress = silent) -> Iterator[Example]:
    """The examples with the teacher's scores; `progress` counts examples."""
    block: list[Example] = []
    for example in examples:
        block.append(example)
        if len(block) == BLOCK_SIZE:
            yield from _scored(block, teacher)
            progress("teach", len(block), 0)
            block = []
    if block:
        yield from _scored(block, teacher)
        progress("teach", len(block), 0)


def _scored(block: Sequence[Example], teacher: Teacher) -> Iterator[Example]:
    for example, scores in zip(block, teacher.scores(block), strict=True):
        yield replace(example, scores=tuple(scores.tolist()))
