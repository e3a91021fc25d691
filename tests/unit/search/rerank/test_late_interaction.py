"""Late interaction is a soft maximum over the passage's tokens, and a mean over the query's."""

import math
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from indexing.dense.encoder import BiEncoder
from indexing.errors import ModelError
from search.rerank.late_interaction import LateInteractionReranker, late_interaction, late_logits

QUERY = np.array([[1, 0], [0, 1]], dtype=np.float32)
PASSAGE = np.array([[1, 0], [1, 0], [0.6, 0.8]], dtype=np.float32)


def test_it_is_the_soft_maximum_over_the_passage_s_tokens_and_the_mean_over_the_query_s() -> None:
    # tokens' cosines: 1, 1, 0.6 and 0, 0, 0.8; ln(2 e^20 + e^12)/20 = 1 + ln(2)/20 + tiny; ln(e^16 + 2)/20 = 0.8 + tiny
    expected = ((1 + math.log(2) / 20 + 0.8) / 2 - 0.7) * 32
    assert late_interaction(QUERY, PASSAGE) == pytest.approx(expected, abs=0.01)


def test_a_score_of_seven_tenths_is_a_logit_of_0() -> None:
    passage = np.array([[0.7, 0.714]], dtype=np.float32)
    assert late_interaction(QUERY[:1], passage) == pytest.approx(0, abs=1e-4)  # ln(e^(20 * 0.7))/20 = 0.7
    assert late_interaction(QUERY[:1], QUERY[:1]) == pytest.approx((1 - 0.7) * 32)


def test_a_passage_s_logit_does_not_depend_on_the_others() -> None:
    logits = late_logits(QUERY, [PASSAGE, QUERY, PASSAGE])
    assert logits.dtype == np.float32
    assert logits.tolist() == [np.float32(late_interaction(QUERY, passage)) for passage in (PASSAGE, QUERY, PASSAGE)]
    assert late_logits(QUERY, []).shape == (0,)


def test_pairs_and_lists_have_the_same_logits(bi_encoder: BiEncoder, in_float32: None) -> None:
    reranker = LateInteractionReranker(bi_encoder)
    passages = ["rye bread rises", "bees make honey from nectar", "yeast"]
    found = reranker.score("rye bread", passages)
    pairs = reranker.score_pairs(["rye bread"] * 3 + ["honey bees"], [*passages, passages[1]])
    assert pairs[:3] == pytest.approx(found.logits, abs=1e-3)
    assert pairs[3] == pytest.approx(reranker.score("honey bees", passages).logits[1], abs=1e-3)
    assert pairs.dtype == np.float32
    assert reranker.score_pairs([], []).shape == reranker.score("bees", []).logits.shape == (0,)


def test_passages_that_the_bi_encoder_cuts_are_reported(bi_encoder: BiEncoder) -> None:
    found = LateInteractionReranker(bi_encoder).score("bread", ["bread", "bread " * 5000])
    assert found.truncated == (False, True)


def test_a_bi_encoder_that_is_no_transformer_is_refused(tiny_bi_encoder: Path, tmp_path: Path) -> None:
    words = Tokenizer.from_file(str(tiny_bi_encoder / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=8)]).save_pretrained(str(tmp_path / "static"))
    with pytest.raises(ModelError) as refused:
        LateInteractionReranker(BiEncoder(str(tmp_path / "static")))
    assert str(refused.value) == (
        f"Bi-encoder {tmp_path / 'static'} is no transformer, so it gives no vectors of tokens for late interaction; "
        "choose another bi-encoder, teacher or re-ranker."
    )
