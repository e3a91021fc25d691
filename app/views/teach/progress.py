"""How far all grades have come towards a training, and the way on to it."""

from collections.abc import Sequence

import streamlit as st

from app.background import Subject
from app.views.widgets.notices import plain
from app.views.widgets.work import page_link
from training.judgments.enough import queries_that_train
from training.judgments.feedback import Grade
from training.recipes.catalog import USUAL, find_loss_recipe


def show_progress(grades: Sequence[Grade]) -> None:
    """Show how many queries can be trained on, of those that one step reads, and a link once there is one."""
    queries, enough = queries_that_train(grades), find_loss_recipe(USUAL).batch
    st.progress(min(queries / enough, 1.0), text=plain(progress_sentence(queries, enough)))
    if queries:
        page_link(Subject("the training", "train"), label="Improve the served model with these grades")


def progress_sentence(queries: int, enough: int) -> str:
    """How far it is, and what a query needs to count."""
    if queries >= enough:
        return f"Enough to train: {queries:,} queries, and a step of the training reads {enough:,}."
    needed = "A query counts once it has a passage graded 1 to 3 and one graded 0."
    return f"{queries:,} of {enough:,} queries to train on. {needed}"
