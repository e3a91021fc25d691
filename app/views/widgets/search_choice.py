"""The query and the settings of one search, and how a page's link spells them."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app import environment, rerankers, resources
from app.views.widgets.linked import LinkRule, one_of, read, within
from indexing.errors import SecondLookError
from search.served import DEFAULT_RERANKER
from search.served_settings import ServedSettings, served_settings
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
    decided = _served(own["index"]).settings_for(own["reranker"])  # what no field of a page sets
    return SearchChoice(**own, settings=replace(decided, **pipeline))


def default_choice() -> SearchChoice:
    """An empty query with the default index's served default."""
    index, reranker = environment.default_index(), environment.default_reranker()
    served = _served(index)
    if reranker == DEFAULT_RERANKER:
        reranker = served.reranker
    return SearchChoice(query="", index=index, reranker=reranker, settings=served.settings_for(reranker))


def _served(index: str) -> ServedSettings:
    """The served default of an index; the program's own where none was chosen, or it can't be read."""
    try:
        return served_settings(index) or ServedSettings()
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


def read_link(parameters: Mapping[str, str], start: SearchChoice, indexes: list[str]) -> tuple[SearchChoice, list[str]]:
    """The choice that a link holds, and a sentence for each invalid value; missing ones are taken from `start`."""
    values, notes = read(parameters, PARAMETERS, _rules(indexes), start.values())
    return choice_of(start.values() | values), notes


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
