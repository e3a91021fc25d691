"""Click logs in the form of User Behavior Insights, made for tests."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conftest import write_lines

Record = dict[str, Any]


def query(query_id: str, text: str, *answer: str) -> Record:
    record: Record = {"query_id": query_id, "user_query": text, "timestamp": "2026-11-30T09:00:00Z"}
    return {**record, "query_response_object_ids": list(answer)} if answer else record


def event(action: str, query_id: str, passage: str | int, place: float | None = None) -> Record:
    position = {} if place is None else {"ordinal": place}
    return {
        "action_name": action,
        "query_id": query_id,
        "timestamp": "2026-11-30T09:00:01Z",
        "event_attributes": {"object": {"object_id": passage, "object_id_field": "_id"}, "position": position},
    }


def search(query_id: str, text: str, shown: Iterable[str], clicked: Iterable[str] = ()) -> list[Record]:
    """A query, an impression of each passage in its order, and clicks on some of them."""
    places = {passage: place for place, passage in enumerate(shown, start=1)}
    return [
        query(query_id, text),
        *(event("impression", query_id, passage, place) for passage, place in places.items()),
        *(event("click", query_id, passage, places[passage]) for passage in clicked),
    ]


def write_log(path: Path, *records: Record) -> Path:
    return write_lines(path, [json.dumps(record) for record in records])


def swapped(text: str, first: str, second: str, *, name: str = "q") -> list[Record]:
    """Twenty searches of one query that show two passages, ten in each order.

    `first` is clicked 6 times of 10 at place 1 and 3 of 10 at place 2; `second` 2 of 10 at place 1 and 1 of 10 at 2.
    """
    records = []
    for number in range(10):
        clicked = [first] * (number < 6) + [second] * (number == 9)
        records += search(f"{name}{number}", text, (first, second), clicked)
        clicked = [second] * (number < 2) + [first] * (number >= 7)
        records += search(f"{name}{10 + number}", text, (second, first), clicked)
    return records
