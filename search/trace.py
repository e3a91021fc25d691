"""What a search did: the ranking of every stage, with passages, scores and times; as plain data and as a table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from indexing.records import Passage, PassageId, Ranking
from indexing.words.analyzer import Analyzer
from indexing.words.analyzers import analyzer_for
from search.calibration.curve import SHOWN, Calibration, Estimate
from search.settings import PipelineSettings
from search.trace_html import trace_html

NOTHING_ANSWERS = "Nothing here seems to answer this."
SCHEMA = 1
"""Version of the format of `SearchTrace.to_dict`; it rises when a field is renamed, removed or changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class PipelineVersions:
    """What answered a query: enough to find the same index and models again."""

    index: str
    build: str
    """Id of the index's build, which begins with the time."""
    bi_encoder: str
    """Hub name or path."""
    reranker: str | None
    """`shipped`, a version such as `lambda/1`, a hub name, or a folder's name; None if nothing re-ranks."""
    second_look: str
    """Version of this library; empty if it isn't installed as a package."""


@dataclass(frozen=True, kw_only=True)
class SearchTrace:
    """Everything that happened to one query."""

    query: str
    settings: PipelineSettings
    versions: PipelineVersions
    first_stage: Mapping[str, Ranking]
    """The ranking of each retriever, `bm25` and `dense`."""
    fused: Ranking
    """The ranking before re-ranking."""
    reranked: Ranking | None = None
    """The re-ranking of the best `rerank_depth` passages; None if nothing was re-ranked."""
    logits: Mapping[PassageId, float] = field(default_factory=dict)
    """The re-ranker's raw score of each passage it read."""
    cosines: Mapping[PassageId, float] = field(default_factory=dict)
    """The bi-encoder's cosine of each passage for which the settings use it: those that the re-ranker read, and all of
    the fused ranking where the cosine chose them."""
    late: Mapping[PassageId, float] = field(default_factory=dict)
    """Late interaction's logit, likewise."""
    truncated: frozenset[PassageId] = frozenset()
    """Passages that were cut to fit the re-ranker."""
    seconds: Mapping[str, float]
    """Time of each stage, in the order in which they ran."""
    passages: Mapping[PassageId, Passage] = field(repr=False)
    """The passages of the fused ranking."""
    notes: tuple[str, ...] = ()
    """What a reader should know of this answer, in sentences: why BM25 found nothing, how much of a long query is
    read."""
    calibration: Calibration | None = field(default=None, repr=False)
    """What turns a score into a probability; None where this pipeline isn't calibrated."""
    uncalibrated: str = ""
    """Why none of the index's calibrations holds for this pipeline, in a sentence; empty if it has none at all."""
    analyzer: Analyzer = field(default_factory=analyzer_for, repr=False, compare=False)
    """The index's, with which the query's words are found in passages."""

    @property
    def final(self) -> Ranking:
        """The list that a user sees: the re-ranked one if there is one, else the fused one."""
        return self.fused if self.reranked is None else self.reranked

    @property
    def stages(self) -> dict[str, Ranking]:
        """Every ranking in the order in which they were made: the retrievers' own, `fused`, `reranked`."""
        reranked = {} if self.reranked is None else {"reranked": self.reranked}
        return {**self.first_stage, "fused": self.fused, **reranked}

    def moves(self) -> dict[PassageId, int]:
        """How many places each passage of the final list rose (above 0) or fell (below 0) by re-ranking."""
        before = self.fused.ranks()
        return {passage_id: before[passage_id] - rank for passage_id, rank in self.final.ranks().items()}

    def scores(self, passage_id: PassageId) -> dict[str, float]:
        """The scores of a passage that can be compared between queries, by the names in `SCORES`.

        A reciprocal rank, and whatever is scaled within one list, can't.
        """
        return {name: scores[passage_id] for name, scores in self._comparable.items() if passage_id in scores}

    @cached_property
    def _comparable(self) -> dict[str, Mapping[PassageId, float]]:
        """By each of `SCORES`, the passages that have it."""
        scores = {"logit": self.logits, "late": self.late, "cosine": self.cosines}
        if self.reranked is None and self.settings.fusion in ("bm25", "dense"):
            name = "bm25" if self.settings.fusion == "bm25" else "cosine"
            scores[name] = {passage_id: score for _, passage_id, score in self.fused}
        return scores

    def estimate(self, passage_id: PassageId) -> Estimate | None:
        """How probable it is that a passage is relevant; None where that isn't calibrated."""
        return None if self.calibration is None else self.calibration.estimate(self.scores(passage_id))

    @property
    def best(self) -> float | None:
        """The highest probability among the first ten places, 0 for an empty list; None where nothing is calibrated."""
        if self.calibration is None:
            return None
        estimates = [self.estimate(passage_id) for passage_id in self.final.top(SHOWN).passage_ids]
        return max((estimate.probability for estimate in estimates if estimate is not None), default=0.0)

    @property
    def answers(self) -> bool | None:
        """Whether something in the list seems to answer the query; None where nothing is calibrated."""
        best = self.best
        return None if best is None or self.calibration is None else best >= self.calibration.cut

    @property
    def told(self) -> tuple[str, ...]:
        """What a reader should know of this answer: the notes, and what the calibration says of it."""
        uncalibrated = (self.uncalibrated,) if self.uncalibrated else ()
        return (*((NOTHING_ANSWERS,) if self.answers is False else ()), *self.notes, *uncalibrated)

    def to_dict(self, *, top: int | None = None) -> dict[str, Any]:
        """The trace as JSON's types; `top` limits every list to its first places. docs/python.md lists each field."""
        lists = {name: ranking if top is None else ranking.top(top) for name, ranking in self.stages.items()}
        listed = dict.fromkeys(passage_id for ranking in lists.values() for passage_id in ranking.passage_ids)
        return {
            "schema": SCHEMA,
            "query": self.query,
            "versions": asdict(self.versions),
            "settings": asdict(self.settings),
            "final": self._final_rows(lists),
            "stages": {
                name: [{"rank": rank, "id": passage_id, "score": score} for rank, passage_id, score in ranking]
                for name, ranking in lists.items()
            },
            "passages": {
                passage_id: {"title": self.passages[passage_id].title, "text": self.passages[passage_id].text}
                for passage_id in listed
                if passage_id in self.passages
            },
            "seconds": dict(self.seconds),
            "calibration": self._calibration_row(),
            "notes": list(self.told),
        }

    def _calibration_row(self) -> dict[str, Any] | None:
        """Whether anything seems to answer the query, and by what cut; None where nothing is calibrated."""
        if self.calibration is None:
            return None
        judged = {"split": self.calibration.split, "queries": self.calibration.queries}
        return {"answers": self.answers, "best": self.best, "cut": self.calibration.cut, **judged}

    def _final_rows(self, lists: Mapping[str, Ranking]) -> list[dict[str, Any]]:
        """The final list's places, each with its passage and the passage's rank in every stage."""
        ranks = {name: ranking.ranks() for name, ranking in self.stages.items()}
        moves = self.moves()
        return [
            {
                "rank": rank,
                "id": passage_id,
                "score": score,
                "title": self.passages[passage_id].title,
                "text": self.passages[passage_id].text,
                "ranks": {name: places.get(passage_id) for name, places in ranks.items()},
                "moved": moves[passage_id],
                "logit": self.logits.get(passage_id),
                "cosine": self.cosines.get(passage_id),
                "late": self.late.get(passage_id),
                "truncated": passage_id in self.truncated,
                "probability": self._probability_row(passage_id),
            }
            for rank, passage_id, score in lists["fused" if self.reranked is None else "reranked"]
        ]

    def _probability_row(self, passage_id: PassageId) -> dict[str, float] | None:
        estimate = self.estimate(passage_id)
        return None if estimate is None else estimate._asdict()

    def _repr_html_(self) -> str:
        """The final list before and after re-ranking, as a notebook shows it."""
        return trace_html(self.to_dict())
