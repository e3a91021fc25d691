"""The query and the settings of one search, and how a page's link spells them."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app import environment, rerankers, resources
from app.views.widgets.linked import LinkRule, differing, one_of, read, within
from indexing.errors import SecondLookError
from search.served import DEFAULT_RERANKER
from search.served_settings import ServedSettings, settings_in_force
from search.settings import FUSIONS, MIXES, PipelineSettings

_LOG = logging.getLogger(__name__)
DEEPEST = 10_000  # passages; PipelineSettings takes no more
MOST_RERANKED = 1_000  # passages
HIGHEST_K1 = 3.0
MOST_SHOWN = 50  # passages of each list
_OFFERED = "a re-ranker that is offered here (what isn't here is loaded only when its name is typed, not by a link)"


@dataclass(frozen=True, kw_only=True)
class SearchChoice:
    """One search as a user set it."""

    query: str
    index: str
    reranker: str
    settings: PipelineSettings = field(default_factory=PipelineSettings)
    shown: int = 10
    """Passages shown of each list."""

    def values(self) -> dict[str, Any]:
        """Every field, the settings' among them, by its name."""
        return asdict(self.settings) | {
            "query": self.query,
            "index": self.index,
            "reranker": self.reranker,
            "shown": self.shown,
        }


# What a link calls each field.
SEARCH_PARAMETERS = {"q": "query", "index": "index", "reranker": "reranker", "shown": "shown"}
PIPELINE_PARAMETERS = {
    "fusion": "fusion",
    "bm25": "bm25_weight",
    "k1": "k1",
    "b": "b",
    "depth": "depth",
    "rerank": "rerank_depth",
    "weight": "rerank_weight",
    "mix": "rerank_mix",
}
PARAMETERS = SEARCH_PARAMETERS | PIPELINE_PARAMETERS


def choice_of(values: Mapping[str, Any]) -> SearchChoice:
    """The choice with these values by field. Raises SettingsError.

    The re-ranking depth is cut to the depth. What a widget never sends, but a forged message may, becomes a value that
    the page has.
    """
    own = {name: values[name] for name in SEARCH_PARAMETERS.values()}
    own |= {"reranker": rerankers.usable(own["reranker"]), "shown": min(max(own["shown"], 1), MOST_SHOWN)}
    pipeline = {name: values[name] for name in PIPELINE_PARAMETERS.values()}
    pipeline["rerank_depth"] = min(pipeline["rerank_depth"], pipeline["depth"])
    decided = served_default(own["index"]).settings_for(own["reranker"])  # what no field of a page sets
    return SearchChoice(**own, settings=decided.changed(pipeline))


def default_choice(index: str | None = None, reranker: str | None = None) -> SearchChoice:
    """An empty query with the served default of an index, the default one if None; or its default by a re-ranker."""
    index, reranker = index or environment.default_index(), reranker or environment.default_reranker()
    served = served_default(index)
    if reranker == DEFAULT_RERANKER:
        reranker = served.reranker
    return SearchChoice(query="", index=index, reranker=reranker, settings=served.settings_for(reranker))


def served_default(index: str) -> ServedSettings:
    """The served default of an index; the program's own where none was chosen, or it can't be read."""
    try:
        return settings_in_force(index)
    except SecondLookError as error:
        _LOG.warning("%s", error)
        return ServedSettings()


def without_own_bm25(choice: SearchChoice) -> SearchChoice:
    """The choice with k1 and b set to None where they are the index's own, or where the index allows no others."""
    own = resources.own_bm25(choice.index)
    k1, b = choice.settings.k1, choice.settings.b
    return replace(
        choice,
        settings=replace(
            choice.settings,
            k1=None if own is None or k1 == own.k1 else k1,
            b=None if own is None or b == own.b else b,
        ),
    )


def read_link(
    parameters: Mapping[str, str],
    start: SearchChoice,
    indexes: list[str],
    usual: Callable[[str | None, str | None], SearchChoice] = default_choice,
) -> tuple[SearchChoice, list[str]]:
    """The choice that a link holds, and a sentence for each invalid value; missing ones are taken from `start`.

    Where the link names another index or re-ranker than `start`, they are taken from the default of that, which `usual`
    gives.
    """
    values, notes = read(parameters, PARAMETERS, _rules(indexes), start.values())
    named = values.keys() & {"index", "reranker"}
    if any(values[name] != start.values()[name] for name in named):
        default = usual(values.get("index", start.index), values.get("reranker"))
        start = replace(default, query=start.query, shown=start.shown)
    return choice_of(start.values() | values), notes


def link_of(choice: SearchChoice) -> dict[str, str]:
    """The link of a choice: what differs from the default of its index and its re-ranker."""
    usual = default_choice(choice.index, choice.reranker).values()
    usual |= {"index": environment.default_index(), "reranker": default_choice(choice.index).reranker}
    return differing(choice.values(), usual, PARAMETERS)


def followed(
    values: Mapping[str, Any],
    before: SearchChoice,
    usual: Callable[[str | None, str | None], SearchChoice] = default_choice,
) -> dict[str, Any]:
    """The fields to set after another index or re-ranker was picked, by the fields' values now and the choice before.

    What the user left at the default of before becomes the new default; what the user changed stays. `usual` gives the
    default of an index and a re-ranker.
    """
    index, reranker = values["index"], values["reranker"]
    if index != before.index and reranker == usual(before.index, None).reranker:
        reranker = usual(index, None).reranker
    old, new = usual(before.index, before.reranker).values(), usual(index, reranker).values()
    fields = {name: new[name] for name in PIPELINE_PARAMETERS.values() if values[name] == old[name]}
    depths = {name: fields.get(name, values[name]) for name in ("depth", "rerank_depth")}
    return fields | {"reranker": reranker, "rerank_depth": min(depths["rerank_depth"], depths["depth"])}


def _rules(indexes: list[str]) -> Mapping[str, LinkRule]:
    """What each parameter of a link must be."""
    share = within(float, 0, 1)
    return {
        "q": LinkRule("a query", str),
        "index": one_of(indexes, "an existing index"),
        "fusion": one_of(FUSIONS),
        "bm25": share,
        "k1": within(float, 0, HIGHEST_K1),
        "b": share,
        "depth": within(int, 1, DEEPEST),
        "rerank": within(int, 0, MOST_RERANKED),
        "reranker": LinkRule(_OFFERED, _reranker),
        "weight": share,
        "mix": one_of(MIXES),
        "shown": within(int, 1, MOST_SHOWN),
    }


def _reranker(text: str) -> str:
    name = text.strip()
    if not rerankers.is_offered(name):
        raise ValueError(text)
    return name
