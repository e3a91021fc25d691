"""The models page in every state, on versions made of a tiny cross-encoder."""

import json
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.views.models.history import gate_words
from app.views.models.promotion import JUDGE_NOW_KEY, JUDGED_KEY
from app.views.models.versions import card_markdown, lineage, lineage_tree, main_metric, measured_words, tree_html
from indexing import places
from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.conftest import PASSAGES, write_lines
from tests.support.pages import DEV, app_of, html, make_gate_index, sentences, settle, text
from tests.support.versions import make_version
from training.versions import expectations, promoted
from training.versions.expectations import ExpectedPassage
from training.versions.manifest import MeasuredSet, VersionManifest
from training.versions.promoted import set_promoted
from training.versions.registry import Version

AWAY = """
import streamlit as st
from app.views.models.view import render
if not st.checkbox("Away", key="away"):
    render()
"""
READ_ONLY = "from app.views.models.view import render\nrender(read_only=True)"
pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory, bi_encoder: BiEncoder, tiny_cross_encoder: Path) -> Path:
    """`dev`, on which the tiny cross-encoder is perfect, and `bare`, whose corpus has no judged queries."""
    folder = tmp_path_factory.mktemp("gate")
    root = make_gate_index(folder, bi_encoder, tiny_cross_encoder)
    write_lines(folder / "bare/collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    settings = BuildSettings(bi_encoder=bi_encoder.name)
    build(Corpus(folder / "bare"), name="bare", root=root, settings=settings)
    return root


@pytest.fixture
def house(tmp_path: Path, indexes: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to serve from, with the shipped re-ranker alone; nothing was ever promoted."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(indexes))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "dev")
    monkeypatch.delenv("SECOND_LOOK_RERANKER", raising=False)
    make_version(tmp_path / "data", "reranker", tiny_cross_encoder)
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def page(house: Path) -> AppTest:
    return app_of("models", "search")


@pytest.fixture
def versions(house: Path, tiny_cross_encoder: Path) -> Path:
    """mine/same scores as the shipped one does, mine/bad the opposite."""
    for name, sign in (("mine/same", 1.0), ("mine/bad", -1.0)):
        make_version(house / "data/models", name, tiny_cross_encoder, sign=sign, base="data/reranker")
    return house / "data/models"


def promote_by_hand(models: Path, version: str) -> None:
    set_promoted(
        version,
        seen=promoted.current_promotion(models),
        verdict={},
        by="ann",
        reason="by hand",
        forced=False,
        models=models,
    )


def judge(page: AppTest, version: str) -> AppTest:
    """Choose a version, and have the gate judge it by ten passages a query."""
    page.run()
    page.selectbox(key="models_candidate").select(version)
    page.number_input(key="models_gate_depth").set_value(10)
    page.button(key="models_judge").click().run()
    return settle(page, "models_judge_stop")


def served(page: AppTest) -> str:
    """What the first line says is served."""
    return html(page).partition("<small>Served</small><b>")[2].partition("</b>")[0]


def test_with_the_shipped_one_alone_every_part_says_what_to_do(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert served(page) == "shipped"
    told = sentences(page)
    assert "There is only the version that ships with the program. Train another on the Train page." in told
    assert "A comparison needs two undamaged versions. Train one, and you can compare it here." in told
    assert "There is no other undamaged version. Train one, and you can promote it here." in told
    assert "No version has been promoted yet: the re-ranker that ships with the program is served." in told
    assert ("shipped is served and no version was promoted before it, so you can't roll back.") in text(page)
    assert list(page.dataframe[0].value["version"]) == ["shipped"]


def test_without_any_reranker_the_page_says_so(page: AppTest, house: Path) -> None:
    shutil.rmtree(house / "data/reranker")
    (house / "data/reranker").mkdir()  # else the checkout's would be served
    page.run()
    assert not page.exception
    assert (
        f"There is no re-ranker in {places.shipped_reranker()} or {places.models()}, so searches aren't re-ranked."
    ) in sentences(page)
    assert not page.dataframe


def test_a_broken_pointer_says_what_to_do(page: AppTest, versions: Path) -> None:
    (versions / "promoted.json").write_text("{", encoding="utf-8")
    page.run()
    assert not page.exception
    assert "promoted.json is broken; delete it" in sentences(page)


def test_versions_stand_in_a_table_and_in_a_tree(page: AppTest, versions: Path) -> None:
    promote_by_hand(versions, "mine/same")
    page.run()
    assert not page.exception
    table = page.dataframe[0].value
    rows = dict(zip(table["version"], table["state"], strict=True))
    assert rows == {"shipped": "previous", "mine/bad": "", "mine/same": "served"}
    assert set(table["recipe"]) == {"tiny"}
    assert dict(zip(table["version"], table["from"], strict=True))["mine/bad"] == "shipped"
    size = sum(path.stat().st_size for path in (versions / "mine/bad").iterdir())
    assert table["MB"][list(table["version"]).index("mine/bad")] == pytest.approx(size / 1e6)
    tree = html(page).partition('<ul class="sl-tree">')[2]
    assert tree.index("tiny/base") < tree.index("<b>shipped</b>") < tree.index("<b>mine/bad</b>")
    assert '<b>mine/same</b> <span class="sl-badge">served</span>' in tree


def test_a_version_is_shown_with_its_card_and_settings(page: AppTest, versions: Path) -> None:
    page.run().selectbox(key="models_shown").select("mine/bad").run()
    assert not page.exception
    assert any("A cross-encoder started from" in element.value for element in page.markdown)
    shown = json.loads(page.json[0].value)
    assert shown["settings"]["seed"] == 23
    assert "files" not in shown


def test_a_damaged_version_is_named_and_can_be_neither_compared_nor_promoted(page: AppTest, versions: Path) -> None:
    (versions / "mine/bad/tokenizer.json").unlink()
    (versions / "mine/same/manifest.json").write_text("{", encoding="utf-8")
    page.run()
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["state"]) == ["served", "damaged", "damaged"]
    assert "mine/bad is damaged: tokenizer.json is absent" in sentences(page)
    assert "mine/same is damaged: manifest.json can't be read as JSON" in sentences(page)
    assert "A comparison needs two undamaged versions. Train one, and you can compare it here." in sentences(page)
    assert "There is no other undamaged version. Train one, and you can promote it here." in sentences(page)


def test_a_model_card_is_data() -> None:
    card = "---\nlicense: other\n---\n\n# A model\n\n![x](http://far.away/pixel.png) costs $5, not $6 <b>now</b>\n"
    assert card_markdown(card) == (
        "### A model\n\n\\![x](http://far.away/pixel.png) costs \\$5, not \\$6 <b>now</b>"
    )  # HTML is shown as text where unsafe_allow_html isn't set
    assert card_markdown("---\nno end of the header") == "---\nno end of the header"
    assert card_markdown("") == ""
    assert card_markdown("# A\n## B\n###### C\n#d") == "### A\n#### B\n###### C\n#d"  # six levels are the most


def test_a_page_never_allows_html_in_a_card(page: AppTest, versions: Path) -> None:
    with (versions / "mine/bad/README.md").open("a", encoding="utf-8") as file:
        file.write("\n<script>alert(1)</script> ![x](http://far.away/pixel.png)\n")
    page.run().selectbox(key="models_shown").select("mine/bad").run()
    card = next(element for element in page.markdown if "alert(1)" in element.value)
    assert not card.allow_html
    assert "\\![x]" in card.value


def version(name: str, **values: Any) -> Version:
    return Version(name, Path("nowhere"), VersionManifest(**values))


def test_a_tree_holds_what_is_gone_and_names_are_data() -> None:
    found = [version("a/2", lineage=("<i>base</i>", "a/1")), version("a/3", lineage=("<i>base</i>", "a/1", "a/2"))]
    assert lineage_tree(found) == {"<i>base</i>": {"a/1": {"a/2": {"a/3": {}}}}}
    shown = tree_html(lineage_tree(found), {"a/2": "", "a/3": "served"})
    assert "<i>" not in shown
    assert '<span class="sl-other">a/1</span>' in shown
    assert "<b>a/2</b>" in shown


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({}, ("x/1",)),
        ({"settings": {"base": "b"}}, ("b", "x/1")),
        ({"lineage": ("b", "data/reranker"), "settings": {"base": "c"}}, ("b", "shipped", "x/1")),
    ],
)
def test_a_lineage_is_read_from_what_a_manifest_says(manifest: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert lineage(version("x/1", **manifest)) == expected


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"sample, dev": {"MAP": 0.5, "nDCG@10": 0.71234}}, "nDCG@10 0.7123 on sample, dev"),
        ({"dev": {"MAP": 0.5}}, "MAP 0.5000 on dev"),
        ({"dev": {}}, ""),
        ({}, ""),
    ],
)
def test_the_main_metric_is_ndcg_where_there_is_one(metrics: dict[str, dict[str, float]], expected: str) -> None:
    assert main_metric(metrics) == expected


