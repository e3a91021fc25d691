"""The Search page: type a query; see both rankings, what moved, and how the time was spent."""

import streamlit as st

from app import environment, resources
from app.resources import SharedPipeline
from app.views.search import choice as search_page
from app.views.search.choice import choose
from app.views.search.controls import search_sidebar
from app.views.search.movement import show_movement
from app.views.search.results import RERANKING, SEARCHING, lists_html, search_figures
from app.views.search.thoroughness import show_thoroughness, thoroughness_words
from app.views.search.waterfall import show_waterfall
from app.views.widgets.fields import index_caption
from app.views.widgets.figures import figures_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import Judgment, find_judgment, load_judgments
from app.views.widgets.passage.why import answer_card, listen, take_question
from app.views.widgets.query_box import query_box, suggestions
from app.views.widgets.search_answer import answer
from app.views.widgets.search_choice import SearchChoice
from app.views.widgets.served_default import show_default
from app.views.widgets.terms import meaning
from indexing import places
from indexing.catalogue import index_names
from indexing.errors import SecondLookError
from indexing.judged.sets import JudgedSet
from indexing.words.known_languages import unknown_language_note
from search.served import DEFAULT_RERANKER, NO_RERANKER
from search.trace import NOTHING_ANSWERS, SearchTrace

TITLE = '<header class="sl-top"><h1>Second Look</h1><p>A quick look finds, a careful second look sorts.</p></header>'
LIST_WIDTH = 736  # pixels of a list that stands alone, as in style.py
ANSWER_KEY = "search_trace"  # session: the last answer
TIMES_KEPT = 1_000  # searches of a session
JUDGED_HELP = "With a judged query the page shows how much re-ranking helped: nDCG@10 before and after. "


def render() -> None:
    """Draw the page from the link and the widgets."""
    indexes = index_names(places.indexes())
    notes = search_page.restore(sorted({*indexes, environment.default_index()}))
    st.html(TITLE)
    query_box("search", "Search", key=search_page.key("query"), on_submit=search_page.touch, icon=":material/search:")
    thoroughness = st.container(key="search_depths")
    search_sidebar(indexes, reranker=environment.default_reranker())
    choice = search_page.current()
    search_page.remember(choice)
    if notes:
        note(*notes)
    try:
        shared = resources.open_pipeline(choice.index, choice.reranker)
    except SecondLookError as error:
        problem(error)
        return
    with thoroughness:
        show_thoroughness(shared, choice)
    index_caption(shared.pipeline.index)
    _unknown_languages(shared)
    judged = load_judgments(shared)
    if not choice.query.strip():
        _welcome(shared, judged)
        return
    with st.expander("Queries to try", key="search_more"):
        _suggest(shared, judged)
    _answer(shared, choice, judged)


def _unknown_languages(shared: SharedPipeline) -> None:
    """Say which languages of the index its models don't know."""
    manifest, reranker = shared.pipeline.index.manifest, shared.pipeline.reranker
    models = {"bi-encoder": manifest.bi_encoder} | ({"re-ranker": reranker.name} if reranker else {})
    if foreign := unknown_language_note(manifest.languages, models):
        note(foreign)


def _welcome(shared: SharedPipeline, judged: dict[str, JudgedSet]) -> None:
    st.html(
        '<div class="sl-welcome"><p>Type a query and press Enter. Two rankings appear side by side: '
        "what the <b>first stage</b> found by words and by meaning, and how the <b>re-ranker</b> orders it "
        "after reading each passage together with your query.</p><p>"
        '<span class="sl-move sl-up">▲3</span> up three places &ensp;'
        '<span class="sl-move sl-down">▼2</span> down two &ensp;'
        '<span class="sl-move sl-same">·</span> unchanged</p><p>Try one of these:</p></div>'
    )
    _suggest(shared, judged)


def _suggest(shared: SharedPipeline, judged: dict[str, JudgedSet]) -> None:
    index = shared.pipeline.index
    suggestions(
        "search", index, judged, choose=lambda query: choose(query=query), judged_help=JUDGED_HELP + meaning("nDCG@10")
    )


