"""Finds query, passages, labels and scores in a JSON record, by the names that the field's tools write."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexing.corpus.fields import KINDS, listed
from training.data.readers.lines import identifier, numbers, text, texts, titled_text

QUERY = ("query", "anchor", "question")
QUERY_ID = ("query_id", "qid")
POSITIVE = ("positives", "positive", "pos", "positive_passages", "positive_ctxs", "answer")
NEGATIVE = ("negatives", "negative", "neg", "negative_passages")
NEGATIVE_LISTS = ("negative_ctxs", "hard_negative_ctxs")  # DPR's, which come together
LIST = ("passages", "texts", "documents", "docs")
NUMBERED = re.compile(r"(positive|negative)_(\d{1,4})")
MEANT = re.compile(r"(hard_)?(pos|neg|grade|score|label)", re.IGNORECASE)
"""How names begin that say something of the passages; one of these that isn't known is refused."""
KNOWN = frozenset((*POSITIVE, *NEGATIVE, *NEGATIVE_LISTS, "grades", "scores", "pos_scores", "neg_scores"))
PAIRS = (("sentence1", "sentence2"), ("query", "passage"), ("anchor", "passage"), ("question", "passage"))
WANTED = (
    "wanted are query (anchor, question) with positives (positive, pos, positive_passages, positive_ctxs) and "
    "negatives (negative, negative_1 ..., neg), or with passages (texts) and labels, or sentence1, sentence2 and label"
)

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JsonExample:
    """The content of one record."""

    query: str
    query_id: str | None
    passages: tuple[str, ...]
    labels: tuple[float, ...] | None
    scores: tuple[float, ...] | None
    pair: bool = False
    """Whether it is a single passage of a query, whose others follow in records of their own."""


def find_example(record: Record) -> JsonExample:
    """The example of a record. Raises ValueError, with the names that it has and those that are wanted."""
    found = _find_example(record)
    if len(found.passages) > 1 and all(passage.isdecimal() for passage in found.passages):
        raise ValueError(
            f"its passages are numbers, as ids are ({', '.join(found.passages[:3])[:80]}); give their texts"
        )
    return found


def _find_example(record: Record) -> JsonExample:
    present = {name: value for name, value in record.items() if value is not None}
    for query_name, passage_name in PAIRS:
        if query_name in present and passage_name in present:
            return _pair(present, query_name, passage_name)
    if "texts" in present and "label" in present and not _among(present, QUERY):
        return _two_texts(present)
    query, query_id = _query(present), _query_id(present)
    if lists := _among(present, LIST):
        return _list(present, query, query_id, _one(lists))
    positives, negatives = _positives(present), _negatives(present)
    unknown = [name for name in present if MEANT.match(name) and not _is_known(name)]
    if positives is None:
        raise ValueError(f"'positives' is missing, there are {listed(record)}; {WANTED}")
    if unknown:
        raise ValueError(f"{unknown[0][:40]!r} isn't known beside positives; {WANTED}")
    grades = numbers(present, "grades")
    if grades is None:
        grades = [1.0] * len(positives)
    if len(grades) != len(positives) or not all(grade > 0 for grade in grades):
        raise ValueError(f"'grades' must be {len(positives)} numbers above 0, one for each positive")
    return JsonExample(
        query=query,
        query_id=query_id,
        passages=(*positives, *negatives),
        labels=(*grades, *[0.0] * len(negatives)),
        scores=_scores(present, len(positives), len(negatives)),
    )


def _is_known(name: str) -> bool:
    return name in KNOWN or NUMBERED.fullmatch(name) is not None or name.endswith(("_id", "_ids"))


def _among(record: Record, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in record]


def _one(names: Sequence[str]) -> str:
    if len(names) > 1:
        raise ValueError(f"it has both {names[0]!r} and {names[1]!r}")
    return names[0]


def _query(record: Record) -> str:
    names = _among(record, QUERY)
    if not names:
        raise ValueError(f"'query' is missing, there are {listed(record)}; {WANTED}")
    return text(record[_one(names)], names[0])


def _query_id(record: Record) -> str | None:
    names = _among(record, QUERY_ID)
    return identifier(record[_one(names)], names[0]) if names else None


def _positives(record: Record) -> list[str] | None:
    names, numbered = _among(record, POSITIVE), _numbered(record, "positive")
    if not names and not numbered:
        return None
    return passage_texts(record, _one([*names, *numbered[:1]])) if names else _each(record, numbered)


