"""Reads queries in MS MARCO's, TREC's and BEIR's forms."""

import json
from pathlib import Path

from indexing.judged.lines import parsed_lines
from indexing.notes import Note, log_note
from indexing.records import Query, QueryId


def read_queries(path: Path, *, note: Note = log_note) -> list[Query]:
    """Read queries from lines of `id TAB text`, or from JSONL with `_id` or `id`, and `text`."""
    del note

    def parse(line: str) -> Query | str:
        if path.suffix == ".jsonl":
            try:
                record = json.loads(line)
                key, text = record.get("_id", record.get("id")), record.get("text")
            except (ValueError, AttributeError, RecursionError):
                return "not a JSON object"
            if key in (None, "") or not isinstance(text, str) or not text.strip():
                return "no _id, or no text"
            return Query(QueryId(str(key)), text.strip())
        key, tab, text = line.partition("\t")
        if not tab or not key.strip() or not text.strip():
            return "not 'id TAB text'"
        return Query(QueryId(key.strip()), text.strip())

    return list(parsed_lines(path, parse))
