"""What is measured on: index, judged split and depth, as the pages of models and of evaluation let one choose them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app import resources
from app.resources import Opened
from app.views.widgets.notices import hint, note, problem
from indexing.catalogue import index_names
from indexing.corpus.judged import JudgedSet
from indexing.errors import CorpusError, SecondLookError
from indexing.index import open_corpus_folder
from search.load import NO_RERANKER

MOST_DEPTH = 1_000  # passages re-ranked of each query
KEPT = "measured_kept"  # the session's: what was chosen, for a return to the page
TEST_WARNING = (
    "The test split is for reporting: what is chosen by looking at it, a depth, a weight or a model, looks better "
    "than it is. Choose by the dev split."
)
TRAIN_WARNING = "A re-ranker that was trained on the train split looks better on it than it is."


def pick(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: str,
    words: Callable[[str], str] = str,
    told: str = "",
    typed: bool = False,
) -> str:
    """A select box that remembers its choice; one that isn't offered any more becomes the default.

    With `typed`, what isn't offered may be typed in.
    """
    kept: dict[str, Any] = st.session_state.setdefault(KEPT, {})
    value = st.session_state.get(key, kept.get(key))
    value = value.strip() if isinstance(value, str) else ""
    offered = list(dict.fromkeys([*options, *([value] if typed and value else [])]))
    st.session_state[key] = value if value in offered else default
    kept[key] = str(
        st.selectbox(label, offered, key=key, format_func=words, help=told or None, accept_new_options=typed)
    )
    return str(kept[key])


def pick_depth(*, key: str, default: int) -> int:
    """How many candidates of each query are re-ranked."""
    kept: dict[str, Any] = st.session_state.setdefault(KEPT, {})
    st.session_state.setdefault(key, kept.get(key, default))
    kept[key] = st.number_input(
        "Depth",
        min_value=1,
        max_value=MOST_DEPTH,
        step=10,
        key=key,
        help="Candidates that are retrieved and re-ranked of each query; the time that it takes grows with them.",
    )
    return int(kept[key])


def pick_index(*, key: str) -> str:
    """The index whose judged queries are used."""
    default = resources.default_index()
    options = sorted({*index_names(resources.index_root()), default})
    return pick("Index", options, key=key, default=default, told="Its corpus brings the judged queries.")


def pick_split(judged: Mapping[str, JudgedSet], *, key: str) -> str:
    """One of the judged splits of an index; dev unless another is chosen."""
    return pick(
        "Split",
        list(judged),
        key=key,
        default="dev" if "dev" in judged else next(iter(judged)),
        words=lambda split: f"{split} ({len(judged[split].queries):,} queries)",
        told="Choose between models by dev, report by test.",
    )


def warn_of(split: str) -> None:
    """What figures of this split may not be used for."""
    if split == "test":
        note(TEST_WARNING)
    elif split == "train":
        note(TRAIN_WARNING)


def open_first_stage(index: str) -> Opened | None:
    """An index with its bi-encoder alone; None, and why on the page, where it can't be opened."""
    try:
        return resources.open_pipeline(index, NO_RERANKER)
    except SecondLookError as error:
        problem(error)
        return None


def judged_splits(opened: Opened) -> dict[str, JudgedSet]:
    """The judged splits of an index that hold a query; none, and why on the page, where there are none."""
    try:
        found = resources.judgments(opened)
    except CorpusError as error:
        problem(error)
        return {}
    found = {split: judged for split, judged in found.items() if judged.queries}
    if not found:
        hint(
            f"The corpus of index {opened.pipeline.index.manifest.name} has no judged queries, so nothing can be "
            "measured on it. Choose another index, or put queries.SPLIT.tsv and qrels.SPLIT.tsv beside the corpus."
        )
    return found


def judgments_fingerprint(opened: Opened) -> str:
    """Changes with the files of queries and qrels beside an index's corpus."""
    paths = sorted(open_corpus_folder(opened.pipeline.index).glob("q*"))
    stats = [(path.name, path.stat()) for path in paths]
    return ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)
