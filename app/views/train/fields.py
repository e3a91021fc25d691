"""Plain fields of the form, kept in the session for a return to the page."""

from typing import Any

import streamlit as st

from indexing import precision
from training.data.questions import ColdStart
from training.mining.settings import MiningSettings
from training.recipes.settings import TrainSettings
from training.train.request import DevSettings

KEPT = "train_kept"  # the session's: what was chosen, for a return to the page
MINING = MiningSettings(per_query=7)
DEFAULTS: dict[str, Any] = {
    "name": "mine",
    "judged": True,
    "feedback": False,
    "hub": False,
    "limit": 20_000,
    "queries": ColdStart.queries,
    "per_query": MINING.per_query,
    "first_rank": MINING.ranks[0],
    "last_rank": MINING.ranks[1],
    "sampling": MINING.sampling,
    "margin": MINING.relative_margin,
    "minutes": 30.0,
    "learning_rate": None,
    "batch": None,
    "micro_batch": None,
    "steps": None,
    "max_length": TrainSettings.max_length,
    "save_every": 25 if precision.device() == "cpu" else 200,
    "seed": TrainSettings.seed,
    "dev": True,
    "dev_queries": DevSettings.queries,
    "dev_depth": DevSettings.depth,
    "evaluate_every": 100,
}


def key(field: str) -> str:
    """The session's key of a field, which is also its widget's."""
    return f"train_field_{field}"


def restore() -> None:
    """Fill what the session lacks: with what was chosen last, or the default."""
    kept = st.session_state.setdefault(KEPT, {})
    for field, default in DEFAULTS.items():
        st.session_state.setdefault(key(field), kept.get(field, default))


def remember() -> None:
    """Keep all fields for a return to the page: the session forgets widgets that aren't drawn."""
    st.session_state[KEPT] = {field: st.session_state[key(field)] for field in DEFAULTS}


def value(field: str) -> Any:
    """What a field holds."""
    return st.session_state[key(field)]


def whole(label: str, field: str, least: int, most: int, *, told: str = "") -> int:
    """A whole number; the widget's own limits are what the settings take."""
    return int(st.number_input(label, min_value=least, max_value=most, step=1, key=key(field), help=told or None))


def whole_or_none(label: str, field: str, most: int, *, usual: str, told: str = "") -> int | None:
    """A whole number from 1, or nothing for what is usual."""
    given = st.number_input(
        label, value=None, min_value=1, max_value=most, step=1, key=key(field), placeholder=usual, help=told or None
    )
    return None if given is None else int(given)
