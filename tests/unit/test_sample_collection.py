"""The bundled collection is what data/sample/README.md says: judged, split by topic, and copied from nothing."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import pytest

from indexing.corpus.corpus import Corpus
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, QueryId
from indexing.words.analyzers import analyzer_for
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "data/sample"
SPLITS = ("train", "dev", "test")
NEAR_DUPLICATE = 0.15  # of two texts of 60 words: a run of 17 words in both. Texts written apart share 0.10 at most
LONGEST_RUN = 4  # words: "the great barrier reef" and other names are shared; a clause of 5 would be copied
# share of a query's content words that its best passage holds, mean over the queries: 0.835 and 0.139 when written
MEAN_OVERLAP = {"plain": (0.8, 1.0), "indirect": (0.0, 0.25)}
FUNCTION_WORDS = """
am been being can can't could did do does don't doesn't down get got had has have he her his how how's i isn't its it's
long many may me might much must my off our out over really she should than there's up us we were what what's when where
which who whom whose why would you your about after again before from so under
"""  # beside the analyzer's stop words


@pytest.fixture(scope="module")
def texts() -> dict[PassageId, str]:
    return {passage.id: passage.text for passage in Corpus(FOLDER)}


@pytest.fixture(scope="module")
def sets() -> dict[str, JudgedSet]:
    return judged_sets(FOLDER)


def rows(name: str) -> list[list[str]]:
    """Lines of a table without its header."""
    return [line.split("\t") for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()[1:]]


def topics() -> dict[str, tuple[str, range]]:
    """By topic its split and its passages' numbers."""
    return {topic: (split, range(int(first), int(last) + 1)) for topic, split, first, last in rows("topics.tsv")}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def judged_queries(sets: dict[str, JudgedSet]) -> Iterator[tuple[QueryId, str, dict[PassageId, int]]]:
    for split in sets.values():
        for query in split.queries:
            yield query.id, query.text, dict(split.qrels[query.id])


def test_it_is_as_large_as_promised(texts: dict[PassageId, str], sets: dict[str, JudgedSet]) -> None:
    assert len(texts) >= 1200
    assert len(topics()) >= 100
    assert sum(len(split.queries) for split in sets.values()) >= 400


def test_its_readme_tells_its_size(texts: dict[PassageId, str], sets: dict[str, JudgedSet]) -> None:
    counts = [len(sets[split].queries) for split in SPLITS]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(texts):,} passages and {sum(counts):,} judged queries on {len(topics())} topics" in readme
    assert f"{counts[0]}, {counts[1]} and {counts[2]} queries" in readme


def test_passage_ids_count_up_from_one(texts: dict[PassageId, str]) -> None:
    assert list(texts) == [str(number) for number in range(1, len(texts) + 1)]


def test_query_ids_are_unique_over_all_splits(sets: dict[str, JudgedSet]) -> None:
    lines = [line for split in SPLITS for line in (FOLDER / f"queries.{split}.tsv").read_text().splitlines()]
    assert len({line.split("\t")[0] for line in lines}) == len(lines)


def test_no_query_is_asked_twice(sets: dict[str, JudgedSet]) -> None:
    asked = Counter(" ".join(words(text)) for _, text, _ in judged_queries(sets))
    assert [text for text, count in asked.items() if count > 1] == []


def test_passages_have_30_to_110_words(texts: dict[PassageId, str]) -> None:
    assert {name: len(text.split()) for name, text in texts.items() if not 30 <= len(text.split()) <= 110} == {}


def test_every_query_of_a_split_is_judged_and_every_judged_query_is_there(sets: dict[str, JudgedSet]) -> None:
    for split in SPLITS:
        lines = (FOLDER / f"queries.{split}.tsv").read_text(encoding="utf-8").splitlines()
        assert {line.split("\t")[0] for line in lines} == set(sets[split].qrels)


def test_every_judged_passage_is_there(texts: dict[PassageId, str], sets: dict[str, JudgedSet]) -> None:
    assert {name for _, _, judged in judged_queries(sets) for name in judged} - set(texts) == set()


def test_grades_are_zero_to_three(sets: dict[str, JudgedSet]) -> None:
    assert {grade for _, _, judged in judged_queries(sets) for grade in judged.values()} == {0, 1, 2, 3}


def test_every_query_has_a_passage_that_answers_it(sets: dict[str, JudgedSet]) -> None:
    assert [query for query, _, judged in judged_queries(sets) if max(judged.values()) < 2] == []


def test_no_judgment_is_given_twice() -> None:
    for split in SPLITS:
        pairs = [tuple(line.split()[::2]) for line in (FOLDER / f"qrels.{split}.tsv").read_text().splitlines()]
        assert len(set(pairs)) == len(pairs)


def test_topics_divide_the_passages_among_them(texts: dict[PassageId, str]) -> None:
    numbers = [number for _, passages in topics().values() for number in passages]
    assert sorted(numbers) == list(range(1, len(texts) + 1))


