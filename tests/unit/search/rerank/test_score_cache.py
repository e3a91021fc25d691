"""Pairs that were scored lately aren't scored again, and have the scores that they had."""

from collections.abc import Sequence

import numpy as np
import pytest

from indexing.errors import ModelError
from indexing.store.tokens import TokenIds
from search.rerank.reranker import Scores
from search.rerank.score_cache import RememberedScores


class Counting:
    """Scores a passage by its length, and notes what it was asked for."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        self.asked.append(list(passages))
        cut = tuple(len(passage) > 3 for passage in passages)
        return Scores(np.array([len(query + passage) for passage in passages], dtype=np.float32), cut)


class Stored(Counting):
    """The same by token ids."""

    tokenizer_fingerprint = "t1"

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        self.asked.append([str(ids.tolist()) for ids in tokens])
        return Scores(np.array([ids.sum() for ids in tokens], dtype=np.float32))


class Short(Counting):
    """Gives one score too few."""

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        return Scores(super().score(query, passages).logits[:-1])


def test_only_new_pairs_are_scored() -> None:
    model = Counting()
    remembering = RememberedScores(model)
    first = remembering.score("q", ["aa", "bbbb"])
    assert first.logits.tolist() == [3, 5]
    again = remembering.score("q", ["bbbb", "c", "aa", "c"])
    assert again.logits.tolist() == [5, 2, 3, 2]
    assert again.truncated == (True, False, False, False)
    assert remembering.score("other", ["aa"]).logits.tolist() == [7]
    assert model.asked == [["aa", "bbbb"], ["c"], ["aa"]]


def test_where_all_are_known_no_model_is_asked_and_no_time_passes() -> None:
    model = Counting()
    remembering = RememberedScores(model)
    remembering.score("q", ["aa"])
    known = remembering.score("q", ["aa"])
    assert known.logits.tolist() == [3]
    assert known.seconds == {"re-rank": 0.0}
    assert len(model.asked) == 1


def test_the_least_recently_used_are_forgotten() -> None:
    model = Counting()
    remembering = RememberedScores(model, most=2)
    for passage in ("a", "b", "a", "c", "a", "b"):
        remembering.score("q", [passage])
    assert model.asked == [["a"], ["b"], ["c"], ["b"]]


def test_more_pairs_than_are_kept_are_all_scored() -> None:
    assert RememberedScores(Counting(), most=1).score("q", ["a", "bb", "a"]).logits.tolist() == [2, 3, 2]


def test_stored_tokens_are_keys_of_their_own() -> None:
    model = Stored()
    remembering = RememberedScores(model)
    assert remembering.tokenizer_fingerprint == "t1"
    tokens = [np.array([1, 2], dtype=np.uint16), np.array([3], dtype=np.uint16)]
    assert remembering.score_stored("q", tokens).logits.tolist() == [3, 3]
    assert remembering.score_stored("q", [*reversed(tokens)]).logits.tolist() == [3, 3]
    assert model.asked == [["[1, 2]", "[3]"]]
    assert RememberedScores(Counting()).tokenizer_fingerprint == ""


def test_a_wrong_number_of_scores_is_refused_and_not_kept() -> None:
    remembering = RememberedScores(Short())
    for _ in range(2):
        with pytest.raises(ModelError, match=r"gave scores of shape \(1,\) for 2 passages"):
            remembering.score("q", ["a", "b"])
