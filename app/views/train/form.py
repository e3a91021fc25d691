"""A new training: what it learns from, by which recipe, for how long; a preview of it; and the start."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app import resources
from app.resources import feedback_path
from app.views.train.choice import Choice
from app.views.train.data import choose_data
from app.views.train.fields import key, remember, restore, value, whole, whole_or_none
from app.views.train.preview import ask_forecast, show_forecast
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import pick
from indexing.errors import SecondLookError
from indexing.names import DEFAULT_BI_ENCODER
from search.load import reranker_path
from training.jobs import jobs
from training.judgments.feedback import FeedbackStore
from training.judgments.job_feedback import write_feedback
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe
from training.recipes.settings import TrainSettings
from training.train.request import DevSettings
from training.versions import promoted
from training.versions.registry import Version, versions

RECIPE = "listnet"
LONGEST = 30 * 24 * 60.0  # minutes


def show_form(*, begun: Callable[[str], None]) -> None:
    """The widgets, and buttons that preview and start a training; `begun` is called with the new job's name."""
    st.html('<h3 class="sl-heading">New training <small>it goes on if you leave this page</small></h3>')
    restore()
    with st.container(border=True, key="train_form"):
        choice = None
        try:
            choice = _choose()
        except SecondLookError as error:
            problem(error)
        remember()
        with st.container(horizontal=True, gap="small"):
            asked = st.button("Preview", key="train_preview", icon=":material/preview:", width="content")
            start = st.button("Start", key="train_start", type="primary", icon=":material/play_arrow:", width="content")
        if choice is not None and asked:
            ask_forecast(choice)
        if choice is not None and start:
            _start(choice, begun)
    show_forecast(choice)


def _choose() -> Choice:
    """What is chosen. Raises SettingsError where it can't be."""
    known = {item.id: item for item in versions() if not item.fault}
    first, second, third = st.columns(3)
    with first:
        name = st.text_input("Name of the version", key=key("name"), help="It is kept as NAME/1, NAME/2 and so on.")
    with second:
        recipe = pick("Recipe", list(LOSS_RECIPES), key="train_recipe", default=RECIPE)
    with third:
        base = _base(known)
    note(f"{recipe} learns from {find_loss_recipe(recipe).learns_from}.")
    st.html('<h3 class="sl-heading">What it learns from</h3>')
    data, splits = choose_data(recipe, known, seed=int(value("seed")))
    st.html('<h3 class="sl-heading">How long, and how</h3>')
    numbers = _numbers(recipe)
    dev = _dev(data.index, splits.get("dev", 0))
    settings = TrainSettings(
        recipe, base=base, evaluate_every=int(value("evaluate_every")) if dev is not None else 0, **numbers
    )
    return Choice(name.strip(), settings, data, dev)


def _base(known: Mapping[str, Version]) -> str:
    """The current model, any version, the bi-encoder, or what is typed."""
    names = {DEFAULT_BI_ENCODER: "The bi-encoder, with a new head"}
    names |= {str(item.folder): f"Version {item.id}" for item in known.values()}
    default = DEFAULT_BI_ENCODER
    try:
        default = reranker_path()
        names[default] = f"The current model ({promoted.current().promoted})"
    except SecondLookError as error:
        note(f"No model is served that could be started from: {error}")
    return pick(
        "Start from",
        list(names),
        key="train_base",
        default=default,
        words=lambda name: names.get(name, name),
        told="Choose one, or type a folder or a hub name such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        typed=True,
    )


def _numbers(recipe: str) -> dict[str, Any]:
    usual = find_loss_recipe(recipe)
    found: dict[str, Any] = {}
    first, second, third, fourth = st.columns(4)
    with first:
        found["minutes"] = st.number_input(
            "Minutes",
            min_value=0.01,
            max_value=LONGEST,
            step=5.0,
            key=key("minutes"),
            help="Time to train, without gathering and evaluating: as many steps as fit, measured at the start.",
        )
    with second:
        found["learning_rate"] = st.number_input(
            "Learning rate",
            value=None,
            min_value=1e-9,
            max_value=1.0,
            step=1e-6,
            format="%.1e",
            key=key("learning_rate"),
            placeholder=f"{usual.learning_rate:.1e}, the recipe's",
        )
    with third:
        found["batch"] = whole_or_none(
            "Batch", "batch", 65_536, usual=f"{usual.batch}, the recipe's", told="Rows a step."
        )
    with fourth:
        found["max_length"] = whole("Longest pair", "max_length", 16, 8_192, told="Tokens; longer passages are cut.")
    with st.expander("More", key="train_more"):
        left, middle, right, last = st.columns(4)
        with left:
            found["steps"] = whole_or_none("At most so many steps", "steps", 10**9, usual="as many as fit")
        with middle:
            told = "Fewer need less memory; the batch stays as it is."
            found["micro_batch"] = whole_or_none(
                "Rows in memory at once", "micro_batch", 65_536, usual="all", told=told
            )
        with right:
            told = "A training that is stopped or killed goes on from the last one."
            found["save_every"] = whole("Steps between checkpoints", "save_every", 1, 10**6, told=told)
        with last:
            found["seed"] = whole("Seed", "seed", 0, 2**31 - 1)
    return found


def _dev(index: str, queries: int) -> DevSettings | None:
    """Whether the dev split is measured on meanwhile."""
    st.checkbox(
        f"Measure on the dev split of {index} ({queries:,} queries), and keep the best weights"
        if queries
        else "The index has no judged dev queries to measure on",
        key=key("dev"),
        disabled=not queries,
        help="Dev queries are never trained on. The current model is measured on them too.",
    )
    if not queries or not value("dev"):
        return None
    first, second, third = st.columns(3)
    with first:
        most = whole("Dev queries at most", "dev_queries", 1, 100_000)
    with second:
        depth = whole("Passages re-ranked of each", "dev_depth", 1, 1_000)
    with third:
        whole("Steps between evaluations", "evaluate_every", 1, 10**6)
    return DevSettings(index, "dev", most, depth)


def _start(choice: Choice, begun: Callable[[str], None]) -> None:
    folder, root = jobs.new_folder(), resources.index_root()

    def fill(work: Path) -> None:
        if choice.data.feedback:
            write_feedback(FeedbackStore.open(feedback_path()), work, root=root)

    try:
        jobs.start(choice.request(folder, root=root), folder, fill=fill)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    begun(folder.name)
    st.rerun()