def _answer(shared: SharedPipeline, choice: SearchChoice, judged: dict[str, JudgedSet]) -> None:
    line, notes, lists = st.empty(), st.container(), st.empty()
    if ANSWER_KEY not in st.session_state:  # later, the answer before stays, dimmed
        line.html(figures_html([SEARCHING]))

    def show_first(trace: SearchTrace) -> None:
        """The first stage at once, with room beside it for the list that is being made."""
        judgment = find_judgment(judged, trace.query, shared.pipeline.index.passages)
        line.html(figures_html([*search_figures(trace, judgment, reranker=None), RERANKING]))
        lists.html(lists_html(trace, judgment, choice, waiting=True))

    try:
        trace, fault, is_new = answer(shared, choice, key=ANSWER_KEY, on_first=show_first)
    except SecondLookError as error:
        line.empty()
        lists.empty()
        problem(error)
        return
    if is_new:
        _keep_time(trace)
    judgment = find_judgment(judged, trace.query, shared.pipeline.index.passages)
    reranker = shared.pipeline.reranker.name if shared.pipeline.reranker else None
    line.html(figures_html(search_figures(trace, judgment, reranker=reranker)))
    with notes:
        _tell(trace, judgment, choice, fault)
    if not len(trace.fused):
        lists.empty()
        return
    lists.html(lists_html(trace, judgment, choice))
    _show_ways(trace, choice)
    show_default(choice, key="search", choose=choose, words=thoroughness_words(choice))
    listen(key="search_why")
    question = take_question()
    if question is not None and question.passage_id in trace.passages:
        answer_card(question, shared, trace, choice.settings)


def _tell(trace: SearchTrace, judgment: Judgment | None, choice: SearchChoice, fault: str) -> None:
    """What there is to say before the lists."""
    if judgment is not None and judgment.notes:
        note(*judgment.notes)
    if not len(trace.fused):
        _nothing_found(trace, choice)
        return
    if trace.reranked is None:
        _why_not_reranked(choice, fault)
    if trace.answers is False:
        hint(NOTHING_ANSWERS)
    if rest := [sentence for sentence in trace.told if sentence != NOTHING_ANSWERS]:
        note(*rest)


def _show_ways(trace: SearchTrace, choice: SearchChoice) -> None:
    """What moved, and where the time went."""
    totals = st.session_state.get("search_times", [])
    if trace.reranked is None or trace.answers is False:
        with st.container(width=LIST_WIDTH):
            show_waterfall(trace.seconds, totals)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_movement(trace, shown=choice.shown)
    with right:
        show_waterfall(trace.seconds, totals)


def _keep_time(trace: SearchTrace) -> None:
    """Add the time of a new search to those of this session."""
    times = [*st.session_state.get("search_times", []), sum(trace.seconds.values())]
    st.session_state["search_times"] = times[-TIMES_KEPT:]


def _nothing_found(trace: SearchTrace, choice: SearchChoice) -> None:
    if choice.settings.fusion == "bm25":
        hint(" ".join(trace.notes))
        st.button("Search by meaning too", key="search_by_meaning", on_click=choose, kwargs={"fusion": "rrf"})
    else:
        hint(f"No passage was found for “{trace.query}”. Try other words.")


def _why_not_reranked(choice: SearchChoice, fault: str) -> None:
    if fault and choice.reranker == DEFAULT_RERANKER:
        hint(f"{fault} On this page, choose one under “Re-ranker” in the sidebar.")
    elif fault:
        problem(fault)
        st.button("Reload", key="search_retry", on_click=resources.retry_rerankers)
    elif choice.reranker == NO_RERANKER:
        hint("This is the first stage alone. To re-rank it, choose a re-ranker in the sidebar.")
    else:
        hint("The re-ranking depth is 0, so this is the first stage alone. To re-rank it, raise it in the sidebar.")
