"""A search as an HTML table for notebooks; every text of users and corpora is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

ROWS = 10  # of the table
TEXT = 300  # characters of a passage


def trace_html(trace: Mapping[str, Any]) -> str:
    """The first places of a trace from `SearchTrace.to_dict`: ranks before and after, scores, passages, times."""
    rows = trace["final"][:ROWS]
    retrievers = [name for name in trace["stages"] if name not in ("fused", "reranked")]
    heads = ["rank", "moved", "score", *retrievers, "fused", "passage"]
    body = (
        "".join(_row(row, retrievers) for row in rows)
        or f'<tr><td colspan="{len(heads)}">No passage matches.</td></tr>'
    )
    versions = trace["versions"]
    made_by = f"index {versions['index']}, build {versions['build']}; re-ranker {versions['reranker'] or 'none'}"
    notes = "".join(f"<p>{escape(sentence)}</p>" for sentence in trace["notes"])
    times = " · ".join(f"{stage} {seconds * 1000:.1f} ms" for stage, seconds in trace["seconds"].items())
    return (
        f"<div><p><b>{escape(trace['query'])}</b><br><small>{escape(made_by)}</small></p>{notes}"
        f"<table><thead><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{body}</tbody></table><p><small>{escape(times)}</small></p></div>"
    )


def _row(row: Mapping[str, Any], retrievers: list[str]) -> str:
    places = [row["ranks"][name] for name in (*retrievers, "fused")]
    cells = [
        str(row["rank"]),
        moved_mark(row["moved"]),
        f"{row['score']:.3f}",
        *("–" if p is None else str(p) for p in places),
    ]
    text = row["text"] if len(row["text"]) <= TEXT else row["text"][:TEXT] + "…"
    title = f"<b>{escape(row['title'])}</b> " if row["title"] else ""
    passage = f'<td style="text-align:left">{title}{escape(text)} <small>{escape(row["id"])}</small></td>'
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{passage}</tr>"


def moved_mark(moved: int) -> str:
    """▲2 for two places up, ▼2 for two down, · for none."""
    return f"{'▲' if moved > 0 else '▼'}{abs(moved)}" if moved else "·"
