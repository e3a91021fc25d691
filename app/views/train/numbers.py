"""The Expert part's numbers: how long and how fast it learns, and what it is measured on."""

from typing import Any

import streamlit as st

from app.views.train.fields import key, optional_whole_number, value, whole_number
from app.views.widgets.terms import meaning
from training.recipes.catalog import find_loss_recipe
from training.recipes.recipe import Recipe
from training.train.request import DevSettings


def choose_numbers(recipe: str) -> dict[str, Any]:
    """Show the numeric settings; give back those of TrainSettings by name, but for the minutes."""
    return _main_numbers(find_loss_recipe(recipe)) | _more_numbers()


def _main_numbers(recipe: Recipe) -> dict[str, Any]:
    """The numbers that matter most, beside each other."""
    first, second, third = st.columns(3)
    with first:
        learning_rate = st.number_input(
            "Learning rate",
            value=None,
            min_value=1e-9,
            max_value=1.0,
            step=1e-6,
            format="%.1e",
            key=key("learning_rate"),
            placeholder=f"{recipe.learning_rate:.1e}, the recipe's",
        )
    with second:
        default = f"{recipe.batch}, the recipe's"
        batch = optional_whole_number("Batch", "batch", 65_536, default=default, about=meaning("Batch"))
    with third:
        about = "In tokens; longer passages are cut."
        max_length = whole_number("Maximum pair length", "max_length", 16, 8_192, about=about)
    return {"learning_rate": learning_rate, "batch": batch, "max_length": max_length}


def _more_numbers() -> dict[str, Any]:
    """The numbers that rarely need a change."""
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    with first:
        steps = optional_whole_number("Maximum steps", "steps", 10**9, default="as many as fit")
    with second:
        about = "Fewer need less memory; the batch stays the same."
        micro_batch = optional_whole_number("Rows in memory at once", "micro_batch", 65_536, default="all", about=about)
    with third:
        about = "A training that was stopped or killed resumes from its last checkpoint."
        save_every = whole_number("Steps between checkpoints", "save_every", 1, 10**6, about=about)
    with fourth:
        seed = whole_number("Seed", "seed", 0, 2**31 - 1)
    return {"steps": steps, "micro_batch": micro_batch, "save_every": save_every, "seed": seed}


def choose_dev(index: str, queries: int) -> DevSettings | None:
    """The dev set to measure on during the training; None for none."""
    st.checkbox(
        f"Measure on the dev split of {index} ({queries:,} queries) and keep the best weights"
        if queries
        else "The index has no judged dev queries to measure on",
        key=key("dev"),
        disabled=not queries,
        help="Dev queries are never trained on. The served version is measured on them too.",
    )
    if not queries or not value("dev"):
        return None
    first, second, third = st.columns(3)
    with first:
        most = whole_number("Maximum dev queries", "dev_queries", 1, 100_000)
    with second:
        depth = whole_number("Depth", "dev_depth", 1, 1_000, about=meaning("Depth"))
    with third:
        whole_number("Steps between evaluations", "evaluate_every", 1, 10**6)
    return DevSettings(index, "dev", most, depth)
