"""Which queries a model is to grade passages for: typed ones or judged train queries that nobody has graded yet."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from app.views.teach.queries import held_out_texts
from indexing.judged.by_text import id_of_text
from indexing.judged.queries import normalize_query
from indexing.judged.sets import JudgedSet
from indexing.records import Query
from indexing.whitespace import squeeze
from training.judgments.feedback import FeedbackStore


class Ungraded(NamedTuple):
    """Queries to grade for, and how many others were passed over."""

    queries: tuple[Query, ...]
    graded: int
    """By a person, or by the model before."""
    protected: int
    """These only measure, by people's grades."""

    def sentence(self) -> str:
        """How many there are, and why others aren't among them."""
        passed = [
            f"{count:,} {'is' if count == 1 else 'are'} {why}"
            for count, why in ((self.graded, "graded already"), (self.protected, "protected"))
            if count
        ]
        left = f"; {' and '.join(passed)}" if passed else ""
        return f"{len(self.queries):,} {'query' if len(self.queries) == 1 else 'queries'} without a grade{left}."


def ungraded(typed: str, judged: Mapping[str, JudgedSet], store: FeedbackStore, *, graded: Collection[str]) -> Ungraded:
    """The typed queries, one a line, or without any the judged train queries, each once.

    `graded` holds the normalized texts of those that are graded.
    """
    asked = _typed(typed, judged) if typed.strip() else list(judged["train"].queries) if "train" in judged else []
    distinct: dict[str, Query] = {}
    for query in asked:
        distinct.setdefault(normalize_query(query.text), query)
    distinct.pop("", None)
    drawn, held_out = store.protected(query.text for query in distinct.values()), held_out_texts(judged)
    left: list[Query] = []
    done = protected = 0
    for key, query in distinct.items():
        if query.text in drawn or held_out(query.text):
            protected += 1
        elif key in graded:
            done += 1
        else:
            left.append(query)
    return Ungraded(tuple(left), done, protected)


def _typed(text: str, judged: Mapping[str, JudgedSet]) -> Sequence[Query]:
    """The query of each line; one with the text of a train query has its id."""
    train = {normalize_query(query.text): query for query in judged["train"].queries} if "train" in judged else {}
    lines = filter(None, map(squeeze, text.splitlines()))
    return [train.get(normalize_query(line)) or Query(id_of_text(line), line) for line in lines]
