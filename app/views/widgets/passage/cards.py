"""A ranking as a list of cards. Passages are data: every piece of text is escaped here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from app.environment import read_only
from app.views.widgets.passage.judgment import NOT_JUDGED, Judgment
from app.views.widgets.terms import meaning
from indexing.records import Candidate, PassageId, Ranking
from indexing.words.analyzer import Analyzer
from search.calibration.curve import Estimate
from search.explain.matches import Span, matched_spans
from search.trace import SearchTrace

LEAD_LENGTH = 190  # characters of a passage shown at first
SPANS_KEPT = 500  # texts whose matches are kept
SCALES = {"rrf": ("RRF", 4), "weighted": ("weighted sum", 3), "bm25": ("BM25", 2), "dense": ("cosine", 3)}
"""Name and decimals of each fusion's scores."""
RETRIEVER_NAMES = {"bm25": "BM25", "dense": "dense"}


def retriever_meaning(name: str) -> str:
    """What the retriever of this name does."""
    return {"bm25": meaning("BM25"), "dense": meaning("Dense")}[name]


@dataclass(frozen=True)
class PassageCard:
    """One place of a list, ready to be shown."""

    rank: int
    passage_id: PassageId
    movement: str
    """HTML: how far the passage moved, or its rank in the other list."""
    badges: tuple[str, ...]
    """HTML: its grade, its rank in each retriever's list, whether it was cut."""
    bar: str = ""
    """HTML: a bar of its score."""
    worth: str = ""
    """HTML: what the bar stands for in words; empty where it is only relative to the list's best."""


def first_stage_cards(trace: SearchTrace, judgment: Judgment | None, *, shown: int) -> list[PassageCard]:
    """The fused list."""
    after = trace.final.ranks()
    bars = relative_scores(trace.fused)
    cards = []
    for place in trace.fused.top(shown):
        went = "" if trace.reranked is None else _went(after.get(place.passage_id))
        estimate = trace.estimate(place.passage_id) if trace.reranked is None else None
        cards.append(_card(trace, place, judgment, movement=went, estimate=estimate, relative=bars[place.passage_id]))
    return cards


def reranked_cards(trace: SearchTrace, judgment: Judgment | None, *, shown: int) -> list[PassageCard]:
    """The re-ranked list."""
    moves = {} if trace.answers is False else trace.moves()
    bars = relative_scores(trace.final)
    cards = []
    for place in trace.final.top(shown):
        movement = moved(moves[place.passage_id]) if moves else ""
        estimate, relative = trace.estimate(place.passage_id), bars[place.passage_id]
        cards.append(_card(trace, place, judgment, movement=movement, estimate=estimate, relative=relative))
    return cards


def _card(
    trace: SearchTrace,
    place: Candidate,
    judgment: Judgment | None,
    *,
    movement: str,
    estimate: Estimate | None,
    relative: float,
) -> PassageCard:
    badges = _badges(trace, place, judgment)
    bar, worth = bar_html(estimate, relative), "" if estimate is None else worth_html(estimate)
    return PassageCard(place.rank, place.passage_id, movement, badges, bar, worth)


def relative_scores(ranking: Ranking) -> dict[PassageId, float]:
    """Each passage's score relative to the list's best, which has 1; from 0, or from the lowest if that lies below."""
    if not len(ranking):
        return {}
    lowest, best = min(float(ranking.scores.min()), 0.0), float(ranking.scores.max())
    return {place.passage_id: (place.score - lowest) / (best - lowest) if best > lowest else 1.0 for place in ranking}


def bar_html(estimate: Estimate | None, relative: float) -> str:
    """The share of passages with such a score that was relevant, which words beside it say too; else a score alone.

    Without an estimate the bar is named by the score in relation to the list's best.
    """
    if estimate is not None:
        width, heard = estimate.probability, f'title="{escape(meaning("Score"))}" aria-hidden="true"'
    else:
        words = f"score {relative:.2f}, where the best of this list has 1"
        width, heard = relative, f'role="img" aria-label="{words}" title="{words}"'
    return f'<span class="sl-bar" {heard}><i style="width:{100 * width:.0f}%"></i></span>'


def worth_html(estimate: Estimate) -> str:
    """What share of passages with such a score was relevant, with its interval."""
    share, low, high = (round(100 * value) for value in estimate)
    words = f"of passages with this score, {share} % were relevant [{low}, {high}]"
    return f'<p class="sl-worth" title="{escape(meaning("Score"))}">{words}</p>'


def card_html(card: PassageCard, trace: SearchTrace) -> str:
    """A card as a list item."""
    passage = trace.passages[card.passage_id]
    title = f'<p class="sl-title">{_marked(_spans(trace, passage.title))}</p>' if passage.title else ""
    lead, rest = split_at(_spans(trace, passage.text), LEAD_LENGTH)
    more = ""
    if rest:
        more = f'<span class="sl-dots">&nbsp;…</span><span class="sl-rest">{_marked(rest)}</span>'
    toggle = (
        '<details class="sl-more"><summary aria-label="more or less of the text"></summary></details>' if rest else ""
    )
    return (
        f'<li class="sl-card" data-passage="{escape(card.passage_id)}">'
        f'<div class="sl-head"><span class="sl-rank" role="img" aria-label="rank {card.rank}">{card.rank}</span>'
        f"{card.movement}"
        f"{card.bar}</div>{card.worth}{title}"
        f'<p class="sl-text">{_marked(lead)}{more}</p>'
        f'<div class="sl-badges">{"".join(card.badges)}'
        f"{why_html(card.rank)}{_grade_html(card.rank)}{toggle}</div></li>"
    )


