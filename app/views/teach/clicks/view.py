"""Judgments from clicks on the Teach page: a log, the least number of views, the arithmetic, and what is kept."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app.background import Subject
from app.views.teach.clicks.charts import query_chart, rate_chart
from app.views.teach.clicks.reading import GivenLog, choose_log, read_given
from app.views.teach.clicks.tables import STYLE, limits_html, pairs_html
from app.views.widgets.figures import Figure, figures_html, heading_html
from app.views.widgets.notices import hint, note, plain, problem
from app.views.widgets.work import page_link
from indexing.errors import SecondLookError
from indexing.index import Index
from indexing.notes import counted
from indexing.records import PassageId
from training.judgments.clicks.expected import ClickSettings, place_parts
from training.judgments.clicks.judge import ClickJudgments
from training.judgments.clicks.kept import KeptClicks, keep_clicks, kept_clicks, remove_clicks
from training.judgments.feedback import FeedbackStore

MOST_LISTED = 1_000  # queries that can be picked
MOST_PASSAGES = 5  # of a query
_TOLD_KEY = "teach_clicks_told"  # session: what Keep or Remove did, told once
_FAULT_KEY = "teach_clicks_fault"  # session: why it failed, told once
USUAL = ClickSettings()
ABOUT = (
    "Each place is clicked at its own rate, whatever stands there. A passage's views at a place, times that rate, are "
    "the clicks to be expected there. Its clicks divided by all that were to be expected make its grade: from {bounds} "
    "it is 1, 2 and 3."
)
WHERE = (
    "They are stored apart from the grades and marked as clicks; Train uses them only if you tick them there, under "
    "Expert."
)


def show_clicks(index: Index, store: FeedbackStore) -> None:
    """Show the part of the page; what is pressed in it draws nothing else anew."""
    st.fragment(_section)(index, store)


def _section(index: Index, store: FeedbackStore) -> None:
    note(
        "What people click says what is relevant, once the place where it stood is taken into account. "
        "A log in the form of User Behavior Insights becomes judgments here."
    )
    try:
        kept = kept_clicks(index.manifest.name)
        _show_kept(kept, index.manifest.name)
        log = choose_log()
        if log is None:
            return
        judgments = read_given(log, index)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    _show_log(judgments)
    judgments = replace(judgments, settings=_choose_settings(judgments))
    if not judgments.judged:
        hint(judgments.too_few())
        return
    st.html(figures_html(_figures(judgments, store)))
    _show_query(judgments, text=lambda passage: index.passages.by_id(passage).content)
    _keep_button(judgments, log, index, replaces=kept is not None)


def _show_kept(kept: KeptClicks | None, index: str) -> None:
    """What is kept of the index, with a way on to Train and a button that removes it; what the last press did."""
    if told := st.session_state.pop(_TOLD_KEY, ""):
        st.success(plain(told), icon=":material/check:")
    if fault := st.session_state.pop(_FAULT_KEY, ""):
        problem(fault)
    if kept is None:
        return
    note(
        f"Kept for {index}: {counted(kept.judgments, 'judgment')} of {counted(kept.queries, 'query', 'queries')} with "
        f"{counted(kept.least_views, 'view')} or more, from {', '.join(kept.logs)}, on {kept.at[:10]}."
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        page_link(Subject("the training", "train"), label="Train on them")
        with st.popover("Remove …", key="teach_clicks_remove", width="content"):
            note("This removes the kept judgments. Versions that were trained on them stay.")
            st.button("Remove", key="teach_clicks_remove_yes", on_click=_remove, args=(index,))


def _show_log(judgments: ClickJudgments) -> None:
    """What the log holds, what was left out of it, and how often each place is clicked."""
    views, total = judgments.views, judgments.views.total
    kind = "impressions" if views.by_impressions else "what the searches returned, as the log has no impressions"
    figures = [
        Figure("Searches", f"{views.searches:,}"),
        Figure("Queries", f"{len(views.texts):,}", "that differ, up to case, white space and final punctuation"),
        Figure("Views", f"{total.views:,}", kind),
        Figure("Clicks", f"{total.clicks:,}", "each counts once a search"),
    ]
    st.html(STYLE + figures_html(figures))
    if judgments.notes:
        note(*judgments.notes)
    note("Clicks a view by place, of all queries:")
    st.altair_chart(rate_chart(judgments.rates), key="teach_clicks_rates")


def _choose_settings(judgments: ClickJudgments) -> ClickSettings:
    """Fields for what a judgment needs, beside what each least number of views leaves."""
    st.html(heading_html("How many views are enough", "with fewer, one click by chance looks like a hit"))
    fields, table = st.columns([2, 3], gap="medium")
    with fields:
        views = st.number_input(
            "Least views", min_value=1, value=USUAL.least_views, step=1, key="teach_clicks_views", help=VIEWS_ABOUT
        )
        expected = st.number_input(
            "Least expected clicks",
            min_value=0.1,
            value=USUAL.least_expected,
            step=0.5,
            format="%g",
            key="teach_clicks_expected",
            help=EXPECTED_ABOUT,
        )
    settings = replace(judgments.settings, least_views=int(views), least_expected=float(expected))
    table.html(limits_html(replace(judgments, settings=settings).steps(), chosen=settings.least_views))
    return settings


VIEWS_ABOUT = "How often a passage must have been seen for a query to be judged for it."
EXPECTED_ABOUT = "How many clicks an average passage would have got in its places; deep places need more views."


def _figures(judgments: ClickJudgments, store: FeedbackStore) -> list[Figure]:
    """What would be judged, and how many of the queries can be trained on."""
    judged, bounds = judgments.judged, judgments.settings.bounds
    relevant = {judgments.views.texts[pair.query] for pair in judged if pair.grade(bounds)}
    train = len(relevant - store.protected(relevant))
    grades = judgments.grades
    meanings = {0: f"below {bounds[0]:g} times the expected clicks"} | {
        grade: f"from {bound:g} times the expected clicks" for grade, bound in enumerate(bounds, start=1)
    }
    return [
        Figure("Judged pairs", f"{len(judged):,}"),
        Figure("Queries", f"{len({pair.query for pair in judged}):,}"),
        Figure("To train on", f"{train:,}", "queries with a passage of grade 1 or more that aren't protected"),
        *(Figure(f"Grade {grade}", f"{grades[grade]:,}", meanings[grade]) for grade in sorted(grades, reverse=True)),
    ]


def _show_query(judgments: ClickJudgments, *, text: Callable[[PassageId], str]) -> None:
    """One query's clicks beside those to be expected, and its passages with the arithmetic of their grades."""
    st.html(heading_html("One query, step by step"))
    bounds = [f"{bound:g}" for bound in judgments.settings.bounds]
    note(ABOUT.format(bounds=f"{', '.join(bounds[:-1])} and {bounds[-1]}"))
    views: dict[str, int] = {}
    for pair in judgments.judged:
        views[pair.query] = views.get(pair.query, 0) + pair.views
    queries = sorted(views, key=lambda query: (-views[query], query))[:MOST_LISTED]
    query = st.selectbox(
        "Query", queries, key="teach_clicks_query", format_func=lambda query: judgments.views.texts[query]
    )
    pairs = [pair for pair in judgments.pairs if pair.query == query]
    parts = (part for pair in pairs for part in place_parts(judgments.views, pair, judgments.rates))
    note("Its clicks by place (bars), and the clicks to be expected there (lines):")
    st.altair_chart(query_chart(parts), key="teach_clicks_places")
    judged = set(judgments.judged)
    pairs.sort(key=lambda pair: pair not in judged)  # the best first among each
    st.html(pairs_html(judgments, pairs[:MOST_PASSAGES], text=text))
    if len(pairs) > MOST_PASSAGES:
        note(f"And {len(pairs) - MOST_PASSAGES:,} more passages of this query.")


def _keep_button(judgments: ClickJudgments, log: GivenLog, index: Index, *, replaces: bool) -> None:
    st.button(
        "Keep these",
        key="teach_clicks_keep",
        type="primary",
        icon=":material/check:",
        on_click=_keep,
        args=(judgments, log, index),
        width="content",
    )
    note(WHERE + (f" They take the place of those that are kept for {index.manifest.name}." if replaces else ""))


def _keep(judgments: ClickJudgments, log: GivenLog, index: Index) -> None:
    name = index.manifest.name
    try:
        with log.files() as (_, paths):
            kept = keep_clicks(judgments, name, build=index.manifest.build, log=paths)
    except (SecondLookError, OSError) as error:
        st.session_state[_FAULT_KEY] = str(error)
        return
    queries = counted(kept.queries, "query", "queries")
    st.session_state[_TOLD_KEY] = f"Kept {counted(kept.judgments, 'judgment')} of {queries}, marked as clicks."


def _remove(index: str) -> None:
    try:
        remove_clicks(index)
    except (SecondLookError, OSError) as error:
        st.session_state[_FAULT_KEY] = str(error)
        return
    st.session_state[_TOLD_KEY] = f"Removed the judgments from clicks that were kept for {index}."
