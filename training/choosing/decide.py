"""Decides whether re-ranking pays on an index: chooses the best of each kind, compares and times them, concludes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from indexing.errors import SettingsError
from indexing.notes import Note, counted, log_note
from indexing.progress import Progress, silent
from indexing.records import Query, QueryId, Ranking
from search.pipeline import RetrieveAndRerank
from search.served import LATE, NO_RERANKER
from search.served_settings import settings_in_force
from search.settings import PipelineSettings
from training.choosing.choose import compare_with
from training.choosing.contenders import Contender
from training.choosing.deadline import Deadline
from training.choosing.disagreement import SHOWN, Disagreement, disagreements
from training.choosing.evaluated import SERVED_NOW, ChoosingSettings, Evaluated, KeptReading, evaluate_index
from training.choosing.latency import Latency, measure_latency
from training.choosing.opened import DecideInputs, DecideRequest, OpenIndex, read_decide_inputs
from training.choosing.sharing import ALONE, Sharing
from training.choosing.stopping import EARLY, measure_stop, ndcg_of, stopping_early
from training.choosing.verdict import Row, Verdict, judge, pick_row
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
    stopping: Row | None = None
    """The same, stopping early; None where that saves nothing."""
    timed: tuple[Timed, ...] = ()
    """In place of the rows where nothing is judged."""
    to_label: tuple[Disagreement, ...] = ()
    """The queries that would tell most, if the verdict is that it can't tell."""
    judged: int = 0
    """Judged queries, both halves."""
    comparing: int = 0
    """Those that compare."""
    fingerprints: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the re-rankers' files as they were opened, by name."""
    builds: Mapping[str, str] = field(default_factory=dict)
    """The build that was searched, by index."""
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
            "builds": dict(self.builds),
            "notes": list(self.notes),
        }


