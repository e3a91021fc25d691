"""Brings the events of a log together: which passage each search showed, at which place, and whether it was clicked."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from indexing.errors import CorpusError
from indexing.judged.queries import normalize_query
from indexing.notes import Note, counted, log_note
from indexing.records import PassageId
from training.judgments.clicks.log import ClickLog, Shown

Pair = tuple[str, PassageId]
"""A query in the form in which queries are compared, and a passage."""


class Seen(NamedTuple):
    """How often a passage was seen and clicked; a click counts once a search."""

    views: int
    clicks: int


@dataclass(frozen=True)
class Views:
    """All searches of a log, summed up."""

    texts: Mapping[str, str]
    """Each query as it was first asked, by the form in which queries are compared."""
    seen: Mapping[Pair, Mapping[int, Seen]]
    """By place, from 1."""
    searches: int
    """Searches of which a view was counted."""
    by_impressions: bool
    """Whether views are the log's impressions; else everything counts as seen that a search returned."""

    @property
    def total(self) -> Seen:
        """Views and clicks of all passages."""
        parts = [seen for places in self.seen.values() for seen in places.values()]
        return Seen(sum(part.views for part in parts), sum(part.clicks for part in parts))


def count_views(log: ClickLog, *, places: int, note: Note = log_note) -> Views:
    """Count views and clicks on the first `places` places; searches of queries that say the same are one query's.

    Where the log has impressions, they are the views, and elsewhere what the searches returned. A click on what wasn't
    seen is left out, because its place is then unknown or untold. `note` gets what is left out.

    Raises:
        CorpusError: the log has no click, or says nothing of what was seen and not clicked.
    """
    _check(log)
    shown, left_out = dict(_places(log)), Counter[str]()
    texts: dict[str, str] = {}
    counts: dict[Pair, dict[int, Seen]] = {}
    searches: set[str] = set()
    for (query_id, passage), place in shown.items():
        reason = _reason(log, query_id, place, places)
        if reason or place is None:
            left_out[reason] += 1
            continue
        query = normalize_query(log.texts[query_id])
        texts.setdefault(query, log.texts[query_id])
        at = counts.setdefault((query, passage), {})
        before, click = at.get(place, Seen(0, 0)), (query_id, passage) in log.clicks
        at[place] = Seen(before.views + 1, before.clicks + click)
        searches.add(query_id)
    _tell(log, shown, left_out, places, note)
    return Views(texts, counts, len(searches), bool(log.impressions))


def _check(log: ClickLog) -> None:
    if not log.clicks:
        raise CorpusError("The log holds no click, so that it tells nothing of relevance; give one that does.")
    if not log.impressions and not log.answers:
        raise CorpusError(
            "The log holds clicks, but neither impressions nor what the queries returned (query_response_object_ids), "
            "so that it doesn't tell what was seen and not clicked; export the queries too, or record impressions."
        )


def _first_place(log: ClickLog) -> int:
    """The number of the log's first place: 0 if it names that one, else 1."""
    return 0 if 0 in log.impressions.values() or 0 in log.clicks.values() else 1


def _places(log: ClickLog) -> Iterator[tuple[Shown, int | None]]:
    """What was seen, with its place from 1; None where that is unknown."""
    returned = {
        (query_id, passage): place
        for query_id, answer in log.answers.items()
        for place, passage in reversed([*enumerate(answer, start=1)])  # of a passage that comes twice the first place
    }
    if not log.impressions:
        yield from ((key, returned[key]) for key in sorted(returned, key=lambda key: (key[0], returned[key])))
        return
    first = _first_place(log)
    for key, place in log.impressions.items():
        yield key, returned.get(key) if place is None else place - first + 1


def _reason(log: ClickLog, query_id: str, place: int | None, places: int) -> str:
    """Why a view isn't counted; empty if it is."""
    if query_id in log.two_texts:
        return TWO_TEXTS
    if query_id not in log.texts or not normalize_query(log.texts[query_id]):
        return NO_TEXT
    if place is None:
        return NO_PLACE
    return BELOW if place > places else ""


TWO_TEXTS = "their query id has two texts"
NO_TEXT = "nothing tells what was asked"
NO_PLACE = "nothing tells their place"
BELOW = "they lie below"


def _tell(
    log: ClickLog, shown: Mapping[Shown, int | None], left_out: Mapping[str, int], places: int, note: Note
) -> None:
    for reason, count in left_out.items():
        why = f"{reason} place {places}" if reason == BELOW else reason
        note(f"{counted(count, 'view')} left out: {why}.")
    first, moved = _first_place(log), 0
    for key, place in log.clicks.items():
        at = shown.get(key)
        moved += place is not None and at is not None and place - first + 1 != at
    if unseen := sum(key not in shown for key in log.clicks):
        note(f"{counted(unseen, 'click')} left out: the log doesn't show that what was clicked had been seen.")
    if moved:
        note(f"{counted(moved, 'click names', 'clicks name')} another place than the view; the view's place counts.")
    if first == 0:
        note("The log counts places from 0; here they are counted from 1.")
    silent = len(log.answers.keys() - {query_id for query_id, _ in log.impressions}) if log.impressions else 0
    if silent:
        note(f"{counted(silent, 'search has', 'searches have')} no impression and no part in the counts.")
