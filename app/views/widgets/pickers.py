"""Pickers of what to measure on: index, judged split and depth; each remembers its choice for a return to the page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app import environment, resources
from app.resources import SharedPipeline
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.terms import meaning
from indexing import places
from indexing.catalogue import index_names
from indexing.errors import CorpusError, SecondLookError
from indexing.index import open_corpus_folder
from indexing.judged.sets import JudgedSet
from search.served import NO_RERANKER

MOST_DEPTH = 1_000  # passages re-ranked of each query
PICKED_KEY = "measured_kept"  # session: the values picked, for a return to the page
TEST_WARNING = (
    "The test split is for reporting. A depth, weight or model that was chosen by looking at it seems better than it "
    "is: choose by the dev split instead."
)
TRAIN_WARNING = "A re-ranker that was trained on the train split seems better on it than it is."


def pick(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: str,
    words: Callable[[str], str] = str,
    about: str = "",
    typed: bool = False,
) -> str:
    """A select box that remembers its choice; a choice that is no longer offered becomes the default.

    With `typed`, the user may also type a value that isn't offered.
    """
    picked: dict[str, Any] = st.session_state.setdefault(PICKED_KEY, {})
    value = st.session_state.get(key, picked.get(key))
    value = value.strip() if isinstance(value, str) else ""
    offered = list(dict.fromkeys([*options, *([value] if typed and value else [])]))
    st.session_state[key] = value if value in offered else default
    picked[key] = str(
        st.selectbox(label, offered, key=key, format_func=words, help=about or None, accept_new_options=typed)
    )
    return str(picked[key])


def pick_depth(*, key: str, default: int) -> int:
    """How many candidates of each query are re-ranked."""
    picked: dict[str, Any] = st.session_state.setdefault(PICKED_KEY, {})
    st.session_state.setdefault(key, picked.get(key, default))
    picked[key] = st.number_input(
        "Depth",
        min_value=1,
        max_value=MOST_DEPTH,
        step=10,
        key=key,
        help=meaning("Depth"),
    )
    return int(picked[key])


def pick_index(*, key: str) -> str:
    """The index whose judged queries are used."""
    default = environment.default_index()
    options = sorted({*index_names(places.indexes()), default})
    return pick(
        "Index", options, key=key, default=default, about=f"{meaning('Index')} Its corpus supplies the judged queries."
    )


def pick_split(judged: Mapping[str, JudgedSet], *, key: str) -> str:
    """One of the judged splits of an index; dev unless another is chosen."""
    return pick(
        "Split",
        list(judged),
        key=key,
        default="dev" if "dev" in judged else next(iter(judged)),
        words=lambda split: f"{split} ({len(judged[split].queries):,} queries)",
        about=meaning("Split"),
    )


def warn_about(split: str) -> None:
    """Show what figures of this split must not be used for."""
    if split == "test":
        note(TEST_WARNING)
    elif split == "train":
        note(TRAIN_WARNING)


def open_first_stage(index: str) -> SharedPipeline | None:
    """An index with its bi-encoder and no re-ranker; None, with the reason on the page, where it can't be opened."""
    try:
        return resources.open_pipeline(index, NO_RERANKER)
    except SecondLookError as error:
        problem(error)
        return None


def judged_splits(shared: SharedPipeline) -> dict[str, JudgedSet]:
    """The judged splits of an index that hold a query; empty, with the reason on the page, where there are none."""
    try:
        splits = resources.judgments(shared)
    except CorpusError as error:
        problem(error)
        return {}
    splits = {split: judged for split, judged in splits.items() if judged.queries}
    if not splits:
        hint(
            f"The corpus of index {shared.pipeline.index.manifest.name} has no judged queries, so nothing can be "
            "measured on it. Choose another index, or add queries with judgments to this one on the Indexes page."
        )
    return splits


def judgments_fingerprint(shared: SharedPipeline) -> str:
    """Changes with the files of queries and qrels beside an index's corpus."""
    paths = sorted(open_corpus_folder(shared.pipeline.index).glob("q*"))
    stats = [(path.name, path.stat()) for path in paths]
    return ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)
