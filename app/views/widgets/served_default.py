"""Under the lists: what an index answers with by default and what chose it, and the way there and to dense alone."""

from collections.abc import Callable

import streamlit as st

from app import resources
from app.background import Subject
from app.environment import read_only
from app.views.widgets.notices import note
from app.views.widgets.search_choice import (
    PIPELINE_PARAMETERS,
    SearchChoice,
    default_choice,
    served_default,
    without_own_bm25,
)
from app.views.widgets.work import page_link
from indexing.errors import SecondLookError
from search.served import NO_RERANKER
from search.served_words import default_words, pipeline_words


def show_default(choice: SearchChoice, *, key: str, choose: Callable[..., None], words: str = "") -> None:
    """Say what answers, and offer the default, dense alone and, where the default has aged, to decide again.

    `choose` takes fields of the choice; `key` begins the buttons' keys; `words` say what answers where the page has a
    name for it.
    """
    usual = without_own_bm25(default_choice(choice.index))
    note(words or default_sentence(choice, usual))
    with st.container(horizontal=True, gap="small", key=f"{key}_default"):
        if not _same(choice, usual):
            st.button(
                "Use the default",
                key=f"{key}_use_default",
                on_click=choose,
                kwargs={name: usual.values()[name] for name in (*PIPELINE_PARAMETERS.values(), "reranker")},
                width="content",
            )
        if not _is_dense_alone(choice):
            st.button(
                "Dense alone",
                key=f"{key}_dense_alone",
                help="What the bi-encoder finds by meaning, without BM25 and without a re-ranker.",
                on_click=choose,
                kwargs={"fusion": "dense", "reranker": NO_RERANKER},
                width="content",
            )
    show_aged(choice.index)


def show_aged(index: str) -> None:
    """Say what has changed since an index's default was chosen, with a link to decide again."""
    if told := aged(index):
        note(*told)
        if not read_only():
            page_link(Subject("", "evaluate", {"show": "decide", "index": index}), label="Decide again")


def aged(index: str) -> tuple[str, ...]:
    """A sentence for each thing that has changed since an index's default was chosen."""
    try:
        return served_default(index).notes(index, fingerprint=resources.fingerprint) if _is_chosen(index) else ()
    except SecondLookError as error:
        return (str(error),)


def default_sentence(choice: SearchChoice, usual: SearchChoice) -> str:
    """What answers a search, or what would by default."""
    served = served_default(choice.index)
    words = default_words(served if _is_chosen(choice.index) else None)
    if usual.reranker != served.reranker:
        answer = pipeline_words(usual.settings, reranker=usual.reranker)
        words = f"{answer}: the re-ranker that this app was started with"
    if _same(choice, usual):
        return f"{words[:1].upper()}{words[1:]}."
    return f"These settings aren't the default of {choice.index} ({words})."


def _is_chosen(index: str) -> bool:
    return bool(served_default(index).at)


def _same(choice: SearchChoice, usual: SearchChoice) -> bool:
    return (choice.reranker, choice.settings) == (usual.reranker, usual.settings)


def _is_dense_alone(choice: SearchChoice) -> bool:
    return choice.settings.fusion == "dense" and (choice.reranker == NO_RERANKER or not choice.settings.rerank_depth)
