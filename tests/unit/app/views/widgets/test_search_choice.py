"""A search as a link spells it: what is read is valid, and the re-ranking depth never exceeds the depth."""

from dataclasses import replace

import pytest

from app.views.widgets.linked import differing
from app.views.widgets.search_choice import PARAMETERS, SearchChoice, choice_of, read_link
from search.settings import PipelineSettings

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
