"""The Teach page in every state, on a tiny index with random models: clicks become grades in the store."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from html import unescape
from itertools import product
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import resources
from app.views.teach.results import jsonl_bytes, qrels_zip
from indexing import places
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.judged.qrels import read_judgments
from indexing.records import Passage, PassageId
from tests.conftest import REPOSITORY, write_lines
from tests.support.pages import again, app_of, figure, html, keys, press, sentences, settle, text
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder
from tests.unit.training.judgments.by_model.servers import Asked, saying, send, serving
from tests.unit.training.judgments.clicks.logs import swapped
from training.judgments.clicks.kept import kept_clicks
from training.judgments.feedback import FeedbackStore, Grade
from training.judgments.kept import BY_MODEL, kept_set
from training.versions import expectations
from training.versions.expectations import ExpectedPassage

QUERY = "the berlin wall"  # SHA-256 begins with 44d6: at 0.27, not of the protected fifth
DRAWN = "how long is the berlin wall"  # 056e: at 0.02, protected
TRAIN = [QUERY, "who wrote white christmas", "many people live in munich"]
PASSAGES = {
    "p1": "The Berlin Wall was 155 kilometres long.",
    "p2": "<script>alert('wall')</script> is a <b>passage</b> about the wall & code in Berlin.",
    "p3": "Irving Berlin wrote White Christmas.",
    "p4": "Many people live in Munich, which is smaller than Berlin.",
    "p5": "Water boils at 100 degrees Celsius at sea level.",
    "p6": "A wall of the city stood for 28 years.",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus, judged queries in two splits, an index `tiny` under indexes/, and a cross-encoder."""
    folder = tmp_path_factory.mktemp("house")
    corpus = folder / "corpus"
    write_lines(corpus / "collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    write_lines(corpus / "queries.train.tsv", [f"t{number}\t{text}" for number, text in enumerate(TRAIN)])
    write_lines(corpus / "qrels.train.tsv", ["t0 0 p1 3", "t1 0 p3 3", "t2 0 p4 3"])
    write_lines(corpus / "queries.dev.tsv", ["d0\thow hot is boiling water"])
    write_lines(corpus / "qrels.dev.tsv", ["d0 0 p5 3"])
    settings = BuildSettings(bi_encoder=str(make_bi_encoder(folder / "bi-encoder")))
    build(Corpus(corpus), name="tiny", root=folder / "indexes", settings=settings)
    make_cross_encoder(folder / "cross-encoder")
    return folder


@pytest.fixture
def home(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the app, empty at first."""
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(house / "indexes"))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "tiny")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", str(house / "cross-encoder"))
    monkeypatch.delenv("SECOND_LOOK_FEEDBACK", raising=False)
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def open_page(home: Path) -> Iterator[Callable[..., AppTest]]:
    """Opens the page by the parameters of a link."""

    def opened(**parameters: str) -> AppTest:
        page = app_of("teach", "train")
        for name, value in parameters.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    yield opened
    st.cache_resource.clear()


def shown(page: AppTest) -> list[str]:
    """Ids of the passages in the order in which they stand."""
    return [part.partition('"')[0] for part in html(page).split('data-passage="')[1:]]


def stored(home: Path) -> dict[str, int]:
    return {grade.passage_id: grade.grade for grade in FeedbackStore.open(places.feedback()).grades()}


def give(home: Path, passage: str, grade: int, *, rater: str, query: str = QUERY) -> Grade:
    store = FeedbackStore.open(places.feedback())
    kept = Passage(PassageId(passage), PASSAGES[passage])
    return store.grade(query, kept, grade=grade, rater=rater, index="tiny", build="b1")


def test_without_a_name_the_page_asks_for_one(open_page: Callable[..., AppTest]) -> None:
    page = open_page(q=QUERY)
    assert ("Type your name above, then type or pick a query; its passages appear here for you to grade.") in sentences(
        page
    )
    assert not shown(page)
    page.text_input(key="teach_rater").set_value("Ann").run()
    assert len(shown(page)) == 1
    assert page.query_params["rater"] == "Ann"
    assert page.query_params["q"] == QUERY


@pytest.mark.parametrize("name", ["x" * 41, "!!!"])
def test_a_bad_name_is_told_and_takes_no_grades(open_page: Callable[..., AppTest], name: str) -> None:
    page = open_page(q=QUERY)
    page.text_input(key="teach_rater").set_value(name).run()
    assert not page.exception
    assert "give a name of 1 to 40 characters" in sentences(page)
    assert not shown(page)


def test_without_a_query_the_page_asks_for_one(open_page: Callable[..., AppTest]) -> None:
    page = open_page(rater="ann")
    assert "Press N for the first query that trains, or type one above." in sentences(page)
    page.text_input(key="teach_query").set_value(QUERY)
    press(page, "teach_submit")
    assert len(shown(page)) == 1


def test_clicks_become_grades_one_passage_after_the_other(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="Ann", q=QUERY.upper())
    seen = []
    for place, grade in enumerate((3, 0, 2)):
        seen += shown(page)
        press(page, f"teach_grade_{place}_{grade}")
    assert stored(home) == dict(zip(seen, (3, 0, 2), strict=True))
    assert "<small>This query</small><b>3 of 6</b>" in html(page)
    (first, *_) = FeedbackStore.open(places.feedback()).grades()
    assert (first.rater, first.query_id, first.index, first.protected) == ("ann", "t0", "tiny", False)
    assert first.build == (places.indexes() / "tiny/current").read_text().strip()


def test_after_the_last_passage_the_page_says_so_and_goes_back(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY, shown="2")
    press(press(page, "teach_grade_0_3"), "teach_grade_1_1")
    assert (
        "All 2 passages of this query are graded. Continue with another query, or go back to change a grade."
    ) in sentences(page)
    assert not shown(page)
    press(page, "teach_back")
    assert "your grade: related" in html(page)
    press(page, "teach_grade_1_0")
    assert sorted(stored(home).values()) == [0, 3]


def test_a_skipped_passage_comes_again_at_the_end(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY, shown="2")
    skipped = shown(page)
    press(page, "teach_skip")
    press(page, "teach_grade_1_1")
    assert shown(page) == skipped


def test_undo_takes_back_the_last_grade_and_returns_to_it(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY)
    (first,) = shown(page)
    press(page, "teach_grade_0_3")
    assert shown(page) != [first]
    press(page, "teach_undo")
    assert stored(home) == {}
    assert shown(page) == [first]
    assert f"Took back the grade “answers” of passage {first} for “{QUERY}”." in html(page)
    press(page, "teach_undo")
    assert "You have no grade to take back." in html(page)


def test_undo_brings_back_the_grade_that_was_replaced(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY, view="list")
    press(press(page, "teach_grade_2_3"), "teach_grade_2_1")
    assert list(stored(home).values()) == [1]
    press(page, "teach_undo")
    assert list(stored(home).values()) == [3]


def test_in_the_list_every_passage_has_its_buttons(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY, view="list")
    order = shown(page)
    assert sorted(order) == sorted(PASSAGES)
    press(press(page, "teach_grade_5_2"), "teach_grade_0_1")
    assert stored(home) == {order[5]: 2, order[0]: 1}
    assert shown(page) == order
    assert page.button(key="teach_grade_5_2").proto.type == "primary"
    assert page.button(key="teach_grade_5_1").proto.type == "secondary"


def test_one_by_one_the_digits_are_keys_and_in_the_list_they_are_not(open_page: Callable[..., AppTest]) -> None:
    page = open_page(rater="ann", q=QUERY)
    assert [page.button(key=f"teach_grade_0_{grade}").proto.shortcut for grade in range(4)] == ["0", "1", "2", "3"]
    assert page.button(key="teach_undo").proto.shortcut == "u"
    page.radio(key="teach_view").set_value("list").run()
    assert [page.button(key=f"teach_grade_0_{grade}").proto.shortcut for grade in range(4)] == [""] * 4


def test_blind_order_is_shuffled_stable_and_without_scores(open_page: Callable[..., AppTest]) -> None:
    blind = open_page(rater="ann", q=QUERY, view="list")
    order = shown(blind)
    assert not re.search(r"rank \d|sl-rank", html(blind))
    assert "sl-bar" not in html(blind)
    assert "why?" not in html(blind)
    press(blind, "teach_grade_3_2")
    assert shown(blind) == order
    assert shown(open_page(rater="ann", q=QUERY + "?", view="list")) == order
    assert shown(open_page(rater="bob", q=QUERY, view="list")) != order
    seen = open_page(rater="ann", q=QUERY, view="list", blind="0")
    assert shown(seen) != order
    assert sorted(shown(seen)) == sorted(order)
    assert re.findall(r'sl-rank">rank (\d+)<', html(seen)) == [str(place) for place in range(1, 7)]
    told = [float(score) for score in re.findall(r'aria-label="score ([\d.]+), where the best', html(seen))]
    assert (len(told), told[0]) == (6, 1.0)  # without a calibration, relative to the best
    assert told == sorted(told, reverse=True)
    assert "logit" not in html(seen)
    seen.session_state["why_asked"] = {"list": "second", "asks": "why", "passage": shown(seen)[1]}
    assert "The logit is" in html(seen.run())


def test_passage_text_is_data(open_page: Callable[..., AppTest]) -> None:
    page = open_page(rater="<b>ann</b>", q=f"{QUERY} <i>", view="list")
    assert "<script" not in html(page)
    assert "<b>passage" not in html(page)
    assert "&lt;script&gt;" in html(page)
    assert "<b>ann" not in html(page)
    assert "<script>alert('wall')</script>" in unescape(html(page)).replace("<mark>", "").replace("</mark>", "")


def test_a_query_of_the_protected_share_says_so(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=DRAWN)
    assert "This query is protected: its grades are used to measure, never to train." in sentences(page)
    press(page, "teach_grade_0_3")
    assert FeedbackStore.open(places.feedback()).counts().protected == 1
    assert "protected" not in sentences(open_page(rater="ann", q=QUERY))


def test_a_query_of_another_split_is_always_protected(open_page: Callable[..., AppTest], home: Path) -> None:
    FeedbackStore.open(places.feedback(), protected_share=0.0)
    page = open_page(rater="ann", q="How hot is boiling water?")
    assert "This query is protected: its grades are used to measure, never to train." in sentences(page)
    press(page, "teach_grade_0_3")
    (grade,) = FeedbackStore.open(places.feedback()).grades()
    assert (grade.query_id, grade.protected) == ("d0", True)
    assert "protected" not in sentences(open_page(rater="ann", q=DRAWN))


def test_train_queries_can_be_picked_and_the_next_ungraded_one_comes(
    open_page: Callable[..., AppTest], home: Path
) -> None:
    page = open_page(rater="ann")
    page.selectbox(key="teach_judged").select(TRAIN[1]).run()
    assert page.text_input(key="teach_query").value == TRAIN[1]
    for following in (TRAIN[2], TRAIN[0]):  # the one after it, then from the start again
        press(page, "teach_next")
        assert page.text_input(key="teach_query").value == following
    assert page.query_params["q"] == TRAIN[0]
    give(home, "p1", 3, rater="ann", query=TRAIN[1])
    give(home, "p1", 3, rater="bob", query=TRAIN[2])
    page.run()
    press(page, "teach_next")  # the one between is graded; what bob graded isn't
    assert page.text_input(key="teach_query").value == TRAIN[2]
    give(home, "p1", 3, rater="ann", query=TRAIN[0])
    page.run()
    assert page.button(key="teach_next").disabled


def test_n_goes_on_and_grades_count_towards_a_training(open_page: Callable[..., AppTest], home: Path) -> None:
    FeedbackStore.open(places.feedback(), protected_share=0.0)
    page = open_page(rater="ann")
    assert page.button(key="teach_next").proto.shortcut == "n"
    assert progress(page).startswith("0 of 16 queries to train on.")
    for number in range(15):
        give(home, "p1", 2, rater="ann", query=f"query {number}")
        give(home, "p2", 0, rater="bob", query=f"query {number}")
    give(home, "p1", 3, rater="ann", query=QUERY)  # nothing that isn't relevant yet
    page.run()
    assert progress(page).startswith("15 of 16 queries to train on.")
    give(home, "p2", 0, rater="ann", query=QUERY)
    both = app_of("teach", "train")
    both.query_params["rater"] = "ann"
    both.run()
    assert progress(both) == "Enough to train: 16 queries, and a step of the training reads 16."
    assert [link.proto.page for link in both.get("page_link")] == ["train"]


def progress(page: AppTest) -> str:
    (bar,) = page.get("progress")
    return str(bar.proto.text).replace("\\", "")


def test_two_raters_are_compared(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY, view="list")
    assert "No two raters have graded the same passage of this index for the same query yet." in html(page)
    order = shown(page)
    for place, grade in enumerate((0, 0, 1, 2, 3, 3)):
        press(page, f"teach_grade_{place}_{grade}")
    for passage, grade in zip(order, (0, 1, 1, 2, 3, 2), strict=True):
        give(home, passage, grade, rater="bob")
    page.run()
    (row,) = page.dataframe[0].value.to_dict("records")
    # as in test_agreement.py: 4 of 6 the same, (4/6 - 8/36) / (1 - 8/36) = 4/7, and 1 - 12/90 = 13/15
    assert row == {
        "raters": "ann and bob",
        "both graded": 6,
        "same grade": "67%",
        "kappa": "0.57",
        "weighted kappa": "0.87",
    }
    assert "<small>Raters</small><b>2</b>" in html(page)


def test_an_expectation_is_pinned(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY)
    assert page.button(key="teach_pin").disabled
    page.selectbox(key="teach_pin_above").set_value("p1").run()
    page.selectbox(key="teach_pin_below").set_value("p3").run()
    press(page, "teach_pin")
    (pinned,) = expectations.read_expectations(places.models() / expectations.FILE)
    assert (pinned.query, pinned.above.id, pinned.below.id, pinned.by) == (QUERY, "p1", "p3", "ann")
    assert pinned.above.text == PASSAGES["p1"]
    assert f"Pinned as {pinned.key}: for 'the berlin wall', p1 above p3." in sentences(page)
    press(page, "teach_pin")
    assert (
        f"{pinned.key} already says: for 'the berlin wall', p1 above p3. Remove it before you pin another."
        in sentences(page)
    )
    page.text_input(key="teach_query").set_value(TRAIN[1])
    press(page, "teach_submit")
    assert page.selectbox(key="teach_pin_above").value is None


def test_what_is_pinned_for_the_query_is_shown_and_can_be_unpinned(
    open_page: Callable[..., AppTest], home: Path
) -> None:
    path = places.models() / expectations.FILE
    p1, p3 = (ExpectedPassage(name, PASSAGES[name]) for name in ("p1", "p3"))
    mine = expectations.add_expectation(QUERY.upper(), above=p1, below=p3, by="<b>bob", path=path)
    other = expectations.add_expectation(TRAIN[1], above=p3, below=p1, by="bob", path=path)
    page = open_page(rater="ann", q=QUERY)
    assert f"“{p1.text[:70]}” above “{p3.text[:70]}”, pinned by <b>bob on {mine.at[:10]}" in unescape(html(page))
    assert "<b>bob" not in html(page)
    unpins = [button.key for button in page.button if str(button.key).startswith("teach_unpin")]
    assert unpins == [f"teach_unpin_{mine.key}"]
    press(page, f"teach_unpin_{mine.key}")
    assert expectations.read_expectations(path) == [other]
    assert f"Unpinned {mine.key}: for 'THE BERLIN WALL', p1 above p3." in sentences(page)
    assert not [button for button in page.button if str(button.key).startswith("teach_unpin")]


def test_what_was_unpinned_elsewhere_is_told(open_page: Callable[..., AppTest], home: Path) -> None:
    path = places.models() / expectations.FILE
    p1, p3 = (ExpectedPassage(name, PASSAGES[name]) for name in ("p1", "p3"))
    mine = expectations.add_expectation(QUERY, above=p1, below=p3, by="bob", path=path)
    page = open_page(rater="ann", q=QUERY)
    expectations.remove_expectation(mine.key, path=path)
    press(page, f"teach_unpin_{mine.key}")
    assert f"There is no expectation '{mine.key}'" in sentences(page)


def test_a_broken_file_of_expectations_is_named(open_page: Callable[..., AppTest], home: Path) -> None:
    write_lines(places.models() / expectations.FILE, ["{"])
    page = open_page(rater="ann", q=QUERY)
    assert f"{expectations.FILE}:1 isn't an expectation; correct or delete this line" in sentences(page)
    assert page.button(key="teach_pin")


def test_a_passage_is_not_pinned_above_itself(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY)
    page.selectbox(key="teach_pin_above").set_value("p1").run()
    page.selectbox(key="teach_pin_below").set_value("p1").run()
    press(page, "teach_pin")
    assert "can't stand above itself" in sentences(page)
    assert not (places.models()).exists()


def test_files_are_offered_once_there_is_a_grade(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY)
    assert all(button.proto.disabled for button in page.get("download_button"))
    press(page, "teach_grade_0_3")
    assert not any(button.proto.disabled for button in page.get("download_button"))
    assert "Grades of index tiny: 1 for training, 0 protected." in html(page)


def test_the_files_hold_this_index_s_grades(open_page: Callable[..., AppTest], home: Path) -> None:
    open_page()
    give(home, "p1", 3, rater="ann")
    give(home, "p3", 0, rater="ann", query=DRAWN)
    store = FeedbackStore.open(places.feedback())
    other = Passage(PassageId("p1"), "of another corpus")
    store.grade(QUERY, other, grade=0, rater="ann", index="large", build="b1")
    with zipfile.ZipFile(io.BytesIO(qrels_zip(store, "tiny"))) as archive:
        assert archive.namelist() == ["qrels.dev.tsv", "qrels.train.tsv", "queries.tsv"]
        assert archive.read("qrels.train.tsv").split()[2:] == [b"p1", b"3"]
        assert archive.read("qrels.dev.tsv").split()[2:] == [b"p3", b"0"]
    opened = resources.open_pipeline("tiny", "none")
    lines = [json.loads(line) for line in jsonl_bytes(store, opened, "tiny").splitlines()]
    assert [(line["passage"], line["grade"], line["protected"]) for line in lines] == [
        (PASSAGES["p1"], 3, False),
        (PASSAGES["p3"], 0, True),
    ]


def test_read_only_shows_one_sentence_and_makes_no_store(home: Path) -> None:
    def script() -> None:
        from app.views.teach.view import render

        render(read_only=True)

    page = AppTest.from_function(script, default_timeout=30).run()
    assert not page.exception
    assert "This app is read-only and takes no grades. Start your own copy to teach the re-ranker." in sentences(page)
    assert not page.button
    assert not page.text_input
    assert list(home.iterdir()) == []


def test_a_store_of_another_version_is_told(open_page: Callable[..., AppTest], home: Path) -> None:
    (places.feedback()).parent.mkdir(parents=True)
    (places.feedback()).write_bytes(b"")
    page = open_page(rater="ann", q=QUERY)
    assert "is not a feedback store, and this program reads version 1; " in sentences(page)
    assert not shown(page)


def test_a_grade_that_cannot_be_kept_is_told(open_page: Callable[..., AppTest], home: Path) -> None:
    page = open_page(rater="ann", q=QUERY)
    (places.feedback()).unlink()
    press(page, "teach_grade_0_3")
    assert "can't be used" in sentences(page)
    assert stored(home) == {}
    press(page, "teach_grade_0_3")
    assert list(stored(home).values()) == [3]


def test_an_absent_index_says_what_to_run(open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "nothing")
    page = open_page(rater="ann", q=QUERY)
    assert "There is no index 'nothing'" in sentences(page)


def test_without_a_reranker_the_first_stage_is_graded(
    open_page: Callable[..., AppTest], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_RERANKER", "default")
    (home / "data/reranker").mkdir(parents=True)  # which holds none
    page = open_page(rater="ann", q=QUERY, blind="0", view="list")
    assert "These passages are in first-stage order, not re-ranked: There is no re-ranker" in html(page)
    assert len(shown(page)) == len(PASSAGES) == html(page).count('sl-bar"')


def test_too_long_a_query_says_how_long_it_may_be(open_page: Callable[..., AppTest]) -> None:
    page = open_page(rater="ann", q="berlin " * 400)
    assert "at most 2,000 are searched" in sentences(page)


def test_a_link_holds_who_and_how(open_page: Callable[..., AppTest]) -> None:
    link = {"rater": "ann", "q": QUERY, "blind": "0", "view": "list", "shown": "3"}
    page = open_page(**link)
    assert len(shown(page)) == 3
    assert {name: page.query_params[name] for name in link} == link
    bad = open_page(rater="ann", q=QUERY, blind="x", view="<b>", shown="0", index="nope")
    for name in ("blind", "view", "shown", "index"):
        assert f"The link's {name} " in unescape(html(bad))
    assert set(bad.query_params) == {"rater", "q"}


# Judgments from clicks

LOG = [json.dumps(record) for record in swapped(QUERY, "p1", "p4")]
CLICKS_READ = (
    "Expected at places 1 and 2: 10 × 0.400 + 10 × 0.200 = 6.00. It got 9 clicks, 1.50 times as many: at least 1 and "
    "below 2 is grade 2 (partly)."
)


def send_log(page: AppTest, *lines: str, name: str = "log.jsonl") -> AppTest:
    page.file_uploader(key="teach_clicks_upload").set_value([(name, "\n".join(lines).encode(), "application/json")])
    page.run()
    assert not page.exception
    return page


@pytest.mark.usefixtures("open_page")
def test_a_click_log_is_shown_step_by_step_and_kept_apart_from_the_grades(home: Path) -> None:
    page = app_of("teach", "train")
    page = send_log(page.run(), *LOG, '{"query_id": "q0", "action_name": "page_exit"}')
    shown = text(page)
    assert [figure(page, name) for name in ("Searches", "Views", "Clicks")] == ["20", "40", "12"]
    assert "log.jsonl: 1 event is neither an impression nor a click and is left out: 1 'page_exit'." in shown
    assert '<tr aria-current="true"><th scope="row">10</th><td>2</td><td>1</td></tr>' in html(page)
    assert '<th scope="row">50</th><td>0</td><td>0</td>' in html(page)
    assert CLICKS_READ in shown
    assert PASSAGES["p1"] in shown
    assert not (home / "data/clicks").exists()

    page.number_input(key="teach_clicks_views").set_value(21).run()
    assert "No passage has 21 views and 1 expected clicks for one query" in sentences(page)
    assert "teach_clicks_keep" not in keys(page)
    page.number_input(key="teach_clicks_views").set_value(20).run()
    press(page, "teach_clicks_keep")
    assert "Kept 2 judgments of 1 query, marked as clicks." in sentences(page)
    assert "Kept for tiny: 2 judgments of 1 query with 20 views or more, from log.jsonl, on " in text(page)
    assert "They take the place of those that are kept for tiny." in text(page)
    kept = kept_clicks("tiny")
    assert kept is not None
    assert read_judgments(kept.folder / "qrels.clicks.tsv").source == "clicks"
    assert stored(home) == {}
    assert [link.proto.page for link in page.get("page_link")] == ["train"]

    press(page, "teach_clicks_remove_yes")
    assert "Removed the judgments from clicks that were kept for tiny." in sentences(page)
    assert kept_clicks("tiny") is None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*LOG, '{"query": 3}'], f"log.jsonl:{len(LOG) + 1}: neither a query nor an event"),
        ([" "], "log.jsonl is empty; give a file that holds lines."),
        (LOG[:2], "The log holds no click, so that it tells nothing of relevance; give one that does."),
        (
            [json.dumps(record) for record in swapped(QUERY, "x1", "x4")],
            "Index tiny holds none of the 2 passages in the log (x1, x4)",
        ),
    ],
)
def test_a_log_that_cannot_be_used_is_told_in_one_sentence_and_nothing_is_kept(
    open_page: Callable[..., AppTest], home: Path, lines: list[str], told: str
) -> None:
    page = send_log(open_page(rater="ann"), *lines)
    (error,) = page.error
    assert error.value.replace("\\", "").startswith(told)
    assert "teach_clicks_keep" not in keys(page)
    assert not (home / "data/clicks").exists()


def test_a_log_on_the_server_can_be_chosen(open_page: Callable[..., AppTest], home: Path) -> None:
    assert not open_page(rater="ann").multiselect
    write_lines(home / "data/click-logs/large.jsonl", LOG)
    page = open_page(rater="ann")
    page.multiselect(key="teach_clicks_here").select("large.jsonl").run()
    assert CLICKS_READ in text(page)


def test_a_log_and_its_settings_are_there_on_return_from_another_page(
    open_page: Callable[..., AppTest], home: Path
) -> None:
    page = send_log(open_page(rater="ann"), *LOG)
    page.number_input(key="teach_clicks_views").set_value(15).run()
    go_and_return(page)
    assert page.file_uploader(key="teach_clicks_upload").value == []
    assert "Read earlier: log.jsonl." in text(page)
    assert CLICKS_READ in text(page)
    assert page.number_input(key="teach_clicks_views").value == 15
    press(page, "teach_clicks_keep")
    kept = kept_clicks("tiny")
    assert kept is not None
    assert (kept.least_views, kept.logs) == (15, ("log.jsonl",))
    press(page, "teach_clicks_forget")
    assert CLICKS_READ not in text(page)
    send_log(page, *LOG)
    page.file_uploader(key="teach_clicks_upload").set_value([])
    page.run()
    assert "teach_clicks_keep" not in keys(page)  # the file was taken away, so it isn't read before


def go_and_return(page: AppTest) -> None:
    page.switch_page(str(REPOSITORY / "app/views/train/page.py")).run()
    assert "teach_clicks_upload" not in page.session_state
    page.switch_page(str(REPOSITORY / "app/views/teach/page.py")).run()
    assert not page.exception


# Judgments from Quepid and OpenSearch

RATINGS = ["query,docid,rating", f"{QUERY}?,p1,3", f"{QUERY}?,p5,0", f"{DRAWN},p2,2", "how hot is boiling water,p5,3"]


def send_ratings(page: AppTest, *lines: str, name: str = "ratings.csv") -> AppTest:
    page.file_uploader(key="teach_import_upload").set_value((name, "\n".join(lines).encode(), "text/csv")).run()
    assert not page.exception
    return page


def test_judgments_of_quepid_are_counted_kept_apart_and_found_on_return(
    open_page: Callable[..., AppTest], home: Path
) -> None:
    page = send_ratings(open_page(rater="ann"), *RATINGS, "who rings,x1,3", f"{DRAWN},p3,")
    names = ("Queries", "Judgments", "To train on", "Only to measure", "Grade 3")
    assert [figure(page, name) for name in names] == ["3", "4", "1", "2", "2"]
    assert "Read 5 judgments of 4 queries in ratings.csv." in text(page)
    assert "1 passage left out, with 1 judgment: index tiny doesn't hold x1." in text(page)
    assert f"2 queries are protected and never trained on: {DRAWN}, how hot is boiling water." in text(page)
    assert "ratings.csv: 1 row without a rating is left out (line 7)." in text(page)
    assert not places.imported().exists()
    go_and_return(page)
    assert "Read earlier: ratings.csv." in text(page)
    press(page, "teach_import_keep")
    assert "Kept 4 judgments of 3 queries, marked as brought in from a file." in sentences(page)
    assert "Kept for tiny: 4 judgments of 3 queries, from ratings.csv, on " in text(page)
    assert stored(home) == {}
    press(page, "teach_imported_remove_yes")
    assert "Removed the judgments from a file that were kept for tiny." in sentences(page)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*RATINGS, f"{QUERY},p2,good"], "ratings.csv:6: grade 'good' is no whole number"),
        (
            ["query,docid,rating", f"{QUERY},x1,3"],
            "Index tiny holds none of the 1 passage that ratings.csv judges",
        ),
    ],
)
def test_ratings_that_cannot_be_used_are_told_in_one_sentence(
    open_page: Callable[..., AppTest], lines: list[str], told: str
) -> None:
    page = send_ratings(open_page(rater="ann"), *lines)
    (error,) = page.error
    assert error.value.replace("\\", "").startswith(told)
    assert "teach_import_keep" not in keys(page)


# Grades by a model


def model_says(asked: Asked) -> str:
    """3 for what speaks of a wall, else 0; the last of these as ann doesn't grade it."""
    return "3" if "wall" in asked.content.lower().partition("passage:")[2] else "0"


def name_model(page: AppTest, url: str) -> AppTest:
    page.text_input(key="teach_judge_address").set_value(url)
    page.text_input(key="teach_judge_model").set_value("tiny-llm")
    return again(page)


def test_a_model_is_measured_first_and_then_grades_apart_from_people(
    open_page: Callable[..., AppTest], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_JUDGE_KEY", "sesame")
    for number, (passage, grade) in product(range(5), {"p1": 3, "p2": 3, "p3": 0, "p4": 0, "p5": 0, "p6": 2}.items()):
        if (number, passage) != (4, "p6"):
            give(home, passage, grade, rater="ann", query=f"question {number}")
    with serving(saying(model_says)) as server:
        page = name_model(open_page(rater="ann"), server.url)
        assert "You have graded 29 pairs of a query and a passage of this index; grade 1 more" in sentences(page)
        assert "teach_judge_measure" not in keys(page)
        give(home, "p6", 2, rater="ann", query="question 4")
        again(page)
        assert "teach_judge_grade" not in keys(page)
        settle(press(page, "teach_judge_measure"), "teach_judge_measure_stop")
        # 15 of 15 zeros and 10 of 10 threes the same, 5 twos called 3: all 30 agree on what is relevant
        assert "tiny-llm agrees with your grades of 30 pairs by a quadratic kappa of 0.96" in text(page)
        assert "a binary kappa of 1.00" in text(page)
        assert '<th scope="row">you: partly</th><td>0</td><td>0</td><td data-same>0</td><td>5</td>' in html(page)
        assert {(asked.key, len(server.asked)) for asked in server.asked} == {("Bearer sesame", 30)}
        assert "3 queries without a grade." in text(page)
        page.text_area(key="teach_judge_typed").set_value(f"{TRAIN[1]}?\n{DRAWN}\n\nquestion 0").run()
        assert "1 query without a grade; 1 is graded already and 1 is protected." in text(page)
        page.number_input(key="teach_judge_depth").set_value(6).run()
        settle(press(page, "teach_judge_grade"), "teach_judge_grade_stop")
    assert "Graded 6 passages of 1 query: 3 “answers”, 3 “not relevant”." in sentences(page)
    assert "Kept for tiny: 6 grades of 1 query by the model tiny-llm (3 “answers”, 3 “not relevant”), on " in text(page)
    assert "0 queries without a grade; 2 are graded already and 1 is protected." in text(page)
    kept = kept_set(BY_MODEL, "tiny")
    assert kept is not None
    assert read_judgments(kept.folder / BY_MODEL.qrels).source == "model:tiny-llm"
    assert figure(page, "All grades") == "30 for 5 queries"
    assert not [path for path in home.rglob("*") if path.is_file() and b"sesame" in path.read_bytes()]
    assert "sesame" not in html(page) + sentences(page)


def test_a_model_that_cannot_be_asked_is_told_in_one_sentence(open_page: Callable[..., AppTest], home: Path) -> None:
    for number in range(5):
        for passage in PASSAGES:
            give(home, passage, 3 * (passage < "p3"), rater="ann", query=f"question {number}")
    page = open_page(rater="ann")
    for address, told in {
        "ftp://127.0.0.1/v1": "'ftp://127.0.0.1/v1' is no address of a model",
        "http://10.0.0.1/v1": "http://10.0.0.1/v1 is another machine without https",
    }.items():
        assert told in sentences(name_model(page, address))
        assert "teach_judge_measure" not in keys(page)
    with serving(lambda _, handler: send(handler, b"<html>hello")) as server:
        name_model(page, server.url)
        settle(press(page, "teach_judge_measure"), "teach_judge_measure_stop")
        assert "answers in another form than a chat completion ('<html>hello')" in sentences(page)
        assert "teach_judge_grade" not in keys(page)


def test_on_an_app_that_others_reach_only_its_owner_names_the_address(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.views.teach.by_model.fields.open_to_others", lambda: True)
    page = open_page(rater="ann")
    assert "a model's address is named by whoever runs it: start it with SECOND_LOOK_JUDGE_ADDRESS." in sentences(page)
    assert "teach_judge_address" not in page.session_state
    monkeypatch.setenv("SECOND_LOOK_JUDGE_ADDRESS", "https://models.example/v1")
    again(page)
    field = page.text_input(key="teach_judge_address")
    assert (field.value, field.disabled) == ("https://models.example/v1", True)
