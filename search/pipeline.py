"""Retrieve, fuse, re-rank: one query goes in, a trace of every stage comes out."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol, TypeGuard

from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError
from indexing.index import Index, check_encoder
from indexing.provenance import package_version
from indexing.records import Floats, PassageId
from indexing.store.tokens import TokenIds
from search.calibration.curve import CalibratedPipeline, Calibration
from search.calibration.shipped import shipped_calibration
from search.calibration.stored import CalibrationsFile, fitting
from search.queries import cut_notes
from search.rerank.late_interaction import LateInteractionReranker
from search.rerank.reranker import CutsQueries, FromFiles, Reranker, Scores, StoredTokens, score_passages
from search.rerank.stopping import rerank_in_order
from search.retrieve import FirstStage, bi_encoder_notes, first_stage
from search.served import LATE, NO_RERANKER, reranker_fingerprint
from search.settings import PipelineSettings, normalized_query
from search.similarity import Similarities
from search.stopwatch import Stopwatch
from search.trace import PipelineVersions, SearchTrace


class Pipeline(Protocol):
    """An index with its models that answers queries, directly or through another pipeline."""

    @property
    def index(self) -> Index:
        """The index that is searched."""

    @property
    def encoder(self) -> BiEncoder:
        """The bi-encoder that the index was built with."""

    @property
    def reranker(self) -> Reranker | None:
        """The re-ranker; None if only the first stage answers."""

    def search(self, query: str, settings: PipelineSettings | None = None) -> SearchTrace:
        """Answer one query. Raises SettingsError, ModelError."""

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """The first stage alone. Raises SettingsError."""


class RetrieveAndRerank:
    """An open index, its bi-encoder and a re-ranker, wired together."""

    def __init__(
        self,
        index: Index,
        encoder: BiEncoder,
        reranker: Reranker | None,
        *,
        settings: PipelineSettings | None = None,
    ) -> None:
        """`settings` are those that answer a query which comes with none; None for `PipelineSettings()`.

        Raises IndexingError if the bi-encoder isn't the one that the index was built with.
        """
        check_encoder(index.folder, encoder, manifest=index.manifest, passages=index.passages, vectors=index.vectors)
        self.index = index
        self.reranker = reranker
        self.settings = settings or PipelineSettings()
        self.encoder = encoder
        self._calibrations = CalibrationsFile(index.folder.parent)
        self._late: LateInteractionReranker | None = None
        """Made when it is first needed: not every bi-encoder has vectors of tokens."""

    @property
    def versions(self) -> PipelineVersions:
        """The index and the models that answer a query."""
        return PipelineVersions(
            index=self.index.manifest.name,
            build=self.index.manifest.build,
            bi_encoder=self.index.manifest.bi_encoder,
            reranker=None if self.reranker is None else self.reranker.name,
            second_look=package_version(),
        )

    def search(
        self,
        query: str,
        settings: PipelineSettings | None = None,
        *,
        on_first: Callable[[SearchTrace], None] | None = None,
    ) -> SearchTrace:
        """Answer one query; None for the settings stands for the pipeline's own.

        `on_first` gets the first stage's trace before its passages are re-ranked, where they will be.

        Raises:
            SettingsError: the query is empty or longer than 2,000 characters, or the index can't use this k1 and b.
            ModelError: the re-ranker doesn't give one finite number for each passage.
        """
        settings = settings or self.settings
        return self.rerank(self.retrieve(query, settings), settings, on_first=on_first)

    def rerank(
        self,
        first: FirstStage,
        settings: PipelineSettings,
        *,
        on_first: Callable[[SearchTrace], None] | None = None,
    ) -> SearchTrace:
        """Re-rank the passages of a first stage, of whatever engine; `on_first` as in `search`.

        Raises ModelError as `search` does.
        """
        trace = SearchTrace(
            query=first.query,
            settings=settings,
            versions=self.versions,
            first_stage=first.rankings,
            fused=first.fused,
            seconds=first.seconds,
            passages=first.passages,
            notes=first.notes,
            analyzer=self.index.analyzer,
        )
        if self.reranker is None or settings.rerank_depth == 0 or not len(first.fused):
            return self._calibrated(trace)
        if on_first is not None:
            on_first(trace)
        return self._calibrated(self._rerank(trace, first, self.reranker))

    def calibrated_as(self, settings: PipelineSettings | None = None) -> CalibratedPipeline:
        """What a calibration of the answers by these settings holds for; None for the pipeline's own."""
        settings = settings or self.settings
        plain = self.reranker is None or settings.rerank_depth == 0
        return CalibratedPipeline(
            settings=replace(settings, rerank_depth=0) if plain else settings,
            fingerprint=NO_RERANKER if plain else self._fingerprint,
            build=self.index.manifest.build,
        )

    def _calibrated(self, trace: SearchTrace) -> SearchTrace:
        """The trace with the calibration that holds for it; a broken file of calibrations leaves it without."""
        try:
            known, shipped = self._calibrations.read(), self._shipped_calibration
        except IndexingError as error:
            return replace(trace, uncalibrated=str(error))
        if not known and shipped is None:
            return trace
        own = self.calibrated_as(trace.settings)
        calibration, why_not = fitting(known, own, index=self.index.manifest.name)
        if calibration is None and shipped is not None and not shipped.differs_from(own):
            calibration, why_not = shipped, ""
        return replace(trace, calibration=calibration, uncalibrated=why_not)

    @cached_property
    def _shipped_calibration(self) -> Calibration | None:
        return shipped_calibration(self.index.manifest)

    @cached_property
    def _fingerprint(self) -> str:
        """Of the re-ranker's files, as `reranker_fingerprint` gives it; empty where no files are known."""
        if isinstance(self.reranker, LateInteractionReranker):
            return LATE if self._is_own_late(self.reranker) else f"{LATE}:{self.reranker.fingerprint}"
        files = self.reranker.files if isinstance(self.reranker, FromFiles) else ""
        return reranker_fingerprint(files) if files else ""

    def retrieve(self, query: str, settings: PipelineSettings | None = None) -> FirstStage:
        """The first stage alone, fused. Raises SettingsError as `search` does."""
        return first_stage(self.index, self.encoder, normalized_query(query), settings or self.settings)

    def _rerank(self, trace: SearchTrace, first: FirstStage, reranker: Reranker) -> SearchTrace:
        settings = trace.settings
        clock = Stopwatch(first.seconds)
        similarities = Similarities(self.index, first, self._late_scores)
        ordered = similarities.ranking(settings.rerank_order, first.fused.passage_ids)
        candidates = ordered.top(settings.rerank_depth).passage_ids
        other = similarities.ranking(settings.rerank_mix, candidates)
        if "late" in settings.needs:
            clock.lap("late")
        logits: dict[PassageId, float] = {}
        truncated: set[PassageId] = set()

        def read(passage_ids: Sequence[PassageId]) -> Floats:
            scores = self._read(first, passage_ids, reranker, similarities=similarities, clock=clock)
            logits.update(zip(passage_ids, scores.logits.tolist(), strict=True))
            truncated.update(name for name, cut in zip(passage_ids, scores.truncated, strict=True) if cut)
            return scores.logits

        weight, stop = settings.rerank_weight, settings.rerank_stop
        reranked = rerank_in_order(candidates, other, read, weight=weight, stop=stop)
        return replace(
            trace,
            reranked=reranked,
            logits=logits,
            cosines=similarities.cosines,
            late=similarities.late,
            truncated=frozenset(truncated),
            seconds=clock.seconds,
            notes=self._noted(trace, reranker),
        )

    def _noted(self, trace: SearchTrace, reranker: Reranker) -> tuple[str, ...]:
        """The first stage's notes, and how much of a long query is read for re-ranking."""
        late = bi_encoder_notes(self.encoder, trace.query) if "late" in trace.settings.needs else ()
        cut = reranker.query_cut(trace.query) if isinstance(reranker, CutsQueries) else None
        return tuple(dict.fromkeys((*trace.notes, *late, *cut_notes("the re-ranker", cut))))

    def _read(
        self,
        first: FirstStage,
        passage_ids: Sequence[PassageId],
        reranker: Reranker,
        *,
        similarities: Similarities,
        clock: Stopwatch,
    ) -> Scores:
        """The re-ranker's scores of some passages of the first stage."""
        texts = [first.passages[passage_id].content for passage_id in passage_ids]
        tokens = self._stored_tokens([first.rows[passage_id] for passage_id in passage_ids], reranker)
        clock.lap("load")
        if self._is_own_late(reranker):
            scores = self._timed(similarities, passage_ids)
        else:
            scores = score_passages(reranker, first.query, texts, tokens=tokens)
        clock.add(scores.seconds)
        return scores

    @staticmethod
    def _timed(similarities: Similarities, candidates: Sequence[PassageId]) -> Scores:
        """Late interaction as the re-ranker's scores; those that were computed for the mixture are taken from there."""
        start = time.perf_counter()
        scores = similarities.late_scores(candidates)
        return replace(scores, seconds={"re-rank": time.perf_counter() - start})

    def _late_scores(self, first: FirstStage, passage_ids: Sequence[PassageId]) -> Scores:
        """Late interaction by the index's bi-encoder, with the token vectors that the index stores, if it does."""
        if self._late is None:
            own = self.reranker
            self._late = own if self._is_own_late(own) else LateInteractionReranker(self.encoder)
        stored = self.index.token_vectors
        if stored is not None:
            rows = [first.rows[passage_id] for passage_id in passage_ids]
            return self._late.score_vectors(first.query, [(stored.vectors(row), stored.cut(row)) for row in rows])
        texts = [first.passages[passage_id].content for passage_id in passage_ids]
        return score_passages(self._late, first.query, texts)

    def _is_own_late(self, reranker: Reranker | None) -> TypeGuard[LateInteractionReranker]:
        return isinstance(reranker, LateInteractionReranker) and reranker.fingerprint == self.encoder.fingerprint

    def _stored_tokens(self, rows: Iterable[int], reranker: Reranker) -> list[TokenIds] | None:
        """The index's token ids of the passages at these rows; None if it stores none by the re-ranker's tokenizer."""
        stored, fingerprint = self.index.tokens, self.index.manifest.tokenizer_fingerprint
        if stored is None or not isinstance(reranker, StoredTokens) or reranker.tokenizer_fingerprint != fingerprint:
            return None
        return [stored.ids(row) for row in rows]
