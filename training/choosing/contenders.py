"""The pipelines that are compared: the grid of settings, and what each of them costs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from search.served import LATE, NO_RERANKER
from search.settings import FirstScore, Fusion, PipelineSettings

DEPTHS = (10, 20, 30, 50, 100, 200)
ORDERS: tuple[FirstScore, ...] = ("fused", "dense", "late")
SHARES = tuple(round(step / 10, 1) for step in range(1, 10))
"""The re-ranker's shares of a mixture; 1 is the re-ranker alone, and 0 would be the first stage."""
FIRST_DEPTH = 100
"""Passages kept from each first-stage list where no more are re-ranked."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One pipeline: its re-ranker's name, `none` for none, and how it answers."""

    reranker: str
    settings: PipelineSettings
    run: str = ""
    """Another system whose list takes the place of the fused first stage; empty for ours."""

    @property
    def reranks(self) -> bool:
        """Whether anything is re-ranked at all."""
        return self.reranker != NO_RERANKER and self.settings.rerank_depth > 0

    @property
    def reads_late(self) -> bool:
        """Whether it needs late interaction's scores, as a re-ranker, as an order or in a mixture."""
        settings = self.settings
        mixes = settings.rerank_mix == "late" and settings.rerank_weight < 1
        return self.reranks and (self.reranker == LATE or settings.rerank_order == "late" or mixes)

    @property
    def readers(self) -> list[str]:
        """The re-rankers that read for it: late interaction first, by which the others' passages may be chosen."""
        if not self.reranks:
            return []
        return list(dict.fromkeys([*([LATE] if self.reads_late else []), self.reranker]))

    @property
    def pairs(self) -> int:
        """Passages of a query that models read, at most: by the re-ranker and, where another one needs it, by late
        interaction."""
        if not self.reranks:
            return 0
        settings = self.settings
        if self.reranker == LATE or not self.reads_late:
            return settings.depth if settings.rerank_order == "late" else settings.rerank_depth
        return settings.rerank_depth + (settings.depth if settings.rerank_order == "late" else settings.rerank_depth)


@dataclass(frozen=True, kw_only=True)
class FirstStageChoice:
    """A way to make the list that is re-ranked."""

    fusion: Fusion = "rrf"
    rrf_k: int = PipelineSettings.rrf_k
    bm25_weight: float = PipelineSettings.bm25_weight


FIRST_STAGES: tuple[FirstStageChoice, ...] = (
    FirstStageChoice(fusion="bm25"),
    FirstStageChoice(fusion="dense"),
    *(FirstStageChoice(rrf_k=k) for k in (10, 30, 60, 100)),
    *(FirstStageChoice(fusion="weighted", bm25_weight=weight) for weight in (0.1, 0.2, 0.3, 0.5, 0.7)),
)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What is tried: every combination of these."""

    rerankers: Sequence[str] = ()
    """Names of re-rankers, late interaction's among them."""
    first_stages: Sequence[FirstStageChoice] = FIRST_STAGES
    runs: Sequence[str] = ()
    """Names of other systems, whose lists are re-ranked too."""
    orders: Sequence[FirstScore] = ORDERS
    depths: Sequence[int] = DEPTHS
    mixes: Sequence[FirstScore] = ORDERS
    """What the re-ranker's score is mixed with; it is always tried alone too."""
    shares: Sequence[float] = SHARES
    k1: float | None = None
    b: float | None = None
    reranked_stages: Sequence[FirstStageChoice] | None = None
    """Those of the first stages whose lists are re-ranked; None for all."""
    late: bool = True
    """Whether late interaction's scores are at hand; without them neither its order nor its mixture is tried."""

    @property
    def first_depths(self) -> tuple[int, ...]:
        """The depths that first-stage lists are kept to."""
        return tuple(sorted({max(depth, FIRST_DEPTH) for depth in (*self.depths, FIRST_DEPTH)}))

    @property
    def readers(self) -> tuple[str, ...]:
        """The re-rankers that read passages: late interaction first, whose scores order and mix, and the grid's own."""
        return tuple(dict.fromkeys([*([LATE] if self.late else []), *self.rerankers]))

    def first_stage_only(self) -> list[Contender]:
        """The pipelines without a re-ranker, and the other systems as they are."""
        stages = self._first_stages(self.first_stages, FIRST_DEPTH, 0)
        ours = [Contender(reranker=NO_RERANKER, settings=settings) for settings in stages]
        plain = PipelineSettings(depth=FIRST_DEPTH, rerank_depth=0)
        return ours + [Contender(reranker=NO_RERANKER, settings=plain, run=name) for name in self.runs]

    def bases(self, depths: Sequence[int] | None = None) -> Iterator[Contender]:
        """Each combination of all but mixture and share, with the re-ranker alone."""
        depths = self.depths if depths is None else depths
        orders = [order for order in self.orders if self.late or order != "late"]
        stages = self.first_stages if self.reranked_stages is None else self.reranked_stages
        for reranker, depth, order in product(self.rerankers, depths, orders):
            for settings in self._first_stages(stages, max(depth, FIRST_DEPTH), depth):
                yield Contender(reranker=reranker, settings=replace(settings, rerank_order=order))
            for name in self.runs:
                plain = PipelineSettings(depth=max(depth, FIRST_DEPTH), rerank_depth=depth, rerank_order=order)
                yield Contender(reranker=reranker, settings=plain, run=name)

    def variants(self, base: Contender) -> list[Contender]:
        """A base, and its mixtures in every share; what `mixtures` says, in the same order."""
        return [base] + [
            replace(base, settings=replace(base.settings, rerank_mix=mix, rerank_weight=share))
            for mix, share in self.mixtures(base.reranker)
        ]

    def mixtures(self, reranker: str) -> list[tuple[FirstScore, float]]:
        """The mixtures and shares of a re-ranker; late interaction isn't mixed with itself."""
        mixes = [mix for mix in self.mixes if mix != "late" or (self.late and reranker != LATE)]
        return list(product(mixes, self.shares))

    def _first_stages(
        self, stages: Sequence[FirstStageChoice], depth: int, rerank_depth: int
    ) -> Iterator[PipelineSettings]:
        for first in stages:
            yield PipelineSettings(
                depth=depth,
                rerank_depth=rerank_depth,
                fusion=first.fusion,
                rrf_k=first.rrf_k,
                bm25_weight=first.bm25_weight,
                k1=self.k1,
                b=self.b,
            )
