"""Fast, usual, thorough: three depths of re-ranking, each with the time that it will probably take here."""

import streamlit as st

from app.pace import Pace
from app.resources import SharedPipeline
from app.views.search.choice import choose, key
from app.views.widgets.search_choice import MOST_RERANKED, SearchChoice, default_choice, without_own_bm25
from app.views.widgets.terms import meaning
from search.settings import PipelineSettings

FAST, USUAL, THOROUGH = "Fast", "Usual", "Thorough"
FAST_SHARE, THOROUGH_TIMES = 0.4, 2
"""Of the passages that are re-ranked by default: how many are in the fast search, and in the thorough one."""


def named_depths(usual: PipelineSettings, *, depth: int) -> dict[str, int]:
    """How many passages each of the three re-ranks, where `depth` candidates are kept.

    `usual` is what answers by default; it has no fast or thorough form where that would be the same depth.
    """
    middle = min(usual.rerank_depth, depth)
    depths = {
        FAST: round(FAST_SHARE * middle),
        USUAL: middle,
        THOROUGH: min(THOROUGH_TIMES * middle, depth, MOST_RERANKED),
    }
    return {name: passages for name, passages in depths.items() if passages and (name == USUAL or passages != middle)}


def show_thoroughness(shared: SharedPipeline, choice: SearchChoice) -> None:
    """The three as one row of buttons; none is pressed where another depth is set."""
    depths = _depths(choice)
    if shared.pipeline.reranker is None or len(depths) < 2:
        return
    st.session_state[key("thoroughness")] = _name(choice, depths)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.segmented_control(
            "How thorough the re-ranking is",
            list(depths),
            format_func=_labels(shared, choice, depths).__getitem__,
            key=key("thoroughness"),
            on_change=_choose,
            args=(depths,),
            required=True,
            label_visibility="collapsed",
        )
        st.markdown("", help=meaning("Fast, usual, thorough"), width="content")


def thoroughness_words(choice: SearchChoice) -> str:
    """What a fast or thorough search does otherwise than the default; empty for every other."""
    usual = without_own_bm25(default_choice(choice.index, choice.reranker))
    depths = _depths(choice)
    name = _name(choice, depths)
    same = usual.settings.changed({"rerank_depth": choice.settings.rerank_depth}) == choice.settings
    if name in (None, USUAL) or not same or choice.reranker != default_choice(choice.index).reranker:
        return ""
    most = "" if usual.settings.rerank_stop is None else " at most"
    return f"{name}: {choice.settings.rerank_depth:,} passages are re-ranked; by default {depths[USUAL]:,} are{most}."


def seconds_words(seconds: float) -> str:
    """A predicted time, no more exact than it can be: `about 0.4 s`, `about 12 s`."""
    if seconds < 0.095:
        return "under 0.1 s"
    return f"about {seconds:.1f} s" if seconds < 9.95 else f"about {seconds:,.0f} s"


def _depths(choice: SearchChoice) -> dict[str, int]:
    usual = default_choice(choice.index, choice.reranker).settings
    return named_depths(usual, depth=choice.settings.depth)


def _name(choice: SearchChoice, depths: dict[str, int]) -> str | None:
    names = [name for name, passages in depths.items() if passages == choice.settings.rerank_depth]
    return names[0] if names else None


def _labels(shared: SharedPipeline, choice: SearchChoice, depths: dict[str, int]) -> dict[str, str]:
    """The buttons' words, which stay as they are until another query is asked.

    Streamlit draws a button with other words anew, and whoever had just pressed it would lose the focus.
    """
    asked = (shared.fingerprint, choice.query, depths)
    kept = st.session_state.get(key("thoroughness_words"))
    if kept is None or kept[0] != asked:
        most = shared.pipeline.index.manifest.passages
        words = {name: _label(name, min(passages, most), shared.pace) for name, passages in depths.items()}
        kept = st.session_state[key("thoroughness_words")] = (asked, words)
    labels: dict[str, str] = kept[1]
    return labels


def _label(name: str, passages: int, pace: Pace) -> str:
    seconds = pace.predict(passages)
    return f"{name} :small[{f'{passages:,} passages' if seconds is None else seconds_words(seconds)}]"


def _choose(depths: dict[str, int]) -> None:
    name = st.session_state[key("thoroughness")]
    if name in depths:
        choose(rerank_depth=depths[name])