def decide(
    opened: Sequence[OpenIndex],
    request: DecideRequest,
    *,
    keep: KeptReading | None = None,
    note: Note = log_note,
    sharing: Sharing = ALONE,
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
        return _without_judgments(opened, request, inputs, sharing=sharing, progress=progress)
    return _Decider(opened, request, inputs, keep=keep, note=note, sharing=sharing, progress=progress).decide()


class _Decider:
    """One decision on judged queries."""

    def __init__(
        self,
        opened: Sequence[OpenIndex],
        request: DecideRequest,
        inputs: DecideInputs,
        *,
        keep: KeptReading | None,
        note: Note,
        sharing: Sharing,
        progress: Progress,
    ) -> None:
        self._opened = {one.name: one for one in opened}
        self._request, self._inputs, self._keep = request, inputs, keep
        self._note, self._sharing, self._progress = note, sharing, progress
        self._deadline = Deadline.after(request.seconds)
        self._notes = list(inputs.notes)

    def decide(self) -> Decision:
        evaluated = {name: self._evaluate(one) for name, one in self._opened.items()}
        rows = [row for name, found in evaluated.items() for row in self._rows(self._opened[name], found)]
        choices = [row for row in rows if not row.name.endswith(SERVED_NOW)]
        plain = [row for row in choices if not row.contender.reranks]
        baseline = plain[pick_row(plain)]
        reranking = [row for row in choices if row.contender.reranks]
        reranked = reranking[pick_row(reranking)]
        early = self._stopping(reranked, evaluated[reranked.index])
        rows += early
        compared = compare_with(baseline.comparing, {row.name: row.comparing for row in rows if row is not baseline})
        rows = [replace(row, compared=compared.get(row.name)) for row in rows]
        by_name = {row.name: row for row in self._timed(rows, first=(baseline.name, reranked.name))}
        baseline, reranked = by_name[baseline.name], by_name[reranked.name]
        judged = len(baseline.choosing) + len(baseline.comparing)
        verdict = judge(reranked, baseline, judged=judged)
        return Decision(
            verdict=verdict,
            rows=tuple(by_name.values()),
            baseline=baseline,
            reranked=reranked,
            stopping=by_name[early[0].name] if early else None,
            to_label=tuple(self._to_label(baseline, reranked, evaluated)) if verdict.further else (),
            judged=judged,
            comparing=len(baseline.comparing),
            fingerprints={name: value for one in self._opened.values() for name, value in one.fingerprints.items()},
            builds={name: one.index.folder.name for name, one in self._opened.items()},
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
            served=self._served(one),
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
            sharing=self._sharing,
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
        if found.served is not None:
            yield _row(f"{prefix}{SERVED_NOW}", one.name, self._served(one), found.served, found)

    def _stopping(self, row: Row, found: Evaluated) -> list[Row]:
        """The pipeline of a row, stopping early, if that saves anything."""
        choosing = [found.gathered[query] for query in found.halves.choosing]
        comparing = [found.gathered[query] for query in found.halves.comparing]
        qrels = found.fitted.judged.qrels
        stopping = measure_stop(row.contender, choosing, comparing, qrels)
        if stopping is None:
            return []
        self._notes.append(stopping.sentence(row.name))
        contender = stopping_early(row.contender, stopping.stop)
        values = {query: one.rank(contender) for query, one in found.gathered.items()}
        stopped = _row(f"{row.name}, {EARLY}", row.index, contender, ndcg_of(values, qrels), found)
        return [replace(stopped, stopping=stopping)]

    def _served(self, one: OpenIndex) -> Contender:
        served = settings_in_force(one.name, root=self._request.root)
        return Contender(reranker=served.reranker, settings=served.settings)

    def _timed(self, rows: Sequence[Row], *, first: Collection[str]) -> list[Row]:
        """The rows with their milliseconds, the named ones first, and the others while there is time.

        A list of another system isn't made here.
        """
        texts = {query.id: query.text for query in next(iter(self._inputs.fitted.values())).judged.queries}
        known: dict[tuple[str, Contender], Latency | None] = {}
        ours = [row for row in rows if not row.contender.run]
        for place, row in enumerate(sorted(ours, key=lambda row: row.name not in first)):
            key = (row.index, row.contender)
            if key not in known and (row.name in first or self._deadline.allows(0)):
                pipeline = self._pipeline(row)
                queries = [texts[query] for query in row.comparing]
                seconds = self._deadline.left / (len(ours) - place)
                known[key] = measure_latency(
                    pipeline, pipeline.settings, queries, seconds=seconds, sharing=self._sharing
                )
            self._progress("milliseconds", 1, len(ours))
        if untimed := [row.name for row in ours if (row.index, row.contender) not in known]:
            self._notes.append(f"Time didn't allow measuring the milliseconds of {', '.join(untimed)}.")
        return [replace(row, latency=known.get((row.index, row.contender))) for row in rows]

    def _to_label(self, baseline: Row, reranked: Row, evaluated: Mapping[str, Evaluated]) -> list[Disagreement]:
        """Queries without judgments where the two disagree most; else judged ones, whose lists hold unjudged ones."""
        pool = self._inputs.unjudged[:POOL]
        if pool and not baseline.contender.run and not reranked.contender.run:
            pipelines = [self._pipeline(row) for row in (baseline, reranked)]
            found = [[self._search(pipeline, query) for pipeline in pipelines] for query in pool]
            return disagreements(zip(pool, *zip(*found, strict=True), strict=True))[:SHOWN]
        first, second = (evaluated[row.index].gathered for row in (baseline, reranked))
        judged = [
            (first[query].query, first[query].rank(baseline.contender), second[query].rank(reranked.contender))
            for query in first
        ]
        grades = evaluated[baseline.index].fitted.judged.qrels
        return [one for one in disagreements(judged, grades) if one.unjudged][:SHOWN]

    def _pipeline(self, row: Row) -> RetrieveAndRerank:
        with self._sharing.turn():  # it is compared with its index, by the bi-encoder
            return self._opened[row.index].pipeline(row.contender.reranker, row.contender.settings)

    def _search(self, pipeline: RetrieveAndRerank, query: Query) -> Ranking:
        with self._sharing.turn():
            ranking = pipeline.search(query.text).final
        self._progress("queries to label", 1, 2 * len(self._inputs.unjudged[:POOL]))
        return ranking


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


def _without_judgments(
    opened: Sequence[OpenIndex], request: DecideRequest, inputs: DecideInputs, *, sharing: Sharing, progress: Progress
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
            with sharing.turn():
                pipeline = one.pipeline(name, settings)
            lists: dict[QueryId, Ranking] = {}
            for query in queries:
                with sharing.turn():
                    lists[query.id] = pipeline.search(query.text).final
                progress(f"search, {name}", 1, len(queries))
            base = base or lists
            texts = [query.text for query in queries]
            latency = measure_latency(pipeline, settings, texts, seconds=request.seconds / 8, sharing=sharing)
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
