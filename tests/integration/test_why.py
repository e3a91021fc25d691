"""A card's buttons: why this rank, by the figures of the search, and a grade for the passage; on a tiny index."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from indexing.index import open_index
from indexing.words.analyzers import analyzer_for
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.support.pages import BERLIN, html, keys, make_berlin_index, press, sentences
from tests.support.pages import BERLIN_QUERY as QUERY
from training.judgments.feedback import FeedbackStore

MAIN = Path(__file__).parents[2] / "app/main.py"
PASSAGES = [*BERLIN[:3], *BERLIN[6:]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes that holds one, `tiny`."""
    return make_berlin_index(tmp_path_factory.mktemp("why"), tiny_bi_encoder, PASSAGES)


@pytest.fixture
def page(root: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(root))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "tiny")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", str(tiny_cross_encoder))
    yield AppTest.from_file(str(MAIN), default_timeout=30)
    st.cache_resource.clear()


def ask(page: AppTest, passage: str, *, query: str = QUERY, column: str = "second") -> str:
    """Press a card's button, as the browser would; give back the dialog's HTML."""
    page.query_params["q"] = query
    page.run()
    assert not page.exception
    assert f'data-passage="{passage}"' in html(page)
    page.session_state["why_asked"] = {"list": column, "passage": passage}
    page.run()
    assert not page.exception
    return html(page).partition('<div class="sl-why">')[2]


