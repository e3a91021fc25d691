"""A decision on the page: the verdict, the pipelines in a table and a plot, and what is served from now on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from app.views.evaluate.serving import show_serving
from app.views.evaluate.verdict_chart import gain_chart, gain_words
from app.views.widgets.figures import heading_html, interval_text, p_text
from app.views.widgets.measured.html_report import report_button
from app.views.widgets.notices import note, plain, shown
from indexing.catalogue import current_build
from search.settings import PipelineSettings
from training.choosing.contenders import Contender
from training.choosing.html import decision_html
from training.choosing.kept_decision import KeptDecision
from training.choosing.table import how
from training.evaluation.settings import MAIN_MEASURE
from training.evaluation.significance import Interval

Figures = Mapping[str, Any]


def show_verdict(kept: KeptDecision, *, index: str, read_only: bool) -> None:
    """Show what was decided last for an index."""
    figures, rows = kept.figures, kept.figures["pipelines"]
    st.html(heading_html("Verdict", about(kept, index)))
    boxes = {"re-rank": st.success, "don't re-rank": st.info}
    boxes.get(str(figures["verdict"]), st.warning)(plain(shown(str(figures["sentence"]))), icon=":material/balance:")
    show_serving(kept, index, read_only=read_only)
    note(*figures["notes"], *_changed(figures, index))
    columns = compared_columns(rows) if figures["comparing"] else timed_columns(rows)
    st.dataframe(columns, hide_index=True, column_config=_config(), key="evaluate_decide_table")
    if any(row.get("versus_baseline") and row["milliseconds"] for row in rows):
        st.html(heading_html("Gain against time", gain_words(str(figures["baseline"]))))
        st.altair_chart(gain_chart(rows, baseline=str(figures["baseline"])), key="evaluate_decide_gain")
    if figures["to_label"]:
        _show_to_label(figures["to_label"], index)
    report_button(lambda _: report_html(kept, index), file_name=_file_name(kept, index), key="evaluate_decide_report")


def about(kept: KeptDecision, index: str) -> str:
    """What all figures are of: judged queries, those that compare, build, depth and time."""
    figures = kept.figures
    comparing = f", of which {figures['comparing']:,} compare" if figures["comparing"] else ""
    return (
        f"{figures['judged']:,} judged {kept.split} queries{comparing}, build {_builds(kept, index)[index]}, depth as "
        f"each row says, {kept.at[:16].replace('T', ' ')} UTC"
    )


def report_html(kept: KeptDecision, index: str) -> str:
    """The decision as one HTML file, which bears the day that it was made on."""
    day = datetime.fromisoformat(kept.at).strftime("%-d %B %Y")
    return decision_html(kept.figures, _builds(kept, index), split=kept.split, at=day)


def _builds(kept: KeptDecision, index: str) -> Mapping[str, str]:
    """The build of each index; decisions of an older program don't name them."""
    return {index: "not recorded", **kept.figures.get("builds", {})}


def _file_name(kept: KeptDecision, index: str) -> str:
    return f"{index}-{kept.split}-decision-{kept.at[:10]}.html"


def compared_columns(rows: list[Figures]) -> dict[str, list[Any]]:
    """A row for each pipeline that was measured."""
    against = [row["versus_baseline"] for row in rows]
    return {
        "pipeline": [row["name"] for row in rows],
        MAIN_MEASURE: [row["ndcg@10"] for row in rows],
        "95 %": [interval_text(Interval(*row["interval"])) for row in rows],
        "gain": ["" if one is None else f"{one['difference']:+.4f}" for one in against],
        "95 % of gain": [
            "" if one is None else interval_text(Interval(*one["interval"]), signed=True) for one in against
        ],
        "p (Holm)": ["" if one is None else p_text(one["holm_randomisation"]) for one in against],
        **_milliseconds(rows),
        **_stopping(rows),
        "how": [_how(row) for row in rows],
    }


def timed_columns(rows: list[Figures]) -> dict[str, list[Any]]:
    """A row for each pipeline where too little is judged to measure any."""
    overlaps = [row.get("rbo") for row in rows]
    return {
        "pipeline": [row["name"] for row in rows],
        "overlap with the first stage": ["" if one is None else f"{one:.3f}" for one in overlaps],
        **_milliseconds(rows),
        "how": [_how(row) for row in rows],
    }


def _milliseconds(rows: list[Figures]) -> dict[str, list[float | None]]:
    known = [row["milliseconds"] or {} for row in rows]
    return {"ms p50": [one.get("p50") for one in known], "ms p95": [one.get("p95") for one in known]}


def _stopping(rows: list[Figures]) -> dict[str, list[str]]:
    """What stopping early saves and costs, where some pipeline does."""
    found = [row.get("stopping") for row in rows]  # decisions of an older program have none
    if not any(found):
        return {}
    return {
        "pairs": ["" if one is None else f"{one['pairs']:.1f} of {one['all_pairs']:.0f}" for one in found],
        "first ten changed": [
            "" if one is None else f"{one['changed']} of {one['queries']} (risk {one['risk']:.0%})" for one in found
        ],
        f"{MAIN_MEASURE} lost": ["" if one is None else f"{one['ndcg@10_lost']:.4f}" for one in found],
    }


def _how(row: Figures) -> str:
    settings = PipelineSettings(**row["settings"])
    return how(Contender(reranker=row["reranker"], settings=settings, run=row.get("run", "")))


def _config() -> dict[str, Any]:
    times = {name: st.column_config.NumberColumn(format="%.0f") for name in ("ms p50", "ms p95")}
    return {MAIN_MEASURE: st.column_config.NumberColumn(format="%.4f"), **times}


def _changed(figures: Figures, index: str) -> list[str]:
    build = figures.get("builds", {}).get(index)
    if build is None or build == current_build(index).name:
        return []
    return [f"This was decided on build {build} of {index}, which has been rebuilt since; decide again."]


def _show_to_label(queries: list[Figures], index: str) -> None:
    st.html(heading_html("Label these first", "the lists disagree most"))
    table = {
        "query": [query["text"] for query in queries],
        "overlap (RBO)": [query["rbo"] for query in queries],
        "unjudged": [query["unjudged"] for query in queries],
        "grade": ["./teach?" + urlencode({"q": query["text"], "index": index}) for query in queries],
    }
    config = {
        "overlap (RBO)": st.column_config.NumberColumn(format="%.2f"),
        "grade": st.column_config.LinkColumn(display_text="Teach"),
    }
    st.dataframe(table, hide_index=True, column_config=config, key="evaluate_decide_label")
