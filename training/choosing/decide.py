"""Decides whether re-ranking pays on an index: chooses the best of each kind, compares and times them, concludes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from indexing.errors import SettingsError
from indexing.notes import Note, counted, log_note
from indexing.progress import Progress, silent
from indexing.records import Query, QueryId, Ranking
from search.retrieve import bm25_settings
from search.served import LATE, NO_RERANKER, reranker_fingerprint, reranker_path
from search.served_settings import ServedSettings, serve, served_settings
from search.settings import PipelineSettings
from training.choosing.choose import Compared, compare_with
from training.choosing.contenders import Contender
from training.choosing.disagreement import SHOWN, Disagreement, disagreements
from training.choosing.evaluated import SERVED_NOW, ChoosingSettings, Evaluated, KeptReading, evaluate_index
from training.choosing.latency import Latency, measure_latency
from training.choosing.opened import DecideInputs, DecideRequest, OpenIndex, read_decide_inputs
from training.choosing.verdict import Row, Verdict, judge, pick_row
from training.evaluation.measures import measure_run
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import bootstrap_interval

READING = 0.7  # of the time; the rest is for measuring milliseconds
POOL = 50  # queries without judgments that are searched to see where pipelines disagree


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A pipeline of which only time and order are known, as nothing is judged."""

    name: str
    index: str
    contender: Contender
    latency: Latency | None
    overlap: float | None
    """Mean rank-biased overlap of its lists with the first stage's; None for the first stage itself."""

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "name": self.name,
            "index": self.index,
            "reranker": self.contender.reranker,
            "settings": asdict(self.contender.settings),
            "rbo": self.overlap,
            "milliseconds": None if self.latency is None else self.latency._asdict(),
        }


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The verdict, and all that it rests on."""

    verdict: Verdict
    rows: tuple[Row, ...] = ()
    baseline: Row | None = None
    """The best without a re-ranker; None where nothing is judged."""
    reranked: Row | None = None
    """The best with one."""
    timed: tuple[Timed, ...] = ()
    """In place of the rows where nothing is judged."""
    to_label: tuple[Disagreement, ...] = ()
    """The queries that would tell most, if the verdict is that it can't tell."""
    judged: int = 0
    """Judged queries, both halves."""
    comparing: int = 0
    """Those that compare."""
    notes: tuple[str, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "verdict": self.verdict.kind,
            "sentence": self.verdict.sentence,
            "further_queries": self.verdict.further,
            "tells": self.verdict.tells,
            "judged": self.judged,
            "comparing": self.comparing,
            "baseline": None if self.baseline is None else self.baseline.name,
            "reranked": None if self.reranked is None else self.reranked.name,
            "pipelines": [*(row.as_json() for row in self.rows), *(timed.as_json() for timed in self.timed)],
            "to_label": [one.as_json() for one in self.to_label],
            "notes": list(self.notes),
        }


def decide(
    opened: Sequence[OpenIndex],
    request: DecideRequest,
    *,
    keep: KeptReading | None = None,
    note: Note = log_note,
    progress: Progress = silent,
) -> Decision:
    """Decide for open indexes of one corpus. With `keep`, a stopped decision goes on where it was.

    Raises:
        SettingsError: there are no queries, or judgments or a run don't fit.
        CorpusError: a file can't be read.
        ModelError: a re-ranker doesn't give one finite number for each passage.
    """
    inputs = read_decide_inputs(opened, request)
    if len(next(iter(inputs.fitted.values())).judged.queries if inputs.fitted else ()) < 2:
        return _without_judgments(opened, request, inputs, progress)
    return _Decider(opened, request, inputs, keep, note, progress).decide()


