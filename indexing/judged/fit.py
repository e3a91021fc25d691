"""Compares a judged set, or a run, with the passages it is about, before anything is computed from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from indexing.corpus.same_text import text_key
from indexing.errors import SettingsError
from indexing.judged.sets import JudgedSet
from indexing.notes import shown
from indexing.records import Passage, PassageId, Qrels, Query, QueryId, Ranking, Run

NAMED = 3  # ids that a sentence names


class Collection(Protocol):
    """Passages that judgments are about; those of an index are one."""

    def __len__(self) -> int:
        """How many there are."""

    def __contains__(self, passage_id: object) -> bool:
        """Whether a passage has this id."""

    def by_id(self, passage_id: PassageId) -> Passage:
        """The passage of an id. Raises KeyError for an unknown id."""

    def id_at(self, row: int) -> PassageId:
        """The id of one of them, counted from 0."""


@dataclass(frozen=True)
class PassagesInMemory:
    """A collection of a few passages."""

    passages: Mapping[PassageId, Passage]

    def __len__(self) -> int:
        return len(self.passages)

    def __contains__(self, passage_id: object) -> bool:
        return passage_id in self.passages

    def by_id(self, passage_id: PassageId) -> Passage:
        """The passage of an id. Raises KeyError for an unknown id."""
        return self.passages[passage_id]

    def id_at(self, row: int) -> PassageId:
        """The id of one of them, in their order."""
        return list(self.passages)[row]


@dataclass(frozen=True, kw_only=True)
class FittedSet:
    """A judged set as it is measured on one collection."""

    judged: JudgedSet
    """Its queries that have a text, and their judgments without those of their own passages."""
    own: frozenset[QueryId]
    """Queries that are passages of the collection themselves: the same id and the same text."""
    absent: Mapping[QueryId, frozenset[PassageId]]
    """By query, the relevant passages that the collection lacks; only for queries that have any."""
    notes: tuple[str, ...]
    """A sentence for each thing that was left out or doesn't fit, the judged set's own first."""

    def measured(self, run: Run) -> dict[QueryId, Ranking]:
        """A run as it is measured: of a query that is a passage itself, that passage is left out."""
        return {query: leave_out(ranking, query) if query in self.own else ranking for query, ranking in run.items()}


def fit_judgments(judged: JudgedSet, passages: Collection, *, name: str) -> FittedSet:
    """Compare judgments with a collection, which `name` describes, as in `index sample`.

    A judged query without a text can't be searched, so its judgments are left out. A judgment of the query's own
    passage, as in BEIR's ArguAna and Quora, is left out too. Relevant passages that the collection lacks stay: no
    ranking can have them, and a figure without them would be too high.

    Raises:
        SettingsError: the collection holds none of the judged passages, or none of the relevant ones.
    """
    with_text = {query.id for query in judged.queries}
    own = frozenset(query.id for query in judged.queries if is_own_passage(query, passages))
    qrels = {
        query: {passage: grade for passage, grade in grades.items() if query not in own or str(passage) != query}
        for query, grades in judged.qrels.items()
        if query in with_text
    }
    judged_passages = dict.fromkeys(passage for grades in qrels.values() for passage in grades)
    absent = {passage for passage in judged_passages if passage not in passages}
    _check(judged.split, qrels, absent, passages, name=name)
    notes = [
        *judged.notes,
        *_textless(judged, with_text),
        *_lacking(qrels, judged_passages, absent, name=name),
        *own_passages_note(sorted(own), name=name),
    ]
    return FittedSet(
        judged=replace(judged, qrels=qrels),
        own=own,
        absent={
            query: frozenset(passage for passage, grade in grades.items() if grade > 0 and passage in absent)
            for query, grades in qrels.items()
            if any(grade > 0 and passage in absent for passage, grade in grades.items())
        },
        notes=tuple(notes),
    )


def is_own_passage(query: Query, passages: Collection) -> bool:
    """Whether a query is one of the passages itself: the same id, and a text that says the same, title or not.

    The same id alone means nothing: most collections number queries and passages independently.
    """
    try:
        passage = passages.by_id(PassageId(query.id))
    except KeyError:
        return False
    return text_key(query.text) in (text_key(passage.text), text_key(passage.content))


def leave_out(ranking: Ranking, passage_id: str) -> Ranking:
    """A ranking without one passage; the ranking itself if it doesn't hold it."""
    if passage_id not in ranking.passage_ids:
        return ranking
    kept = [place for place, name in enumerate(ranking.passage_ids) if name != passage_id]
    return Ranking([ranking.passage_ids[place] for place in kept], ranking.scores[kept])


