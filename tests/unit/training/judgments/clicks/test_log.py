"""Lines of a click log: what UBI writes is read, what isn't understood is refused with its place, and the rest told."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import CorpusError
from tests.conftest import write_lines
from tests.unit.training.judgments.clicks.logs import event, query, write_log
from training.judgments.clicks.log import ClickLog, read_log


def read(*files: Path) -> tuple[ClickLog, list[str]]:
    notes: list[str] = []
    return read_log(files, note=notes.append), notes


def test_queries_and_events_may_lie_in_files_of_their_own_and_in_any_order(tmp_path: Path) -> None:
    events = write_log(tmp_path / "events.jsonl", event("click", "1", 7, 2.0), event("impression", "1", "7", 2))
    log, notes = read(events, write_log(tmp_path / "queries.jsonl", query("1", " what is  wax", "3", "7")))
    assert log.texts == {"1": "what is wax"}
    assert log.answers == {"1": ("3", "7")}
    assert log.impressions == log.clicks == {("1", "7"): 2}
    assert notes == []


@pytest.mark.parametrize("name", ["query_response_object_ids", "query_response_objects_ids", "query_response_hit_ids"])
def test_what_a_query_returned_has_three_names(tmp_path: Path, name: str) -> None:
    log, _ = read(write_log(tmp_path / "log.jsonl", {"query_id": "1", name: ["a", 5]}))
    assert log.answers == {"1": ("a", "5")}


def test_exports_of_an_index_and_bulk_requests_are_read(tmp_path: Path) -> None:
    log, notes = read(
        write_log(
            tmp_path / "log.ndjson",
            {"index": {"_index": "ubi_queries"}},
            query("1", "wax", "a1"),
            {"_index": "ubi_events", "_source": event("click", "1", "a1", 1)},
        )
    )
    assert (log.texts, log.clicks) == ({"1": "wax"}, {("1", "a1"): 1})
    assert notes == [f"{tmp_path / 'log.ndjson'}: 1 line is an operation of a bulk request (line 1)."]


def test_events_may_name_what_was_asked(tmp_path: Path) -> None:
    log, _ = read(write_log(tmp_path / "log.jsonl", event("click", "1", "a1", 1) | {"user_query": "wax"}))
    assert log.texts == {"1": "wax"}


def test_what_is_left_out_is_told_by_kind(tmp_path: Path) -> None:
    log, notes = read(
        write_log(
            tmp_path / "log.jsonl",
            query("1", "wax", "a1"),
            query("1", "wax", "a2"),
            event("click", "1", "a1", 1),
            event("click", "1", "a1", 1),
            {"action_name": "click", "query_id": "1", "timestamp": "now"},
            {"action_name": "click", "timestamp": "now", "event_attributes": {"object": {"object_id": "a1"}}},
            event("add_to_cart", "1", "a1", 1),
            event("page_exit", "1", "a1"),
            event("page_exit", "1", "a1"),
        )
    )
    path = tmp_path / "log.jsonl"
    assert (log.answers, log.clicks) == ({"1": ("a1",)}, {("1", "a1"): 1})
    assert notes == [
        f"{path}: 1 line gives a query id other results than an earlier one, which counts (line 2).",
        f"{path}: 1 line repeats an earlier one and counts once (line 4).",
        f"{path}: 1 event names no object (line 5).",
        f"{path}: 1 event belongs to no query (line 6).",
        f"{path}: 3 events are neither impressions nor clicks and are left out: 2 'page_exit', 1 'add_to_cart'.",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"query_id": "1", "user_query": ', "no JSON that can be read"),
        ('["click"]', "no JSON object"),
        ({"query": "wax", "clicks": 3}, "neither a query nor an event"),
        ({"user_query": "wax"}, "a query without its query_id"),
        ({"query_id": "1", "user_query": 7}, "user_query is no text"),
        ({"query_id": ["1"], "user_query": "wax"}, "query_id is no id"),
        ({"query_id": "1", "query_response_object_ids": "a1"}, "query_response_object_ids is no list of ids"),
        ({"query_id": "1", "query_response_hit_ids": [None]}, "query_response_hit_ids is no list of ids"),
        ({"action_name": 1}, "action_name is no text"),
        (event("click", "1", "a1", -1), "position.ordinal is no place from 0 or 1"),
        (event("click", "1", "a1", 1.5), "position.ordinal is no place from 0 or 1"),
        (event("click", "1", "a1") | {"event_attributes": "a1"}, "event_attributes is no object"),
        (event("click", "1", "a1") | {"event_attributes": {"object": {"object_id": {}}}}, "object_id is no id"),
    ],
)
def test_a_line_of_another_form_is_refused_with_its_place(tmp_path: Path, line: Any, problem: str) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    log = write_lines(tmp_path / "log.jsonl", [json.dumps(query("0", "bees")), text])
    with pytest.raises(CorpusError) as refused:
        read(log)
    assert str(refused.value).startswith(f"{log}:2: {problem}")
    assert str(refused.value).endswith(" of User Behavior Insights.")
