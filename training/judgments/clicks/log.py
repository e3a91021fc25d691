"""Reads logs of searches and clicks in the form of User Behavior Insights (UBI) 1.x; no line is passed over in silence.

Sources: the JSON Schemas query.request and event of UBI 1.0.0 to 1.3.0 (github.com/o19s/ubi, folder schema/) and the
mappings of OpenSearch's indexes ubi_queries and ubi_events (docs.opensearch.org, "UBI index schemas"). What a query
returned is called `query_response_hit_ids` by the schemas, and `query_response_object_ids` or
`query_response_objects_ids` by OpenSearch's own pages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexing.judged.objects import Record, id_of, records, refuse_record
from indexing.judged.tally import REPEAT, Tally
from indexing.notes import Note, counted, log_note, shown
from indexing.records import PassageId
from indexing.whitespace import squeeze

IMPRESSIONS = ("impression",)
CLICKS = ("click", "click_through")
RESPONSES = ("query_response_object_ids", "query_response_objects_ids", "query_response_hit_ids")
BULK = ("index", "create")  # an operation of OpenSearch's bulk request, a line before each document
FORM = (
    'a query {"query_id": ID, "user_query": TEXT, "query_response_object_ids": [ID, ...]} or an event {"action_name": '
    '"click" or "impression", "query_id": ID, "event_attributes": {"object": {"object_id": ID}, "position": '
    '{"ordinal": PLACE}}} of User Behavior Insights'
)
BULK_LINE = ("line is an operation of a bulk request", "lines are operations of a bulk request")
NO_QUERY_ID = ("event belongs to no query", "events belong to no query")
NO_OBJECT = ("event names no object", "events name no object")
SECOND_ANSWER = (
    "line gives a query id other results than an earlier one, which counts",
    "lines give a query id other results than an earlier one, which counts",
)

Shown = tuple[str, PassageId]
"""A query id and one of the objects that it returned."""


@dataclass
class ClickLog:
    """What the lines say, before views and clicks are brought together."""

    texts: dict[str, str] = field(default_factory=dict)
    """What was asked, by query id."""
    answers: dict[str, tuple[PassageId, ...]] = field(default_factory=dict)
    """What a query returned, best first, by query id."""
    impressions: dict[Shown, int | None] = field(default_factory=dict)
    """The place at which an object was first shown, as the log counts places; None where it doesn't say."""
    clicks: dict[Shown, int | None] = field(default_factory=dict)
    two_texts: set[str] = field(default_factory=set)
    """Query ids that the log uses for more than one text."""

    def add_text(self, query_id: str, text: str) -> None:
        """Keep what was asked under an id."""
        if self.texts.setdefault(query_id, text) != text:
            self.two_texts.add(query_id)


def read_log(files: Iterable[Path], *, note: Note = log_note) -> ClickLog:
    """Read one log of one or more files: JSON lines of queries and events, in any order.

    Documents may lie in `_source`, as exports of an index write them. `note` gets what is left out, by kind.

    Raises:
        CorpusError: a line is neither a query nor an event, or one of its fields has another form.
    """
    log = ClickLog()
    for path in files:
        tally, actions = Tally(path), Counter[str]()
        for record in records(path, form=FORM):
            _add(log, path, _unwrapped(record), tally, actions)
        tally.tell(note)
        if actions:
            kinds = shown([f"{count:,} {name[:40]!r}" for name, count in actions.most_common()])
            events = counted(
                actions.total(),
                "event is neither an impression nor a click and is",
                "events are neither impressions nor clicks and are",
            )
            note(f"{path}: {events} left out: {kinds}.")
    return log


def _unwrapped(record: Record) -> Record:
    source = record.values.get("_source")
    return record._replace(values=source) if isinstance(source, dict) else record


def _add(log: ClickLog, path: Path, record: Record, tally: Tally, actions: Counter[str]) -> None:
    values = record.values
    if len(values) == 1 and any(isinstance(values.get(name), dict) for name in BULK):
        tally.add(BULK_LINE, record.number)
    elif "action_name" in values:
        _add_event(log, path, record, tally, actions)
    elif "user_query" in values or any(name in values for name in RESPONSES):
        _add_query(log, path, record, tally)
    else:
        refuse_record(path, record, "neither a query nor an event", form=FORM)


def _add_query(log: ClickLog, path: Path, record: Record, tally: Tally) -> None:
    query_id = _query_id(path, record)
    if not query_id:
        refuse_record(path, record, "a query without its query_id, which no click can name", form=FORM)
    _add_text(log, path, record, query_id)
    name = next((name for name in RESPONSES if record.values.get(name) is not None), None)
    if name is None:
        return
    listed = record.values[name]
    answer = tuple(PassageId(id_of(value)) for value in listed) if isinstance(listed, list) else ()
    if not isinstance(listed, list) or not all(answer):
        refuse_record(path, record, f"{name} is no list of ids", form=FORM)
    before = log.answers.setdefault(query_id, answer)
    if before is not answer:
        tally.add(REPEAT if before == answer else SECOND_ANSWER, record.number)


def _add_event(log: ClickLog, path: Path, record: Record, tally: Tally, actions: Counter[str]) -> None:
    action = record.values["action_name"]
    if not isinstance(action, str):
        refuse_record(path, record, "action_name is no text", form=FORM)
    query_id = _query_id(path, record)
    if query_id:
        _add_text(log, path, record, query_id)
    if action not in (*IMPRESSIONS, *CLICKS):
        actions[action] += 1
        return
    attributes = _mapping(path, record, record.values, "event_attributes")
    passage = _object(path, record, attributes)
    if not query_id or not passage:
        tally.add(NO_OBJECT if query_id else NO_QUERY_ID, record.number)
        return
    seen = log.impressions if action in IMPRESSIONS else log.clicks
    place = _place(path, record, attributes)
    if (query_id, passage) in seen:
        tally.add(REPEAT, record.number)
    else:
        seen[query_id, passage] = place


def _add_text(log: ClickLog, path: Path, record: Record, query_id: str) -> None:
    text = record.values.get("user_query")
    if text is None:
        return
    if not isinstance(text, str):
        refuse_record(path, record, "user_query is no text", form=FORM)
    if squeeze(text):
        log.add_text(query_id, squeeze(text))


def _query_id(path: Path, record: Record) -> str:
    """The query id; empty for none."""
    value = record.values.get("query_id")
    if value is None or value == "":
        return ""
    name = id_of(value)
    if not name:
        refuse_record(path, record, "query_id is no id", form=FORM)
    return name


def _object(path: Path, record: Record, attributes: Mapping[str, Any]) -> PassageId:
    """The id of the object that an event is about; empty for none."""
    value = _mapping(path, record, attributes, "object").get("object_id")
    if value is None or value == "":
        return PassageId("")
    name = id_of(value)
    if not name:
        refuse_record(path, record, "object_id is no id", form=FORM)
    return PassageId(name)


def _place(path: Path, record: Record, attributes: Mapping[str, Any]) -> int | None:
    """The place that an event names; None for none."""
    value = _mapping(path, record, attributes, "position").get("ordinal")
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or value < 0:
        refuse_record(path, record, "position.ordinal is no place from 0 or 1", form=FORM)
    return value


def _mapping(path: Path, record: Record, values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object in a field; empty for none."""
    value = values.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse_record(path, record, f"{name} is no object", form=FORM)
    return value
