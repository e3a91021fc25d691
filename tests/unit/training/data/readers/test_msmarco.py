"""MS MARCO's files are streamed: rows of one query become one list, and what can't be found is told."""

import gzip
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.index import Index
from indexing.records import QueryId
from tests.conftest import PASSAGES, write_lines
from training.data.readers.msmarco import id_triples, top1000, triples
from training.example import CONTRADICTED, Example, ignore
from training.source import Source


def labels(example: Example) -> dict[str, float]:
    assert example.labels is not None
    return dict(zip(example.passages, example.labels, strict=True))


def source_of(path: Path, **options: Path) -> Source:
    form = {"queries": "qidpidtriples", "qrels": "top1000"}.get("".join(options), "triples")
    return Source(form, str(path), tuple((name, str(file)) for name, file in options.items()))


def test_consecutive_rows_of_a_query_are_one_list(tmp_path: Path) -> None:
    rows = ["bees\thoney\twasps", "bees\thoney\tbread", "bread\tyeast\tice", "bees\thoney\tice"]
    examples = list(triples(source_of(write_lines(tmp_path / "triples.tsv", rows)), per_query=8))
    assert [(example.query, labels(example)) for example in examples] == [
        ("bees", {"honey": 1, "wasps": 0, "bread": 0}),
        ("bread", {"yeast": 1, "ice": 0}),
        ("bees", {"honey": 1, "ice": 0}),
    ]
    assert all(example.query_id is None for example in examples)


@pytest.mark.parametrize("first", [0, 1])
def test_rows_that_begin_with_their_numbers_are_refused(tmp_path: Path, first: int) -> None:
    path = write_lines(tmp_path / "triples.tsv", [f"{first}\tbees\thoney", f"{first + 1}\tbread\tyeast"])
    with pytest.raises(CorpusError, match=f"its rows begin with their numbers, {first} and {first + 1}"):
        list(triples(source_of(path), per_query=8))
    digits = write_lines(tmp_path / "digits.tsv", ["1\tone\tmany", "1\tone\tfew", "3\tthree\tfew"])
    assert [example.query for example in triples(source_of(digits), per_query=8)] == ["1", "3"]


def test_rows_that_do_not_fit_begin_another_list(tmp_path: Path) -> None:
    rows = [f"bees\thoney\tnegative {number}" for number in range(5)]
    examples = list(triples(source_of(write_lines(tmp_path / "triples.tsv", rows)), per_query=3))
    # 1 positive and 2 negatives fill a list of 3, so that 5 negatives make lists of 3, 3 and 2
    assert [len(example.passages) for example in examples] == [3, 3, 2]
    assert all(labels(example)["honey"] == 1 for example in examples)


def test_a_repeated_row_takes_no_place(tmp_path: Path) -> None:
    rows = ["bees\thoney\twasps"] * 50 + ["bees\thoney\tice"]
    (examples,) = triples(source_of(write_lines(tmp_path / "triples.tsv", rows)), per_query=3)
    assert labels(examples) == {"honey": 1, "wasps": 0, "ice": 0}


def test_a_positive_is_never_a_negative_of_the_same_list(tmp_path: Path) -> None:
    rows = ["bees\thoney\twasps", "bees\tcomb\thoney", "bees\twasps\tice"]
    reasons: list[str] = []
    source = source_of(write_lines(tmp_path / "triples.tsv", rows))
    (examples,) = triples(source, per_query=8, on_skip=reasons.append)
    assert labels(examples) == {"honey": 1, "wasps": 1, "comb": 1, "ice": 0}
    assert reasons == [CONTRADICTED, CONTRADICTED]  # rows 2 and 3 each contradict row 1


def test_triples_are_read_in_little_memory_however_long_the_file(tmp_path: Path) -> None:
    text = "x" * 500
    content = "".join(f"query {number}\t{text}\t{number} {text}\n" for number in range(10_000))
    (tmp_path / "triples.tsv.gz").write_bytes(gzip.compress(content.encode(), 1))
    del content  # 10 MB
    tracemalloc.start()
    assert sum(1 for _ in triples(source_of(tmp_path / "triples.tsv.gz"), per_query=8)) == 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_bad_row_raises_only_when_it_is_reached(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "triples.tsv", ["a\tb\tc", "d\te\tf", "g\th"])
    examples = triples(source_of(path), per_query=8)
    assert next(examples).query == "a"
    with pytest.raises(
        CorpusError, match=r"triples\.tsv:3: it has 2 tab-separated fields, not 3 \(query, positive, negative\); "
    ):
        list(examples)