def _negatives(record: Record) -> list[str]:
    names, numbered = _among(record, NEGATIVE), _numbered(record, "negative")
    of_dpr = _among(record, NEGATIVE_LISTS)
    if not names and not numbered:
        return [passage for name in of_dpr for passage in passage_texts(record, name)]
    name = _one([*names, *numbered[:1], *of_dpr])
    return passage_texts(record, name) if names else _each(record, numbered)


def _numbered(record: Record, kind: str) -> list[str]:
    matches = [match for match in map(NUMBERED.fullmatch, record) if match is not None and match[1] == kind]
    return [match[0] for match in sorted(matches, key=lambda match: int(match[2]))]


def _each(record: Record, names: Sequence[str]) -> list[str]:
    return [text(record[name], name) for name in names]


def passage_texts(record: Record, name: str) -> list[str]:
    """The passages of a field: a text, or a list of texts or of objects with `text` and perhaps `title`."""
    values = record[name]
    if not isinstance(values, list) or not any(isinstance(value, dict) for value in values):
        return texts(record, name)
    found = []
    for place, value in enumerate(values):
        if not isinstance(value, dict):
            raise ValueError(f"'{name}[{place}]' is {KINDS.get(type(value), 'text')}, not an object as others are")
        found.append(titled_text(value, f"{name}[{place}]"))
    return found


def _scores(record: Record, positives: int, negatives: int) -> tuple[float, ...] | None:
    parts = {name: numbers(record, name) or None for name in ("pos_scores", "neg_scores")}
    if record.get("scores") is not None and any(parts.values()):
        raise ValueError("it has both 'scores' and 'pos_scores' or 'neg_scores'")
    for name, count, what in (("pos_scores", positives, "positives"), ("neg_scores", negatives, "negatives")):
        values = parts[name] or []
        if any(parts.values()) and len(values) != count:
            raise ValueError(f"{name!r} has {len(values)} numbers for {count} {what}")
    if any(parts.values()):
        return (*(parts["pos_scores"] or ()), *(parts["neg_scores"] or ()))
    scores = numbers(record, "scores")
    if scores is not None and len(scores) != positives + negatives:
        raise ValueError(f"'scores' has {len(scores)} numbers for {positives} positives and {negatives} negatives")
    return None if scores is None else tuple(scores)


def _list(record: Record, query: str, query_id: str | None, name: str) -> JsonExample:
    for other in (*POSITIVE, *NEGATIVE, *NEGATIVE_LISTS):
        if other in record:
            raise ValueError(f"it has both {name!r} and {other!r}")
    passages = passage_texts(record, name)
    labels, scores = numbers(record, "labels"), numbers(record, "scores")
    for kind, values in (("labels", labels), ("scores", scores)):
        if values is not None and len(values) != len(passages):
            raise ValueError(f"{kind!r} has {len(values)} numbers for {len(passages)} {name}")
    if labels is None and scores is None:
        raise ValueError(f"'labels' is missing, there are {listed(record)}; {WANTED}")
    for place, label in enumerate(labels or ()):
        if label < 0:
            raise ValueError(f"labels[{place}] is {label:g}, not 0 or more")
    return JsonExample(
        query=query,
        query_id=query_id,
        passages=tuple(passages),
        labels=None if labels is None else tuple(labels),
        scores=None if scores is None else tuple(scores),
    )


def _pair(record: Record, query_name: str, passage_name: str) -> JsonExample:
    label, score = (_number(record, name) for name in ("label", "score"))
    if label is None and score is None:
        raise ValueError(f"'label' is missing, there are {listed(record)}; {WANTED}")
    if label is not None and label < 0:
        raise ValueError(f"'label' is {label:g}, not 0 or more")
    return JsonExample(
        query=text(record[query_name], query_name),
        query_id=_query_id(record),
        passages=(text(record[passage_name], passage_name),),
        labels=None if label is None else (label,),
        scores=None if score is None else (score,),
        pair=True,
    )


def _two_texts(record: Record) -> JsonExample:
    """A pair of sentence-transformers' older form: two texts and their label."""
    both = texts(record, "texts")
    if len(both) != 2:
        raise ValueError(f"'texts' has {len(both)} texts for one label, not 2 (query, passage)")
    return _pair({**record, "sentence1": both[0], "sentence2": both[1]}, "sentence1", "sentence2")


def _number(record: Record, name: str) -> float | None:
    values = numbers({name: [record[name]]}, name) if name in record else None
    return None if values is None else values[0]
