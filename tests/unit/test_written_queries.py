"""The written queries are what data/written/README.md says: graded lists with near-misses, none of them held out."""

import re
from collections import Counter

import pytest

from indexing.corpus.same_text import text_key
from indexing.judged.sets import JudgedSet, judged_sets
from tests.conftest import REPOSITORY
from training.judgments.judged_set import judged_files
from training.source import Source

FOLDER = REPOSITORY / "data/written"
YEARS = ("21", "22")
KINDS = ("misspelt", "keyword", "meaning", "lookalike")


@pytest.fixture(scope="module")
def sets() -> dict[str, JudgedSet]:
    """By year, read as a training reads them."""
    return {year: judged_files(FOLDER / f"queries.dl{year}.tsv", FOLDER / f"qrels.dl{year}.tsv") for year in YEARS}


@pytest.fixture(scope="module")
def readme() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def lines(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


def kinds() -> list[tuple[str, str]]:
    return [(query_id, kind) for query_id, kind in (line.split("\t") for line in lines("kinds.tsv")[1:])]


def test_every_query_is_judged(sets: dict[str, JudgedSet]) -> None:
    for year, judged in sets.items():
        assert len(judged.queries) == len(judged.qrels) == len(lines(f"queries.dl{year}.tsv"))
    assert sum(len(judged.queries) for judged in sets.values()) >= 300


def test_every_list_has_an_answer_and_two_passages_without(sets: dict[str, JudgedSet]) -> None:
    for judged in sets.values():
        for query in judged.queries:
            grades = sorted(judged.qrels[query.id].values())
            assert 7 <= len(grades) <= 9, query
            assert grades[0] >= 0, query
            assert grades[1] <= 1, query
            assert 2 <= grades[-1] <= 3, query


def test_ids_and_texts_are_unique(sets: dict[str, JudgedSet]) -> None:
    queries = [query for judged in sets.values() for query in judged.queries]
    assert max(Counter(query.id for query in queries).values()) == 1
    assert max(Counter(text_key(query.text) for query in queries).values()) == 1


def test_every_query_is_of_one_known_kind(sets: dict[str, JudgedSet]) -> None:
    ids = [query.id for judged in sets.values() for query in judged.queries]
    assert sorted(query_id for query_id, _ in kinds()) == sorted(ids)
    shares = Counter(kind for _, kind in kinds())
    assert set(shares) == set(KINDS)
    assert min(shares.values()) >= len(ids) / 6


def test_only_ids_of_passages_are_kept() -> None:
    for year in YEARS:
        for line in lines(f"qrels.dl{year}.tsv"):
            assert re.fullmatch(rf"w{year}-\d{{3}} 0 msmarco_passage_\d\d_\d+ [0-3]", line), line


def test_no_query_is_held_out(sets: dict[str, JudgedSet]) -> None:
    bundled = judged_sets(REPOSITORY / "data/sample")
    held_out = {text_key(query.text) for split in ("dev", "test") for query in bundled[split].queries}
    assert len(held_out) > 500
    assert not [query for judged in sets.values() for query in judged.queries if text_key(query.text) in held_out]


def test_its_readme_tells_its_counts(sets: dict[str, JudgedSet], readme: str) -> None:
    counts = {year: len(sets[year].queries) for year in YEARS}
    assert f"{sum(counts.values()):,} queries" in readme
    assert f"{counts['21']} for the passages of TREC DL 2021 and\n{counts['22']} for those of TREC DL 2022" in readme
    of = Counter((kind, query_id[1:3]) for query_id, kind in kinds())
    for kind in KINDS:
        numbers = (of[kind, "21"], of[kind, "22"], of[kind, "21"] + of[kind, "22"])
        assert re.search(
            rf"^\| `{kind}` \| .+ \| {numbers[0]} \| {numbers[1]} \| {numbers[2]} \|$", readme, re.MULTILINE
        )
    grades = Counter(
        grade for judged in sets.values() for of_query in judged.qrels.values() for grade in of_query.values()
    )
    passages = [{passage for of_query in judged.qrels.values() for passage in of_query} for judged in sets.values()]
    assert f"{grades.total():,} grades of {sum(map(len, passages)):,} passages" in readme
    assert f"{grades[3]} are 3, {grades[2]} are 2, {grades[1]} are 1 and {grades[0]:,} are 0" in readme


def test_its_sources_are_written_as_a_training_takes_them(readme: str) -> None:
    sources = re.findall(r"--data (\S+)", readme)
    assert [Source.parse(text).place for text in sources] == ["trec-dl-2021", "trec-dl-2022"]
    for text in sources:
        source = Source.parse(text)
        assert [file and (REPOSITORY / file).is_file() for file in (source.queries, source.qrels)] == [True, True]