def test_a_measured_version_says_what_its_figure_is_of() -> None:
    metrics = {"sample dev": {"nDCG@10": 0.66114}}
    known = {"sample dev": MeasuredSet(queries=8, depth=10, build="b1")}
    settings = {"dev": {"index": "sample", "split": "dev", "queries": 100, "depth": 30}}
    assert measured_words(VersionManifest(metrics=metrics, settings=settings, measured_on=known)) == (
        "nDCG@10 0.6611 on sample dev, 8 queries, depth 10, build b1"
    )
    assert measured_words(VersionManifest(metrics=metrics, settings=settings)) == (  # of an older program
        "nDCG@10 0.6611 on sample dev, up to 100 queries, depth 30, build not recorded"
    )
    assert measured_words(VersionManifest()) == "not measured when it was made; Compare measures it"


def compare(page: AppTest, a: str, b: str, split: str = "dev") -> AppTest:
    page.run()
    page.selectbox(key="models_a").select(a)
    page.selectbox(key="models_b").select(b)
    page.selectbox(key="models_compare_split").select(split)
    page.number_input(key="models_compare_depth").set_value(10).run()
    page.button(key="models_compare").click().run()
    return settle(page, "models_compare_stop")


def test_two_versions_are_compared_query_by_query(page: AppTest, versions: Path) -> None:
    compare(page, "mine/bad", "mine/same")
    shown = unescape(html(page))
    assert "<small>nDCG@10 of mine/same</small><b>1.0000</b>" in shown  # it is judged as it ranks
    assert "<small>Won / lost / tied</small><b>0 / 6 / 0</b>" in shown
    assert "<small>p</small><b>0.0312</b>" in shown  # worse on each of six queries: 2 / 2^6
    assert "By nDCG@10, mine/bad is worse than mine/same." in shown
    table = page.dataframe[1].value
    assert sorted(table["query"]) == sorted(DEV.values())
    assert list(table["difference"]) == sorted(table["difference"])
    assert list(table["mine/bad"] - table["mine/same"]) == pytest.approx(list(table["difference"]))
    assert set(table["outcome"]) == {"loss"}

    st.cache_resource.clear()  # as where the server was started anew
    later = app_of("models", "search").run()
    assert not later.exception
    assert "depth 10, 6 queries; measured 20" in text(later)
    assert "By nDCG@10, mine/bad is worse than mine/same." in text(later)
    assert later.dataframe[1].value.to_dict() == table.to_dict()
    assert [button.key for button in later.download_button] == ["models_compare_report"]


