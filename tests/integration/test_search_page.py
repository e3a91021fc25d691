"""The search page in every state, on a tiny index with random models."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from math import log2
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.index import open_index
from indexing.manifest import Manifest
from search.retrieve import retrieve_bm25
from search.served import reranker_fingerprint
from search.served_settings import ServedSettings, serve
from search.settings import PipelineSettings
from tests.support.pages import BERLIN as PASSAGES
from tests.support.pages import BERLIN_QUERY as QUERY
from tests.support.pages import card, column, html, keys, make_berlin_index, press, sentences
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder

MAIN = Path(__file__).parents[2] / "app/main.py"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, its judgments, an index `tiny` under indexes/, and a cross-encoder."""
    folder = tmp_path_factory.mktemp("house")
    make_berlin_index(folder, make_bi_encoder(folder / "bi-encoder"), PASSAGES)
    make_cross_encoder(folder / "cross-encoder")
    return folder


@pytest.fixture
def page(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(house / "indexes"))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "tiny")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", str(house / "cross-encoder"))
    yield AppTest.from_file(str(MAIN), default_timeout=30)
    st.cache_resource.clear()


def ranks(column: str) -> dict[str, int]:
    """The rank that is shown for each passage of a list, by its id."""
    pairs = re.findall(r'data-passage="(\w+)".*?sl-rank"[^>]*>(\d+)<', column)
    return {passage: int(rank) for passage, rank in pairs}


def search(page: AppTest, query: str) -> AppTest:
    page.text_input(key="search_query").set_value(query)
    page.button(key="search_submit").click().run()
    assert not page.exception
    return page


