"""Each form of local judgments becomes examples, a few at a time, and what can't be used is told."""

import gzip
import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.errors import CorpusError, SettingsError, TrainingError
from indexing.index import Index
from indexing.records import Candidate, PassageId, QueryId
from tests.conftest import PASSAGES, write_lines
from training.data.readers.local import local_examples
from training.example import Example, ignore
from training.judgments.protection import Protection
from training.mining.files import MANIFEST, write_negatives
from training.mining.negatives import MinedQuery, Positive
from training.mining.settings import NegativesLayout
from training.source import Source

LINE: dict[str, Any] = {"query": "what do bees make", "positives": ["honey", "wax"], "negatives": ["paper", "bread"]}


def json_lines(folder: Path, *records: dict[str, Any]) -> Source:
    path = write_lines(folder / "judged.jsonl", [json.dumps(record) for record in records])
    return Source("jsonl", str(path))


def read(source: Source, **options: Any) -> list[Example]:
    return list(local_examples(source, **options))


def test_a_json_line_becomes_an_example(tmp_path: Path) -> None:
    source = json_lines(tmp_path, LINE | {"query_id": "q1"})
    passages = ("honey", "wax", "paper", "bread")
    assert read(source) == [
        Example("jsonl judged.jsonl", LINE["query"], passages, (1.0, 1.0, 0.0, 0.0), None, QueryId("q1"))
    ]


def test_grades_and_scores_go_with_their_passages(tmp_path: Path) -> None:
    (example,) = read(json_lines(tmp_path, LINE | {"grades": [1, 3], "scores": [7.5, 9, -1, 0.25]}))
    assert example.passages == ("wax", "honey", "paper", "bread")  # the best graded first
    assert example.labels == (3.0, 1.0, 0.0, 0.0)
    assert example.scores == (9.0, 7.5, -1.0, 0.25)


@pytest.mark.parametrize(
    "record",
    [
        {"positive": "honey", "negative": "paper"},
        {"positives": "honey", "negatives": ["paper"]},
        {"positive": ["honey"], "negative": ["paper"], "negatives": None, "scores": None, "query_id": None},
    ],
)
def test_a_single_passage_needs_no_list(tmp_path: Path, record: dict[str, Any]) -> None:
    (example,) = read(json_lines(tmp_path, {"query": "q"} | record))
    assert (example.passages, example.labels, example.query_id) == (("honey", "paper"), (1.0, 0.0), None)


def test_a_compressed_file_yields_the_same_examples(tmp_path: Path) -> None:
    plain = json_lines(tmp_path, LINE, LINE | {"query": "é\u2028"})
    packed = tmp_path / "judged.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.path.read_bytes()))
    examples = read(Source("jsonl", str(packed)))
    assert [example.passages for example in examples] == [example.passages for example in read(plain)]
    assert [example.query for example in examples] == ["what do bees make", "é"]


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"query": ""}, "'query' is empty"),
        ({"query": 3}, "'query' is a number, not text"),
        ({"positives": None}, "'positives' is missing"),
        ({"positives": 3}, "'positives' is a number, not a list of texts"),
        ({"negatives": ["a", None]}, r"'negatives\[1\]' is missing"),
        ({"negatives": ["a", " "]}, r"'negatives\[1\]' is empty"),
        ({"positive": "a"}, "it has both 'positives' and 'positive'"),
        ({"scores": [1, 2, 3]}, "'scores' has 3 numbers for 2 positives and 2 negatives"),
        ({"scores": [1, 2, 3, float("nan")]}, r"scores\[3\] is not a finite number"),
        ({"scores": [1, 2, 3, 10**400]}, r"scores\[3\] is not a finite number"),
        ({"scores": "1 2 3 4"}, "'scores' is text, not a list of numbers"),
        ({"grades": [1]}, "'grades' must be 2 numbers above 0, one for each positive"),
        ({"grades": [1, 0]}, "'grades' must be 2 numbers above 0, one for each positive"),
        ({"grades": [1, True]}, r"grades\[1\] is not a finite number"),
    ],
)
def test_a_bad_json_line_is_named(tmp_path: Path, record: dict[str, Any], fault: str) -> None:
    with pytest.raises(CorpusError, match=rf"judged\.jsonl:2: {fault}; correct the line or remove it\.$"):
        read(json_lines(tmp_path, LINE, LINE | record))


