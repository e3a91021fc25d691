"""The answer to one search, recalled from the session where only its presentation has changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from app.resources import SharedPipeline
from app.views.widgets.search_choice import SearchChoice
from indexing.errors import ModelError
from search.trace import SearchTrace


class SearchAnswer(NamedTuple):
    """What a page shows for a search."""

    trace: SearchTrace
    problem: str
    """Why the list isn't re-ranked although a re-ranker was chosen; else empty."""
    is_new: bool
    """Whether it was searched just now and in full, rather than recalled."""


def answer(
    shared: SharedPipeline,
    choice: SearchChoice,
    *,
    key: str,
    on_first: Callable[[SearchTrace], None] | None = None,
) -> SearchAnswer:
    """Search, or recall the last answer if the pipeline, query and settings are the same.

    `key` is the session's, for the last answer. `on_first` gets the first stage of a new search before its passages
    are re-ranked. Raises SettingsError, ModelError.
    """
    request = (shared.fingerprint, choice.query, choice.settings)
    last: tuple[object, SearchTrace] | None = st.session_state.get(key)
    if last is not None and last[0] == request:
        return SearchAnswer(last[1], shared.problem, is_new=False)
    try:
        trace = shared.search(choice.query, choice.settings, on_first=on_first)
    except ModelError as error:  # scores that aren't numbers: the first stage can still answer
        first_stage = replace(choice.settings, rerank_depth=0)
        return SearchAnswer(shared.search(choice.query, first_stage), str(error), is_new=False)
    st.session_state[key] = (request, trace)
    return SearchAnswer(trace, shared.problem, is_new=True)
