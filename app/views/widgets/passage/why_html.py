"""The parts of the explanation as HTML. Queries and passages are data: every piece of text is escaped here."""

from html import escape

from app.views.widgets.figures import Figure, figures_html
from app.views.widgets.palette import BAR, DOWN, UP
from app.views.widgets.passage.cards import RETRIEVER_NAMES, SCALES, retriever_meaning
from app.views.widgets.terms import meaning
from indexing.records import PassageId, Ranking
from search.explain.bm25 import Bm25Score, TermScore
from search.explain.sentences import MOST_SENTENCES, NearestSentences
from search.explain.words import Occlusion, Piece
from search.settings import PipelineSettings
from search.trace import SearchTrace

MOST_NAMED = 4  # strongest pieces listed in words
DEEPEST_SHADE = 60  # percent of the color behind the strongest piece
FAINTEST = 0.05  # share of the strongest piece below which a piece isn't shaded
# A dialog lies outside .stApp, where the page's colors are defined and light-dark() knows the theme.
_COLORS = {
    "up": UP,
    "down": DOWN,
    "accent": BAR,
    "line": "color-mix(in srgb, currentColor 18%, transparent)",
    "quiet": "color-mix(in srgb, currentColor 68%, transparent)",
}
_DIALOG = " ".join(f"--sl-{name}: {value};" for name, value in _COLORS.items())
STYLE = (
    f"<style>.stDialog {{ {_DIALOG} }}</style>"
    """
<style>
.sl-ask { margin-left: auto; padding: .2rem .25rem; min-width: 24px; min-height: 24px; border: 0; background: none;
  font: inherit; font-size: .8rem; cursor: pointer; color: var(--sl-accent); }
.sl-ask + :is(.sl-ask, .sl-more) { margin-left: 0; }
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
    figures = [
        _station(RETRIEVER_NAMES[name], ranking, passage_id, SCALES[name][1], about=retriever_meaning(name))
        for name, ranking in trace.first_stage.items()
    ]
    if len(trace.first_stage) > 1:
        name, decimals = SCALES[settings.fusion]
        about = f"{meaning('First stage')} " + (meaning("RRF") if settings.fusion == "rrf" else meaning("Fusion"))
        figures.append(_station(f"first stage ({name})", trace.fused, passage_id, decimals, about=about))
    if trace.reranked is not None:
        by_logit = Ranking.sort(trace.logits.items())
        figures.append(_station("re-ranked", by_logit, passage_id, 2, about=meaning("Logit")))
        if settings.rerank_weight < 1:
            figures.append(_station("mixed", trace.reranked, passage_id, 3, about=meaning("Re-ranker's share")))
    fusion_sum = _reciprocal_ranks(trace, passage_id, settings) if settings.fusion == "rrf" else ""
    return f'<div class="sl-why">{figures_html(figures)}{fusion_sum}</div>'


def bm25_html(bm25: Bm25Score) -> str:
    """A table of the query's terms, and the formula with this passage's numbers."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("term", "in passage", "in index", "idf", "score"))
    rows = "".join(_term_row(term) for term in bm25.terms)
    settings = bm25.settings
    length = f"{settings.b:g} × {bm25.length:,} / {bm25.mean_length:,.1f}"
    return (
        f'<div class="sl-why"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        f'<tfoot><tr><td colspan="4">BM25</td><td>{bm25.score:.3f}</td></tr></tfoot></table>'
        f'<p class="sl-quiet">A term’s score is idf × n / (n + {settings.k1:g} × ({1 - settings.b:g} + {length})), '
        f"where n is how often the passage contains it. The passage has {bm25.length:,} terms; the average is "
        f"{bm25.mean_length:,.1f}. The more passages of the index contain a term, the lower its idf.</p></div>"
    )


def nearest_html(nearest: NearestSentences) -> str:
    """The nearest sentence, and how it compares with the whole passage."""
    best, *others = nearest.sentences
    words = f"The whole passage: {nearest.whole:.3f}."
    if others:
        words += f" The next closest sentence: {others[0].cosine:.3f}; the most distant of {len(others) + 1:,}: "
        words += f"{others[-1].cosine:.3f}."
    if nearest.left_out:
        words += f" {nearest.left_out:,} sentences after the first {MOST_SENTENCES:,} weren't compared."
    return (
        f'<div class="sl-why"><blockquote>{escape(best.text)}</blockquote>'
        f'<p>cosine <b>{best.cosine:.3f}</b> <span class="sl-quiet">{words}</span></p></div>'
    )


def words_html(occlusion: Occlusion) -> str:
    """The passage, shaded by how much each word adds to its logit, and the strongest words with their numbers."""
    shaded = "".join(_piece_html(piece, occlusion.largest) for piece in occlusion.pieces)
    unit = "one word" if occlusion.words == 1 else f"{occlusion.words} words"
    cut = " The re-ranker reads only its beginning." if occlusion.truncated else ""
    return (
        f'<div class="sl-why"><p>{shaded}</p><p>{_strongest(occlusion)}</p>'
        f'<p class="sl-quiet">The logit is {occlusion.logit:.2f}. It was recomputed with {unit} left out at a time.'
        f"{cut}</p></div>"
    )


def _station(name: str, ranking: Ranking, passage_id: PassageId, decimals: int, *, about: str) -> Figure:
    rank = ranking.ranks().get(passage_id)
    if rank is None:
        return Figure(name, f"not in the first {len(ranking):,}", about)
    score = f"{float(ranking.scores[rank - 1]):.{decimals}f}"
    return Figure(name, f'#{rank} <span class="sl-scale">{score}</span>', about, is_html=True)


def _reciprocal_ranks(trace: SearchTrace, passage_id: PassageId, settings: PipelineSettings) -> str:
    """The sum computed by reciprocal rank fusion, such as 1 / (60 + 3) + 1 / (60 + 1)."""
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
    color = "up" if piece.drop > 0 else "down"
    words = piece.text.rstrip()
    return (
        f'<span class="sl-piece" title="{piece.drop:+.2f}" style="background: '
        f'color-mix(in srgb, var(--sl-{color}) {share * DEEPEST_SHADE:.0f}%, transparent)">{escape(words)}</span>'
        f"{escape(piece.text[len(words) :])}"
    )


def _strongest(occlusion: Occlusion) -> str:
    """The strongest pieces, for and against, in words, because not everyone can tell the colors apart."""
    ordered = sorted(occlusion.pieces, key=lambda piece: -abs(piece.drop))[:MOST_NAMED]
    strongest = [piece for piece in ordered if abs(piece.drop) >= FAINTEST * occlusion.largest > 0]
    if not strongest:
        return "No single word changes the logit noticeably."
    return " &ensp; ".join(f"<b>{piece.drop:+.2f}</b> {_piece_html(piece, occlusion.largest)}" for piece in strongest)