def plain(text: str) -> str:
    """HTML without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_every_card_has_a_button_and_nothing_is_explained_unasked(page: AppTest) -> None:
    page.query_params["q"] = QUERY
    page.run()
    assert not page.exception
    assert html(page).count('aria-label="why? Rank 1"') == 2  # one in each list
    assert html(page).count('class="sl-ask"') == 2 * len(PASSAGES)
    assert "sl-why" not in html(page)


def test_the_terms_sum_to_the_score_of_the_index(page: AppTest, root: Path) -> None:
    shown = ask(page, "1")
    index = open_index("tiny", root=root)
    score = float(index.bm25.scores(analyzer_for().terms(QUERY))[0])
    assert f'<td colspan="4">BM25</td><td>{score:.3f}</td>' in shown
    rows = re.findall(r"<tr><td>.*?<td>([\d.]+)</td></tr>", shown.partition("<tfoot>")[0])
    assert len(rows) == len(set(analyzer_for().terms(QUERY)))
    assert sum(map(float, rows)) == pytest.approx(score, abs=0.0005 * len(rows))  # each is rounded


def test_the_ranks_of_every_stage_are_those_of_the_lists(page: AppTest) -> None:
    shown = plain(ask(page, "1"))
    badges = html(page).partition("sl-column-second")[2].partition('data-passage="1"')[2].partition("</li>")[0]
    bm25, dense = (re.search(rf"{name} #(\d+)", badges).group(1) for name in ("BM25", "dense"))  # type: ignore[union-attr]
    assert f"BM25 #{bm25} " in shown
    assert f"dense #{dense} " in shown
    total = 1 / (60 + int(bm25)) + 1 / (60 + int(dense))
    assert f"1 / (60 + {bm25}) + 1 / (60 + {dense}) = {total:.4f}" in shown


def test_the_nearest_sentence_is_one_of_the_passage(page: AppTest) -> None:
    shown = ask(page, "1")
    sentence = shown.partition("<blockquote>")[2].partition("</blockquote>")[0]
    assert sentence in ("Berlin has about 3.9 million inhabitants.", PASSAGES[0].partition("inhabitants. ")[2])
    assert re.search(r"cosine <b>-?[01]\.\d{3}</b>", shown)


def test_the_words_are_shaded_by_what_the_logit_loses(page: AppTest, tiny_cross_encoder: Path) -> None:
    shown = ask(page, "2")
    reranker = CrossEncoderReranker(str(tiny_cross_encoder))
    words = PASSAGES[1].split(" ")
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    whole, *rest = reranker.score(QUERY, [PASSAGES[1], *without]).logits.tolist()
    place = max(range(len(rest)), key=lambda place: abs(whole - rest[place]))
    title, word = re.findall(r'title="([-+.\d]+)"[^>]*60%[^>]*>([^<]*)<', shown)[0]  # the strongest shade
    assert unescape(word) == words[place]
    assert float(title) == pytest.approx(whole - rest[place], abs=0.02)
    assert f"The logit is {whole:.2f}" in plain(shown)


def test_a_long_passage_is_left_out_in_pieces_and_is_said_to_be_cut(page: AppTest) -> None:
    shown = plain(ask(page, "5"))
    words = -(-len(PASSAGES[4].split()) // 40)  # at most 40 pieces
    assert f"with {words} words left out at a time. The re-ranker reads only its beginning." in shown


def test_passage_text_is_data(page: AppTest) -> None:
    shown = ask(page, "3", query="<b>berlin</b> script")
    assert "<script" not in html(page)
    assert "<b>passage" not in html(page)
    assert "<b>berlin" not in html(page)
    assert "&lt;script&gt;" in shown


def test_a_passage_of_the_first_stage_alone_is_explained_without_a_reranker(page: AppTest) -> None:
    page.query_params["reranker"] = "none"
    shown = plain(ask(page, "4", column="first"))
    assert "This search has no re-ranker." in shown
    assert "BM25 not in the first 4" in shown  # four of five passages share a word with the query
    assert "re-ranked" not in shown.replace("re-ranker", "")


def test_a_passage_below_the_reranking_depth_says_so(page: AppTest) -> None:
    page.query_params["rerank"] = "1"
    page.query_params["q"] = QUERY
    page.run()
    second = html(page).partition("sl-column-second")[2].partition("</section>")[0]
    best = re.findall(r'data-passage="(\w+)"', second)[0]
    other = next(name for name in "12345" if name != best)
    shown = plain(ask(page, other, column="first"))
    assert "re-ranked not in the first 1" in shown
    assert "The logit is" in shown


def test_raw_scores_stand_in_the_explanation_and_not_on_the_card(page: AppTest, tiny_cross_encoder: Path) -> None:
    page.query_params["weight"] = "0.5"
    page.query_params["mix"] = "dense"
    shown = plain(ask(page, "1"))
    stations = re.findall(r"(first stage \(RRF\)|re-ranked|mixed) #\d+ (-?\d+\.\d+)", shown)
    assert [name for name, _ in stations] == ["first stage (RRF)", "re-ranked", "mixed"]
    cards = plain(html(page).partition("sl-column-second")[2].partition("</section>")[0])
    assert not any(score in cards for _, score in stations)
    reranker = CrossEncoderReranker(str(tiny_cross_encoder))
    logits = reranker.score(QUERY, PASSAGES).logits.tolist()
    assert float(dict(stations)["re-ranked"]) == pytest.approx(logits[0], abs=0.006)
    assert dict(stations)["mixed"] != dict(stations)["re-ranked"]


def test_a_query_of_stop_words_says_why_there_are_no_terms(page: AppTest) -> None:
    assert "The query has only stop words, which BM25 ignores." in plain(ask(page, "1", query="the of"))


def test_a_passage_that_is_not_in_the_result_is_not_explained(page: AppTest) -> None:
    page.query_params["q"] = QUERY
    page.run()
    for value in ({"list": "second", "passage": "99"}, {}, "text", None):
        page.session_state["why_asked"] = value
        page.run()
        assert not page.exception
        assert "sl-why" not in html(page)


def test_the_dialog_is_gone_with_the_next_search(page: AppTest) -> None:
    assert ask(page, "1")
    page.text_input(key="search_query").set_value("munich")
    page.button(key="search_submit").click().run()
    assert not page.exception
    assert "sl-why" not in html(page)


def open_grades(page: AppTest, passage: str, *, query: str) -> None:
    """Press the button of a card that takes a grade, as the browser would."""
    page.query_params["q"] = query
    page.run()
    page.session_state["why_asked"] = {"list": "second", "asks": "grade", "passage": passage}
    page.run()
    assert not page.exception


def test_a_card_takes_a_grade_and_leads_to_the_query_s_other_passages(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    store = FeedbackStore.open(tmp_path / "feedback/feedback.sqlite3", protected_share=0.0)
    open_grades(page, "2", query="munich people")
    assert html(page).count('class="sl-ask sl-to-grade"') == 2 * len(PASSAGES)
    page.text_input(key="card_rater").set_value("Ann")
    press(page, "card_grade_0")  # a run of the whole page, which closes the dialog where a browser leaves it open
    open_grades(page, "2", query="munich people")
    press(page, "card_grade_1")  # on second thoughts
    open_grades(page, "2", query="munich people")
    (kept,) = store.grades("tiny")
    assert (kept.query, kept.passage_id, kept.grade, kept.rater) == ("munich people", "2", 1, "ann")
    assert not kept.protected
    assert "Stored: “related”, by ann." in html(page)
    (link,) = [link for link in page.get("page_link") if link.proto.page == "teach"]
    assert link.proto.query_string == "q=munich+people&index=tiny&rater=ann"

    open_grades(page, "3", query=QUERY)  # a judged test query
    assert page.text_input(key="card_rater").value == "ann"
    press(page, "card_grade_3")
    open_grades(page, "3", query=QUERY)
    assert "This query is protected: its grades are used to measure, never to train." in sentences(page)
    assert [one.protected for one in store.grades("tiny")] == [False, True]


def test_a_card_takes_no_grade_without_a_name_nor_where_nobody_may_grade(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    open_grades(page, "2", query="munich people")
    page.text_input(key="card_rater").set_value(" ")
    page.session_state["why_asked"] = {"list": "second", "asks": "grade", "passage": "2"}
    page.run()
    assert page.error
    assert "card_grade_0" not in keys(page)
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    open_grades(page, "2", query="munich people")  # as a forged message may
    assert "sl-to-grade" not in html(page)
    assert "card_grade_0" not in keys(page)
