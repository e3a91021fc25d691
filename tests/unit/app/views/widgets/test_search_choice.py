"""A search as a link spells it: what is read is valid, and the re-ranking depth never exceeds the depth."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from app.views.widgets.linked import differing
from app.views.widgets.search_choice import (
    PARAMETERS,
    SearchChoice,
    choice_of,
    default_choice,
    followed,
    link_of,
    read_link,
)
from indexing.atomic import write_json
from search.served import LATE
from search.served_settings import ServedSettings
from search.settings import PipelineSettings

CHOSEN = ServedSettings(
    settings=PipelineSettings(
        depth=60, rerank_depth=30, fusion="weighted", rerank_order="dense", rerank_weight=0.3, rerank_mix="dense"
    ),
    at="2026-11-30T10:00:00+00:00",
)
START = SearchChoice(query="", index="sample", reranker="default")


def test_a_choice_is_its_values() -> None:
    settings = PipelineSettings(
        fusion="weighted", bm25_weight=0.4, k1=1.2, depth=60, rerank_depth=20, rerank_mix="dense"
    )
    choice = replace(START, query="jaguar", settings=settings, shown=3)
    assert choice_of(choice.values()) == choice


def test_a_link_that_holds_what_differs_is_read_as_the_same_choice() -> None:
    settings = PipelineSettings(fusion="bm25", b=0.5, depth=30, rerank_depth=7, rerank_weight=0.25)
    choice = replace(START, query="how old is rome", settings=settings, reranker="none")
    link = differing(choice.values(), START.values(), PARAMETERS)
    assert link == {
        "q": "how old is rome",
        "reranker": "none",
        "fusion": "bm25",
        "b": "0.5",
        "depth": "30",
        "rerank": "7",
        "weight": "0.25",
    }
    assert read_link(link, START, ["sample"]) == (choice, [])


def test_the_reranking_depth_is_cut_to_the_depth() -> None:
    choice, notes = read_link({"depth": "12"}, START, ["sample"])
    assert (choice.settings.depth, choice.settings.rerank_depth, notes) == (12, 12, [])  # by default 50


def test_an_invalid_value_is_reported_and_the_start_is_used() -> None:
    choice, notes = read_link({"index": "gone", "fusion": "sum", "reranker": " "}, START, ["sample"])
    assert choice == START
    assert notes == [
        "The link's index “gone” isn't an existing index; sample is used.",
        "The link's reranker “ ” isn't a re-ranker that is offered here (what isn't here is loaded only when "
        "its name is typed, not by a link); default is used.",
        "The link's fusion “sum” isn't one of rrf, weighted, bm25, dense; rrf is used.",
    ]


def test_values_that_no_widget_sends_become_some_that_the_page_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    monkeypatch.delenv("SECOND_LOOK_RERANKER", raising=False)
    forged = START.values() | {"reranker": "/etc", "shown": 10**9}
    assert choice_of(forged) == replace(START, shown=50)
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "0")
    assert choice_of(forged).reranker == "/etc"  # an owner may type any


@pytest.fixture
def two_indexes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`one`, the default index, answers as the program does by itself; for `two` something was chosen."""
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", str(tmp_path))
    monkeypatch.setenv("SECOND_LOOK_INDEX", "one")
    monkeypatch.delenv("SECOND_LOOK_RERANKER", raising=False)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    write_json(tmp_path / "two/served.json", asdict(CHOSEN))


def test_another_index_brings_its_default_except_where_the_user_changed_something(two_indexes: None) -> None:
    before = default_choice("one")
    values = before.values() | {"index": "two"}
    assert choice_of(values | followed(values, before)) == replace(default_choice("two"), query="")
    values |= {"depth": 90, "rerank_mix": "late"}
    found = choice_of(values | followed(values, before))
    assert (found.settings.depth, found.settings.rerank_mix) == (90, "late")
    assert (found.settings.rerank_depth, found.settings.rerank_weight) == (30, 0.3)
    back = found.values() | {"index": "one"}
    returned = choice_of(back | followed(back, found))
    assert (returned.settings.depth, returned.settings.rerank_weight) == (90, before.settings.rerank_weight)


def test_another_re_ranker_brings_its_usual_settings_and_none_of_what_was_chosen_for_the_other(
    two_indexes: None,
) -> None:
    before = default_choice("two")
    values = before.values() | {"reranker": LATE}
    found = choice_of(values | followed(values, before))
    assert found.reranker == LATE
    assert found.settings == CHOSEN.settings_for(LATE)
    again = found.values() | {"reranker": "default"}
    assert choice_of(again | followed(again, found)) == before


def test_the_depth_of_re_ranking_never_exceeds_the_depth_that_stays(two_indexes: None) -> None:
    before = default_choice("one")
    values = before.values() | {"depth": 12, "rerank_depth": 12, "index": "two"}
    before = replace(before, settings=replace(before.settings, depth=12, rerank_depth=12))
    values["rerank_depth"] = default_choice("one").settings.rerank_depth
    assert followed(values, before)["rerank_depth"] == 12


@pytest.mark.parametrize("index", ["one", "two"])
@pytest.mark.parametrize("reranker", ["default", LATE])
def test_a_link_holds_only_what_differs_from_the_default_of_its_index_and_re_ranker(
    two_indexes: None, index: str, reranker: str
) -> None:
    choice = default_choice(index, reranker)
    link = link_of(choice)
    assert link.keys() <= {"index", "reranker"}
    assert read_link(link, default_choice(), ["one", "two"]) == (choice, [])
    changed = replace(choice, settings=replace(choice.settings, depth=77, rerank_depth=7))
    link = link_of(changed)
    assert link["depth"] == "77"
    assert read_link(link, default_choice(), ["one", "two"]) == (changed, [])
