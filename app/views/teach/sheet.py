"""What lies before a rater: one query's passages in the order in which they are shown, and the grades so far."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain

from indexing.corpus.judged import normalised
from indexing.records import Passage, PassageId, QueryId
from search.explain.matches import matched_spans
from search.trace import SearchTrace
from training.judgments.feedback import Grade

SEED = 17  # of the blind order


@dataclass(frozen=True)
class Sheet:
    """One rater's passages of one query."""

    rater: str
    query: str
    query_id: QueryId | None
    held_out: bool
    """Whether the query is in a judged split other than train."""
    index: str
    build: str
    passages: tuple[Passage, ...]
    """As shown."""
    places: Mapping[PassageId, str]
    """Rank and score of each in words; empty where the rater is not to know them."""
    grades: Mapping[PassageId, int]
    """What the rater has given."""

    @property
    def signature(self) -> tuple[object, ...]:
        """Changes with what is shown, not with the grades."""
        return (self.rater, self.index, normalised(self.query), tuple(passage.id for passage in self.passages))

    @property
    def graded(self) -> int:
        """How many of the passages have a grade."""
        return sum(passage.id in self.grades for passage in self.passages)

    def first_ungraded(self, *, after: int = -1) -> int:
        """The place, counted from 0, of the next passage without a grade, from the start again where none follows.

        The place `after` counts as graded. Behind the last place where none is left.
        """
        count = len(self.passages)
        for place in chain(range(after + 1, count), range(after)):
            if self.passages[place].id not in self.grades:
                return place
        return count

    def place_of(self, grade: Grade) -> int | None:
        """Where the passage of this grade stands; None where the grade is of another query or index."""
        if (grade.index, grade.normalised) != (self.index, normalised(self.query)):
            return None
        return next((place for place, passage in enumerate(self.passages) if passage.id == grade.passage_id), None)


def shown_order(trace: SearchTrace, *, shown: int, blind: bool, rater: str) -> tuple[PassageId, ...]:
    """The best passages; blind, in an order that depends on query and rater alone, not on rank."""
    best = trace.final.top(shown).passage_ids
    if not blind:
        return best
    shuffled = sorted(best)
    random.Random(f"{SEED}/{rater}/{normalised(trace.query)}").shuffle(shuffled)
    return tuple(shuffled)


def places(trace: SearchTrace) -> dict[PassageId, str]:
    """Rank and score of each passage of the final ranking, in words."""
    scale = "logit" if trace.reranked is not None else "first-stage score"
    return {
        passage_id: f"rank {rank}, {scale} {trace.logits.get(passage_id, score):.3g}"
        for rank, passage_id, score in trace.final
    }


def grades_of(grades: Sequence[Grade], *, rater: str, query: str) -> dict[PassageId, int]:
    """The grades of one rater for one query, by passage."""
    wanted = normalised(query)
    return {grade.passage_id: grade.grade for grade in grades if (grade.rater, grade.normalised) == (rater, wanted)}


def passage_html(sheet: Sheet, place: int) -> str:
    """One passage as a card, whole: what is graded must be read."""
    passage = sheet.passages[place]
    told = sheet.places.get(passage.id, "")
    grade = sheet.grades.get(passage.id)
    badge = "" if grade is None else f'<span class="sl-badge sl-grade-{grade}">your grade: {grade}</span>'
    title = f'<p class="sl-title">{_marked(sheet.query, passage.title)}</p>' if passage.title else ""
    return (
        f'<div class="sl-card" data-passage="{escape(passage.id)}">'
        f'<div class="sl-head"><span class="sl-quiet">Passage {place + 1} of {len(sheet.passages)}</span>{badge}'
        f'<span class="sl-score">{escape(told)}</span></div>{title}'
        f'<p class="sl-text">{_marked(sheet.query, passage.text)}</p></div>'
    )


def _marked(query: str, text: str) -> str:
    return "".join(
        f"<mark>{escape(span.text)}</mark>" if span.matched else escape(span.text)
        for span in matched_spans(query, text)
    )
