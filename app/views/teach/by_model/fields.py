"""Which model grades, at which address: named by the user on a machine of their own, else by whoever runs the app."""

import os

import streamlit as st

from app import environment
from app.exposure import open_to_others
from app.views.teach.readings import begin_field, keep_field
from app.views.widgets.notices import hint, note
from training.judgments.by_model.chat import KEY, ModelAddress
from training.judgments.by_model.measured import ModelAgreement

ADDRESS, MODEL, SECONDS = "teach_judge_address", "teach_judge_model", "teach_judge_seconds"
LONGEST = 600  # seconds for an answer
OPEN = (
    "This app is open to others, so that a model's address is named by whoever runs it: start it with "
    "SECOND_LOOK_JUDGE_ADDRESS."
)


def choose_model(last: ModelAgreement | None) -> ModelAddress | None:
    """Fields for the model; None, with a sentence, while none is named. Raises SettingsError for a bad address.

    On an app that others can reach the address is the environment's, whatever a browser sends: else they could have
    this server call any machine that it sees, and hand the key to any that they own.
    """
    fixed = environment.judge_address()
    others = open_to_others()
    if others and not fixed:
        hint(OPEN)
        return None
    begin_field(ADDRESS, fixed or (last.address if last else ""))
    begin_field(MODEL, last.model if last else "")
    begin_field(SECONDS, 60)
    if others:
        st.session_state[ADDRESS] = fixed
    address = st.text_input(
        "Address of the model",
        key=ADDRESS,
        disabled=others,
        placeholder="http://127.0.0.1:8080/v1",
        help="OpenAI-compatible: this machine, or another one by https.",
    )
    first, second = st.columns([2, 1])
    with first:
        model = st.text_input("Its name on the server", key=MODEL, placeholder="qwen2.5-7b-instruct")
    with second:
        seconds = st.number_input("Seconds for an answer", min_value=1, max_value=LONGEST, step=10, key=SECONDS)
    for key in (ADDRESS, MODEL, SECONDS):
        keep_field(key)
    sent = f"The key in {KEY} goes with them." if os.environ.get(KEY, "").strip() else f"No key is set ({KEY})."
    note(f"Queries and the first 6,000 characters of passages are sent to that address. {sent}")
    address = fixed if others else address.strip()
    if not address or not model.strip():
        hint("Name the address of a model and its name on the server.")
        return None
    return ModelAddress(url=address, model=model.strip(), timeout=float(seconds))
