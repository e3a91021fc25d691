"""The form's part for the data: an index's judged queries, people's grades, the hub's data, a teacher's scores."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from app.views.train.choice import TrainingDataChoice
from app.views.train.fields import MINING, key, value, whole_number
from app.views.widgets.figures import heading_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.pickers import pick
from app.views.widgets.terms import meaning
from indexing import places
from indexing.catalogue import current_build
from indexing.errors import SecondLookError
from indexing.index import corpus_folder
from indexing.judged.sets import judged_sets
from indexing.manifest import Manifest
from indexing.notes import counted
from training.data.readers.hub import HUB_DATA
from training.judgments.feedback import FeedbackStore
from training.judgments.kept import ORIGINS, Origin, judgments_to_train, kept_folder
from training.mining.settings import SAMPLING
from training.recipes.catalog import find_loss_recipe
from training.versions.registry import Version

MOST_EXAMPLES = 10_000_000
OWN_SCORES = "The data's own scores; for an index, those of its first stage"


class KeptCount(NamedTuple):
    """How many judgments of one origin may be trained on."""

    judgments: int
    queries: int

    def words(self, origin: Origin) -> str:
        """How many there are, of how many queries, and whose they are."""
        queries = counted(self.queries, "query", "queries")
        return f"{counted(self.judgments, 'judgment')} of {queries} {origin.words}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is to learn from and to measure on."""

    splits: Mapping[str, int]
    """Judged queries of the index by split."""
    bi_encoder: str
    """The index's."""
    grades: int
    """Of people, that may be trained on."""
    kept: Mapping[Origin, KeptCount]
    """What is kept for the index beside people's grades and may be trained on."""


def find_data(index: str) -> Found:
    """Count the judged queries of an index and people's grades; the index itself isn't opened."""
    splits, bi_encoder = _about(index)
    kept = {origin: count for origin in ORIGINS.values() if (count := _kept(origin, index)).judgments}
    return Found(splits=splits, bi_encoder=bi_encoder, grades=_grades(), kept=kept)


def choose_data(
    recipe: str, index: str, found: Found, versions: Mapping[str, Version], *, seed: int
) -> TrainingDataChoice:
    """Show the fields; give back the choice."""
    cold = find_loss_recipe(recipe).from_passages
    if cold:
        note(
            f"It makes queries from the passages of {index} and learns from the first stage's ranking; "
            "no judgments are used."
        )
        queries = whole_number("Queries to make", "queries", 1, 100_000, about="At most one per passage.")
    else:
        queries = int(value("queries"))
        _sources(recipe, index, found)
    chosen = {name: bool(value(name)) and not cold for name in ("judged", "feedback", "hub")}
    chosen["judged"] &= bool(found.splits.get("train"))
    chosen["feedback"] &= bool(found.grades)
    kept = tuple(origin for origin in found.kept if value(origin.name) and not cold)
    chosen["hub"] &= recipe in HUB_DATA
    teacher = ""
    if not cold and find_loss_recipe(recipe).needs_scores:
        teacher = _teacher(versions, found.bi_encoder)
    if not cold:
        st.html(heading_html("Negatives and number of examples"))
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
    return TrainingDataChoice(
        index=index, **chosen, kept=kept, limit=limit, teacher=teacher, queries=queries, mining=mining
    )


def _sources(recipe: str, index: str, found: Found) -> None:
    train, grades = found.splits.get("train", 0), found.grades
    st.checkbox(
        f"The {train:,} judged train queries of {index}" if train else "The index has no judged train queries",
        key=key("judged"),
        disabled=not train,
        help="With negatives that are mined from the index as set below.",
    )
    st.checkbox(
        f"My judgments: {grades:,} grades" if grades else "My judgments: no grades to train on yet",
        key=key("feedback"),
        disabled=not grades,
        help="The grades from the Teach page. Protected queries are never trained on.",
    )
    for origin in ORIGINS.values():
        count = found.kept.get(origin)
        st.checkbox(
            count.words(origin) if count else f"Judgments {origin.words}: none kept for this index yet",
            key=key(origin.name),
            disabled=count is None,
            help="Kept on the Teach page, apart from the grades. Protected queries are never trained on.",
        )
    source = HUB_DATA.get(recipe)
    st.checkbox(
        f"{source.name} from the hub" if source else "The hub has no data for this recipe",
        key=key("hub"),
        disabled=source is None,
        help="Streamed. If it refers to passages by id, the index above must be one of MS MARCO with its original ids.",
    )


def _teacher(versions: Mapping[str, Version], bi_encoder: str) -> str:
    model = bi_encoder.rstrip("/").split("/")[-1]
    names = {
        "": OWN_SCORES,
        f"first-stage:{bi_encoder}": f"The first stage ({model})",
        f"late-interaction:{bi_encoder}": f"The first stage's tokens, by late interaction ({model})",
    }
    names |= {f"reranker:{version.folder}": f"Version {version.id}" for version in versions.values()}
    return pick(
        "Teacher",
        list(names),
        key="train_teacher",
        default="",
        words=names.__getitem__,
        about=meaning("Teacher"),
    )


def _mining() -> None:
    first, second, third = st.columns(3)
    with first:
        whole_number("Negatives per query", "per_query", 1, 1_000)
        st.selectbox(
            "Sampling",
            SAMPLING,
            key=key("sampling"),
            help="top: the highest-ranked ones; random: any; mixed: half from the top tenth, a quarter from the upper "
            "half and the rest from all.",
        )
    with second:
        whole_number("From rank", "first_rank", 1, 10_000)
        whole_number("To rank", "last_rank", 1, 10_000)
    with third:
        st.number_input(
            "Relative margin",
            value=None,
            min_value=0.0,
            max_value=0.99,
            step=0.01,
            key=key("margin"),
            placeholder="none",
            help=f"{meaning('Relative margin')} Empty for no margin.",
        )
        whole_number("Maximum examples per source", "limit", 1, MOST_EXAMPLES)


def _about(index: str) -> tuple[Mapping[str, int], str]:
    """The number of judged queries by split, and the bi-encoder; the index itself isn't opened."""
    try:
        manifest = Manifest.load(current_build(index, root=places.indexes()))
        folder = corpus_folder(index, root=places.indexes())
        stats = [(path.name, path.stat()) for path in sorted(folder.glob("q*"))]
        return _counts(str(folder), ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats)), (
            manifest.bi_encoder
        )
    except (SecondLookError, OSError) as error:
        problem(error)
        return {}, ""


@st.cache_data(max_entries=16, show_spinner="Counting judged queries …")
def _counts(folder: str, files: str) -> dict[str, int]:
    del files  # only a part of the cache's key
    return {split: len(judged.queries) for split, judged in judged_sets(Path(folder)).items()}


def _grades() -> int:
    """The number of grades that may be trained on."""
    if not places.feedback().exists():
        return 0
    try:
        return sum(not grade.protected for grade in FeedbackStore.open(places.feedback()).grades())
    except SecondLookError as error:
        hint(str(error))
        return 0


def _kept(origin: Origin, index: str) -> KeptCount:
    """How much is kept of an origin that may be trained on."""
    try:
        if kept_folder(origin, index) is None:
            return KeptCount(0, 0)
        judged = judgments_to_train(origin, index, FeedbackStore.open(places.feedback()))
    except (SecondLookError, OSError) as error:
        hint(str(error))
        return KeptCount(0, 0)
    return KeptCount(0, 0) if judged is None else KeptCount(sum(map(len, judged.qrels.values())), len(judged.queries))
