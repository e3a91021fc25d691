"""Both back ends, and the postings themselves, score by Lucene's formula, as computed by hand here."""

import math
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import bm25s
import numpy as np
import pytest

from indexing.bm25.backends import Bm25, Bm25s, RankBm25
from indexing.bm25.build import FILES, build_bm25
from indexing.bm25.formula import best_rows
from indexing.bm25.from_postings import PostingsBm25
from indexing.bm25.postings import write_postings
from indexing.bm25.settings import BACKENDS, Bm25Settings
from indexing.records import Floats, Rows
from tests.support.fakes import Reports

KINDS = (*BACKENDS, "postings")


class FromPostings:
    """PostingsBm25 as a back end, so that it is held to what the others are."""

    def __init__(self, folder: Path, settings: Bm25Settings) -> None:
        self._postings, self._settings = PostingsBm25(folder), settings
        self._count = len(self._postings)  # opens the postings while their folder exists

    def __len__(self) -> int:
        return self._count

    def scores(self, terms: Sequence[str]) -> Floats:
        total = np.zeros(self._count, dtype=np.float32)
        matches = self._postings.matches(terms)
        total[matches.rows] = matches.scores(self._settings)
        return total

    def search(self, terms: Sequence[str], *, depth: int) -> tuple[Rows, Floats]:
        return self._postings.search(terms, self._settings, depth=depth)


PASSAGES = [["cat", "sat"], ["cat", "cat", "dog"], ["bird"]]  # lengths 2, 3, 1: mean 2
IDF_CAT = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # 3 passages, 2 hold it
IDF_DOG = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))


def write(folder: Path, *shards: list[list[str]]) -> Path:
    """A folder of postings with these shards."""
    (folder / "terms").mkdir(parents=True)
    for number, content in enumerate(shards):
        write_postings(folder / "terms" / f"{number:05}.arrow", content)
    return folder / "terms"


def built(folder: Path, *shards: list[list[str]], settings: Bm25Settings) -> Path:
    """A folder of bm25s' files, made from these shards."""
    build_bm25(write(folder, *shards), folder / "bm25", settings)
    return folder / "bm25"


def make(kind: str, passages: list[list[str]], *, k1: float = 0.9, b: float = 0.4) -> Bm25:
    """BM25 of one kind over these passages, in two shards where it has shards."""
    settings = Bm25Settings(k1=k1, b=b)
    if kind == "rank-bm25":
        return RankBm25(passages, settings)
    middle = (len(passages) + 1) // 2
    with tempfile.TemporaryDirectory() as name:  # what is mapped stays readable after it is gone
        if kind == "bm25s":
            return Bm25s.open(built(Path(name), passages[:middle], passages[middle:], settings=settings))
        return FromPostings(write(Path(name), passages[:middle], passages[middle:]), settings)


