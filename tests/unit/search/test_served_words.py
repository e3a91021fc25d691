"""What an index answers with is told in few words, and a choice is claimed only where one was made."""

import pytest

from search.served_settings import ServedSettings
from search.served_words import default_words, pipeline_words
from search.settings import PipelineSettings


@pytest.mark.parametrize(
    ("settings", "reranker", "words"),
    [
        (
            {"rerank_weight": 0.3, "rerank_mix": "dense", "rerank_depth": 30},
            "default",
            "re-ranker 30 %, cosine 70 %, depth 30",
        ),
        ({"rerank_depth": 50}, "default", "re-ranker alone, depth 50"),
        ({"rerank_depth": 20, "rerank_order": "dense"}, "late", "late interaction alone, depth 20 by cosine"),
        ({"rerank_depth": 20, "rerank_stop": 0.5}, "x", "re-ranker alone, depth 20, stopping early"),
        ({"rerank_depth": 20, "fusion": "bm25", "b": 0.9}, "x", "re-ranker alone, depth 20 of BM25 (b=0.9)"),
        ({"fusion": "dense"}, "none", "dense, not re-ranked"),
        ({"rerank_depth": 0}, "default", "BM25 + dense (RRF, k=60), not re-ranked"),
        ({"fusion": "weighted", "bm25_weight": 0.2}, "none", "BM25 + dense (20% BM25), not re-ranked"),
    ],
)  # fmt: skip
def test_a_pipeline_in_words(settings: dict[str, object], reranker: str, words: str) -> None:
    whole = {"rerank_weight": 1.0, "rerank_order": "fused", "fusion": "rrf", **settings}
    assert pipeline_words(PipelineSettings(**whole), reranker=reranker) == words  # type: ignore[arg-type]  # values by name


def test_what_chose_a_default_is_told_as_far_as_it_is_known() -> None:
    settings = PipelineSettings(rerank_depth=30, rerank_weight=0.3, rerank_mix="dense", rerank_order="fused")
    served = ServedSettings(settings=settings, figures={"judged": 104, "split": "dev"})
    assert default_words(served) == "re-ranker 30 %, cosine 70 %, depth 30: chosen on 104 dev queries"
    one = ServedSettings(settings=settings, figures={"judged": 1})
    assert default_words(one) == "re-ranker 30 %, cosine 70 %, depth 30: chosen on 1 query"
    assert default_words(ServedSettings(settings=settings)).endswith("depth 30: chosen for this index")
    assert default_words(None).endswith(": the program's own default, which wasn't chosen on this index")
