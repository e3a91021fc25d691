"""Turns rows of the hub's training sets into examples; ids are looked up in memory-mapped texts."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from indexing.corpus.fields import id_value, list_value, text_value
from indexing.records import PassageId, QueryId
from indexing.store.passages import PassageStore
from training.example import NO_PASSAGE, NO_POSITIVE, NO_QUERY, Example, OnSkip

HubRow = Mapping[str, Any]
LIST_LENGTH = 20  # most passages used of a list that may hold 1,000, as in sentence-transformers' own recipes
MICROSOFT_FIELDS = ("query_id", "query", "passages")


class Texts:
    """Texts, by id, of an index's passages and of the stored queries; missing ids are reported and counted."""

    def __init__(self, passages: PassageStore, queries: PassageStore, on_skip: OnSkip) -> None:
        self._passages = passages
        self._queries = queries
        self._on_skip = on_skip
        self.left_out: Counter[str] = Counter()
        """How often each reason was reported."""

    def query(self, query_id: object) -> str | None:
        """The text of a query; None if the store lacks it."""
        return self._text(self._queries, query_id, NO_QUERY)

    def all(self, passage_ids: Iterable[object]) -> list[str] | None:
        """The texts of passages; None if the index lacks one of them."""
        texts = [self._text(self._passages, key, NO_PASSAGE) for key in passage_ids]
        present = [text for text in texts if text is not None]
        return present if len(present) == len(texts) else None

    def first(self, graded: Iterable[tuple[object, float]], count: int) -> list[tuple[str, float]]:
        """Text and grade of the first `count` passages that the index holds, in order; later ids aren't looked up."""
        texts = ((self._text(self._passages, key, NO_PASSAGE), grade) for key, grade in graded)
        return list(islice(((text, grade) for text, grade in texts if text is not None), count))

    def leave_out(self, reason: str) -> None:
        """Report and count a query or passage that is left out."""
        self.left_out[reason] += 1
        self._on_skip(reason)

    def _text(self, store: PassageStore, key: object, reason: str) -> str | None:
        try:
            return store.by_id(PassageId(id_value(key))).content
        except KeyError:
            self.leave_out(reason)
            return None


class Parts(NamedTuple):
    """The content of a row of ids, apart from its query."""

    passages: Sequence[str]
    labels: tuple[float, ...] | None = None
    scores: tuple[float, ...] | None = None


@dataclass(frozen=True)
class IdRows:
    """How rows of ids are read."""

    fields: tuple[str, ...]
    """Columns; the first holds the query's id."""
    read: Callable[[HubRow, Texts], Parts | None]
    """Returns None if the index lacks too many of a row's passages."""

    def example(self, name: str, row: HubRow, texts: Texts) -> Example | None:
        """The example of a row; None if a text is missing. Raises ValueError or TypeError for an unexpected value."""
        query = texts.query(row[self.fields[0]])
        parts = None if query is None else self.read(row, texts)
        if query is None or parts is None:
            return None
        query_id = QueryId(id_value(row[self.fields[0]]))
        return Example(name, query, tuple(parts.passages), parts.labels, parts.scores, query_id)


def microsoft_example(name: str, row: HubRow, on_skip: OnSkip) -> Example | None:
    """The example of a row of Microsoft's set: a query and the passages shown for it; the selected ones are relevant.

    None if the query has no text or no passage was selected; `on_skip` gets the reason.
    """
    passages = row["passages"]
    for field in ("passage_text", "is_selected"):
        if not isinstance(passages, Mapping) or field not in passages:
            raise ValueError(f"its passages have no field {field!r}")
    pairs = _paired(passages, "passage_text", "is_selected")
    for _, selected in pairs:
        if selected not in (0, 1):
            raise ValueError(f"is_selected is {str(selected)[:40]!r}, not 0 or 1")
    cleaned = [(text_value(text, "passage_text"), float(selected)) for text, selected in pairs]
    graded = [(text, selected) for text, selected in cleaned if text]
    if not (query := text_value(row["query"], "query")):
        on_skip(NO_QUERY)
        return None
    if not any(label for _, label in graded):
        on_skip(NO_POSITIVE)
        return None
    texts, labels = zip(*graded, strict=True)
    return Example(name, query, texts, labels=labels, query_id=QueryId(id_value(row["query_id"])))


def _triplet(row: HubRow, texts: Texts) -> Parts | None:
    passages = texts.all((row["positive_id"], row["negative_id"]))
    return None if passages is None else Parts(passages, labels=(1.0, 0.0))


def _labelled_list(row: HubRow, texts: Texts) -> Parts | None:
    """The best graded passages, then others in list order: at most LIST_LENGTH, and some of both if the list has both.

    A label above 0 is a grade.
    """
    graded = [(key, _finite(label)) for key, label in _paired(row, "doc_ids", "labels")]
    if least := min((label for _, label in graded if label < 0), default=0):
        raise ValueError(f"a label is {least:g}, not 0 or more")
    best = sorted((entry for entry in graded if entry[1] > 0), key=lambda entry: -entry[1])
    relevant = texts.first(best, LIST_LENGTH - 1)
    if not relevant:
        texts.leave_out(NO_POSITIVE)
        return None
    others = texts.first((entry for entry in graded if not entry[1]), LIST_LENGTH - len(relevant))
    passages, labels = zip(*relevant, *others, strict=True)
    return Parts(passages, labels=labels)


def _ordered_list(row: HubRow, texts: Texts) -> Parts | None:
    """The teacher's first LIST_LENGTH passages, with scores that fall by 1 per passage, down to 1 for the last."""
    passages = [text for text, _ in texts.first(((key, 0.0) for key in list_value(row, "doc_ids")), LIST_LENGTH)]
    return Parts(passages, scores=tuple(map(float, range(len(passages), 0, -1)))) if passages else None


def _scored_pair(row: HubRow, texts: Texts) -> Parts | None:
    score = _finite(row["score"])
    passages = texts.all((row["passage_id"],))
    return None if passages is None else Parts(passages, scores=(score,))


def _scored_triplet(row: HubRow, texts: Texts) -> Parts | None:
    """The positive's score is the margin and the negative's is 0, because only their difference is known."""
    margin = _finite(row["score"])
    passages = texts.all((row["positive_id"], row["negative_id"]))
    return None if passages is None else Parts(passages, scores=(margin, 0.0))


TRIPLETS = IdRows(("query_id", "positive_id", "negative_id"), _triplet)
LABELLED_LISTS = IdRows(("query_id", "doc_ids", "labels"), _labelled_list)
ORDERED_LISTS = IdRows(("query_id", "doc_ids"), _ordered_list)
SCORED_PAIRS = IdRows(("query_id", "passage_id", "score"), _scored_pair)
SCORED_TRIPLETS = IdRows(("query_id", "positive_id", "negative_id", "score"), _scored_triplet)


def _paired(row: HubRow, passages_name: str, labels_name: str) -> list[tuple[Any, Any]]:
    passages, labels = list_value(row, passages_name), list_value(row, labels_name)
    if len(passages) != len(labels):
        raise ValueError(f"it has {len(passages)} passages but {len(labels)} labels")
    return list(zip(passages, labels, strict=True))


def _finite(value: Any) -> float:
    if isinstance(value, str | bool):
        raise ValueError(f"its score is {str(value)[:40]!r}, not a number")
    if not math.isfinite(score := float(value)):
        raise ValueError(f"its score is {score}")
    return score