def own_passages_note(queries: Iterable[str], *, name: str) -> list[str]:
    """The sentence on queries that are passages themselves; none if there are none."""
    names = list(queries)
    if not names:
        return []
    subject = "query is itself a passage" if len(names) == 1 else "queries are themselves passages"
    return [
        f"{len(names):,} {subject} of {name} (same id and text): {listed(names)}; such a passage never counts as a "
        "result of its own query."
    ]


def check_run(system: str, run: Run, qrels: Qrels, passages: Collection, *, name: str) -> tuple[str, ...]:
    """A sentence on the passages of another system's run that the collection lacks, if there are any.

    Raises:
        SettingsError: the run answers none of the judged queries, or the collection holds none of its passages.
    """
    check_answers(system, run, qrels)
    ranked = dict.fromkeys(passage for query in qrels if query in run for passage in run[query].passage_ids)
    foreign = [passage for passage in ranked if passage not in passages]
    if not foreign:
        return ()
    if len(foreign) == len(ranked):
        raise SettingsError(
            f"Run {system} ranks no passage of {name}: it has {listed(foreign)}, and {name} has {examples(passages)}; "
            "give a run of the same passages, with their ids."
        )
    return (f"Of {len(ranked):,} passages that {system} ranks {name} lacks {len(foreign):,}: {listed(foreign)}.",)


def check_answers(system: str, run: Run, qrels: Qrels) -> None:
    """Raise SettingsError for a run that answers none of the judged queries."""
    if not any(len(run[query]) for query in run.keys() & qrels.keys()):
        raise SettingsError(
            f"{system} answers none of the {len(qrels):,} judged queries (judged is {listed(qrels)}; it answers "
            f"{listed(run) or 'nothing'}); give a run of these queries, with their ids."
        )


def listed(names: Iterable[str], *, most: int = NAMED) -> str:
    """The first few names in quotes, and how many more there are."""
    return shown([repr(str(name))[:80] for name in names], most=most)


def examples(passages: Collection) -> str:
    """The ids of a collection's first passages, for a sentence."""
    return listed([passages.id_at(row) for row in range(min(NAMED, len(passages)))]) or "none"


def _check(split: str, qrels: Qrels, absent: set[PassageId], passages: Collection, *, name: str) -> None:
    relevant = dict.fromkeys(passage for grades in qrels.values() for passage, grade in grades.items() if grade > 0)
    every = dict.fromkeys(passage for grades in qrels.values() for passage in grades)
    for kind, judged in (("judged", every), ("relevant", relevant)):
        if judged and not judged.keys() - absent:
            raise SettingsError(
                f"None of the {len(judged):,} {kind} passages of the {split} split is in {name}: judged is "
                f"{listed(judged)}, and {name} has {examples(passages)}; give judgments of these passages, with "
                "their ids."
            )


def _textless(judged: JudgedSet, with_text: set[QueryId]) -> list[str]:
    names = [query for query in judged.qrels if query not in with_text]
    if not names:
        return []
    have, are = ("has", "is") if len(names) == 1 else ("have", "are")
    kind = "judged query" if len(names) == 1 else "judged queries"
    return [f"{len(names):,} {kind} of the {judged.split} split {have} no text and {are} left out: {listed(names)}."]


def _lacking(qrels: Qrels, judged: Mapping[PassageId, None], absent: set[PassageId], *, name: str) -> list[str]:
    if not absent:
        return []
    relevant = {
        passage for grades in qrels.values() for passage, grade in grades.items() if grade > 0 and passage in absent
    }
    return [
        f"Of {len(judged):,} judged passages {len(absent):,} {'is' if len(absent) == 1 else 'are'} missing from {name} "
        f"({len(relevant):,} of them relevant, which no ranking can contain): "
        f"{listed(passage for passage in judged if passage in absent)}."
    ]
