"""The Compare page: two pipelines answer one query, and the page shows where and how much they differ."""

import streamlit as st

from app import environment, resources
from app.resources import SharedPipeline
from app.views.compare import choice as compare_page
from app.views.compare.chart import show_slopes
from app.views.compare.choice import SIDES, PipelinePair
from app.views.compare.controls import compare_sidebar, pipelines
from app.views.compare.results import COLUMNS, compare_figures, show_lists
from app.views.widgets.fields import index_caption
from app.views.widgets.figures import figures_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import find_judgment, load_judgments
from app.views.widgets.passage.why import answer_card, listen, take_question
from app.views.widgets.query_box import query_box, suggestions
from app.views.widgets.search_answer import answer
from app.views.widgets.search_choice import default_choice, without_own_bm25
from app.views.widgets.served_default import default_sentence, show_aged
from indexing import places
from indexing.catalogue import index_names
from indexing.errors import SecondLookError
from indexing.judged.sets import JudgedSet
from search.trace import SearchTrace

TITLE = '<header class="sl-top"><h1>Compare</h1><p>Two pipelines, one query: where do they differ?</p></header>'
CHART_WIDTH = 736  # pixels, as a list that stands alone
JUDGED_HELP = "With a judged query the page shows how good each list is: its nDCG@10."


def render() -> None:
    """Draw the page from the link and the widgets."""
    indexes = index_names(places.indexes())
    notes = compare_page.restore(sorted({*indexes, environment.default_index()}))
    st.html(TITLE)
    query_box(
        "compare",
        "Compare",
        key=compare_page.key("query"),
        on_submit=compare_page.touch,
        icon=":material/compare_arrows:",
    )
    compare_sidebar(indexes)
    pipelines(reranker=environment.default_reranker())
    pair = compare_page.current()
    compare_page.remember(pair)
    if notes:
        note(*notes)
    try:
        shared = [resources.open_pipeline(choice.index, choice.reranker) for choice in pair]
    except SecondLookError as error:
        problem(error)
        return
    index_caption(shared[0].pipeline.index)
    judged = load_judgments(shared[0])
    if not pair.a.query.strip():
        _welcome(shared[0], judged)
        return
    with st.expander("Queries to try", key="compare_queries"):
        _suggest(shared[0], judged)
    _answer(shared, pair, judged)


def _welcome(shared: SharedPipeline, judged: dict[str, JudgedSet]) -> None:
    st.html(
        '<div class="sl-welcome"><p>Set two pipelines above, <b>A</b> and <b>B</b>, type a query and press Enter. '
        "Both lists appear side by side, with figures on how similar they are: the passages they share, rank-biased "
        "overlap and, for a judged query, the nDCG@10 of each.</p><p>Try one of these:</p></div>"
    )
    _suggest(shared, judged)


def _suggest(shared: SharedPipeline, judged: dict[str, JudgedSet]) -> None:
    index = shared.pipeline.index
    suggestions("compare", index, judged, choose=compare_page.choose_query, judged_help=JUDGED_HELP)


def _answer(shared: list[SharedPipeline], pair: PipelinePair, judged: dict[str, JudgedSet]) -> None:
    line = st.empty()
    try:
        with line, st.spinner("Searching …"):
            answers = [
                answer(pipeline, choice, key=f"compare_trace_{side}")
                for side, pipeline, choice in zip(SIDES, shared, pair, strict=True)
            ]
    except SecondLookError as error:
        line.empty()
        problem(error)
        return
    a, b = (one.trace for one in answers)
    for side, one in zip(SIDES, answers, strict=True):
        if one.problem:
            problem(f"{side.upper()} wasn't re-ranked: {one.problem}")
    if any(one.problem for one in answers):
        st.button("Reload", key="compare_retry", on_click=resources.retry_rerankers)
    if not len(a.final) and not len(b.final):
        line.empty()
        hint(f"Neither pipeline found a passage for “{a.query}”. Try other words.")
        return
    judgment = find_judgment(judged, a.query, shared[0].pipeline.index.passages)
    line.html(figures_html(compare_figures(a, b, judgment)))
    if judgment is not None and judgment.notes:
        note(*judgment.notes)
    if told := _told(a, b):
        note(*told)
    show_lists((a, b), pair, judgment)
    _say_default(pair)
    with st.container(width=CHART_WIDTH):
        show_slopes(a, b, shown=pair.a.shown)
    listen(key="compare_why")
    _explain(shared, pair, (a, b))


def _told(a: SearchTrace, b: SearchTrace) -> list[str]:
    """What there is to say of the answers, and of which."""
    notes = dict.fromkeys((*a.notes, *b.notes))
    sides = {
        sentence: [side.upper() for side, trace in zip(SIDES, (a, b), strict=True) if sentence in trace.notes]
        for sentence in notes
    }
    return [f"{' and '.join(named)}: {sentence}" for sentence, named in sides.items()]


def _say_default(pair: PipelinePair) -> None:
    """Which side is the index's default, and what chose it."""
    usual = without_own_bm25(default_choice(pair.a.index))
    sides = [
        side.upper()
        for side, choice in zip(SIDES, pair, strict=True)
        if (choice.reranker, choice.settings) == (usual.reranker, usual.settings)
    ]
    if sides:
        note(f"{' and '.join(sides)}: {default_sentence(usual, usual)}")
    show_aged(pair.a.index)


def _explain(shared: list[SharedPipeline], pair: PipelinePair, traces: tuple[SearchTrace, SearchTrace]) -> None:
    """Explain the card whose button was pressed, by the pipeline of its list."""
    question = take_question()
    if question is None:
        return
    for side, pipeline, choice, trace in zip(SIDES, shared, pair, traces, strict=True):
        if COLUMNS[side] == question.column and question.passage_id in trace.passages:
            answer_card(question, pipeline, trace, choice.settings)
