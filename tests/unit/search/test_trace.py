"""A trace gives all it knows as plain data, and shows itself in a notebook without trusting a text."""

import json
from dataclasses import replace
from importlib.metadata import version

import pytest

from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from indexing.records import Passage, PassageId, Ranking
from search.pipeline import RetrieveAndRerank
from search.settings import PipelineSettings
from search.trace import PipelineVersions, SearchTrace
from tests.conftest import PASSAGES
from tests.support.fakes import FixedReranker

HOSTILE = "<script>alert('&')</script>"


def ranking(*ids: str) -> Ranking:
    """These passages, with scores n, n-1, ..., 1."""
    return Ranking.sort([(PassageId(name), float(len(ids) - place)) for place, name in enumerate(ids)])


@pytest.fixture
def trace() -> SearchTrace:
    """bm25 gives a b, dense c a; fused a c b; the best two are re-ranked to c a."""
    return SearchTrace(
        query=f"why {HOSTILE}",
        settings=PipelineSettings(depth=3, rerank_depth=2),
        versions=PipelineVersions(
            index="sample", build="2026-1", bi_encoder="mini", reranker="lambda/1", second_look="0.1.0"
        ),
        first_stage={"bm25": ranking("a", "b"), "dense": ranking("c", "a")},
        fused=ranking("a", "c", "b"),
        reranked=ranking("c", "a"),
        logits={PassageId("c"): 2.0, PassageId("a"): 1.0},
        truncated=frozenset({PassageId("a")}),
        seconds={"bm25": 0.001, "re-rank": 0.02},
        passages={
            PassageId("a"): Passage(PassageId("a"), "text a", "title a"),
            PassageId("b"): Passage(PassageId("b"), "text b"),
            PassageId("c"): Passage(PassageId("c"), f"text {HOSTILE}"),
        },
    )


def test_the_contract_field_by_field(trace: SearchTrace) -> None:
    assert json.loads(json.dumps(trace.to_dict())) == {
        "schema": 1,
        "query": f"why {HOSTILE}",
        "versions": {
            "index": "sample",
            "build": "2026-1",
            "bi_encoder": "mini",
            "reranker": "lambda/1",
            "second_look": "0.1.0",
        },
        "settings": {
            "depth": 3,
            "rerank_depth": 2,
            "fusion": "rrf",
            "rrf_k": 60,
            "bm25_weight": 0.3,
            "k1": None,
            "b": None,
            "rerank_weight": 1.0,
            "rerank_order": "fused",
            "rerank_mix": "fused",
            "rerank_stop": None,
        },
        "final": [
            {
                "rank": 1,
                "id": "c",
                "score": 2.0,
                "title": "",
                "text": f"text {HOSTILE}",
                "ranks": {"bm25": None, "dense": 1, "fused": 2, "reranked": 1},
                "moved": 2 - 1,
                "logit": 2.0,
                "cosine": None,
                "late": None,
                "truncated": False,
                "probability": None,
            },
            {
                "rank": 2,
                "id": "a",
                "score": 1.0,
                "title": "title a",
                "text": "text a",
                "ranks": {"bm25": 1, "dense": 2, "fused": 1, "reranked": 2},
                "moved": 1 - 2,
                "logit": 1.0,
                "cosine": None,
                "late": None,
                "truncated": True,
                "probability": None,
            },
        ],
        "stages": {
            "bm25": [{"rank": 1, "id": "a", "score": 2.0}, {"rank": 2, "id": "b", "score": 1.0}],
            "dense": [{"rank": 1, "id": "c", "score": 2.0}, {"rank": 2, "id": "a", "score": 1.0}],
            "fused": [
                {"rank": 1, "id": "a", "score": 3.0},
                {"rank": 2, "id": "c", "score": 2.0},
                {"rank": 3, "id": "b", "score": 1.0},
            ],
            "reranked": [{"rank": 1, "id": "c", "score": 2.0}, {"rank": 2, "id": "a", "score": 1.0}],
        },
        "passages": {
            "a": {"title": "title a", "text": "text a"},
            "b": {"title": "", "text": "text b"},
            "c": {"title": "", "text": f"text {HOSTILE}"},
        },
        "seconds": {"bm25": 0.001, "re-rank": 0.02},
        "calibration": None,
        "notes": [],
    }


def test_top_limits_every_list_and_the_ranks_stay_those_of_the_whole_lists(trace: SearchTrace) -> None:
    values = trace.to_dict(top=1)
    assert {name: [row["id"] for row in rows] for name, rows in values["stages"].items()} == {
        "bm25": ["a"],
        "dense": ["c"],
        "fused": ["a"],
        "reranked": ["c"],
    }
    assert [row["id"] for row in values["final"]] == ["c"]
    assert values["final"][0]["ranks"] == {"bm25": None, "dense": 1, "fused": 2, "reranked": 1}
    assert set(values["passages"]) == {"a", "c"}


def test_without_a_re_ranker_the_final_list_is_the_fused_one(trace: SearchTrace) -> None:
    values = replace(trace, reranked=None, logits={}, truncated=frozenset()).to_dict()
    assert list(values["stages"]) == ["bm25", "dense", "fused"]
    assert [(row["id"], row["moved"], row["logit"]) for row in values["final"]] == [
        ("a", 0, None),
        ("c", 0, None),
        ("b", 0, None),
    ]


def test_a_search_says_which_index_and_models_answered(small_index: Index, bi_encoder: BiEncoder) -> None:
    logits = {text: float(place) for place, text in enumerate(PASSAGES.values())}
    settings = PipelineSettings(depth=6, rerank_depth=3, rerank_mix="dense", rerank_weight=0.5)
    found = RetrieveAndRerank(small_index, bi_encoder, FixedReranker(logits)).search("rye bread", settings).to_dict()
    assert found["versions"] == {
        "index": "small",
        "build": small_index.folder.name,
        "bi_encoder": small_index.manifest.bi_encoder,
        "reranker": "fixed",
        "second_look": version("second-look"),
    }
    assert found["settings"]["rerank_mix"] == "dense"
    assert all(-1 <= row["cosine"] <= 1 for row in found["final"])
    assert len(found["final"]) == 3


def test_a_notebook_shows_ranks_before_and_after_with_every_text_escaped(trace: SearchTrace) -> None:
    html = trace._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;") == 2  # the query, and passage c
    heads = "".join(f"<th>{name}</th>" for name in ("rank", "moved", "score", "bm25", "dense", "fused", "passage"))
    assert heads in html
    cells = "".join(f"<td>{value}</td>" for value in (1, "▲1", "2.000", "–", 1, 2))
    assert f"<tr>{cells}<td" in html
    assert "<b>title a</b> text a" in html
    assert "index sample, build 2026-1; re-ranker lambda/1" in html
    assert "bm25 1.0 ms · re-rank 20.0 ms" in html


def test_a_notebook_shows_ten_places_and_the_beginning_of_a_long_text(trace: SearchTrace) -> None:
    names = [f"p{number:02}" for number in range(12)]
    passages = {PassageId(name): Passage(PassageId(name), "x" * 400) for name in names}
    html = replace(trace, fused=ranking(*names), reranked=None, first_stage={}, passages=passages)._repr_html_()
    assert html.count("<tr>") == 1 + 10
    assert "x" * 300 + "…" in html
    assert "x" * 301 not in html


def test_a_notebook_says_where_nothing_matches(trace: SearchTrace) -> None:
    empty = replace(trace, fused=ranking(), reranked=None, first_stage={"bm25": ranking()}, passages={})
    assert "No passage matches." in empty._repr_html_()
