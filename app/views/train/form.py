"""The form for a new training: its data, recipe and settings, with buttons to preview and start it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.views.train.choice import TrainingChoice
from app.views.train.data import choose_data
from app.views.train.fields import key, optional_whole_number, remember, restore, value, whole_number
from app.views.train.preview import show_forecast, start_forecast, stop_forecast
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import pick
from indexing import places
from indexing.errors import SecondLookError
from indexing.names import DEFAULT_BI_ENCODER
from search.served import reranker_path
from training.jobs.jobs import TrainingJob
from training.judgments.export import write_feedback
from training.judgments.feedback import FeedbackStore
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.recipe import Recipe
from training.recipes.settings import TrainSettings
from training.train.request import DevSettings
from training.versions import promoted
from training.versions.registry import Version, versions

DEFAULT_RECIPE = "listnet"
LONGEST = 30 * 24 * 60.0  # minutes


def show_form(*, on_start: Callable[[str], None]) -> None:
    """Show the fields and the buttons that preview and start; `on_start` is called with the new job's name."""
    st.html(heading_html("New training", "continues if you leave this page"))
    restore()
    with st.container(border=True, key="train_form"):
        choice = None
        try:
            choice = _choose()
        except SecondLookError as error:
            problem(error)
        remember()
        with st.container(horizontal=True, gap="small"):
            preview = st.button("Preview", key="train_preview", icon=":material/preview:", width="content")
            start = st.button("Start", key="train_start", type="primary", icon=":material/play_arrow:", width="content")
        if choice is not None and preview:
            start_forecast(choice)
        if choice is not None and start:
            _start(choice, on_start)
    show_forecast(choice)


def _choose() -> TrainingChoice:
    """Show the fields; give back the choice. Raises SettingsError for an invalid one."""
    known = {version.id: version for version in versions() if not version.fault}
    first, second, third = st.columns(3)
    with first:
        name = st.text_input(
            "Name of the version", key=key("name"), help="Versions are numbered: NAME/1, NAME/2 and so on."
        )
    with second:
        recipe = pick("Recipe", list(LOSS_RECIPES), key="train_recipe", default=DEFAULT_RECIPE)
    with third:
        base = _base(known)
    note(f"{recipe} learns from {find_loss_recipe(recipe).learns_from}.")
    st.html(heading_html("Training data"))
    data, splits = choose_data(recipe, known, seed=int(value("seed")))
    st.html(heading_html("Settings"))
    numbers = _numbers(recipe)
    dev = _dev(data.index, splits.get("dev", 0))
    settings = TrainSettings(
        base=base, evaluate_every=int(value("evaluate_every")) if dev is not None else 0, **numbers
    )
    return TrainingChoice(name.strip(), recipe, settings, data, dev)


def _base(known: Mapping[str, Version]) -> str:
    """The model to start from: the served version, any other, the bi-encoder, or one that is typed."""
    names = {DEFAULT_BI_ENCODER: "The bi-encoder, with a new head"}
    names |= {str(version.folder): f"Version {version.id}" for version in known.values()}
    default = DEFAULT_BI_ENCODER
    try:
        default = reranker_path()
        names[default] = f"The served version ({promoted.current_promotion().promoted})"
    except SecondLookError as error:
        note(f"No served model to start from: {error}")
    return pick(
        "Start from",
        list(names),
        key="train_base",
        default=default,
        words=lambda name: names.get(name, name),
        about="Choose one, or type a folder or a hub name such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        typed=True,
    )


def _numbers(recipe: str) -> dict[str, Any]:
    """Show the numeric settings; give back those of TrainSettings by name."""
    return _main_numbers(find_loss_recipe(recipe)) | _more_numbers()


def _main_numbers(recipe: Recipe) -> dict[str, Any]:
    """The numbers that matter most, beside each other."""
    first, second, third, fourth = st.columns(4)
    with first:
        minutes = st.number_input(
            "Minutes",
            min_value=0.01,
            max_value=LONGEST,
            step=5.0,
            key=key("minutes"),
            help="Time for training itself, without gathering data and evaluating. As many steps as fit are run, "
            "judging by their speed at the start.",
        )
    with second:
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
    with third:
        default = f"{recipe.batch}, the recipe's"
        batch = optional_whole_number("Batch", "batch", 65_536, default=default, about="Rows per step.")
    with fourth:
        about = "In tokens; longer passages are cut."
        max_length = whole_number("Maximum pair length", "max_length", 16, 8_192, about=about)
    return {"minutes": minutes, "learning_rate": learning_rate, "batch": batch, "max_length": max_length}


def _more_numbers() -> dict[str, Any]:
    """The numbers that rarely need a change, folded away."""
    with st.expander("More", key="train_more"):
        first, second, third, fourth = st.columns(4)
        with first:
            steps = optional_whole_number("Maximum steps", "steps", 10**9, default="as many as fit")
        with second:
            about = "Fewer need less memory; the batch stays the same."
            micro_batch = optional_whole_number(
                "Rows in memory at once", "micro_batch", 65_536, default="all", about=about
            )
        with third:
            about = "A training that was stopped or killed resumes from its last checkpoint."
            save_every = whole_number("Steps between checkpoints", "save_every", 1, 10**6, about=about)
        with fourth:
            seed = whole_number("Seed", "seed", 0, 2**31 - 1)
    return {"steps": steps, "micro_batch": micro_batch, "save_every": save_every, "seed": seed}


def _dev(index: str, queries: int) -> DevSettings | None:
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
        depth = whole_number("Passages re-ranked per query", "dev_depth", 1, 1_000)
    with third:
        whole_number("Steps between evaluations", "evaluate_every", 1, 10**6)
    return DevSettings(index, "dev", most, depth)


def _start(choice: TrainingChoice, on_start: Callable[[str], None]) -> None:
    folder, root = TrainingJob.new_folder(), places.indexes()

    def fill(work: Path) -> None:
        if choice.data.feedback:
            write_feedback(FeedbackStore.open(places.feedback()), work, root=root)

    try:
        TrainingJob.start(choice.request(folder, root=root), folder, fill=fill)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    stop_forecast()
    on_start(folder.name)
    st.rerun()
