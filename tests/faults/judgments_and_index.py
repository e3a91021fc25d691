"""Faults where judgments, runs, queries and passages meet: other ids, missing texts, own ids, ties, holes, stops.

Each generated collection is measured by the program and by a small computation of its own here.
"""

import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from indexing.errors import SecondLookError, SettingsError
from indexing.judged.fit import FittedSet, PassagesInMemory, check_run, fit_judgments
from indexing.judged.sets import read_judged
from indexing.records import Passage, PassageId, Query, QueryId, Ranking
from search.answers import Answer, queries_fingerprint, write_answers
from search.journal import open_journal
from search.trec import read_run
from tests.faults.fault import Fault, WrongAnswerError, refused
from tests.support.forked import call_forked
from training.evaluation.attribution import attribute
from training.evaluation.comparison import compare_runs
from training.evaluation.measures import measure_run

AREA = "judgments and index"
COLLECTIONS, RUNS, STOPS, TORN = 160, 80, 12, 60
NAME = "index generated"
Grades = dict[str, dict[str, int]]
MEASURES = ("nDCG@10", "MRR@10", "R@10")


def prepare(folder: Path) -> None:
    """Nothing is shared: the passages of a case are few, and in memory."""


def faults(random: Random) -> Iterator[Fault]:
    """Collections with faults in any combination, runs of other systems, runs that are stopped and journals cut."""
    for number in range(COLLECTIONS):
        seed = random.getrandbits(32)
        yield Fault(f"collection {number}, seed {seed}", _measuring(Random(seed)))
    for number in range(RUNS):
        seed = random.getrandbits(32)
        yield Fault(f"run {number}, seed {seed}", _foreign_run(Random(seed)))
    for stop in range(STOPS):
        yield Fault(f"search run killed at query {stop}", _killed(stop))
    for number in range(TORN):
        seed = random.getrandbits(32)
        yield Fault(f"journal torn {number}, seed {seed}", _torn(Random(seed)))
    for change in (lambda name: name.upper(), lambda name: f"0{name}", lambda name: f"{name}.0", lambda _: "0"):
        for what in ("passages", "queries"):
            label = f"{what} {change('d1')} for d1"
            yield Fault(label, _other_names(change, what=what))


def _collection(random: Random) -> tuple[dict[str, str], dict[str, str], Grades]:
    """Passages, queries and judgments; some queries are passages, some judged queries and passages don't exist."""
    passages = {f"d{number}": f"passage {number} {random.random()}" for number in range(random.randint(2, 12))}
    queries: dict[str, str] = {}
    judged: Grades = {}
    for number in range(random.randint(1, 8)):
        own = random.random() < 0.3
        query = random.choice(list(passages)) if own else f"q{number}"
        if query in queries:
            continue
        text = passages.get(query, f"query {number}")
        if own and random.random() < 0.4:
            text = f"another text {number}"  # the same id means nothing
        if random.random() < 0.85:
            queries[query] = text.upper() if random.random() < 0.3 else text
        names = [*passages, "gone1", "gone2"]
        chosen = random.sample(names, random.randint(1, min(6, len(names))))
        judged[query] = {name: random.choice([-1, 0, 1, 1, 2, 3]) for name in chosen}
    return passages, queries, judged


def _files(folder: Path, queries: Mapping[str, str], judged: Grades) -> tuple[Path, Path]:
    asked, qrels = folder / "queries.tsv", folder / "qrels.tsv"
    asked.write_text("".join(f"{name}\t{text}\n" for name, text in queries.items()), encoding="utf-8")
    rows = [f"{query}\t0\t{name}\t{grade}\n" for query, grades in judged.items() for name, grade in grades.items()]
    qrels.write_text("".join(rows), encoding="utf-8")
    return asked, qrels


def _run_of(random: Random, queries: Mapping[str, str], passages: Mapping[str, str]) -> dict[QueryId, Ranking]:
    """A ranking with ties for most queries, and none or an empty one for others."""
    run = {}
    for query in queries:
        names = random.sample(list(passages), random.randint(0, len(passages)))
        if random.random() < 0.85:
            run[QueryId(query)] = Ranking.sort((PassageId(name), random.choice([0.5, 1.0, 2.0])) for name in names)
    return run


def _store(passages: Mapping[str, str]) -> PassagesInMemory:
    return PassagesInMemory({PassageId(name): Passage(PassageId(name), text) for name, text in passages.items()})


