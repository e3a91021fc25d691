"""Both back ends score by Lucene's formula, as computed by hand here."""

import math
import random
from pathlib import Path

import numpy as np
import pytest

from indexing import atomic
from indexing.bm25 import BACKENDS, Bm25, Bm25s, Bm25Settings, RankBm25, best_rows
from indexing.errors import SettingsError
from indexing.records import Floats

PASSAGES = [["cat", "sat"], ["cat", "cat", "dog"], ["bird"]]  # lengths 2, 3, 1: mean 2
IDF_CAT = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # 3 passages, 2 hold it
IDF_DOG = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))


def make(backend: str, passages: list[list[str]], *, k1: float = 0.9, b: float = 0.4) -> Bm25:
    settings = Bm25Settings(k1=k1, b=b, backend=backend)
    return Bm25s.build(passages, settings) if backend == "bm25s" else RankBm25(passages, settings)


def random_passages(count: int) -> list[list[str]]:
    """Passages like abstracts: words by Zipf's law, 5 to 120 of them."""
    rng = random.Random(1)
    words = [f"w{number}" for number in range(800)]
    weights = [1 / (number + 1) for number in range(800)]
    return [rng.choices(words, weights, k=rng.randint(5, 120)) for _ in range(count)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_term_scores_as_computed_by_hand(backend: str) -> None:
    expected = [
        IDF_CAT * 1 / (1 + 0.9 * (1 - 0.4 + 0.4 * 2 / 2)),
        IDF_CAT * 2 / (2 + 0.9 * (1 - 0.4 + 0.4 * 3 / 2)),
        0,
    ]
    assert make(backend, PASSAGES).scores(["cat"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_terms_add_up(backend: str) -> None:
    cat = IDF_CAT * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2))
    dog = IDF_DOG * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2))
    assert make(backend, PASSAGES, k1=1.2, b=0.75).scores(["cat", "dog"])[1] == pytest.approx(cat + dog, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_repeated_query_term_counts_each_time(backend: str) -> None:
    bm25 = make(backend, PASSAGES)
    assert bm25.scores(["cat", "cat"]) == pytest.approx(2 * bm25.scores(["cat"]), abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unknown_term_adds_nothing(backend: str) -> None:
    bm25 = make(backend, PASSAGES)
    assert bm25.scores(["cat", "unicorn"]).tolist() == bm25.scores(["cat"]).tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("terms", [[], ["unicorn"]])
def test_a_query_without_known_terms_scores_zero_everywhere(backend: str, terms: list[str]) -> None:
    assert make(backend, PASSAGES).scores(terms).tolist() == [0, 0, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_scores_are_float32(backend: str) -> None:
    assert make(backend, PASSAGES).scores(["cat"]).dtype == np.float32


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_k1_of_zero_a_repeat_in_the_passage_counts_once(backend: str) -> None:
    # tf / (tf + 0) is 1 wherever the term occurs
    scores = make(backend, PASSAGES, k1=0).scores(["cat"])
    assert scores == pytest.approx([IDF_CAT, IDF_CAT, 0], abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_with_b_of_one_a_passage_without_terms_scores_zero(backend: str) -> None:
    # length 0 makes 1 - b + b * 0 / mean = 0, over which nothing may be divided; lengths 0 and 2: mean 1
    scores = make(backend, [[], ["cat", "sat"]], b=1).scores(["cat"])
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert scores == pytest.approx([0, idf * 1 / (1 + 0.9 * 2 / 1)], abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_passages_of_nothing_but_stop_words_score_zero(backend: str) -> None:
    assert make(backend, [[], []]).scores(["cat"]).tolist() == [0, 0]


def test_both_back_ends_give_the_same_scores_on_many_passages() -> None:
    passages = random_passages(400)
    fast, plain = make("bm25s", passages), make("rank-bm25", passages)
    rng = random.Random(2)
    for _ in range(30):
        query = rng.choices([*passages[rng.randrange(400)], "unknown"], k=rng.randint(1, 8))
        assert fast.scores(query) == pytest.approx(plain.scores(query), abs=1e-5)


def test_both_back_ends_rank_many_passages_alike() -> None:
    passages = random_passages(400)
    fast, plain = make("bm25s", passages), make("rank-bm25", passages)
    rng = random.Random(3)
    for _ in range(30):
        query = rng.choices(passages[rng.randrange(400)], k=4)
        by_fast, by_plain = (np.argsort(-bm25.scores(query), kind="stable") for bm25 in (fast, plain))
        # two places may be exchanged only where their scores are the same but for rounding
        assert plain.scores(query)[by_fast] == pytest.approx(plain.scores(query)[by_plain], abs=1e-6)


def test_a_saved_index_opens_with_the_same_scores(tmp_path: Path) -> None:
    bm25 = Bm25s.build(random_passages(50), Bm25Settings())
    bm25.save(tmp_path / "bm25")
    assert Bm25s.open(tmp_path / "bm25").scores(["w1", "w7", "w7"]).tolist() == bm25.scores(["w1", "w7", "w7"]).tolist()


def test_the_same_passages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Bm25s.build(random_passages(50), Bm25Settings()).save(tmp_path / name)
    assert atomic.file_table(tmp_path / "one") == atomic.file_table(tmp_path / "two")
    assert atomic.file_table(tmp_path / "one")


def test_a_saved_index_holds_no_pickle(tmp_path: Path) -> None:
    Bm25s.build(PASSAGES, Bm25Settings()).save(tmp_path / "bm25")
    assert {path.suffix for path in (tmp_path / "bm25").iterdir()} <= {".npy", ".json"}
    for path in (tmp_path / "bm25").glob("*.npy"):
        np.load(path, allow_pickle=False)


@pytest.mark.parametrize("values", [{"k1": -0.1}, {"k1": 10.1}, {"b": -0.1}, {"b": 1.1}, {"backend": "okapi"}])
def test_settings_out_of_range_are_refused_with_the_value(values: dict[str, float | str]) -> None:
    with pytest.raises(SettingsError, match=str(next(iter(values.values())))):
        Bm25Settings(**values)  # type: ignore[arg-type]  # one field of several types


def scores(*values: float) -> Floats:
    return np.array(values, dtype=np.float32)


def test_best_rows_are_those_of_the_highest_scores() -> None:
    assert sorted(best_rows(scores(0.1, 0.5, 0.3, 0.9), depth=2).tolist()) == [1, 3]


def test_best_rows_hold_every_tie_with_the_last() -> None:
    assert sorted(best_rows(scores(0.5, 0.9, 0.5, 0.1, 0.5), depth=2).tolist()) == [0, 1, 2, 4]


def test_best_rows_leave_out_scores_of_zero() -> None:
    assert best_rows(scores(0, 0.2, 0, 0), depth=3).tolist() == [1]


def test_best_rows_of_more_than_there_are_passages_are_all_that_match() -> None:
    assert sorted(best_rows(scores(0.1, 0, 0.3), depth=10).tolist()) == [0, 2]


def test_best_rows_of_no_match_are_none() -> None:
    assert best_rows(scores(0, 0, 0), depth=2).tolist() == []