def test_a_query_is_judged_on_every_passage_of_its_topic_and_no_other(sets: dict[str, JudgedSet]) -> None:
    topic_of = {query: topic for query, _, _, topic in rows("query_kinds.tsv")}
    for query, _, judged in judged_queries(sets):
        assert {int(name) for name in judged} == set(topics()[topic_of[query]][1])


def test_splits_share_no_topic_and_no_judged_passage(sets: dict[str, JudgedSet]) -> None:
    split_of = {name: split for name, (split, _) in topics().items()}
    topic_of = {query: topic for query, _, _, topic in rows("query_kinds.tsv")}
    for name, split in sets.items():
        assert {split_of[topic_of[query.id]] for query in split.queries} == {name}
    judged = [{passage for grades in split.qrels.values() for passage in grades} for split in sets.values()]
    assert [one & other for one, other in combinations(judged, 2)] == [set()] * 3


def test_every_query_has_a_kind_and_a_wording(sets: dict[str, JudgedSet]) -> None:
    kinds = {query: (kind, wording) for query, kind, wording, _ in rows("query_kinds.tsv")}
    assert set(kinds) == {query for query, _, _ in judged_queries(sets)}
    assert {kind for kind, _ in kinds.values()} == {"keyword", "question", "misspelled", "paraphrase", "ambiguous"}
    assert {wording for _, wording in kinds.values()} == {"plain", "indirect"}


def test_its_readme_tells_how_many_there_are_of_each_kind() -> None:
    kinds = Counter(kind for _, kind, _, _ in rows("query_kinds.tsv"))
    wordings = Counter(wording for _, _, wording, _ in rows("query_kinds.tsv"))
    readme = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert f"{kinds['keyword']} keyword queries, {kinds['question']} questions, {kinds['misspelled']} with" in readme
    assert f"{kinds['paraphrase']} whose best passage" in readme
    assert f"{kinds['ambiguous']} ambiguous ones" in readme
    assert f"{wordings['plain']} are `plain`" in readme
    assert f"The other {wordings['indirect']} are `indirect`" in readme


def test_no_two_passages_are_near_duplicates(texts: dict[PassageId, str]) -> None:
    shingles = {
        name: set(zip(*(words(text)[start:] for start in range(3)), strict=False)) for name, text in texts.items()
    }
    holders = defaultdict(list)
    for name, triples in shingles.items():
        for triple in triples:
            holders[triple].append(name)
    shared = Counter(pair for names in holders.values() for pair in combinations(names, 2))
    likeness = {
        pair: count / (len(shingles[pair[0]]) + len(shingles[pair[1]]) - count) for pair, count in shared.items()
    }
    print(f"most alike: {max(likeness, key=lambda pair: likeness[pair])}, {max(likeness.values()):.3f}")  # noqa: T201  # the figure behind the bound
    assert {pair: value for pair, value in likeness.items() if value >= NEAR_DUPLICATE} == {}


def run_set(text: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(text[start : start + length]) for start in range(len(text) - length + 1)}


def test_no_query_is_copied_from_a_passage_that_answers_it(
    texts: dict[PassageId, str], sets: dict[str, JudgedSet]
) -> None:
    copied = {
        (query, name): text
        for query, text, judged in judged_queries(sets)
        for name, grade in judged.items()
        if grade > 0 and run_set(words(text), LONGEST_RUN + 1) & run_set(words(texts[name]), LONGEST_RUN + 1)
    }
    assert copied == {}


def shares_of(wording: str, texts: dict[PassageId, str], sets: dict[str, JudgedSet]) -> dict[str, float]:
    """For each query of a wording the share of its content words that its best passage holds."""
    chosen = {query for query, _, said, _ in rows("query_kinds.tsv") if said == wording}
    function = set(analyzer_for().terms(FUNCTION_WORDS))
    shares = {}
    for query, text, judged in judged_queries(sets):
        if query in chosen:
            wanted = set(analyzer_for().terms(text)) - function
            best = [name for name, grade in judged.items() if grade == max(judged.values())]
            shares[text] = max(len(wanted & set(analyzer_for().terms(texts[name]))) / len(wanted) for name in best)
    return shares


def test_best_passages_of_plain_queries_hold_half_or_more_of_their_content_words(
    texts: dict[PassageId, str], sets: dict[str, JudgedSet]
) -> None:
    assert {query: share for query, share in shares_of("plain", texts, sets).items() if share < 0.5} == {}


@pytest.mark.parametrize("wording", MEAN_OVERLAP)
def test_best_passages_hold_as_many_content_words_as_the_wording_says(
    wording: str, texts: dict[PassageId, str], sets: dict[str, JudgedSet]
) -> None:
    shares = shares_of(wording, texts, sets)
    mean = sum(shares.values()) / len(shares)
    print(f"{wording}: {mean:.3f} of a query's content words stand in its best passage")  # noqa: T201  # for the bounds
    low, high = MEAN_OVERLAP[wording]
    assert low <= mean <= high
