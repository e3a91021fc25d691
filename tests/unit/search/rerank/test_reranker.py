"""A re-ranker needs a name and scores; what it gives is checked, and stored token ids are an extra."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from indexing.errors import ModelError, SettingsError
from indexing.store.tokens import TokenIds
from search.rerank.reranker import Scores, StoredTokens, check_reranker, score_passages
from tests.support.fakes import FixedReranker

TOKENS = [np.array([7], dtype=np.uint16), np.array([8, 9], dtype=np.uint16)]


class Plain:
    """The least that a re-ranker is: its logits are as given."""

    name = "plain"

    def __init__(self, logits: Sequence[float]) -> None:
        self._logits = logits

    def score(self, query: str, passages: Sequence[str]) -> Scores:
        return Scores(np.array(self._logits))


class Stored(Plain):
    """It counts a passage's stored token ids."""

    tokenizer_fingerprint = "a" * 16

    def score_stored(self, query: str, tokens: Sequence[TokenIds]) -> Scores:
        return Scores(np.array([len(ids) for ids in tokens], dtype=np.float32), (False, True), {"re-rank": 2.0})


def test_a_name_and_scores_are_enough() -> None:
    scores = score_passages(Plain([0.5, -1.0]), "q", ["a", "b"])
    assert scores.logits.tolist() == [0.5, -1.0]
    assert scores.logits.dtype == np.float32
    assert scores.truncated == (False, False)
    assert list(scores.seconds) == ["re-rank"]
    assert scores.seconds["re-rank"] > 0


def test_stored_token_ids_go_to_those_that_read_them() -> None:
    assert isinstance(Stored([]), StoredTokens)
    scores = score_passages(Stored([5.0, 5.0]), "q", ["a", "b"], tokens=TOKENS)
    assert (scores.logits.tolist(), scores.truncated, dict(scores.seconds)) == ([1, 2], (False, True), {"re-rank": 2.0})


def test_the_others_read_the_texts() -> None:
    assert not isinstance(Plain([]), StoredTokens)
    scores = score_passages(FixedReranker({"a": 3.0, "b": 4.0}), "q", ["a", "b"], tokens=TOKENS)
    assert scores.logits.tolist() == [3, 4]


@pytest.mark.parametrize("logits", [[], [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_another_number_of_scores_is_refused(logits: list[float]) -> None:
    shape = np.array(logits).shape
    with pytest.raises(ModelError) as refused:
        score_passages(Plain(logits), "q", ["a", "b"])
    assert str(refused.value) == (
        f"Re-ranker plain gave scores of shape {shape} for 2 passages; it must give one number for each."
    )


class Loose:
    """Its score gives anything."""

    name = "loose"

    def __init__(self, given: object) -> None:
        self._given = given

    def score(self, query: str, passages: Sequence[str]) -> Any:
        return self._given


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([1.0, 2.0], r"gave list in place of Scores; return Scores\(numbers\), one for each passage\."),
        (np.array([1.0, 2.0]), "gave ndarray in place of Scores"),
        (None, "gave NoneType in place of Scores"),
        (Scores(np.array(["high", "low"])), "gave scores that aren't numbers; it must give one for"),
        (
            Scores(np.zeros(2, dtype=np.float32), (True,)),
            "gave 2 scores, and says of 1 passages whether",
        ),
    ],
)
def test_what_is_no_scores_is_refused(given: object, fault: str) -> None:
    with pytest.raises(ModelError, match=f"^Re-ranker loose {fault}"):
        score_passages(Loose(given), "q", ["a", "b"])


def test_numbers_in_a_list_are_scores() -> None:
    plain: Any = [1, 2.5]
    uneven: Any = [1, [2, 3]]
    with pytest.raises(ModelError, match="gave scores that aren't numbers"):
        score_passages(Loose(Scores(uneven)), "q", ["a", "b"])
    assert score_passages(Loose(Scores(plain)), "q", ["a", "b"]).logits.tolist() == [1, 2.5]


class Nameless:
    def score(self, query: str, passages: Sequence[str]) -> Scores:
        return Scores(np.zeros(len(passages), dtype=np.float32))


@pytest.mark.parametrize("given", [3, Nameless(), Scores, np.array([1.0])])
def test_an_object_that_is_no_re_ranker_is_refused(given: object) -> None:
    check_reranker(Plain([]))
    with pytest.raises(SettingsError, match="is no re-ranker; it needs a text `name` and a method `score"):
        check_reranker(given)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_score_that_is_no_finite_number_is_refused(bad: float) -> None:
    with pytest.raises(ModelError, match=r"Re-ranker plain gave a score that isn't a finite number; choose another\."):
        score_passages(Plain([1.0, bad]), "q", ["a", "b"])


def test_scores_that_single_precision_cannot_tell_apart_are_refused() -> None:
    class Dates(Plain):
        def score(self, query: str, passages: Sequence[str]) -> Scores:
            return Scores(np.array([20261203.0, 20261204.0, 20261205.0]))

    with pytest.raises(ModelError, match=r"differ by less than single precision holds.*subtract their mean"):
        score_passages(Dates([]), "q", ["a", "b", "c"])
