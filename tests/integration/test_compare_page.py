"""The compare page in every state, on a tiny index with random models."""

import re
from collections.abc import Iterator
from html import unescape
from math import log2
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.views.compare.chart import slope_chart
from app.views.widgets.terms import meaning
from indexing.records import Passage, PassageId, Ranking
from search.overlap import kendall_tau, rank_biased_overlap
from search.settings import PipelineSettings
from search.trace import PipelineVersions, SearchTrace
from tests.support import pages
from tests.support.pages import BERLIN, BERLIN_GRADES, card, figure, html, make_berlin_index, sentences, text
from tests.support.pages import BERLIN_QUERY as QUERY

PAGE = Path(__file__).parents[2] / "app/views/compare/page.py"
PASSAGES = BERLIN[:7]
SIDES = {"a": "first", "b": "second"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes that holds one, `tiny`, of a judged corpus."""
    return make_berlin_index(tmp_path_factory.mktemp("compare"), tiny_bi_encoder, PASSAGES)


@pytest.fixture
def page(root: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(root))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "tiny")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", str(tiny_cross_encoder))
    yield AppTest.from_file(str(PAGE), default_timeout=30)
    st.cache_resource.clear()


def opened(page: AppTest, **link: str) -> AppTest:
    """The page as a link opens it; the first underscore of a name stands for its dot."""
    for name, value in link.items():
        page.query_params[name.replace("_", ".", 1)] = value
    page.run()
    assert not page.exception
    return page


def column(page: AppTest, side: str) -> str:
    """The HTML of the list of `a` or `b`; empty where it isn't shown."""
    return pages.column(page, SIDES[side])


def ids(page: AppTest, side: str) -> list[str]:
    """The passages of one list, best first."""
    return re.findall(r'data-passage="(\w+)"', column(page, side))


def as_ranking(names: list[str]) -> Ranking:
    return Ranking.sort((PassageId(name), -float(place)) for place, name in enumerate(names))


def test_without_a_query_the_page_says_what_it_does_and_gives_examples(page: AppTest) -> None:
    opened(page)
    assert (
        "Both lists appear side by side, with figures on how similar they are: the passages they share, "
        "rank-biased overlap and, for a judged query, the nDCG@10 of each."
    ) in html(page)
    assert any(page.button(key="compare_example_0").label in text for text in PASSAGES)
    assert "sl-card" not in html(page)
    assert "7 passages" in page.sidebar.caption[0].value


def test_bm25_alone_is_compared_with_the_served_pipeline(page: AppTest, tiny_cross_encoder: Path) -> None:
    opened(page, q=QUERY)
    assert "BM25, depth 100, no re-ranker" in html(page)
    assert f"RRF, depth 100, 7 re-ranked by {tiny_cross_encoder.name}" in html(page)
    assert len(ids(page, "a")) == 5  # hamburg and water share no word with the query
    assert len(ids(page, "b")) == 7


def test_a_typed_query_is_compared(page: AppTest) -> None:
    opened(page).text_input(key="compare_query").set_value("hamburg port")
    page.button(key="compare_submit").click().run()
    assert not page.exception
    assert ids(page, "a") == ["6"]
    assert page.query_params["q"] == "hamburg port"


def test_every_card_says_where_the_other_list_has_it(page: AppTest) -> None:
    opened(page, q=QUERY)
    a, b = ids(page, "a"), ids(page, "b")
    assert a != b[: len(a)]
    for place, passage in enumerate(a):
        assert f">→ {b.index(passage) + 1}</span>" in card(column(page, "a"), passage)
        places = place - b.index(passage)
        mark = f"▲{places}" if places > 0 else f"▼{-places}" if places < 0 else "·"
        assert f">{mark}</span>" in card(column(page, "b"), passage)
    for passage in set(b) - set(a):
        assert ">only in B</span>" in card(column(page, "b"), passage)


def test_a_passage_that_only_a_has_says_so(page: AppTest) -> None:
    opened(page, q=QUERY, a_fusion="dense", b_fusion="bm25", b_reranker="none")
    for passage in ("6", "7"):
        assert ">only in A</span>" in card(column(page, "a"), passage)
    assert column(page, "a").count("only in A") == 2


def test_the_figures_are_those_of_the_lists(page: AppTest) -> None:
    opened(page, q=QUERY)
    a, b = (as_ranking(ids(page, side)) for side in "ab")
    assert figure(page, "Overlap@10") == "5 of 7"
    assert figure(page, "RBO") == f"{rank_biased_overlap(a, b):.3f}"
    tau = kendall_tau(*(page.session_state[f"compare_trace_{side}"][1].final for side in "ab"))  # knows tied scores
    assert tau is not None
    assert figure(page, "Kendall’s tau") == f"{tau:.3f}"
    assert re.fullmatch(r"[\d,]+ ms · [\d,]+ ms", figure(page, "Time A · B"))
    for term in ("Overlap@10", "RBO", "Kendall's tau"):
        assert f'title="{meaning(term)}"' in text(page)


def test_the_same_pipeline_twice_is_alike(page: AppTest) -> None:
    opened(page, q=QUERY, b_fusion="bm25", b_reranker="none")
    assert (figure(page, "Overlap@10"), figure(page, "RBO"), figure(page, "Kendall’s tau")) == (
        "5 of 5",
        "1.000",
        "1.000",
    )
    assert "sl-up" not in column(page, "b")


def test_a_judged_query_shows_grades_and_what_each_is_worth(page: AppTest) -> None:
    opened(page, q=QUERY.upper())
    ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
    values = [
        sum(BERLIN_GRADES.get(passage, 0) / log2(place + 2) for place, passage in enumerate(ids(page, side))) / ideal
        for side in "ab"
    ]
    assert figure(page, "nDCG@10 A → B").startswith(f"{values[0]:.3f} → {values[1]:.3f} ")
    assert ">answers</span>" in column(page, "a")


def test_a_query_without_judgments_shows_no_ndcg(page: AppTest) -> None:
    opened(page, q="hamburg port")
    assert "nDCG@10 A" not in html(page)
    assert "sl-grade" not in html(page)


def test_an_example_and_a_judged_query_can_be_picked(page: AppTest) -> None:
    label = opened(page).button(key="compare_example_0").label
    page.button(key="compare_example_0").click().run()
    assert page.text_input(key="compare_query").value == label
    assert ids(page, "b")
    page.text_input(key="compare_query").set_value("hamburg")
    page.button(key="compare_submit").click().run()
    page.selectbox(key="compare_judged").select(QUERY).run()
    assert page.query_params["q"] == QUERY


def test_a_link_holds_the_query_and_both_pipelines(
    page: AppTest, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rerankers._typed", {str(tiny_cross_encoder): None})
    link = {
        "q": QUERY,
        "shown": "3",
        "a.fusion": "weighted",
        "a.bm25": "0.5",
        "a.depth": "6",
        "a.reranker": str(tiny_cross_encoder),
        "a.rerank": "4",
        "b.fusion": "dense",
        "b.reranker": "none",
    }
    for name, value in link.items():
        page.query_params[name] = value
    opened(page)
    assert len(ids(page, "a")) == len(ids(page, "b")) == 3
    assert "weighted sum, depth 6, 4 re-ranked" in html(page)
    assert "dense, depth 100, no re-ranker" in html(page)
    assert page.number_input(key="compare_a_rerank_depth").value == 4
    assert {name: page.query_params[name] for name in link} == link


def test_bad_values_in_a_link_fall_back_with_a_note(page: AppTest) -> None:
    opened(page, q=QUERY, index="nope", a_depth="abc", b_fusion="<b>x</b>", shown="0")
    shown = unescape(html(page))
    assert "The link's a.depth “abc” isn't a whole number from 1 to 10,000; 100 is used." in shown
    assert "The link's b.fusion “<b>x</b>” isn't one of" in shown
    assert shown.count("The link's index “nope”") == shown.count("The link's shown “0”") == 1
    assert "<b>x</b>" not in html(page)
    assert set(page.query_params) == {"q"}
    assert ids(page, "b")


def test_a_changed_setting_changes_its_own_side_and_the_link(page: AppTest) -> None:
    opened(page, q=QUERY)
    before = ids(page, "b")
    page.selectbox(key="compare_a_fusion").set_value("dense").run()
    assert not page.exception
    assert page.query_params["a.fusion"] == "dense"
    assert len(ids(page, "a")) == 7
    assert ids(page, "b") == before


def test_a_smaller_depth_takes_the_reranking_depth_along(page: AppTest) -> None:
    opened(page, q=QUERY)
    page.number_input(key="compare_b_depth").set_value(4).run()
    assert not page.exception
    assert page.number_input(key="compare_b_rerank_depth").value == 4
    assert page.number_input(key="compare_a_rerank_depth").value == 50
    assert len(ids(page, "b")) == 4


def test_trained_versions_can_be_chosen(
    page: AppTest, tiny_cross_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    (tmp_path / "data/models/mine").mkdir(parents=True)
    (tmp_path / "data/models/mine/1").symlink_to(tiny_cross_encoder)
    opened(page, q=QUERY, a_reranker="mine/1")
    assert not page.error
    assert "BM25, depth 100, 5 re-ranked by mine/1" in html(page)


def test_an_unknown_reranker_leaves_its_first_stage(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.rerankers._typed", {"nobody/no-such-model": None})
    opened(page, q=QUERY, a_reranker="nobody/no-such-model")
    assert "A wasn't re-ranked: Re-ranker 'nobody/no-such-model' is no folder here" in sentences(page)
    assert "BM25, depth 100, not re-ranked" in html(page)
    assert len(ids(page, "a")) == 5
    assert ids(page, "b")
    page.button(key="compare_retry").click().run()
    assert "A wasn't re-ranked: " in sentences(page)


def test_an_unknown_index_says_what_to_run(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "nothing")
    opened(page, q=QUERY)
    assert "There is no index 'nothing'" in sentences(page)
    assert "“Build” on the Indexes page" in sentences(page)
    assert "sl-card" not in html(page)


def test_nothing_found_by_either_says_so(page: AppTest) -> None:
    opened(page, q="zzzz ![x](y)", b_fusion="bm25")
    assert "Neither pipeline found a passage for “zzzz ![x](y)”. Try other words." in sentences(page)
    assert "sl-card" not in html(page)


def test_nothing_found_by_one_leaves_the_other(page: AppTest) -> None:
    opened(page, q="zzzz")
    assert ids(page, "a") == []
    assert "BM25, depth 100, no re-ranker; nothing found" in column(page, "a")
    assert len(ids(page, "b")) == 7
    assert figure(page, "Overlap@10") == "0 of 7"
    assert figure(page, "RBO") == "0.000"
    assert figure(page, "Kendall’s tau") == "–"
    assert "A: No passage has any of" in html(page)


def test_too_long_a_query_says_how_long_it_may_be(page: AppTest) -> None:
    opened(page, q="berlin " * 400)
    assert "at most 2,000 are searched" in sentences(page)


def test_passage_text_is_data(page: AppTest) -> None:
    opened(page, q="script passage code")
    assert "<script" not in html(page)
    assert "<b>passage" not in html(page)
    assert "3" in ids(page, "a")


def fused_trace(ranking: Ranking, texts: dict[PassageId, Passage]) -> SearchTrace:
    """A search without a re-ranker that ended in this ranking."""
    versions = PipelineVersions(index="sample", build="1", bi_encoder="m", reranker=None, second_look="")
    return SearchTrace(
        query="q",
        settings=PipelineSettings(),
        versions=versions,
        first_stage={},
        fused=ranking,
        seconds={},
        passages=texts,
    )


def test_the_chart_joins_what_both_have_and_leaves_open_what_one_has() -> None:
    texts = {PassageId(name): Passage(PassageId(name), f"passage {name}") for name in "12345"}
    chart = slope_chart(
        fused_trace(as_ranking(["1", "2", "3", "4"]), texts),
        fused_trace(as_ranking(["2", "5", "1", "3"]), texts),
        shown=2,
    )
    described = chart.to_dict()
    rows = next(iter(described["datasets"].values())) if "datasets" in described else described["data"]["values"]
    ends = {(row["id"], row["end"]): (row["place"], row["direction"], row["a"], row["b"]) for row in rows}
    assert ends == {
        ("1", 0): (1, "down", "1", "3"),  # ranks beyond 2 share the row of 3
        ("1", 1): (3, "down", "1", "3"),
        ("2", 0): (2, "up", "2", "1"),
        ("2", 1): (1, "up", "2", "1"),
        ("5", 1): (2, "alone", "not in this list", "2"),
    }


def test_why_is_answered_by_the_pipeline_of_the_list(page: AppTest) -> None:
    opened(page, q=QUERY)
    for column_name, told in (("first", "This search has no re-ranker."), ("second", "The logit is")):
        page.session_state["why_asked"] = {"list": column_name, "passage": "1"}
        page.run()
        assert not page.exception
        shown = html(page).partition('<div class="sl-why">')[2]
        assert told in html(page)
        assert ("re-ranked</small>" in shown) == (column_name == "second")


def test_each_side_has_its_own_k1_and_b(page: AppTest) -> None:
    opened(page, q=QUERY, a_k1="2", a_b="0.9")
    assert "BM25 (k1 2, b 0.9), depth 100, no re-ranker" in html(page)
    assert page.number_input(key="compare_b_k1").value is None
    page.number_input(key="compare_b_b").set_value(0.1).run()
    assert "RRF (b 0.1), depth 100" in html(page)
    assert {name: page.query_params[name] for name in ("a.k1", "a.b", "b.b")} == {
        "a.k1": "2",
        "a.b": "0.9",
        "b.b": "0.1",
    }
    page.button(key="compare_a_own_bm25").click().run()
    assert not page.exception
    assert set(page.query_params) == {"q", "b.b"}