def random_passages(count: int) -> list[list[str]]:
    """Passages like abstracts: words by Zipf's law, 5 to 120 of them."""
    rng = random.Random(1)
    words = [f"w{number}" for number in range(800)]
    weights = [1 / (number + 1) for number in range(800)]
    return [rng.choices(words, weights, k=rng.randint(5, 120)) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_one_term_scores_as_computed_by_hand(kind: str) -> None:
    expected = [
        IDF_CAT * 1 / (1 + 0.9 * (1 - 0.4 + 0.4 * 2 / 2)),
        IDF_CAT * 2 / (2 + 0.9 * (1 - 0.4 + 0.4 * 3 / 2)),
        0,
    ]
    assert make(kind, PASSAGES).scores(["cat"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_terms_add_up(kind: str) -> None:
    cat = IDF_CAT * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2))
    dog = IDF_DOG * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2))
    assert make(kind, PASSAGES, k1=1.2, b=0.75).scores(["cat", "dog"])[1] == pytest.approx(cat + dog, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_query_term_counts_each_time(kind: str) -> None:
    bm25 = make(kind, PASSAGES)
    assert bm25.scores(["cat", "cat"]) == pytest.approx(2 * bm25.scores(["cat"]), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_term_adds_nothing(kind: str) -> None:
    bm25 = make(kind, PASSAGES)
    assert bm25.scores(["cat", "unicorn"]).tolist() == bm25.scores(["cat"]).tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("terms", [[], ["unicorn"]])
def test_a_query_without_known_terms_scores_zero_everywhere(kind: str, terms: list[str]) -> None:
    assert make(kind, PASSAGES).scores(terms).tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_float32(kind: str) -> None:
    assert make(kind, PASSAGES).scores(["cat"]).dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_with_k1_of_zero_a_repeat_in_the_passage_counts_once(kind: str) -> None:
    # tf / (tf + 0) is 1 wherever the term occurs
    scores = make(kind, PASSAGES, k1=0).scores(["cat"])
    assert scores == pytest.approx([IDF_CAT, IDF_CAT, 0], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_with_b_of_one_a_passage_without_terms_scores_zero(kind: str) -> None:
    # length 0 makes 1 - b + b * 0 / mean = 0, over which nothing may be divided; lengths 0 and 2: mean 1
    scores = make(kind, [[], ["cat", "sat"]], b=1).scores(["cat"])
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert scores == pytest.approx([0, idf * 1 / (1 + 0.9 * 2 / 1)], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_passages_of_nothing_but_stop_words_score_zero(kind: str) -> None:
    assert make(kind, [[], []]).scores(["cat"]).tolist() == [0, 0]


def test_every_kind_gives_the_same_scores_on_many_passages() -> None:
    passages = random_passages(400)
    fast, plain, slow = (make(kind, passages) for kind in KINDS)
    rng = random.Random(2)
    for _ in range(30):
        query = rng.choices([*passages[rng.randrange(400)], "unknown"], k=rng.randint(1, 8))
        assert fast.scores(query) == pytest.approx(plain.scores(query), abs=1e-5)
        assert slow.scores(query) == pytest.approx(plain.scores(query), abs=1e-6)


def test_both_back_ends_rank_many_passages_alike() -> None:
    passages = random_passages(400)
    fast, plain = make("bm25s", passages), make("rank-bm25", passages)
    rng = random.Random(3)
    for _ in range(30):
        query = rng.choices(passages[rng.randrange(400)], k=4)
        by_fast, by_plain = (np.argsort(-bm25.scores(query), kind="stable") for bm25 in (fast, plain))
        # two places may be exchanged only where their scores are the same but for rounding
        assert plain.scores(query)[by_fast] == pytest.approx(plain.scores(query)[by_plain], abs=1e-6)


def found(bm25: Bm25, terms: Sequence[str], *, depth: int) -> dict[int, float]:
    """What a search finds, by row."""
    rows, scores = bm25.search(terms, depth=depth)
    assert (rows.dtype, scores.dtype) == (np.dtype(np.int64), np.dtype(np.float32))
    assert len(set(rows.tolist())) == len(scores)
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


def expected(bm25: Bm25, terms: Sequence[str], *, depth: int) -> dict[int, float]:
    """The same by scoring every passage."""
    scores = bm25.scores(terms)
    rows = best_rows(scores, depth=depth)
    return dict(zip(rows.tolist(), scores[rows].tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_finds_what_scoring_every_passage_does(kind: str) -> None:
    passages = random_passages(200)
    bm25 = make(kind, passages)
    rng = random.Random(4)
    for depth in (1, 5, 50, 199, 200, 500):
        for _ in range(5):
            terms = rng.choices([*passages[rng.randrange(200)], "unknown"], k=rng.randint(1, 6))
            assert found(bm25, terms, depth=depth) == expected(bm25, terms, depth=depth) != {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_gives_all_that_tie_with_the_last(kind: str) -> None:
    bm25 = make(kind, [["cat"], ["dog"], ["cat"], ["cat", "cat"], ["cat"]])
    assert sorted(found(bm25, ["cat"], depth=2)) == [0, 2, 3, 4]  # the second best has the score of two others


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("terms", [[], ["unicorn"]])
def test_a_search_for_nothing_known_finds_nothing(kind: str, terms: list[str]) -> None:
    assert found(make(kind, PASSAGES), terms, depth=3) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_is_not_disturbed_by_the_one_before(kind: str) -> None:
    bm25 = make(kind, random_passages(100))
    first = found(bm25, ["w1", "w3"], depth=10)
    found(bm25, ["w1", "w2", "w5"], depth=100)
    found(bm25, ["unknown"], depth=1)
    assert found(bm25, ["w1", "w3"], depth=10) == first


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_search_gave_is_not_changed_by_the_next(kind: str) -> None:
    bm25 = make(kind, random_passages(100))
    rows, scores = bm25.search(["w1"], depth=100)
    before = rows.tolist(), scores.tolist()
    bm25.search(["w2", "w3"], depth=100)
    assert (rows.tolist(), scores.tolist()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_search_at_once_find_what_one_does(kind: str) -> None:
    passages = random_passages(300)
    bm25 = make(kind, passages)
    rng = random.Random(5)
    queries = [rng.choices(passages[rng.randrange(300)], k=5) for _ in range(60)]
    alone = [found(bm25, query, depth=20) for query in queries]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda query: found(bm25, query, depth=20), queries * 3)) == alone * 3


@pytest.mark.parametrize("bounds", [(0, 50), (0, 1, 50), (0, 17, 18, 40, 50)])
def test_shards_change_no_score(tmp_path: Path, bounds: tuple[int, ...]) -> None:
    passages = random_passages(50)
    shards = [passages[start:end] for start, end in pairwise(bounds)]
    fast = Bm25s.open(built(tmp_path / "fast", *shards, settings=Bm25Settings()))
    slow = FromPostings(write(tmp_path / "slow", *shards), Bm25Settings())
    plain = make("rank-bm25", passages)
    for terms in (["w0"], ["w1", "w7", "w7"], ["w2", "w30", "w100"]):
        assert fast.scores(terms) == pytest.approx(plain.scores(terms), abs=1e-6)
        assert slow.scores(terms) == pytest.approx(plain.scores(terms), abs=1e-6)


def test_bm25s_itself_gives_the_same_scores_from_the_files(tmp_path: Path) -> None:
    passages = random_passages(60)
    folder = built(tmp_path, passages[:25], passages[25:], settings=Bm25Settings(k1=1.2, b=0.75))
    opened, made = bm25s.BM25.load(str(folder)), bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    made.index(passages, show_progress=False)
    for terms in (["w0", "w5"], ["w3", "w3", "w50"]):
        assert opened.get_scores(terms) == pytest.approx(made.get_scores(terms), abs=1e-6)


def test_progress_counts_the_passages_of_each_shard(tmp_path: Path) -> None:
    reports = Reports()
    build_bm25(write(tmp_path, PASSAGES, PASSAGES[:1]), tmp_path / "bm25", Bm25Settings(), progress=reports)
    assert reports.rows == [("bm25", 3, 4), ("bm25", 1, 4)]


def test_the_same_passages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        passages = random_passages(50)
        built(tmp_path / name, passages[:20], passages[20:], settings=Bm25Settings())
    assert {path.name for path in (tmp_path / "one/bm25").iterdir()} == set(FILES)
    for file in FILES:
        assert (tmp_path / "one/bm25" / file).read_bytes() == (tmp_path / "two/bm25" / file).read_bytes()


def test_a_saved_index_holds_no_pickle(tmp_path: Path) -> None:
    folder = built(tmp_path, PASSAGES, settings=Bm25Settings())
    assert {path.suffix for path in folder.iterdir()} == {".npy", ".json"}
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)