def test_lines_that_make_no_example_are_counted_by_reason(tmp_path: Path) -> None:
    alone = {"query": "q", "positives": ["a"]}
    source = json_lines(tmp_path, LINE, LINE | {"positives": []}, alone, alone, alone | {"scores": [1]})
    reasons: Counter[str] = Counter()
    assert len(read(source, on_skip=lambda why: reasons.update([why]))) == 2
    assert reasons == {"query without a relevant passage": 1, "query without a passage beside the relevant ones": 2}


def test_an_example_has_at_most_per_query_passages(tmp_path: Path) -> None:
    long = {"query": "q", "positives": ["p"], "negatives": [f"n{number}" for number in range(40)]}
    first, other = (read(json_lines(tmp_path, long), per_query=5, seed=seed)[0] for seed in (1, 2))
    assert first.labels == (1.0, 0.0, 0.0, 0.0, 0.0)
    assert len(set(first.passages)) == 5
    assert first.passages != other.passages


def test_lines_are_read_lazily(tmp_path: Path) -> None:
    lines = [json.dumps(LINE)] * 3
    source = Source("jsonl", str(write_lines(tmp_path / "judged.jsonl", [*lines, "{"])))
    assert len(list(islice(local_examples(source), 3))) == 3
    with pytest.raises(CorpusError, match=r"judged\.jsonl:4: not JSON"):
        read(source)


def test_triples_become_examples(tmp_path: Path) -> None:
    rows = ["bees\thoney\twasps", "bees\thoney\tice", "bread\tyeast\t yeast"]
    reasons: list[str] = []
    source = Source("triples", str(write_lines(tmp_path / "triples.tsv", rows)))
    assert read(source, on_skip=reasons.append) == [
        Example("triples triples.tsv", "bees", ("honey", "wasps", "ice"), (1.0, 0.0, 0.0))
    ]
    assert reasons == ["query without a passage beside the relevant ones"]


@pytest.fixture
def id_source(tmp_path: Path) -> Source:
    """Two rows of the same query, one of them with a passage that no index holds."""
    queries = write_lines(tmp_path / "queries.tsv", ["1\thow do bees make honey"])
    rows = "1\ta1\tgone\n1\ta1\ta4\n"
    (tmp_path / "qidpidtriples.gz").write_bytes(gzip.compress(rows.encode()))
    return Source("qidpidtriples", str(tmp_path / "qidpidtriples.gz"), (("queries", str(queries)),))


def test_triples_of_ids_become_examples(id_source: Source, small_index: Index) -> None:
    reasons: list[str] = []
    (example,) = read(id_source, index=small_index, on_skip=reasons.append)
    assert (example.query, example.query_id) == ("how do bees make honey", "1")
    assert example.passages == (PASSAGES["a1"], PASSAGES["a4"])
    assert reasons == ["passage that the index lacks"]


def test_triples_of_ids_need_an_index(id_source: Source) -> None:
    with pytest.raises(
        SettingsError, match=r"qidpidtriples\.gz holds only ids; give the index that holds their passages\.$"
    ):
        local_examples(id_source)


def test_candidates_become_examples_with_sampled_negatives(tmp_path: Path) -> None:
    rows = [f"1\tp{place}\tbees\ttext {place}" for place in range(100)]
    path = write_lines(tmp_path / "top1000.tsv", [*rows, "2\tp1\tice\tsnow"])
    qrels = write_lines(tmp_path / "qrels.tsv", ["1 0 p7 2", "2 0 p9 1"])
    reasons: list[str] = []
    (example,) = read(Source.parse(f"top1000:{path},qrels={qrels}"), per_query=6, on_skip=reasons.append)
    assert example.passages[0] == "text 7"
    assert (example.labels, example.query_id) == ((2.0, 0.0, 0.0, 0.0, 0.0, 0.0), "1")
    assert len(set(example.passages)) == 6
    assert reasons == ["query without a relevant passage"]


