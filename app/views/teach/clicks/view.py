"""Judgments from clicks on the Teach page: a log, the least number of views, the arithmetic, and what is kept."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from app.views.teach.clicks.charts import query_chart, rate_chart
from app.views.teach.clicks.reading import SLOTS, choose_log, read_given
from app.views.teach.clicks.tables import STYLE, limits_html, pairs_html
from app.views.teach.kept import keep_button, show_kept, tell, tell_fault
from app.views.teach.readings import begin_field, keep_field, show_earlier
from app.views.widgets.figures import Figure, figures_html, heading_html
from app.views.widgets.notices import hint, note, problem
from app.views.widgets.passage.judgment import grade_label
from indexing.errors import SecondLookError
from indexing.index import Index
from indexing.notes import counted
from indexing.records import PassageId
from training.judgments.clicks.expected import ClickSettings, place_parts
from training.judgments.clicks.judge import ClickJudgments
from training.judgments.clicks.kept import KeptClicks, keep_clicks, kept_clicks
from training.judgments.feedback import FeedbackStore
from training.judgments.kept import FROM_CLICKS

MOST_LISTED = 1_000  # queries that can be picked
MOST_PASSAGES = 5  # of a query
VIEWS, EXPECTED, QUERY = "teach_clicks_views", "teach_clicks_expected", "teach_clicks_query"
USUAL = ClickSettings()
ABOUT = (
    "Each place is clicked at its own rate, whatever stands there. A passage's views at a place, times that rate, are "
    "the clicks to be expected there. Its clicks divided by all that were to be expected make its grade: from {bounds} "
    "it is 1 (related), 2 (partly) and 3 (answers)."
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
        show_kept(FROM_CLICKS, index.manifest, _kept_sentence(kept, index.manifest.name))
        log = choose_log()
        judgments = read_given(log, index)
    except (SecondLookError, OSError) as error:
        problem(error)
        return
    if judgments is None:
        return
    if log is None:
        show_earlier(", ".join(file.name for file in judgments.log), SLOTS, key="teach_clicks_forget")
    _show_log(judgments)
    judgments = replace(judgments, settings=_choose_settings(judgments))
    if not judgments.judged:
        hint(judgments.too_few())
        return
    st.html(figures_html(_figures(judgments, store)))
    _show_query(judgments, text=lambda passage: index.passages.by_id(passage).content)
    keep_button("teach_clicks_keep", partial(_keep, judgments, index), replaced=index.manifest.name if kept else "")


def _kept_sentence(kept: KeptClicks | None, index: str) -> str:
    """What is kept of the index; empty for nothing."""
    if kept is None:
        return ""
    return (
        f"Kept for {index}: {counted(kept.judgments, 'judgment')} of {counted(kept.queries, 'query', 'queries')} with "
        f"{counted(kept.least_views, 'view')} or more, from {', '.join(kept.logs)}, on {kept.at[:10]}."
    )


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
        begin_field(VIEWS, USUAL.least_views)
        views = st.number_input("Least views", min_value=1, step=1, key=VIEWS, help=VIEWS_ABOUT)
        begin_field(EXPECTED, USUAL.least_expected)
        expected = st.number_input(
            "Least expected clicks", min_value=0.1, step=0.5, format="%g", key=EXPECTED, help=EXPECTED_ABOUT
        )
    keep_field(VIEWS)
    keep_field(EXPECTED)
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
        Figure("To train on", f"{train:,}", "queries that aren't protected, with a passage that is related or better"),
        *(Figure(grade_label(grade), f"{grades[grade]:,}", meanings[grade]) for grade in sorted(grades, reverse=True)),
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
    begin_field(QUERY, queries[0])
    if st.session_state[QUERY] not in queries:
        st.session_state[QUERY] = queries[0]
    query = st.selectbox("Query", queries, key=QUERY, format_func=lambda query: judgments.views.texts[query])
    keep_field(QUERY)
    pairs = [pair for pair in judgments.pairs if pair.query == query]
    parts = (part for pair in pairs for part in place_parts(judgments.views, pair, judgments.rates))
    note("Its clicks by place (bars), and the clicks to be expected there (lines):")
    st.altair_chart(query_chart(parts), key="teach_clicks_places")
    judged = set(judgments.judged)
    pairs.sort(key=lambda pair: pair not in judged)  # the best first among each
    st.html(pairs_html(judgments, pairs[:MOST_PASSAGES], text=text))
    if len(pairs) > MOST_PASSAGES:
        note(f"And {len(pairs) - MOST_PASSAGES:,} more passages of this query.")


def _keep(judgments: ClickJudgments, index: Index) -> None:
    try:
        kept = keep_clicks(judgments, index.manifest.name, build=index.manifest.build)
    except (SecondLookError, OSError) as error:
        tell_fault(FROM_CLICKS, error)
        return
    queries = counted(kept.queries, "query", "queries")
    tell(FROM_CLICKS, f"Kept {counted(kept.judgments, 'judgment')} of {queries}, marked as clicks.")