def test_a_link_opens_the_same_choice_of_versions(page: AppTest, versions: Path) -> None:
    link = {"tab": "Compare", "version": "mine/bad", "against": "mine/same", "depth": "9", "gate.depth": "11"}
    for name, value in link.items():
        page.query_params[name] = value
    page.run()
    assert (page.selectbox(key="models_a").value, page.selectbox(key="models_b").value) == ("mine/bad", "mine/same")
    assert page.number_input(key="models_compare_depth").value == 9
    assert page.number_input(key="models_gate_depth").value == 11
    assert page.session_state["models_tabs"] == "Compare"
    assert {name: page.query_params[name] for name in link} == link
    page.selectbox(key="models_a").set_value("shipped").run()
    assert page.query_params["version"] == "shipped"


def test_a_query_of_a_comparison_leads_to_the_search_page(page: AppTest, versions: Path) -> None:
    compare(page, "mine/bad", "mine/same")
    assert [button.key for button in page.download_button] == ["models_compare_report"]
    address = page.dataframe[1].value["open"][0]
    assert address.startswith("./?q=")
    search = app_of("search", "evaluate")
    for part in address.removeprefix("./?").split("&"):
        name, _, value = part.partition("=")
        search.query_params[name] = value.replace("+", " ").replace("%2F", "/").replace("%2C", ",")
    search.run()
    assert not search.exception
    assert search.text_input(key="search_query").value == page.dataframe[1].value["query"][0]
    assert search.number_input(key="search_rerank_depth").value == 10
    assert "<small>Re-ranker</small><b>mine/bad</b>" in html(search)


