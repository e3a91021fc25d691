"""The form for a new training: how long it may take, what it will do in a sentence, and all settings under Expert."""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.background import Subject
from app.views.train.choice import TrainingChoice
from app.views.train.data import Found, choose_data, find_data
from app.views.train.fields import key, remember, restore, value
from app.views.train.numbers import choose_dev, choose_numbers
from app.views.train.own_data import write_own_data
from app.views.train.preview import show_forecast, start_forecast, stop_forecast
from app.views.train.summary import sentences_of, title_of
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import note, problem
from app.views.widgets.pickers import pick, pick_index
from app.views.widgets.terms import meaning
from app.views.widgets.work import page_link
from indexing import places
from indexing.errors import SecondLookError
from indexing.names import DEFAULT_BI_ENCODER
from search.served import reranker_path
from training.jobs.jobs import TrainingJob
from training.recipes.catalog import LOSS_RECIPES, USUAL, find_loss_recipe
from training.recipes.settings import TrainSettings
from training.versions import promoted
from training.versions.registry import Version, versions

CONTINUES = "continues if you leave this page"
LONGEST = 30 * 24 * 60.0  # minutes


def show_form(*, on_start: Callable[[str], None]) -> None:
    """Show the fields and the buttons that preview and start; `on_start` is called with the new job's name."""
    title = st.empty()
    restore()
    with st.container(border=True, key="train_form"):
        choice = None
        simple, buttons = st.container(), st.container(horizontal=True, gap="small")
        try:
            choice = _choose(simple, title)
        except SecondLookError as error:
            title.html(heading_html("New training", CONTINUES))
            with simple:
                problem(error)
        remember()
        with buttons:
            start = st.button("Start", key="train_start", type="primary", icon=":material/play_arrow:", width="content")
            preview = st.button("Preview", key="train_preview", icon=":material/preview:", width="content")
        if choice is not None and preview:
            start_forecast(choice)
        if choice is not None and start:
            _start(choice, on_start)
    show_forecast(choice)


def _choose(simple: DeltaGenerator, title: DeltaGenerator) -> TrainingChoice:
    """Show the fields; give back the choice. Raises SettingsError for an invalid one."""
    with simple:
        first, second = st.columns(2)
        with first:
            index = pick_index(key="train_index")
        with second:
            minutes = _minutes()
    found = find_data(index)
    with st.expander("Expert", key="train_expert"):
        choice, base = _expert(index, found, minutes)
    title.html(heading_html(title_of(choice, found, base=base), CONTINUES))
    with simple:
        note(*sentences_of(choice, found, base=base))
        if not found.grades:
            page_link(Subject("the grades", "teach"), label="Grade passages on Teach")
    return choice


def _minutes() -> float:
    whole = bool(value("whole"))
    about = (
        "Gathering the data, mining negatives, training and measuring are counted: as many steps are trained as fit."
        if whole
        else "Time for training itself, without gathering data and evaluating. As many steps as fit are run, judging "
        "by their speed at the start."
    )
    label = "Minutes in all" if whole else "Minutes of training"
    return float(
        st.number_input(label, min_value=0.01, max_value=LONGEST, step=5.0, format="%g", key=key("minutes"), help=about)
    )


def _expert(index: str, found: Found, minutes: float) -> tuple[TrainingChoice, str]:
    """Everything but the index and the minutes; the choice, and the model to start from in words."""
    known = {version.id: version for version in versions() if not version.fault}
    first, second, third = st.columns(3)
    with first:
        name = st.text_input(
            "Name of the version", key=key("name"), help="Versions are numbered: NAME/1, NAME/2 and so on."
        )
    with second:
        recipe = pick("Recipe", list(LOSS_RECIPES), key="train_recipe", default=USUAL, about=meaning("Recipe"))
    with third:
        base, words = _base(known)
    note(f"{recipe} learns from {find_loss_recipe(recipe).learns_from}.")
    st.html(heading_html("Training data"))
    data = choose_data(recipe, index, found, known, seed=int(value("seed")))
    st.html(heading_html("Settings"))
    st.checkbox("The minutes count gathering, mining and measuring too", key=key("whole"))
    numbers = choose_numbers(recipe)
    dev = choose_dev(index, found.splits.get("dev", 0))
    every = int(value("evaluate_every")) if dev is not None else 0
    settings = TrainSettings(base=base, minutes=minutes, evaluate_every=every, **numbers)
    choice = TrainingChoice(
        name=name.strip(), recipe=recipe, settings=settings, data=data, dev=dev, whole=bool(value("whole"))
    )
    return choice, words


def _base(known: Mapping[str, Version]) -> tuple[str, str]:
    """The model to start from, and the same in words: the served version, any other, the bi-encoder, or a typed one."""
    names = {DEFAULT_BI_ENCODER: "The bi-encoder, with a new head"}
    names |= {str(version.folder): f"Version {version.id}" for version in known.values()}
    default = DEFAULT_BI_ENCODER
    try:
        default = reranker_path()
        names[default] = f"The served version ({promoted.current_promotion().promoted})"
    except SecondLookError as error:
        note(f"No served model to start from: {error}")
    base = pick(
        "Start from",
        list(names),
        key="train_base",
        default=default,
        words=lambda name: names.get(name, name),
        about=f"{meaning('Start from')} Choose one, or type a folder or a hub name such as "
        "cross-encoder/ms-marco-MiniLM-L6-v2.",
        typed=True,
    )
    return base, names.get(base, base)


def _start(choice: TrainingChoice, on_start: Callable[[str], None]) -> None:
    folder, root = TrainingJob.new_folder(), places.indexes()

    def fill(work: Path) -> None:
        write_own_data(choice.data, work, root=root)

    try:
        TrainingJob.start(choice.request(folder, root=root), folder, fill=fill)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    stop_forecast()
    on_start(folder.name)
    st.rerun()