def _measuring(random: Random) -> Callable[[Path], None]:
    passages, queries, judged = _collection(random)
    run = _run_of(random, queries, passages)

    def call(folder: Path) -> None:
        if not queries or not judged:
            return
        asked, qrels = _files(folder, queries, judged)
        notes: list[str] = []
        given = read_judged(asked, qrels, split="test", note=notes.append)
        measured = {name: grades for name, grades in judged.items() if name in queries}
        own = {name for name in measured if name in passages and passages[name].lower() == queries[name].lower()}
        kept = {
            query: {name: grade for name, grade in grades.items() if query not in own or name != query}
            for query, grades in measured.items()
        }
        every = {name for grades in kept.values() for name in grades}
        relevant = {name for grades in kept.values() for name, grade in grades.items() if grade > 0}
        if (every and not every & passages.keys()) or (relevant and not relevant & passages.keys()):
            refused(lambda: fit_judgments(given, _store(passages), name=NAME), NAME)
            return
        fitted = fit_judgments(given, _store(passages), name=NAME)
        _said(fitted, judged, queries, own, every - passages.keys())
        _figures(fitted, run, kept, own, passages)

    return call


def _said(fitted: FittedSet, judged: Grades, queries: Mapping[str, str], own: set[str], absent: set[str]) -> None:
    """Whatever was left out or is missing must be named, at least one of it, with its count."""
    told = "\n".join(fitted.notes)
    for what, names in (
        ("without a text", {name for name in judged if name not in queries}),
        ("own passages", own),
        ("absent", absent),
    ):
        if names and not (any(name in told for name in names) and str(len(names)) in told):
            raise WrongAnswerError(f"nothing on {what} {sorted(names)} in: {told}")
    if set(fitted.own) != own:
        raise WrongAnswerError(f"own passages {sorted(fitted.own)} in place of {sorted(own)}")


def _figures(
    fitted: FittedSet, run: dict[QueryId, Ranking], kept: Grades, own: set[str], passages: Mapping[str, str]
) -> None:
    """Every measure of every query, and the losses, against the computation here."""
    if not kept:
        refused(lambda: measure_run(fitted.measured(run), fitted.judged.qrels))
        return
    lists = fitted.measured(run)
    found = measure_run(lists, fitted.judged.qrels, minimum_grade=1, names=MEASURES)
    expected = {
        query: _expected(run.get(QueryId(query)), grades, query in own, query) for query, grades in kept.items()
    }
    for place, measure in enumerate(MEASURES):
        values = found.per_query[measure]
        if set(values) != set(expected):
            raise WrongAnswerError(f"measured {sorted(values)}, judged with a text are {sorted(expected)}")
        for query, figures in expected.items():
            if not math.isclose(values[QueryId(query)], figures[place], abs_tol=1e-6):
                raise WrongAnswerError(f"{measure} of {query}: {values[QueryId(query)]}, not {figures[place]}")
    losses = attribute(
        lists, lists, fitted.judged.qrels, measure="nDCG@10", minimum_grade=1, absent=fitted.absent
    ).losses
    for query, grades in kept.items():
        loss = losses[QueryId(query)]
        held = {name: grade for name, grade in grades.items() if name in passages}
        ideal = _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True))
        here = _dcg(sorted((grade for grade in held.values() if grade > 0), reverse=True))
        due = (ideal - here) / ideal if ideal else 0.0
        if not math.isclose(loss.to_absent, due, abs_tol=1e-6) or loss.to_recall < -1e-9:
            raise WrongAnswerError(f"{query} loses {loss.to_absent} to absent passages, not {due}")


def _expected(ranking: Ranking | None, grades: Mapping[str, int], own: bool, query: str) -> tuple[float, float, float]:
    """nDCG@10, MRR@10 and recall@10 of one query, from the definitions."""
    names = [name for name in (ranking.passage_ids if ranking else ()) if not (own and name == query)][:10]
    gains = [max(grades.get(name, 0), 0) for name in names]
    ideal = _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True))
    relevant = sum(grade > 0 for grade in grades.values())
    first = next((place for place, gain in enumerate(gains, start=1) if gain > 0), 0)
    return (
        _dcg(gains) / ideal if ideal else 0.0,
        1 / first if first else 0.0,
        sum(gain > 0 for gain in gains) / relevant if relevant else 0.0,
    )


def _dcg(gains: list[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains[:10], start=1))


def _foreign_run(random: Random) -> Callable[[Path], None]:
    """Another system's run with queries and passages of its own: what doesn't fit is said once, or it is refused."""
    passages = {f"d{number}": f"passage {number}" for number in range(4)}
    queries = {f"q{number}": f"query {number}" for number in range(3)}
    judged = {QueryId(query): {PassageId(f"d{place}"): 1} for place, query in enumerate(queries)}
    rows: dict[str, list[str]] = {}
    for query in random.sample([*queries, "x1", "x2"], random.randint(1, 5)):
        rows[query] = random.sample([*passages, "z1", "z2"], random.randint(1, 6))

    def call(folder: Path) -> None:
        path = folder / "run.trec"
        lines = [f"{q} Q0 {name} {rank} {9 - rank} t\n" for q, names in rows.items() for rank, name in enumerate(names)]
        path.write_text("".join(lines))
        run = read_run(path, note=lambda _: None)
        answered = [query for query in rows if query in queries]
        ranked = {name for query in answered for name in rows[query]}
        if not answered or not ranked & passages.keys():
            refused(lambda: check_run("theirs", run, judged, _store(passages), name=NAME), "theirs")
            return
        notes = check_run("theirs", run, judged, _store(passages), name=NAME)
        comparison = compare_runs({"theirs": run}, judged, baseline="theirs", minimum_grade=1)
        told = [note for note in (*notes, *comparison.notes) if not note.startswith("No passage that")]
        for names in (ranked - passages.keys(), set(queries) - rows.keys(), rows.keys() - queries.keys()):
            if names and sum(any(repr(name) in note for name in names) for note in told) != 1:
                raise WrongAnswerError(f"{sorted(names)} isn't said once in {told}")
        if comparison.absent["theirs"] != len(queries.keys() - rows.keys()):
            raise WrongAnswerError(f"{comparison.absent} absent")

    return call


