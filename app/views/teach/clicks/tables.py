"""What each least number of views leaves, and one query's passages with the arithmetic of their grades, as HTML."""

from collections.abc import Callable, Sequence
from html import escape

from app.views.widgets.passage.judgment import GRADES, NOT_JUDGED
from indexing.notes import counted
from indexing.records import PassageId
from training.judgments.clicks.expected import ClickedPair, ClickSettings, PlacePart, enough, place_parts
from training.judgments.clicks.judge import ClickJudgments

TEXT_LENGTH = 180  # characters of a passage
STYLE = """
<style>
.sl-limits { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; width: 100%; }
.sl-limits :is(th, td) {
  text-align: right; padding: .16rem .6rem; border: 0; border-bottom: 1px solid var(--sl-line); font-weight: 400;
}
.sl-limits thead th { color: var(--sl-quiet); font-size: .8rem; }
.sl-limits tr[aria-current] :is(th, td) { background: var(--sl-soft); font-weight: 650; }
.sl-clicked { list-style: none; margin: 0 !important; padding: 0 !important; }
.sl-clicked li { margin: 0; padding: .55rem 0; border-top: 1px solid var(--sl-line); font-size: .9rem; }
.sl-clicked p { margin: .2rem 0 0; }
.sl-clicked .sl-head { flex-wrap: wrap; }
</style>
"""


def limits_html(steps: Sequence[tuple[int, int, int]], *, chosen: int) -> str:
    """A table of least numbers of views with the judgments and queries that each leaves, the chosen one marked."""
    marked = ' aria-current="true"'
    rows = "".join(
        f"<tr{marked if least == chosen else ''}>"
        f'<th scope="row">{least:,}</th><td>{judgments:,}</td><td>{queries:,}</td></tr>'
        for least, judgments, queries in steps
    )
    heads = "".join(f'<th scope="col">{words}</th>' for words in ("Least views", "Judged pairs", "Queries"))
    return f'<table class="sl-limits"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def pairs_html(judgments: ClickJudgments, pairs: Sequence[ClickedPair], *, text: Callable[[PassageId], str]) -> str:
    """One query's passages, each with its grade and how that came about. All texts are data and are escaped."""
    rows = "".join(_pair_html(judgments, pair, text(pair.passage_id)) for pair in pairs)
    return f'{STYLE}<ul class="sl-clicked">{rows}</ul>'


def _pair_html(judgments: ClickJudgments, pair: ClickedPair, text: str) -> str:
    settings = judgments.settings
    judged = bool(enough([pair], settings))
    style, word = "none", NOT_JUDGED
    if judged:
        grade = pair.grade(settings.bounds)
        style, word = str(grade), GRADES[grade]
    badge = f'<span class="sl-badge sl-grade-{style}">{word}</span>'
    short = f"{text[:TEXT_LENGTH]}…" if len(text) > TEXT_LENGTH else text
    parts = place_parts(judgments.views, pair, judgments.rates)
    return (
        f'<li><div class="sl-head">{badge}<span class="sl-quiet">{escape(pair.passage_id)}</span></div>'
        f'<p class="sl-text">{escape(short)}</p>'
        f'<p class="sl-quiet">{escape(arithmetic(pair, parts, settings))}</p></li>'
    )


def arithmetic(pair: ClickedPair, parts: Sequence[PlacePart], settings: ClickSettings) -> str:
    """How a pair's grade comes about, or what it lacks, step by step."""
    products = " + ".join(f"{part.views:,} × {part.rate:.3f}" for part in parts)
    places = places_words([part.place for part in parts])
    expected = f"Expected at {places}: {products} = {pair.expected:.2f}."
    got = counted(pair.clicks, "click")
    if pair.views < settings.least_views:
        return f"{expected} It got {got} on {counted(pair.views, 'view')}; {settings.least_views:,} are needed."
    if pair.expected < settings.least_expected:
        return f"{expected} It got {got}, but {settings.least_expected:g} must be expected for a judgment."
    grade, bounds = pair.grade(settings.bounds), settings.bounds
    reached = [f"at least {bounds[grade - 1]:g}"] * (grade > 0) + [f"below {bounds[min(grade, 2)]:g}"] * (grade < 3)
    told = f"{' and '.join(reached)} is grade {grade} ({GRADES[grade]})"
    return f"{expected} It got {got}, {pair.ratio:.2f} times as many: {told}."


def places_words(places: Sequence[int]) -> str:
    """Places that rise, in words: `place 1`, `places 1, 3 to 5 and 9`."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    words = [word for first, last in runs for word in _run_words(first, last)]
    listed = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return f"place{'' if len(places) == 1 else 's'} {listed}"


def _run_words(first: int, last: int) -> list[str]:
    return [f"{first} to {last}"] if last > first + 1 else [str(place) for place in range(first, last + 1)]