def why_html(rank: int) -> str:
    """The button that opens the dialog with the explanation and the raw scores."""
    return f'<button type="button" class="sl-ask" title="Why this rank?" aria-label="why? Rank {rank}">why?</button>'


def _grade_html(rank: int) -> str:
    """The button that opens the dialog with the grades, where grades are taken."""
    if read_only():
        return ""
    return (
        '<button type="button" class="sl-ask sl-to-grade" title="Grade this passage" '
        f'aria-label="grade, rank {rank}">grade</button>'
    )


def list_html(
    name: str, title: str, about: str, cards: Sequence[PassageCard], trace: SearchTrace, *, explained: str = ""
) -> str:
    """A list with its heading; `name` is `first` or `second`, and `explained` the title as HTML that explains it."""
    items = "".join(card_html(card, trace) for card in cards)
    return (
        f'<section class="sl-column sl-column-{name}" aria-label="{escape(title)}">'
        f'<h2 class="sl-heading"><span>{explained or escape(title)}</span> <small>{escape(about)}</small></h2>'
        f'<ol class="sl-list" role="list">{items}</ol></section>'
    )


def waiting_html(name: str, title: str, about: str, *, cards: int) -> str:
    """The place of a list that isn't there yet: its heading, and as many empty cards."""
    items = '<li class="sl-card sl-waiting"></li>' * cards
    return (
        f'<section class="sl-column sl-column-{name}" aria-label="{escape(title)}" aria-busy="true">'
        f'<h2 class="sl-heading"><span>{escape(title)}</span> <small>{escape(about)}</small></h2>'
        f'<ol class="sl-list" role="list" aria-hidden="true">{items}</ol></section>'
    )


def tabs_html(titles: Mapping[str, str], *, chosen: str) -> str:
    """Tabs that switch between the lists of these names on narrow screens, and the one that is selected."""
    return "".join(
        f'<input type="radio" name="sl-tab" class="sl-tab" id="sl-tab-{name}"{" checked" if name == chosen else ""}>'
        f'<label class="sl-tab-label" for="sl-tab-{name}">{escape(title)}</label>'
        for name, title in titles.items()
    )


def split_at(spans: list[Span], characters: int) -> tuple[list[Span], list[Span]]:
    """The spans up to the last space before `characters`, and the rest; no rest where only little text would remain."""
    text = "".join(span.text for span in spans)
    if len(text) <= characters * 1.25:
        return spans, []
    cut = text.rfind(" ", characters // 2, characters)
    cut = cut if cut > 0 else characters
    lead: list[Span] = []
    rest: list[Span] = []
    place = 0
    for span in spans:
        inside = min(max(cut - place, 0), len(span.text))
        lead += [Span(span.text[:inside], span.matched)] if inside else []
        rest += [Span(span.text[inside:], span.matched)] if inside < len(span.text) else []
        place += len(span.text)
    return lead, rest


def _spans(trace: SearchTrace, text: str) -> list[Span]:
    return list(_matched(trace.query, text, trace.analyzer))


@lru_cache(maxsize=SPANS_KEPT)
def _matched(query: str, text: str, analyzer: Analyzer) -> tuple[Span, ...]:
    """A search draws most passages three times: while they are re-ranked, and then in both lists."""
    return tuple(matched_spans(query, text, analyzer=analyzer))


def _marked(spans: list[Span]) -> str:
    return "".join(f"<mark>{escape(span.text)}</mark>" if span.matched else escape(span.text) for span in spans)


def moved(places: int) -> str:
    """How far a passage rose (above 0) or fell (below 0)."""
    if places == 0:
        return chip("same", "·", "same rank")
    sign, name, verb = ("▲", "up", "rose") if places > 0 else ("▼", "down", "fell")
    count = abs(places)
    return chip(name, f"{sign}{count}", f"{verb} {count} place{'s' if count > 1 else ''}")


def _went(rank: int | None) -> str:
    if rank is None:
        return chip("went", "not re-ranked", "below the re-ranking depth")
    return chip("went", f"→ {rank}", f"at rank {rank} after re-ranking")


def chip(name: str, text: str, words: str) -> str:
    """A mark beside a rank: the name of its style, its text, and its meaning in words."""
    return f'<span class="sl-move sl-{name}" role="img" aria-label="{words}" title="{words}">{text}</span>'


def _badges(trace: SearchTrace, place: Candidate, judgment: Judgment | None) -> tuple[str, ...]:
    badges = []
    if judgment is not None:
        word, style = judgment.word(place.passage_id)
        hint = "this passage has no grade for this query" if word == NOT_JUDGED else meaning("Grade")
        badges.append(f'<span class="sl-badge sl-grade-{style}" title="{hint}">{word}</span>')
    for name, ranking in trace.first_stage.items():
        rank = ranking.ranks().get(place.passage_id)
        if rank is not None:
            about = escape(retriever_meaning(name))
            badges.append(f'<span class="sl-badge" title="{about}">{RETRIEVER_NAMES[name]} #{rank}</span>')
    if place.passage_id in trace.truncated:
        hint = "the re-ranker read only the beginning: the passage is longer than its input"
        badges.append(f'<span class="sl-badge sl-cut" title="{hint}">cut</span>')
    return tuple(badges)
