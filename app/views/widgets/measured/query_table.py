"""Two systems query by query: a sortable table with a link to the Search page for each query."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app.views.widgets.terms import meaning
from indexing.records import Query, QueryId
from training.evaluation.attribution import Loss
from training.evaluation.comparison import Comparison
from training.evaluation.significance import outcome

SEARCH = "Search"
BOUNDS = {
    "recall": "recall",
    "ranking": "ranking",
    "both": "both equally",
    "absent": "missing passages",
    "none": "nothing",
}


def search_address(query: str, *, index: str, depth: int, reranker: str) -> str:
    """The address of the Search page with this query and these settings, relative to any page of the app."""
    return "./?" + urlencode({"q": query, "index": index, "depth": depth, "rerank": depth, "reranker": reranker})


def query_columns(
    comparison: Comparison,
    system: str,
    queries: Sequence[Query],
    *,
    address: Callable[[str], str],
    losses: Mapping[QueryId, Loss] | None = None,
) -> dict[str, list[Any]]:
    """The table's columns, a row for each query, the greatest loss first.

    `address` makes a query's link to the Search page.
    """
    differences = comparison.differences(system)
    order = sorted((query for query in queries if query.id in differences), key=lambda query: differences[query.id])
    theirs, ours = (comparison.systems[name].per_query[comparison.measure] for name in (comparison.baseline, system))
    columns: dict[str, list[Any]] = {
        "query": [query.text for query in order],
        comparison.baseline: [theirs[query.id] for query in order],
        system: [ours[query.id] for query in order],
        "difference": [differences[query.id] for query in order],
        "outcome": [outcome(differences[query.id]) for query in order],
    }
    if losses is not None:
        columns["lost to recall"] = [losses[query.id].to_recall for query in order]
        columns["lost to ranking"] = [losses[query.id].to_ranking for query in order]
        columns["loses most to"] = [BOUNDS[losses[query.id].bound] for query in order]
    columns["open"] = [address(query.text) for query in order]
    return columns


def show_queries(columns: Mapping[str, list[Any]], *, key: str) -> None:
    """Show the columns as a table that the user can sort."""
    numbers = [name for name, values in columns.items() if values and isinstance(values[0], float)]
    lost = {"lost to recall": meaning("Lost to recall"), "lost to ranking": meaning("Lost to ranking")}
    figures: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.3f", help=lost.get(name)) for name in numbers
    }
    figures["difference"] = st.column_config.NumberColumn(
        format="%+.3f", help="This query's value of the second system minus that of the first."
    )
    figures["query"] = st.column_config.TextColumn(width="medium")
    figures["open"] = st.column_config.LinkColumn(
        "open", display_text=SEARCH, width="small", help="Opens the query on the Search page in a new tab."
    )
    st.dataframe(dict(columns), hide_index=True, column_config=figures, key=key)
