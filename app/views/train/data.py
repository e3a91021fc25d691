"""What a training learns from: an index's judged queries, people's grades, the hub's data, and a teacher's scores."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app import resources
from app.resources import feedback_path
from app.views.train.choice import DataChoice
from app.views.train.fields import MINING, key, value, whole
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import pick, pick_index
from indexing.catalogue import current_build
from indexing.corpus.judged import judged_sets
from indexing.errors import SecondLookError
from indexing.index import corpus_folder
from indexing.manifest import Manifest
from training.data.readers.hub import HUB_DATA
from training.judgments.feedback import FeedbackStore
from training.mining.settings import SAMPLING
from training.recipes.catalog import find_loss_recipe
from training.versions.registry import Version

MOST = 10_000_000  # examples
ITS_OWN = "The scores that the data have; an index's are its first stage's"


def choose_data(recipe: str, versions: Mapping[str, Version], *, seed: int) -> tuple[DataChoice, Mapping[str, int]]:
    """The widgets; gives what they say, and how many judged queries the index has by split."""
    index = pick_index(key="train_index")
    splits, bi_encoder = _about(index)
    cold = find_loss_recipe(recipe).from_passages
    if cold:
        note(
            f"It asks questions of the passages of {index} and takes the first stage's opinion; judgments aren't read."
        )
        queries = whole("Queries to make", "queries", 1, 100_000, told="At most one a passage.")
    else:
        queries = int(value("queries"))
        _sources(recipe, index, splits)
    wanted = {name: bool(value(name)) and not cold for name in ("judged", "feedback", "hub")}
    wanted["judged"] &= bool(splits.get("train"))
    wanted["feedback"] &= bool(_grades())
    wanted["hub"] &= recipe in HUB_DATA
    teacher = ""
    if not cold and find_loss_recipe(recipe).needs_scores:
        teacher = _teacher(versions, bi_encoder)
    if not cold:
        with st.expander("Negatives, and how many examples", key="train_mining"):
            _mining()
    mining = replace(
        MINING,
        per_query=int(value("per_query")),
        ranks=(int(value("first_rank")), int(value("last_rank"))),
        sampling=str(value("sampling")),
        relative_margin=value("margin"),
        seed=seed,
    )
    limit = int(value("limit"))
    return DataChoice(index, **wanted, limit=limit, teacher=teacher, queries=queries, mining=mining), splits


def _sources(recipe: str, index: str, splits: Mapping[str, int]) -> None:
    train, grades = splits.get("train", 0), _grades()
    st.checkbox(
        f"The {train:,} judged train queries of {index}" if train else "The index has no judged train queries",
        key=key("judged"),
        disabled=not train,
        help="With negatives mined from the index, as set below.",
    )
    st.checkbox(
        f"My judgments: {grades:,} grades" if grades else "My judgments: there is no grade to train on yet",
        key=key("feedback"),
        disabled=not grades,
        help="What was graded on the Teach page; protected queries are never trained on.",
    )
    source = HUB_DATA.get(recipe)
    st.checkbox(
        f"{source.name} from the hub" if source else "The hub has nothing for this recipe",
        key=key("hub"),
        disabled=source is None,
        help="Streamed; where it names passages by id, the index above must be one of MS MARCO with its own ids.",
    )


def _teacher(versions: Mapping[str, Version], bi_encoder: str) -> str:
    model = bi_encoder.rstrip("/").split("/")[-1]
    names = {
        "": ITS_OWN,
        f"first-stage:{bi_encoder}": f"The first stage ({model})",
        f"late-interaction:{bi_encoder}": f"Its tokens, by late interaction ({model})",
    }
    names |= {f"reranker:{item.folder}": f"Version {item.id}" for item in versions.values()}
    return pick(
        "Teacher",
        list(names),
        key="train_teacher",
        default="",
        words=names.__getitem__,
        told="Whose scores it learns; judgments have none of their own.",
    )


def _mining() -> None:
    first, second, third = st.columns(3)
    with first:
        whole("Negatives a query", "per_query", 1, 1_000)
        st.selectbox(
            "Sampling",
            SAMPLING,
            key=key("sampling"),
            help="The best ranked, any, or half of the best tenth, a quarter of the upper half and the rest of all.",
        )
    with second:
        whole("From rank", "first_rank", 1, 10_000)
        whole("To rank", "last_rank", 1, 10_000)
    with third:
        st.number_input(
            "Relative margin",
            value=None,
            min_value=0.0,
            max_value=0.99,
            step=0.01,
            key=key("margin"),
            placeholder="none",
            help="Share of the positive's score that a negative must stay below it: keeps out what nobody judged "
            "though it may answer. Empty for none.",
        )
        whole("At most so many examples of each source", "limit", 1, MOST)


def _about(index: str) -> tuple[Mapping[str, int], str]:
    """Judged queries by split, and the bi-encoder; nothing of the index itself is opened."""
    try:
        manifest = Manifest.load(current_build(index, root=resources.index_root()))
        folder = corpus_folder(index, root=resources.index_root())
        stats = [(path.name, path.stat()) for path in sorted(folder.glob("q*"))]
        return _counts(str(folder), ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)), (
            manifest.bi_encoder
        )
    except (SecondLookError, OSError) as error:
        problem(error)
        return {}, ""


@st.cache_data(max_entries=16, show_spinner="Counting judged queries …")
def _counts(folder: str, files: str) -> dict[str, int]:
    del files  # a part of the cache's key only
    return {split: len(judged.queries) for split, judged in judged_sets(Path(folder)).items()}


def _grades() -> int:
    """Grades that may be trained on; 0 where nobody gave any."""
    if not feedback_path().exists():
        return 0
    try:
        return sum(not grade.protected for grade in FeedbackStore.open(feedback_path()).grades())
    except SecondLookError as error:
        hint(str(error))
        return 0