def test_a_comparison_stays_while_other_things_are_chosen(page: AppTest, versions: Path) -> None:
    compare(page, "mine/bad", "mine/same")
    page.selectbox(key="models_a").select("shipped").run()
    assert "By nDCG@10, mine/bad is worse than mine/same." in text(page)


def test_a_version_is_not_compared_with_itself(page: AppTest, versions: Path) -> None:
    page.run()
    page.selectbox(key="models_a").select("mine/same")
    page.selectbox(key="models_b").select("mine/same").run()
    assert "Both are mine/same; choose two different versions." in sentences(page)


def test_the_test_split_comes_with_a_warning(page: AppTest, versions: Path) -> None:
    page.run()
    assert "The test split is for reporting" not in html(page)
    page.selectbox(key="models_compare_split").select("test").run()
    assert "The test split is for reporting. A depth, weight or model that was chosen by looking at it seems" in html(
        page
    )


def test_a_collection_without_judged_queries_says_so(page: AppTest, versions: Path) -> None:
    page.run()
    page.selectbox(key="models_compare_index").select("bare").run()
    assert not page.exception
    assert "The corpus of index bare has no judged queries" in sentences(page)
    page.selectbox(key="models_gate_index").select("bare").run()
    assert sentences(page).count("The corpus of index bare has no judged queries") == 2
    assert "models_judge" not in [button.key for button in page.button]


def test_an_absent_index_says_what_to_run(page: AppTest, versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "nothing")
    page.run()
    assert not page.exception
    assert "There is no index 'nothing'" in sentences(page)
    assert set(page.dataframe[0].value["version"]) == {"shipped", "mine/bad", "mine/same"}


def test_what_is_not_worse_is_promoted_by_one_press(page: AppTest, versions: Path) -> None:
    judge(page, "mine/same")
    assert "no difference shown" in html(page)
    assert "No expectations are pinned." in html(page)
    assert "No objection to promoting it." in sentences(page)
    page.text_input(key="models_reason").set_value("trained longer")
    assert page.button(key="models_promote").label == "Promote mine/same"
    page.button(key="models_promote").click().run()
    assert not page.exception
    now = promoted.current_promotion()
    assert (now.promoted, now.before, now.action, now.reason) == ("mine/same", "shipped", "promote", "trained longer")
    assert "mine/same is now served. Searches use it immediately, without a restart." in sentences(page)
    assert served(page) == "mine/same"
    past = page.dataframe[-1].value
    assert list(past["served"]) == ["mine/same"]
    assert past["gate"][0].startswith("nDCG@10 +0.0000, no difference shown, 6 queries, index dev, build ")