def test_an_empty_query_shows_a_welcome_and_examples(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert (
        "Type a query and press Enter. Two rankings appear side by side: what the <b>first stage</b> found by words"
        in html(page)
    )
    labels = [button.label for button in page.button if (button.key or "").startswith("search_example_")]
    assert labels
    assert QUERY not in labels  # a test query
    assert all(any(label in text for text in PASSAGES) for label in labels)
    assert not column(page, "first")
    assert "8 passages" in page.sidebar.caption[0].value


def test_a_query_shows_both_lists_with_ranks_badges_and_moves(page: AppTest) -> None:
    search(page.run(), QUERY)
    first, second = column(page, "first"), column(page, "second")
    assert first.count("<li") == second.count("<li") == len(PASSAGES)
    assert "BM25 #1" in first
    assert "dense #1" in first
    assert "logit" not in first + second  # raw scores stand under *why?*
    assert "sl-bar" in second
    assert "▲" in second
    assert "▼" in second
    assert "rose" in second
    assert "<mark>Berlin</mark>" in first
    assert page.query_params["q"] == QUERY


def test_every_move_is_the_difference_of_both_ranks(page: AppTest) -> None:
    search(page.run(), QUERY)
    before, after = ranks(column(page, "first")), ranks(column(page, "second"))
    assert before.keys() == after.keys()
    assert before != after
    for passage, rank in after.items():
        places = before[passage] - rank
        expected = f"▲{places}" if places > 0 else f"▼{-places}" if places < 0 else "·"
        assert f">{expected}</span>" in card(column(page, "second"), passage)
        assert f">→ {rank}</span>" in card(column(page, "first"), passage)


def test_passage_text_is_data(page: AppTest) -> None:
    search(page.run(), "script passage code")
    assert "<script" not in html(page)
    assert "&lt;" in column(page, "first")
    assert "<b>passage" not in html(page)


def test_a_query_is_data_in_sentences(page: AppTest) -> None:
    page.query_params["fusion"] = "bm25"
    search(page.run(), "![zzzz](http://qqqq) <img>")
    assert page.info[0].value.count("![") == 0
    assert "No passage has any of the query's words: zzzz, http, qqqq, img;" in sentences(page)


def test_long_passages_are_shortened_and_those_cut_for_the_reranker_say_so(page: AppTest) -> None:
    search(page.run(), QUERY)
    assert column(page, "second").count("sl-cut") == 1
    long = card(column(page, "second"), "8")
    assert long.count("<details") == 1
    assert "until the end." in unescape(long)


def test_a_judged_query_shows_grades_and_ndcg(page: AppTest) -> None:
    search(page.run(), QUERY.upper())
    first = column(page, "first")
    for word in ("answers", "partly", "related", "not relevant", "not judged"):
        assert f">{word}</span>" in first
    grades = {"1": 3, "2": 2, "4": 1, "5": 0}
    values = []
    for name in ("first", "second"):
        gain = sum(grades.get(passage, 0) / log2(rank + 1) for passage, rank in ranks(column(page, name)).items())
        values.append(gain / (3 / log2(2) + 2 / log2(3) + 1 / log2(4)))
    assert f"<small>nDCG@10</small><b>{values[0]:.3f} → {values[1]:.3f}" in html(page)


def test_a_query_without_judgments_shows_no_grades(page: AppTest) -> None:
    search(page.run(), "hamburg port")
    assert "sl-grade" not in html(page)
    assert "nDCG@10" not in html(page)


def test_an_example_fills_the_box_and_searches(page: AppTest) -> None:
    label = page.run().button(key="search_example_0").label
    page.button(key="search_example_0").click().run()
    assert page.text_input(key="search_query").value == label
    assert column(page, "second")


def test_a_judged_query_can_be_picked(page: AppTest) -> None:
    page.run().selectbox(key="search_judged").select(QUERY).run()
    assert page.text_input(key="search_query").value == QUERY
    assert column(page, "second")


def test_no_hit_says_so_and_offers_the_search_by_meaning(page: AppTest) -> None:
    page.query_params["fusion"] = "bm25"
    search(page.run(), "zzzz qqqq")
    assert (
        "No passage has any of the query's words: zzzz, qqqq; try other words, or the fusion rrf or dense, "
        "which finds passages by their meaning."
    ) in sentences(page)
    page.button(key="search_by_meaning").click().run()
    assert page.selectbox(key="search_fusion").value == "rrf"
    assert column(page, "first").count("<li") == len(PASSAGES)


@pytest.mark.parametrize("fusion", ["rrf", "weighted", "bm25", "dense"])
def test_every_fusion_is_shown(page: AppTest, fusion: str) -> None:
    page.query_params["q"] = QUERY
    page.query_params["fusion"] = fusion
    page.run()
    assert not page.exception
    assert ("BM25 #" in column(page, "first")) == (fusion != "dense")
    assert ("dense #" in column(page, "first")) == (fusion != "bm25")


def test_without_a_reranker_the_first_stage_stands_alone(page: AppTest) -> None:
    page.query_params["reranker"] = "none"
    search(page.run(), QUERY)
    assert "This is the first stage alone. To re-rank it, choose a re-ranker in the sidebar." in sentences(page)
    assert column(page, "first").count("<li") == len(PASSAGES)
    assert not column(page, "second")


def test_an_absent_default_reranker_leaves_the_first_stage(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    (tmp_path / "reranker").mkdir()  # which holds none
    monkeypatch.setenv("SECOND_LOOK_RERANKER", "default")
    search(page.run(), QUERY)
    assert f"There is no re-ranker in {tmp_path}/reranker" in sentences(page)
    assert not page.error
    assert column(page, "first")
    assert not column(page, "second")


def test_a_reranker_that_cannot_be_loaded_leaves_the_first_stage(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rerankers._typed", {str(tmp_path): None})
    page.query_params["reranker"] = str(tmp_path)
    search(page.run(), QUERY)
    assert f"Re-ranker {tmp_path} holds no config.json" in sentences(page)
    assert column(page, "first")
    assert not column(page, "second")
    page.button(key="search_retry").click().run()
    assert "holds no config.json" in sentences(page)


def test_an_unknown_hub_name_leaves_the_first_stage(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.rerankers._typed", {"nobody/no-such-model": None})
    page.query_params["reranker"] = "nobody/no-such-model"
    search(page.run(), QUERY)
    assert "Re-ranker 'nobody/no-such-model' is no folder here" in sentences(page)
    assert column(page, "first")


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/etc", "../models/mine", "mine/1\n", "data/reranker/"])
@pytest.mark.parametrize("read_only", ["0", "1"])
def test_a_link_loads_no_reranker_that_isnt_offered(
    page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch, name: str, read_only: str
) -> None:
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", read_only)
    monkeypatch.setattr("app.rerankers._typed", {})
    page.query_params["reranker"] = name
    page.run()
    assert not page.exception
    assert "isn't a re-ranker that is offered here" in unescape(html(page))
    assert page.selectbox(key="search_reranker").value == str(house / "cross-encoder")


def test_a_link_may_name_what_was_typed_before(page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = str(make_cross_encoder(tmp_path / "other"))
    monkeypatch.setattr("app.rerankers._typed", {other: None})
    page.query_params["reranker"] = other
    page.run()
    assert page.selectbox(key="search_reranker").value == other


def test_a_typed_reranker_is_used(page: AppTest, house: Path) -> None:
    page.query_params["reranker"] = "none"
    search(page.run(), QUERY)
    page.selectbox(key="search_reranker").set_value(str(house / "cross-encoder")).run()
    assert not page.exception
    assert column(page, "second")


def test_an_absent_index_says_what_to_run(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "nothing")
    page.run()
    assert not page.exception
    assert "There is no index 'nothing'" in sentences(page)
    assert "“Build” on the Indexes page" in sentences(page)


def test_a_broken_index_says_what_to_run(page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_folder = tmp_path / "tiny/20260101-000000-abcdef"
    build_folder.mkdir(parents=True)
    (build_folder / "manifest.json").write_text("{", encoding="utf-8")
    (tmp_path / "tiny/current").write_text(build_folder.name, encoding="utf-8")
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(tmp_path))
    page.run()
    assert not page.exception
    assert "manifest.json is no JSON" in sentences(page)
    assert "“Build” on the Indexes page" in sentences(page)


def test_too_long_a_query_says_how_long_it_may_be(page: AppTest) -> None:
    search(page.run(), "berlin " * 400)
    assert "at most 2,000 are searched" in sentences(page)
    assert not column(page, "first")


def test_a_link_holds_query_and_settings(page: AppTest) -> None:
    first_stage = {"fusion": "weighted", "bm25": "0.5", "depth": "6"}
    link = {"q": QUERY, **first_stage, "rerank": "4", "weight": "0.75", "mix": "dense", "shown": "3"}
    for name, value in link.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert column(page, "first").count("<li") == column(page, "second").count("<li") == 3
    assert "75% re-ranker, 25% dense" in column(page, "second")
    assert page.number_input(key="search_depth").value == 6
    assert {name: page.query_params[name] for name in link} == link


def test_bad_values_in_a_link_fall_back_with_a_note(page: AppTest) -> None:
    bad = {"depth": "abc", "fusion": "<b>x</b>", "weight": "nan", "index": "nope", "rerank": "-1", "shown": "9999"}
    for name, value in {"q": QUERY, **bad}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert "The link's depth “abc” isn't a whole number from 1 to 10,000; 100 is used." in unescape(html(page))
    for name in bad:
        assert f"The link's {name}" in unescape(html(page))
    assert "<b>x</b>" not in html(page)
    assert column(page, "second")
    assert set(page.query_params) == {"q"}


def test_a_smaller_depth_takes_the_reranking_depth_along(page: AppTest) -> None:
    search(page.run(), QUERY)
    page.number_input(key="search_depth").set_value(5).run()
    assert not page.exception
    assert page.number_input(key="search_rerank_depth").value == 5
    assert column(page, "first").count("<li") == 5


def test_passages_below_the_reranking_depth_say_so(page: AppTest) -> None:
    page.query_params["rerank"] = "3"
    search(page.run(), QUERY)
    assert column(page, "second").count("<li") == 3
    assert column(page, "first").count("not re-ranked") == len(PASSAGES) - 3


def test_no_reranking_depth_says_so(page: AppTest) -> None:
    page.query_params["rerank"] = "0"
    search(page.run(), QUERY)
    assert (
        "The re-ranking depth is 0, so this is the first stage alone. To re-rank it, raise it in the sidebar."
    ) in sentences(page)
    assert not column(page, "second")


def test_percentiles_come_with_the_fifth_search(page: AppTest) -> None:
    page.run()
    for query in ("berlin", "munich", "hamburg", "water"):
        search(page, query)
    assert "p95" not in html(page)
    search(page, "wall")
    assert "5 searches in this session: p50" in html(page)
    page.number_input(key="search_shown").set_value(2).run()  # shows less of the same search
    assert "5 searches in this session: p50" in html(page)


def test_a_new_build_is_read_without_a_restart(page: AppTest, house: Path) -> None:
    search(page.run(), "zebra")
    corpus = house / "corpus-2"
    corpus.mkdir()
    (corpus / "collection.tsv").write_text("1\tA zebra has stripes.\n2\tA horse has none.\n", encoding="utf-8")
    settings = BuildSettings(bi_encoder=str(house / "bi-encoder"))
    before = (house / "indexes/tiny/current").read_text(encoding="utf-8")
    try:
        build(Corpus(corpus), name="tiny", root=house / "indexes", settings=settings)
        page.run()
        assert "stripes" in column(page, "first")
        assert column(page, "first").count("<li") == 2
    finally:
        (house / "indexes/tiny/current").write_text(before, encoding="utf-8")


def test_k1_and_b_of_a_link_are_searched_with_explained_and_kept(page: AppTest, house: Path) -> None:
    page.query_params.update({"q": QUERY, "k1": "2", "b": "0.9", "fusion": "bm25"})
    page.run()
    assert not page.exception
    index = open_index("tiny", root=house / "indexes")
    ranking, _ = retrieve_bm25(index, QUERY, depth=100, k1=2.0, b=0.9)
    assert ranks(column(page, "first")) == {name: rank for rank, name, _ in ranking}
    assert {name: page.query_params[name] for name in ("k1", "b")} == {"k1": "2", "b": "0.9"}
    best = ranking.passage_ids[0]
    page.session_state["why_asked"] = {"list": "first", "passage": best}
    page.run()
    assert f'<td colspan="4">BM25</td><td>{ranking.scores[0]:.3f}</td>' in html(page)
    assert "n + 2 × (0.1 + 0.9 ×" in html(page)


def test_k1_and_b_are_the_index_s_own_until_set_and_after_a_reset(page: AppTest) -> None:
    search(page.run(), QUERY)
    assert page.number_input(key="search_k1").value is None
    assert page.number_input(key="search_k1").placeholder == "0.9, the index's own"
    assert page.button(key="search_own_bm25").disabled
    page.number_input(key="search_k1").set_value(1.5).run()
    assert page.query_params["k1"] == "1.5"
    page.number_input(key="search_b").set_value(0.4).run()  # its own
    assert "b" not in page.query_params
    page.button(key="search_own_bm25").click().run()
    assert not page.exception
    assert page.number_input(key="search_k1").value is None
    assert set(page.query_params) == {"q"}


def test_k1_and_b_out_of_range_in_a_link_are_told(page: AppTest) -> None:
    page.query_params.update({"q": QUERY, "k1": "3.1", "b": "nan"})
    page.run()
    assert not page.exception
    shown = unescape(html(page))
    assert "The link's k1 “3.1” isn't a number from 0 to 3; the index's own is used." in shown
    assert "The link's b “nan” isn't a number from 0 to 1; the index's own is used." in shown
    assert set(page.query_params) == {"q"}


def test_without_postings_k1_and_b_can_not_be_set(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Manifest, "has_postings", False)
    page.query_params.update({"q": QUERY, "k1": "2"})
    page.run()
    assert not page.exception
    assert "BM25’s k1 and b can’t be changed for index tiny; its own are used." in unescape(html(page))
    assert not [field for field in page.number_input if field.key in ("search_k1", "search_b")]
    assert set(page.query_params) == {"q"}
    assert column(page, "first")


def test_what_answers_by_default_is_told_under_the_lists_and_dense_alone_is_one_click_away(
    page: AppTest, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = PipelineSettings(depth=8, rerank_depth=4, rerank_weight=0.3, rerank_mix="dense")
    reranker = str(house / "cross-encoder")
    monkeypatch.delenv("SECOND_LOOK_RERANKER")
    root = house / "indexes"
    served = ServedSettings(reranker=reranker, settings=chosen, fingerprint=reranker_fingerprint(reranker))
    serve("tiny", replace(served, figures={"judged": 104, "split": "dev"}), root=root)
    try:
        search(page.run(), QUERY)
        assert "Re-ranker 30 %, cosine 70 %, depth 4: chosen on 104 dev queries." in html(page)
        assert "search_use_default" not in keys(page)
        press(page, "search_dense_alone")
        assert not column(page, "second")
        assert "These settings aren't the default of tiny (re-ranker 30 %" in unescape(html(page))
        assert "search_dense_alone" not in keys(page)
        press(page, "search_use_default")
        assert "Re-ranker 30 %, cosine 70 %, depth 4: chosen on 104 dev queries." in html(page)
        assert not page.get("page_link")

        serve("tiny", replace(served, build="older", fingerprint="older"), root=root)
        page.run()
        assert "The served default of tiny was chosen on build older" in html(page)
        assert "chosen with another version of its re-ranker" in html(page)
        (link,) = page.get("page_link")
        assert (link.proto.page, link.proto.query_string) == ("evaluate", "show=decide&index=tiny")
    finally:
        (root / "tiny/served.json").unlink()


def test_a_search_is_fast_usual_or_thorough_with_its_time(page: AppTest) -> None:
    page.query_params.update({"depth": "6", "rerank": "2"})
    page.run()
    names = ["Fast", "Usual", "Thorough"]
    (control,) = page.segmented_control
    assert [option.split()[0] for option in control.options] == names[:2]  # 6 of 6 candidates: none more thorough
    assert all(re.search(r":small\[(under|about) [\d.]+ s\]", option) for option in control.options)
    assert control.value == "Fast"  # 0.4 x 6 = 2.4
    search(page, QUERY)
    assert column(page, "second").count("<li") == 2
    page.segmented_control(key="search_thoroughness").set_value("Usual").run()
    assert not page.exception
    assert page.number_input(key="search_rerank_depth").value == 6
    page.number_input(key="search_depth").set_value(100).run()
    (control,) = page.segmented_control
    assert [option.split()[0] for option in control.options] == names
    assert control.value is None
    control.set_value("Fast").run()
    assert page.query_params["rerank"] == "20"
    assert "Fast: 20 passages are re-ranked; by default 50 are." in unescape(html(page))
    assert "chosen on" not in unescape(html(page)).replace("wasn't chosen on this", "")
    control.set_value("Usual").run()
    assert set(page.query_params) == {"q"}
    page.selectbox(key="search_fusion").set_value("dense").run()
    page.segmented_control(key="search_thoroughness").set_value("Thorough").run()
    assert "These settings aren't the default of tiny" in unescape(html(page))  # more than its depth is another
    page.selectbox(key="search_reranker").set_value("none").run()
    assert not page.segmented_control


def test_the_programs_own_default_claims_no_choice(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.query_params["reranker"] = "none"
    monkeypatch.delenv("SECOND_LOOK_RERANKER")
    search(page.run(), QUERY)
    assert "the program's own default, which wasn't chosen on this index" in unescape(html(page))
    assert "chosen on" not in unescape(html(page)).replace("wasn't chosen on this", "")


def test_another_index_brings_its_own_default(page: AppTest, house: Path) -> None:
    root = house / "indexes"
    shutil.copytree(root / "tiny", root / "other")
    try:
        serve("other", ServedSettings(settings=PipelineSettings(depth=6, rerank_depth=3, fusion="bm25")), root=root)
        search(page.run(), QUERY)
        page.selectbox(key="search_index").select("other").run()
        assert page.number_input(key="search_depth").value == 6
        assert page.selectbox(key="search_fusion").value == "bm25"
        assert page.query_params["index"] == "other"
        assert "fusion" not in page.query_params  # it is that index's default
        page.number_input(key="search_depth").set_value(7).run()
        page.selectbox(key="search_index").select("tiny").run()
        assert page.number_input(key="search_depth").value == 7
        assert page.selectbox(key="search_fusion").value == PipelineSettings().fusion
    finally:
        shutil.rmtree(root / "other")
