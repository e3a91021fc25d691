"""The parts of "Why this rank?" as HTML. Queries and passages are data: every piece of text is escaped here."""

from html import escape

from app.views.widgets.palette import BAR, DOWN, UP
from app.views.widgets.passage.cards import RETRIEVER_NAMES, SCALES
from indexing.records import PassageId, Ranking
from search.explain.bm25 import Bm25Score, TermScore
from search.explain.sentences import MOST_SENTENCES, Nearest
from search.explain.words import Occlusion, Piece
from search.settings import PipelineSettings
from search.trace import SearchTrace

MOST_NAMED = 4  # pieces that are named as the strongest
DEEPEST_SHADE = 60  # percent of the colour behind the strongest piece
FAINTEST = 0.05  # share of the strongest piece below which none is shaded
# A dialog stands outside of .stApp, where the page's colours are and where light-dark() knows the theme.
_COLOURS = {
    "up": UP,
    "down": DOWN,
    "accent": BAR,
    "line": "color-mix(in srgb, currentColor 18%, transparent)",
    "quiet": "color-mix(in srgb, currentColor 68%, transparent)",
}
_DIALOG = " ".join(f"--sl-{name}: {value};" for name, value in _COLOURS.items())
STYLE = (
    f"<style>.stDialog {{ {_DIALOG} }}</style>"
    """
<style>
.sl-ask { margin-left: auto; padding: 0; border: 0; background: none; font: inherit; font-size: .8rem; cursor: pointer;
  color: var(--sl-accent); }
.sl-ask + .sl-more { margin-left: .35rem; }
.sl-ask:focus-visible { outline: 2px solid var(--sl-accent); outline-offset: 2px; border-radius: .2rem; }
.sl-why { font-size: .9rem; }
.sl-why p { margin: .15rem 0 .5rem; line-height: 1.6; overflow-wrap: anywhere; }
.sl-why .sl-quiet { color: var(--sl-quiet); font-size: .82rem; }
.sl-why table { border-collapse: collapse; width: 100%; margin: .3rem 0 .5rem; border: 0; }
.sl-why th, .sl-why td { text-align: right; padding: .25rem .5rem .25rem 0; border: 0;
  border-bottom: 1px solid var(--sl-line); font-variant-numeric: tabular-nums; vertical-align: baseline; }
.sl-why th { font-weight: 400; color: var(--sl-quiet); font-size: .78rem; }
.sl-why th:first-child, .sl-why td:first-child { text-align: left; overflow-wrap: anywhere; }
.sl-why tfoot td { border-bottom: 0; font-weight: 600; }
.sl-why blockquote { margin: .3rem 0 .5rem; padding: .1rem 0 .1rem .8rem; border: 0;
  border-left: 3px solid var(--sl-accent); line-height: 1.6; overflow-wrap: anywhere; }
.sl-piece { border-radius: .2rem; padding: .1em 0; }
</style>
"""
)


def stations_html(trace: SearchTrace, passage_id: PassageId, settings: PipelineSettings) -> str:
    """The passage's rank and score in every ranking of its search."""
    parts = [
        _station(RETRIEVER_NAMES[name], ranking, passage_id, SCALES[name][1])
        for name, ranking in trace.first_stage.items()
    ]
    if len(trace.first_stage) > 1:
        name, decimals = SCALES[settings.fusion]
        parts.append(_station(name, trace.fused, passage_id, decimals))
    if trace.reranked is not None:
        parts.append(_station("re-ranked", trace.reranked, passage_id, 2))
    sum_of = _reciprocal_ranks(trace, passage_id, settings) if settings.fusion == "rrf" else ""
    return f'<div class="sl-why"><div class="sl-figures">{"".join(parts)}</div>{sum_of}</div>'