def with_texts(folder: Path, index: Index, rows: list[str], reasons: Counter[str]) -> Iterator[Example]:
    queries = write_lines(folder / "queries.tsv", ["1\thow do bees make honey", "2\twhy does bread rise"])
    return id_triples(
        source_of(write_lines(folder / "qidpidtriples.tsv", rows), queries=queries),
        index=index,
        per_query=8,
        on_skip=lambda why: reasons.update([why]),
    )


def test_triples_of_ids_get_their_texts(tmp_path: Path, small_index: Index) -> None:
    reasons: Counter[str] = Counter()
    first, second = with_texts(tmp_path, small_index, ["1\ta1\ta4", "1\ta1\tb1", "2\tc1\td1"], reasons)
    assert (first.query_id, first.query) == ("1", "how do bees make honey")
    assert labels(first) == {PASSAGES["a1"]: 1, PASSAGES["a4"]: 0, PASSAGES["b1"]: 0}
    assert (second.query_id, labels(second)) == ("2", {PASSAGES["c1"]: 1, PASSAGES["d1"]: 0})
    assert not reasons


def test_rows_with_missing_ids_are_counted(tmp_path: Path, small_index: Index) -> None:
    reasons: Counter[str] = Counter()
    rows = ["9\ta1\ta4", "1\tgone\ta4", "1\ta1\tgone", "1\ta1\ta4", "8\ta1\ta4"]
    (examples,) = with_texts(tmp_path, small_index, rows, reasons)
    assert labels(examples) == {PASSAGES["a1"]: 1, PASSAGES["a4"]: 0}
    assert reasons == {"query without a text": 2, "passage that the index lacks": 2}


def candidates(folder: Path, rows: list[str], qrels: list[str], reasons: list[str]) -> list[Example]:
    judged = write_lines(folder / "qrels.tsv", qrels)
    source = source_of(write_lines(folder / "top1000.dev", rows), qrels=judged)
    return list(top1000(source, on_skip=reasons.append))


def test_candidates_are_positive_by_qrels_and_negative_otherwise(tmp_path: Path) -> None:
    rows = ["1\tp1\tbees\thoney", "1\tp2\tbees\twasps", "1\tp3\tbees\tcomb", "1\tp4\tbees\tice"]
    qrels = ["1 0 p1 1", "1 0 p3 3", "1 0 p4 0", "1 0 elsewhere 2"]
    (examples,) = candidates(tmp_path, rows, qrels, [])
    passages = ("honey", "wasps", "comb", "ice")
    assert examples == Example("top1000 top1000.dev", "bees", passages, labels=(1, 0, 3, 0), query_id=QueryId("1"))


def test_only_consecutive_lines_are_one_list(tmp_path: Path) -> None:
    rows = ["1\tp1\tbees\thoney", "1\tp2\tbees\twasps", "2\tp3\tice\tsnow", "1\tp4\tbees\tcomb"]
    examples = candidates(tmp_path, rows, ["1 0 p1 1", "2 0 p3 1"], [])
    assert [(example.query_id, len(example.passages)) for example in examples] == [("1", 2), ("2", 1), ("1", 1)]


def test_candidates_of_an_unjudged_query_are_counted(tmp_path: Path) -> None:
    reasons: list[str] = []
    rows = ["1\tp1\tbees\thoney", "1\tp2\tbees\twasps", "2\tp3\tice\tsnow"]
    examples = candidates(tmp_path, rows, ["2 0 p3 1"], reasons)
    assert [example.query_id for example in examples] == ["2"]
    assert reasons == ["query without judgments"]


def test_a_bad_line_of_candidates_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"top1000\.dev:2: the passage is empty; correct the line or remove it\.$"):
        candidates(tmp_path, ["1\tp1\tbees\thoney", "1\tp2\tbees\t "], ["1 0 p1 1"], [])


def test_compressed_candidates_are_read_one_query_at_a_time(tmp_path: Path) -> None:
    rows = [f"{query}\tp{place}\tquery {query}\ttext {place}\n" for query in range(3) for place in range(4)]
    (tmp_path / "top1000.train.txt.gz").write_bytes(gzip.compress("".join([*rows, "broken\n"]).encode()))
    qrels = write_lines(tmp_path / "qrels.tsv", [f"{query} 0 p1 1" for query in range(3)])
    examples = list(islice(top1000(source_of(tmp_path / "top1000.train.txt.gz", qrels=qrels), on_skip=ignore), 2))
    assert [(example.query, len(example.passages)) for example in examples] == [("query 0", 4), ("query 1", 4)]