def _other_names(change: Callable[[str], str], *, what: str) -> Callable[[Path], None]:
    """Judgments that name all passages, or all queries, otherwise than the collection does."""
    passages = {"d1": "salt", "d2": "iron"}

    def call(folder: Path) -> None:
        judged = {"q1": {change("d1"): 1}} if what == "passages" else {change("q1"): {"d1": 1}}
        asked, qrels = _files(folder, {"q1": "salt"}, judged)
        given = read_judged(asked, qrels, split="test", note=lambda _: None)
        if what == "queries":
            if given.queries or set(given.without_text) != set(judged):
                raise WrongAnswerError(f"{given} of judgments of {judged}")
            return
        refused(lambda: fit_judgments(given, _store(passages), name=NAME), repr(change("d1")), "'d1'")

    return call


QUERIES = [Query(QueryId(f"q{number}"), f"query {number}") for number in range(STOPS)]
IDENTITY = {"queries": queries_fingerprint(QUERIES)}


def _answer(query: Query) -> Ranking:
    scores = np.random.default_rng(len(query.id) + int(query.id[1:])).normal(size=5)
    return Ranking.sort((PassageId(f"d{row}"), score) for row, score in enumerate(scores))


def _answers(stop: int) -> Callable[[], Answer]:
    """What answers, and kills its own process at one query."""

    def answer(query: Query) -> Ranking:
        if query.id == f"q{stop}":
            os.kill(os.getpid(), signal.SIGKILL)
        return _answer(query)

    return lambda: answer


def _killed(stop: int) -> Callable[[Path], None]:
    def call(folder: Path) -> None:
        whole, output = folder / "whole.trec", folder / "run.trec"
        write_answers(whole, QUERIES, IDENTITY, _answers(-1), tag="t")
        ended = call_forked(lambda: write_answers(output, QUERIES, IDENTITY, _answers(stop), tag="t"), limit=10)
        if ended.signal != signal.SIGKILL or output.exists():
            raise WrongAnswerError(f"ended by {ended.signal}, and {output.exists()=}")
        with open_journal(folder / "run.trec.partial", IDENTITY, doing="") as journal:
            if journal.kept != tuple(query.id for query in QUERIES[:stop]):
                raise WrongAnswerError(f"kept {journal.kept}")
        refused_otherwise = stop == 0 or _refuses(output)
        write_answers(output, QUERIES, IDENTITY, _answers(-1), tag="t")
        if output.read_bytes() != whole.read_bytes() or not refused_otherwise:
            raise WrongAnswerError("the resumed run differs, or another one was taken up")
        if list(folder.glob("*.partial")):
            raise WrongAnswerError("what was kept is still there")

    return call


def _refuses(output: Path) -> bool:
    """Whether another run isn't mixed with what was kept."""
    try:
        write_answers(output, QUERIES, {"queries": "others"}, _answers(-1), tag="t")
    except SettingsError:
        return True
    return False


def _torn(random: Random) -> Callable[[Path], None]:
    """A journal that was cut, or in which bytes changed: what is kept was written, in order, or it is refused."""
    seed = random.getrandbits(32)

    def call(folder: Path) -> None:
        rng, path = Random(seed), folder / "run.partial"
        values: list[tuple[str, Any]] = [(f"q{number}", [number, rng.random()]) for number in range(6)]
        with open_journal(path, IDENTITY, doing="") as journal:
            for key, value in values:
                journal.add(key, value)
        content = bytearray(path.read_bytes())
        if rng.random() < 0.5:
            content = content[: rng.randint(0, len(content))]
        for _ in range(rng.randint(0, 3) if content else 0):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content)
        try:
            with open_journal(path, IDENTITY, doing="") as journal:
                found = list(journal.items())
                if found != values[: len(found)] or [key for key, _ in found] != list(journal.kept):
                    raise WrongAnswerError(f"kept {found}")
        except SecondLookError as error:
            if "isn't a file of this program" not in str(error):
                raise

    return call