def bm25_html(found: Bm25Score) -> str:
    """A table of the query's terms, and the formula with this passage's numbers."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("term", "in passage", "in index", "idf", "score"))
    rows = "".join(_term_row(term) for term in found.terms)
    settings = found.settings
    length = f"{settings.b:g} × {found.length:,} / {found.mean_length:,.1f}"
    return (
        f'<div class="sl-why"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f'<tfoot><tr><td colspan="4">BM25</td><td>{found.score:.3f}</td></tr></tfoot></table>'
        f'<p class="sl-quiet">A term’s score is idf × n / (n + {settings.k1:g} × ({1 - settings.b:g} + {length})), '
        f"where n counts it in the passage, which has {found.length:,} terms; the average is "
        f"{found.mean_length:,.1f}. idf falls with the passages of the index that hold it.</p></div>"
    )


def nearest_html(found: Nearest) -> str:
    """The nearest sentence, and how it compares with the whole passage."""
    best, *others = found.sentences
    words = f"The whole passage has {found.whole:.3f}."
    if others:
        words += f" The next sentence has {others[0].cosine:.3f}, the farthest of {len(others) + 1:,} has "
        words += f"{others[-1].cosine:.3f}."
    if found.left_out:
        words += f" {found.left_out:,} sentences after the first {MOST_SENTENCES:,} were not compared."
    return (
        f'<div class="sl-why"><blockquote>{escape(best.text)}</blockquote>'
        f'<p>cosine <b>{best.cosine:.3f}</b> <span class="sl-quiet">{words}</span></p></div>'
    )


def words_html(found: Occlusion) -> str:
    """The passage, shaded by what each word adds to its logit, and the strongest words with numbers."""
    shaded = "".join(_piece_html(piece, found.largest) for piece in found.pieces)
    unit = "one word" if found.words == 1 else f"{found.words} words"
    cut = " The re-ranker reads only its beginning." if found.truncated else ""
    return (
        f'<div class="sl-why"><p>{shaded}</p><p>{_strongest(found)}</p>'
        f'<p class="sl-quiet">The logit is {found.logit:.2f}; it was computed again with {unit} at a time left out.'
        f"{cut}</p></div>"
    )


def _station(name: str, ranking: Ranking, passage_id: PassageId, decimals: int) -> str:
    rank = ranking.ranks().get(passage_id)
    if rank is None:
        value = f"not in its first {len(ranking):,}"
    else:
        value = f'#{rank} <span class="sl-scale">{float(ranking.scores[rank - 1]):.{decimals}f}</span>'
    return f'<span class="sl-figure"><small>{name}</small><b>{value}</b></span>'


def _reciprocal_ranks(trace: SearchTrace, passage_id: PassageId, settings: PipelineSettings) -> str:
    """The sum that fusion made, such as 1 / (60 + 3) + 1 / (60 + 1)."""
    ranks = [ranking.ranks().get(passage_id) for ranking in trace.first_stage.values()]
    parts = [f"1 / ({settings.rrf_k} + {rank})" for rank in ranks if rank is not None]
    total = sum(1 / (settings.rrf_k + rank) for rank in ranks if rank is not None)
    return f'<p class="sl-quiet">Reciprocal rank fusion: {" + ".join(parts)} = {total:.4f}</p>'


def _term_row(term: TermScore) -> str:
    stem = f' <span class="sl-quiet">{escape(term.term)}</span>' if term.term != term.word.lower() else ""
    times = f' <span class="sl-quiet">× {term.in_query}</span>' if term.in_query > 1 else ""
    cells = (f"{term.in_passage:,}", f"{term.passages:,}", f"{term.idf:.2f}", f"{term.score:.3f}")
    return f"<tr><td>{escape(term.word)}{stem}{times}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _piece_html(piece: Piece, largest: float) -> str:
    share = abs(piece.drop) / largest if largest else 0.0
    if share < FAINTEST:
        return escape(piece.text)
    colour = "up" if piece.drop > 0 else "down"
    words = piece.text.rstrip()
    return (
        f'<span class="sl-piece" title="{piece.drop:+.2f}" style="background: '
        f'color-mix(in srgb, var(--sl-{colour}) {share * DEEPEST_SHADE:.0f}%, transparent)">{escape(words)}</span>'
        f"{escape(piece.text[len(words) :])}"
    )


def _strongest(found: Occlusion) -> str:
    """The pieces that count most, for and against, in words: colours alone say nothing to some."""
    ordered = sorted(found.pieces, key=lambda piece: -abs(piece.drop))[:MOST_NAMED]
    told = [piece for piece in ordered if found.largest and abs(piece.drop) / found.largest >= FAINTEST]
    if not told:
        return "No word changes the logit by itself."
    return " &ensp; ".join(f"<b>{piece.drop:+.2f}</b> {_piece_html(piece, found.largest)}" for piece in told)