def test_a_run_becomes_examples_with_scores_only(tmp_path: Path, small_index: Index) -> None:
    ranked = [f"1 Q0 {name} {rank} {9 - rank} r" for rank, name in enumerate(PASSAGES, start=1)]
    source = Source.parse(f"run:{write_lines(tmp_path / 'run.trec', ranked)},index=small")
    (example,) = read(source, index=small_index, per_query=5)
    assert (example.source, example.query_id, example.labels) == ("run run.trec", "1", None)
    assert len(set(example.passages)) == len(example.scores or ()) == 5
    with pytest.raises(SettingsError, match=r"run\.trec holds only ids; give the index that holds their passages\.$"):
        local_examples(source)


def mined_folder(folder: Path, layout: NegativesLayout) -> Source:
    mined = MinedQuery(
        QueryId("1"),
        (Positive(PassageId("a"), 3, 1, 9.0), Positive(PassageId("b"), 1, None, 8.0)),
        (Candidate(2, PassageId("c"), 7.0), Candidate(5, PassageId("d"), 6.5)),
        {},
    )
    folder.mkdir()
    rows = write_negatives(
        folder, [mined], layout, query_texts={QueryId("1"): "q"}, text=lambda name: f"text {name}", per_query=2
    )
    files = {path.name: atomic.file_row(path) for path in folder.glob("*.jsonl")}
    manifest = {
        "forms": layout.forms,
        "scores": layout.scores,
        "rows": rows,
        "files": files,
        "settings": {"per_query": 2},
    }
    atomic.write_json(folder / MANIFEST, manifest)
    return Source("mined", str(folder))


@pytest.mark.parametrize(("scores", "expected"), [(True, (9.0, 8.0, 7.0, 6.5)), (False, None)])
def test_mined_lists_become_examples(tmp_path: Path, scores: bool, expected: tuple[float, ...] | None) -> None:
    source = mined_folder(tmp_path / "bees", NegativesLayout(("labeled-lists",), scores=scores))
    passages = ("text a", "text b", "text c", "text d")
    assert read(source) == [Example("mined bees", "q", passages, (3.0, 1.0, 0.0, 0.0), expected, QueryId("1"))]


def test_mined_lists_are_protected_by_id(tmp_path: Path) -> None:
    examples = read(mined_folder(tmp_path / "bees", NegativesLayout(("labeled-lists",))))
    assert list(Protection(ids=frozenset({QueryId("1")})).examples(examples, on_skip=ignore)) == []
    assert list(Protection(ids=frozenset({QueryId("2")})).examples(examples, on_skip=ignore)) == examples


def test_a_folder_without_mined_lists_says_what_to_mine(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--form labeled-lists"):
        read(mined_folder(tmp_path / "bees", NegativesLayout(("triplets",))))


def test_feedback_becomes_examples_and_protected_lines_none(tmp_path: Path) -> None:
    line = {"query": "bees", "passage_id": "a", "passage": "honey", "grade": 3, "rater": "x", "protected": False}
    secret = line | {"query": "exam", "protected": True}
    lines = [line, line | {"passage": "paper", "grade": 0}, secret, secret | {"passage": "paper", "grade": 0}]
    lines += [line | {"query": "no answer", "grade": 0}, line | {"query": "alone"}]
    path = write_lines(tmp_path / "feedback.jsonl", [json.dumps(line | {"index": "small"}) for line in lines])
    reasons: list[str] = []
    assert read(Source("feedback", str(path)), on_skip=reasons.append) == [
        Example("feedback feedback.jsonl", "bees", ("honey", "paper"), (3.0, 0.0))
    ]
    assert reasons == [
        "protected query",
        "query without a relevant passage",
        "query without a passage beside the relevant ones",
    ]


def test_fewer_than_two_passages_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^per_query is 1; give 2 passages or more\.$"):
        local_examples(json_lines(tmp_path, LINE), per_query=1)
