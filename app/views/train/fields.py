"""Plain fields of the training form, kept in the session for a return to the page."""

from typing import Any

import streamlit as st

from indexing import precision
from training.data.questions import ColdStart
from training.judgments.kept import ORIGINS
from training.mining.settings import MiningSettings
from training.recipes.settings import TrainSettings
from training.train.request import DevSettings

FIELDS_KEY = "train_kept"  # session: the values of all fields, for a return to the page
MINING = MiningSettings(per_query=7)
CHECKPOINT_STEPS = {"cpu": 25}  # by device: steps between checkpoints; where steps are slow, more often
OTHER_CHECKPOINT_STEPS = 200


def default_values() -> dict[str, Any]:
    """The value of each field before a user changes it."""
    return {
        "name": "mine",
        "judged": True,
        "feedback": True,
        **dict.fromkeys(ORIGINS, False),
        "hub": False,
        "limit": 20_000,
        "queries": ColdStart.queries,
        "per_query": MINING.per_query,
        "first_rank": MINING.ranks[0],
        "last_rank": MINING.ranks[1],
        "sampling": MINING.sampling,
        "margin": MINING.relative_margin,
        "minutes": 10.0,
        "whole": True,
        "learning_rate": None,
        "batch": None,
        "micro_batch": None,
        "steps": None,
        "max_length": TrainSettings.max_length,
        "save_every": CHECKPOINT_STEPS.get(precision.device(), OTHER_CHECKPOINT_STEPS),
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
    """Fill the fields that the session lacks with their last values or the defaults."""
    last = st.session_state.setdefault(FIELDS_KEY, {})
    for field, default in default_values().items():
        st.session_state.setdefault(key(field), last.get(field, default))


def remember() -> None:
    """Keep all fields for a return to the page: Streamlit drops the values of widgets that aren't drawn."""
    st.session_state[FIELDS_KEY] = {field: st.session_state[key(field)] for field in default_values()}


def value(field: str) -> Any:
    """What a field holds."""
    return st.session_state[key(field)]


def whole_number(label: str, field: str, least: int, most: int, *, about: str = "") -> int:
    """A whole number within the limits of the settings."""
    return int(st.number_input(label, min_value=least, max_value=most, step=1, key=key(field), help=about or None))


def optional_whole_number(label: str, field: str, most: int, *, default: str, about: str = "") -> int | None:
    """A whole number from 1, or empty; `default` describes what holds when it is empty."""
    number = st.number_input(
        label, value=None, min_value=1, max_value=most, step=1, key=key(field), placeholder=default, help=about or None
    )
    return None if number is None else int(number)
