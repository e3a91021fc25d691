"""What a rater grades: one query's passages in the order in which they are shown, and the grades so far."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

from app.views.widgets.passage.cards import PassageCard, why_html
from app.views.widgets.passage.judgment import GRADES
from indexing.judged.queries import normalize_query
from indexing.records import Passage, PassageId, QueryId
from indexing.words.analyzer import Analyzer
from search.explain.matches import matched_spans
from search.trace import SearchTrace
from training.judgments.feedback import Grade

SEED = 17  # of the blind order


@dataclass(frozen=True, kw_only=True)
class GradingSheet:
    """The passages of one query for one rater."""

    rater: str
    query: str
    query_id: QueryId | None
    held_out: bool
    """Whether the query is in a judged split other than train."""
    index: str
    build: str
    passages: tuple[Passage, ...]
    """In the order shown."""
    cards: Mapping[PassageId, PassageCard]
    """Rank and score of each, as cards of a search show them; empty where they are hidden from the rater."""
    grades: Mapping[PassageId, int]
    """The rater's grades so far."""
    analyzer: Analyzer
    """The index's, which finds the query's words."""

    @property
    def signature(self) -> tuple[object, ...]:
        """Changes with the passages shown, not with the grades."""
        return (self.rater, self.index, normalize_query(self.query), tuple(passage.id for passage in self.passages))

    @property
    def graded(self) -> int:
        """How many of the passages have a grade."""
        return sum(passage.id in self.grades for passage in self.passages)

    def first_ungraded(self, *, after: int = -1) -> int:
        """The place, from 0, of the next ungraded passage, searching again from the start where none follows.

        The place `after` counts as graded. Where none is left, the number of passages.
        """
        count = len(self.passages)
        for place in chain(range(after + 1, count), range(after)):
            if self.passages[place].id not in self.grades:
                return place
        return count

    def place_of(self, grade: Grade) -> int | None:
        """The place of this grade's passage; None where the grade belongs to another query or index."""
        if (grade.index, grade.normalized) != (self.index, normalize_query(self.query)):
            return None
        return next((place for place, passage in enumerate(self.passages) if passage.id == grade.passage_id), None)


def shown_order(trace: SearchTrace, *, shown: int, blind: bool, rater: str) -> tuple[PassageId, ...]:
    """The best passages; if blind, in an order that depends only on query and rater, not on rank."""
    best = trace.final.top(shown).passage_ids
    if not blind:
        return best
    shuffled = sorted(best)
    random.Random(f"{SEED}/{rater}/{normalize_query(trace.query)}").shuffle(shuffled)
    return tuple(shuffled)


def grades_of(grades: Sequence[Grade], *, rater: str, query: str) -> dict[PassageId, int]:
    """The grades of one rater for one query, by passage."""
    text = normalize_query(query)
    return {grade.passage_id: grade.grade for grade in grades if (grade.rater, grade.normalized) == (rater, text)}


def passage_html(sheet: GradingSheet, place: int) -> str:
    """One passage as a card with its full text, which the rater must read."""
    passage = sheet.passages[place]
    card = sheet.cards.get(passage.id)
    grade = sheet.grades.get(passage.id)
    badge = "" if grade is None else f'<span class="sl-badge sl-grade-{grade}">your grade: {GRADES[grade]}</span>'
    title = f'<p class="sl-title">{_marked(sheet, passage.title)}</p>' if passage.title else ""
    rank, bar, worth, ask = "", "", "", ""
    if card is not None:
        rank, bar, worth = f'<span class="sl-rank">rank {card.rank}</span>', card.bar, card.worth
        ask = f'<div class="sl-badges">{"".join(card.badges)}{why_html(card.rank)}</div>'
    return (
        f'<div class="sl-card" data-passage="{escape(passage.id)}">'
        f'<div class="sl-head">{rank}<span class="sl-quiet">Passage {place + 1} of {len(sheet.passages)}</span>{badge}'
        f"{bar}</div>{worth}{title}"
        f'<p class="sl-text">{_marked(sheet, passage.text)}</p>{ask}</div>'
    )


def _marked(sheet: GradingSheet, text: str) -> str:
    return "".join(
        f"<mark>{escape(span.text)}</mark>" if span.matched else escape(span.text)
        for span in matched_spans(sheet.query, text, analyzer=sheet.analyzer)
    )