class _Decider:
    """One decision on judged queries."""

    def __init__(
        self,
        opened: Sequence[OpenIndex],
        request: DecideRequest,
        inputs: DecideInputs,
        keep: KeptReading | None,
        note: Note,
        progress: Progress,
    ) -> None:
        self._opened = {one.name: one for one in opened}
        self._request, self._inputs, self._keep = request, inputs, keep
        self._note, self._progress = note, progress
        self._begun = time.monotonic()
        self._notes = list(inputs.notes)

    def decide(self) -> Decision:
        evaluated = {name: self._evaluate(one) for name, one in self._opened.items()}
        rows = [row for name, found in evaluated.items() for row in self._rows(self._opened[name], found)]
        choices = [row for row in rows if not row.name.endswith(SERVED_NOW)]
        plain = [row for row in choices if not row.contender.reranks]
        baseline = plain[pick_row(plain)]
        compared = compare_with(baseline.comparing, {row.name: row.comparing for row in rows if row is not baseline})
        rows = self._timed([replace(row, compared=compared.get(row.name)) for row in rows])
        by_name = {row.name: row for row in rows}
        baseline = by_name[baseline.name]
        reranking = [by_name[row.name] for row in choices if row.contender.reranks]
        reranked = reranking[pick_row(reranking)]
        judged = len(baseline.choosing) + len(baseline.comparing)
        verdict = judge(reranked, baseline, judged=judged)
        return Decision(
            verdict=verdict,
            rows=tuple(rows),
            baseline=baseline,
            reranked=reranked,
            to_label=tuple(self._to_label(baseline, reranked, evaluated)) if verdict.further else (),
            judged=judged,
            comparing=len(baseline.comparing),
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _evaluate(self, one: OpenIndex) -> Evaluated:
        request = self._request
        names = tuple(name for name in request.rerankers if name in one.rerankers)
        if not names:
            raise SettingsError(f"No re-ranker of {', '.join(request.rerankers)} reads index {one.name}; name another.")
        settings = ChoosingSettings(
            grid=replace(request.grid, rerankers=names, late=request.grid.late and LATE in one.rerankers),
            runs=self._inputs.runs,
            seed=request.seed,
            seconds=READING * request.seconds / len(self._opened),
        )
        found = evaluate_index(
            one.index,
            one.encoder,
            one.rerankers,
            self._inputs.fitted[one.name],
            settings=settings,
            keep=self._keep,
            note=self._note,
            progress=self._progress,
        )
        self._notes += found.notes
        return found

    def _rows(self, one: OpenIndex, found: Evaluated) -> Iterator[Row]:
        """The best of each kind, and what is served now."""
        prefix = f"{one.name}: " if len(self._opened) > 1 else ""
        for kind, contender in found.best().items():
            values = found.value(contender, found.gathered)
            yield _row(f"{prefix}{kind}", one.name, contender, values, found)
        served = served_settings(one.name, root=self._request.root) or ServedSettings()
        contender = Contender(reranker=served.reranker, settings=served.settings)
        try:
            measured = _measured(found, contender)
        except SettingsError as error:
            self._notes.append(f"What {one.name} serves now isn't compared: {error}")
            return
        yield _row(f"{prefix}{SERVED_NOW}", one.name, contender, measured, found)

    def _timed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with their milliseconds, measured in turn; a list of another system isn't made here."""
        left = max(self._request.seconds - (time.monotonic() - self._begun), 0.0)
        texts = {query.id: query.text for query in next(iter(self._inputs.fitted.values())).judged.queries}
        timed, known = [], dict[tuple[str, Contender], Latency | None]()
        for row in rows:
            key = (row.index, row.contender)
            if key not in known and not row.contender.run:
                pipeline = self._opened[row.index].pipeline(row.contender.reranker, row.contender.settings)
                queries = [texts[query] for query in row.comparing]
                known[key] = measure_latency(pipeline, pipeline.settings, queries, seconds=left / len(rows))
            timed.append(replace(row, latency=known.get(key)))
            self._progress("milliseconds", 1, len(rows))
        return timed

    def _to_label(self, baseline: Row, reranked: Row, evaluated: Mapping[str, Evaluated]) -> list[Disagreement]:
        """Queries without judgments where the two disagree most; else judged ones, whose lists hold unjudged ones."""
        pool = self._inputs.unjudged[:POOL]
        if pool and not baseline.contender.run and not reranked.contender.run:
            pipelines = [
                self._opened[row.index].pipeline(row.contender.reranker, row.contender.settings)
                for row in (baseline, reranked)
            ]
            lists = [
                (query, pipelines[0].search(query.text).final, pipelines[1].search(query.text).final) for query in pool
            ]
            return disagreements(lists)[:SHOWN]
        first, second = (evaluated[row.index].gathered for row in (baseline, reranked))
        judged = [
            (first[query].query, first[query].rank(baseline.contender), second[query].rank(reranked.contender))
            for query in first
        ]
        grades = evaluated[baseline.index].fitted.judged.qrels
        return [one for one in disagreements(judged, grades) if one.unjudged][:SHOWN]


def _row(name: str, index: str, contender: Contender, values: Mapping[QueryId, float], found: Evaluated) -> Row:
    comparing = {query: values[query] for query in found.halves.comparing}
    return Row(
        name=name,
        index=index,
        contender=contender,
        choosing={query: values[query] for query in found.halves.choosing},
        comparing=comparing,
        interval=bootstrap_interval(list(comparing.values())),
    )


def _measured(found: Evaluated, contender: Contender) -> Mapping[QueryId, float]:
    """nDCG@10 by query of a pipeline outside of the grid. Raises SettingsError if something wasn't gathered for it."""
    settings = contender.settings
    own = bm25_settings(found.index, k1=settings.k1, b=settings.b)
    if settings.fusion != "dense" and own != found.bm25:
        raise SettingsError(f"BM25 was gathered with k1={found.bm25.k1:g} and b={found.bm25.b:g}.")
    run = {query: gathered.rank(contender) for query, gathered in found.gathered.items()}
    return measure_run(run, found.fitted.judged.qrels, minimum_grade=1, names=[MAIN_MEASURE]).per_query[MAIN_MEASURE]


def _without_judgments(
    opened: Sequence[OpenIndex], request: DecideRequest, inputs: DecideInputs, progress: Progress
) -> Decision:
    """What can be said of queries that nobody judged: time, disagreement, and which to judge first."""
    judged = [query for fitted in inputs.fitted.values() for query in fitted.judged.queries]
    queries = list(dict.fromkeys([*judged, *inputs.unjudged]))[:POOL]
    timed: list[Timed] = []
    found: list[Disagreement] = []
    for one in opened:
        plain = PipelineSettings(rerank_depth=0)
        kinds = {NO_RERANKER: plain} | {name: PipelineSettings() for name in request.rerankers if name in one.rerankers}
        base: dict[QueryId, Ranking] = {}
        for name, settings in kinds.items():
            pipeline = one.pipeline(name, settings)
            lists: dict[QueryId, Ranking] = {}
            for query in queries:
                lists[query.id] = pipeline.search(query.text).final
                progress(f"search, {name}", 1, len(queries))
            base = base or lists
            latency = measure_latency(
                pipeline, settings, [query.text for query in queries], seconds=request.seconds / 8
            )
            disagree = [] if name == NO_RERANKER else disagreements(_paired(queries, base, lists))
            found = found or disagree
            overlap = sum(each.overlap for each in disagree) / len(disagree) if disagree else None
            prefix = f"{one.name}: " if len(opened) > 1 else ""
            label = f"{prefix}{'first stage' if name == NO_RERANKER else name}"
            contender = Contender(reranker=name, settings=settings)
            timed.append(Timed(name=label, index=one.name, contender=contender, latency=latency, overlap=overlap))
    few = counted(len(judged), "query is", "queries are") if judged else "no query is"
    first = tuple(found[:SHOWN])
    sentence = f"Can't tell: {few} judged; label the {counted(len(first), 'query', 'queries')} listed here first."
    return Decision(
        verdict=Verdict(kind="can't tell", sentence=sentence, further=len(first)),
        timed=tuple(timed),
        to_label=first,
        judged=len(judged),
        notes=inputs.notes,
    )


def _paired(
    queries: Sequence[Query], first: Mapping[QueryId, Ranking], second: Mapping[QueryId, Ranking]
) -> Iterator[tuple[Query, Ranking, Ranking]]:
    return ((query, first[query.id], second[query.id]) for query in queries)


def serve_decision(decision: Decision, *, root: Path | None = None, by: str = "") -> tuple[str, ServedSettings]:
    """Make what was decided its index's served default; gives back the index's name and what is served now.

    Raises:
        SettingsError: nothing was decided, or the verdict is for the list of another system, which isn't made here.
    """
    row = {"re-rank": decision.reranked, "don't re-rank": decision.baseline}.get(decision.verdict.kind)
    if row is None:
        raise SettingsError(f"Nothing is served anew, as nothing was decided. {decision.verdict.sentence}")
    if row.contender.run:
        raise SettingsError(
            f"Run {row.contender.run} comes from another system, which serves it; decide without --run to choose what "
            f"{row.index} serves."
        )
    reranker = row.contender.reranker
    served = ServedSettings(
        reranker=reranker,
        settings=row.contender.settings,
        fingerprint="" if reranker == NO_RERANKER else reranker_fingerprint(reranker_path(reranker)),
        by=by,
        sentence=decision.verdict.sentence,
        figures={"judged": decision.judged, "comparing": decision.comparing, **_figures(row)},
    )
    return row.index, serve(row.index, served, root=root)


def _figures(row: Row) -> dict[str, Any]:
    compared: Compared | None = row.compared
    return {
        "ndcg@10": row.mean,
        "interval": list(row.interval),
        "versus_baseline": None if compared is None else compared.as_json(),
        "milliseconds": None if row.latency is None else row.latency._asdict(),
    }