def test_the_promoter_is_the_user_who_is_logged_in(
    page: AppTest, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.views.models.promotion.user_name", lambda: "ann@example.org")
    judge(page, "mine/same").button(key="models_promote").click().run()
    assert promoted.current_promotion().by == "ann@example.org"
    page.button(key="models_rollback").click().run()
    monkeypatch.setattr("app.views.models.promotion.user_name", lambda: "")
    page.button(key="models_rollback_yes").click().run()
    assert promoted.current_promotion().by == promoted.person()  # without a login, whoever runs the app


def test_no_means_no(page: AppTest, versions: Path) -> None:
    judge(page, "mine/bad").checkbox(key="models_force").check().run()
    assert page.button(key="models_promote").label == "Promote mine/bad …"
    page.button(key="models_promote").click().run()
    assert "The gate objects. Serve mine/bad instead of shipped all the same?" in sentences(page)
    page.button(key="models_promote_no").click().run()
    assert "models_promote_yes" not in [button.key for button in page.button]
    assert promoted.current_promotion().promoted == "shipped"


def test_what_another_page_asks_to_judge_is_judged_at_once_and_only_once(page: AppTest, versions: Path) -> None:
    page.query_params["tab"], page.query_params["candidate"] = "Promote", "mine/same"
    page.run()
    assert page.session_state["models_tabs"] == "Promote"
    assert JUDGED_KEY not in page.session_state  # a link alone starts nothing
    page.session_state["models_candidate"] = page.session_state[JUDGE_NOW_KEY] = "mine/bad"
    page.session_state["models_gate_depth"] = 10
    settle(page.run(), "models_judge_stop")
    assert "Objection: on index dev" in sentences(page)
    assert page.session_state[JUDGED_KEY][0] == "mine/bad"
    page.selectbox(key="models_candidate").select("mine/same").run()
    page.selectbox(key="models_candidate").select("mine/bad").run()
    del page.session_state[JUDGED_KEY]
    page.number_input(key="models_gate_depth").set_value(9).run()
    assert JUDGED_KEY not in page.session_state


def test_what_is_served_already_is_not_judged(page: AppTest, versions: Path) -> None:
    promote_by_hand(versions, "mine/same")
    page.session_state["models_candidate"] = page.session_state[JUDGE_NOW_KEY] = "mine/same"
    page.run()
    assert "mine/same is served already. Choose another version to judge." in sentences(page)
    assert JUDGED_KEY not in page.session_state


def test_a_promotion_reaches_the_search_page_of_another_session_without_a_restart(
    page: AppTest, versions: Path
) -> None:
    search = app_of("search", "evaluate")
    search.query_params["q"] = "honey"
    assert "<small>Re-ranker</small><b>shipped</b>" in html(search.run())
    judge(page, "mine/same").button(key="models_promote").click().run()
    assert "<small>Re-ranker</small><b>mine/same</b>" in html(search.run())
    page.button(key="models_rollback").click().run()
    page.button(key="models_rollback_yes").click().run()
    assert "<small>Re-ranker</small><b>shipped</b>" in html(search.run())


def test_what_is_worse_needs_force_and_a_reason(page: AppTest, versions: Path) -> None:
    judge(page, "mine/bad")
    assert "Objection: on index dev" in sentences(page)
    told = text(page)
    assert "Of these queries 0 won, 6 lost and 0 tied." in told  # mine/same is perfect on all six
    assert "the dev queries that lose most by nDCG@10, with what each version puts first; 3 of 6" in told
    assert '<span class="sl-badge sl-grade-3">answers</span>' in told
    assert "What became better" not in told
    assert re.search(r"-\d\.\d{4} \(95 %: -\d\.\d{4} to -\d\.\d{4}\), worse", sentences(page))
    assert page.button(key="models_promote").disabled
    page.checkbox(key="models_force").check().run()
    page.button(key="models_promote").click().run()
    page.button(key="models_promote_yes").click().run()
    assert "needs a reason" in sentences(page)
    assert promoted.current_promotion().promoted == "shipped"
    page.text_input(key="models_reason").set_value("to see it fail")
    page.button(key="models_promote").click().run()
    page.button(key="models_promote_yes").click().run()
    assert (promoted.current_promotion().action, promoted.current_promotion().reason) == ("force", "to see it fail")
    assert list(page.dataframe[-1].value["action"]) == ["promoted against an objection"]
    judge(page, "mine/same")
    told = text(page)
    assert "Of these queries 6 won, 0 lost and 0 tied." in told
    assert "What became better" in told
    assert "What became worse" not in told

    st.cache_resource.clear()  # as where the server was started anew
    later = app_of("models", "search").run()
    later.selectbox(key="models_candidate").select("mine/same").run()
    kept = text(later)
    assert "mine/same against mine/bad, index dev" in kept
    assert "Of these queries 6 won, 0 lost and 0 tied." in kept
    assert kept.partition("What became better")[2] == told.partition("What became better")[2]
    assert "models_promote" not in {button.key for button in later.button}  # it has to be judged again


@pytest.mark.parametrize("wrong", [True, False])
def test_expectations_are_shown_and_one_that_fails_speaks_against_it(
    page: AppTest, versions: Path, wrong: bool
) -> None:
    scores = CrossEncoderReranker(str(versions / "mine/same")).score("honey", [PASSAGES["a1"], PASSAGES["b1"]])
    higher, lower = ("a1", "b1") if scores.logits[0] > scores.logits[1] else ("b1", "a1")
    above, below = (ExpectedPassage(key, PASSAGES[key]) for key in ((lower, higher) if wrong else (higher, lower)))
    expectations.add_expectation("honey", above=above, below=below, by="ann", path=versions / expectations.FILE)
    judge(page, "mine/same")
    row = page.dataframe[1].value
    assert (row["query"][0], row["above"][0], row["below"][0]) == ("honey", above.id, below.id)
    assert row["holds"][0] == (row["logit above"][0] > row["logit below"][0]) == (not wrong)
    assert f"{0 if wrong else 1} of 1 pinned expectations hold." in html(page)
    assert (f"1 of 1 expectations fail: for 'honey', {above.id} above" in sentences(page)) == wrong
    assert page.button(key="models_promote").disabled == wrong


def test_a_promotion_in_between_asks_for_another_judgment(page: AppTest, versions: Path) -> None:
    judge(page, "mine/same")
    promote_by_hand(versions, "mine/bad")
    page.run()
    assert "mine/bad was promoted after mine/same was judged. Judge it again." in sentences(page)
    assert "models_promote" not in [button.key for button in page.button]


def test_rolling_back_serves_the_one_before_again(page: AppTest, versions: Path) -> None:
    promote_by_hand(versions, "mine/same")
    page.run()
    page.text_input(key="models_rollback_reason").set_value("it was slow")
    page.button(key="models_rollback").click().run()
    assert "Serve shipped again instead of mine/same?" in sentences(page)
    page.button(key="models_rollback_yes").click().run()
    assert not page.exception
    now = promoted.current_promotion()
    assert (now.promoted, now.action, now.reason) == ("shipped", "rollback", "it was slow")
    assert "shipped is served again. Searches use it immediately, without a restart." in sentences(page)
    assert list(page.dataframe[-1].value["action"]) == ["rolled back", "promoted"]


def test_a_way_back_to_what_is_gone_is_told(page: AppTest, versions: Path) -> None:
    promote_by_hand(versions, "mine/bad")
    promote_by_hand(versions, "mine/same")
    shutil.rmtree(versions / "mine/bad")
    page.run().button(key="models_rollback").click().run()
    page.button(key="models_rollback_yes").click().run()
    assert not page.exception
    assert "There is no version 'mine/bad'" in sentences(page)
    assert promoted.current_promotion().promoted == "mine/same"


def test_a_read_only_app_neither_promotes_nor_rolls_back(house: Path, versions: Path) -> None:
    promote_by_hand(versions, "mine/same")
    page = AppTest.from_string(READ_ONLY, default_timeout=60)
    page.session_state["models_candidate"] = page.session_state[JUDGE_NOW_KEY] = "mine/bad"
    page.run()
    assert not page.exception
    assert JUDGED_KEY not in page.session_state
    assert "This app is read-only: versions are promoted and rolled back on the machine that serves it." in sentences(
        page
    )
    keys = {button.key for button in page.button}
    assert keys & {"models_judge", "models_promote", "models_rollback"} == set()
    assert "models_compare" in keys
    assert list(page.dataframe[-1].value["action"]) == ["promoted"]


def test_choices_are_kept_for_a_return_to_the_page(versions: Path) -> None:
    page = AppTest.from_string(AWAY, default_timeout=60).run()
    page.selectbox(key="models_a").select("shipped")
    page.number_input(key="models_compare_depth").set_value(7).run()
    page.checkbox(key="away").check().run()
    assert "models_a" not in page.session_state  # Streamlit forgets what isn't on the page
    page.checkbox(key="away").uncheck().run()
    assert page.selectbox(key="models_a").value == "shipped"
    assert page.number_input(key="models_compare_depth").value == 7


def test_a_verdict_in_a_few_words() -> None:
    compared = {"measure": "nDCG@10", "difference": -0.1, "outcome": "significantly worse"}
    assert gate_words({"comparison": compared, "failed": ["one"], "expectations": 3}) == (
        "nDCG@10 -0.1000, significantly worse; 1 of 3 expectations failed"
    )
    on = "index dev, build b1, dev split, depth 10"
    assert gate_words({"comparison": {**compared, "queries": 6}, "dev_set": on}) == (
        f"nDCG@10 -0.1000, significantly worse, 6 queries, {on}"
    )
    assert gate_words({"comparison": None, "failed": [], "expectations": 0}) == ""
    assert gate_words({}) == ""
