"""A model in training is measured by the logits that it will be served with."""

import math
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder

from indexing.records import PassageId, Query, QueryId
from tests.conftest import PASSAGES
from tests.support.judged_lists import ranking
from training.evaluation.candidates import Candidates
from training.fitting.dev_set import ModelInTraining, mean_ndcg, ndcg_by_query
from training.fitting.model import PairModel, open_pair_model

pytestmark = pytest.mark.usefixtures("in_float32")
NAMES = ("a1", "a2", "b1", "c1", "d1")
QUERY = "how do bees make honey"


@pytest.fixture
def model(tiny_cross_encoder: Path) -> PairModel:
    return open_pair_model(str(tiny_cross_encoder), max_length=32, dropout=0.5, seed=1).train()


def dev(**relevant: str) -> Candidates:
    """A query for each, whose list holds NAMES and of which one passage is relevant."""
    queries = tuple(Query(QueryId(name), QUERY) for name in relevant)
    qrels = {QueryId(name): {PassageId(passage): 1} for name, passage in relevant.items()}
    run = {query.id: ranking(*NAMES) for query in queries}
    return Candidates(queries, qrels, run, {PassageId(name): PASSAGES[name] for name in NAMES})


def order(base: Path) -> list[str]:
    """NAMES in the order of a plain cross-encoder's logits."""
    plain = CrossEncoder(str(base), device="cpu", activation_fn=torch.nn.Identity())
    logits = plain.predict([(QUERY, PASSAGES[name]) for name in NAMES], show_progress_bar=False)
    return [name for _, name in sorted(zip((-logits).tolist(), NAMES, strict=True))]


def test_ndcg_is_that_of_the_order_of_its_logits(model: PairModel, tiny_cross_encoder: Path) -> None:
    first, second, third, *_ = order(tiny_cross_encoder)
    found = ndcg_by_query(model, dev(one=first, two=second, three=third, lost="d5"))
    # one relevant passage at rank r: 1 / log2(1 + r); d5 is in no list
    assert dict(found) == pytest.approx({"one": 1, "two": 1 / math.log2(3), "three": 1 / math.log2(4), "lost": 0})


def test_the_mean_is_over_judged_queries(model: PairModel, tiny_cross_encoder: Path) -> None:
    first, second, *_ = order(tiny_cross_encoder)
    found = mean_ndcg(model, dev(one=first, two=second, lost="d5"))
    assert found == pytest.approx((1 + 1 / math.log2(3) + 0) / 3)


def test_it_scores_pairs_longer_than_it_trains_on(model: PairModel, tiny_cross_encoder: Path) -> None:
    plain = CrossEncoder(str(tiny_cross_encoder), device="cpu", activation_fn=torch.nn.Identity())
    texts = [PASSAGES["a1"] + PASSAGES["a2"], "Bees make honey.", "word " * 400]
    model.eval()
    found = ModelInTraining(model).score(QUERY, texts)
    expected = plain.predict([(QUERY, text) for text in texts[:2]], show_progress_bar=False)
    assert model.training_length == 32
    assert found.logits[:2].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert found.truncated == (False, False, True)
