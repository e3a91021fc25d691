"""Each form of local judgments becomes examples, a few at a time, and what can't be used is told."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexing import atomic
from indexing.errors import CorpusError, SettingsError, TrainingError
from indexing.index import Index
from indexing.records import Candidate, PassageId, QueryId
from tests.conftest import PASSAGES, write_lines
from training.data.readers import jsonl
from training.data.readers.local import local_examples
from training.example import CONTRADICTED, Example, ignore
from training.judgments.protection import Protection
from training.mining.files import MANIFEST, write_negatives
from training.mining.negatives import MinedQuery, Positive
from training.mining.settings import NegativesLayout
from training.source import Source
from training.targets import RUN_SPREAD, as_logits

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
        ({"positives": None}, "'positives' is missing, there are 'negatives', 'positives', 'query'; wanted are .*"),
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


P, N, M = "Wolves howl at dusk.", "Bread needs salt.", "Rain fell."
FORMS: dict[str, dict[str, Any]] = {
    "FlagEmbedding": {"query": "q", "pos": [P], "neg": [N, M], "pos_scores": [9], "neg_scores": [1, 0.5]},
    "FlagEmbedding, more": {"query": "q", "pos": [P], "neg": [N, M], "pos_id": ["7"], "prompt": "Find:", "type": "x"},
    "triplet": {"anchor": "q", "positive": P, "negative": N},
    "n-tuple": {"query": "q", "positive": P, "negative_2": M, "negative_1": N, "negative_3": None},
    "labeled list": {"query": "q", "passages": [P, N, M], "labels": [1, 0, 0]},
    "texts": {"query": "q", "texts": [P, N], "labels": [2, 0], "scores": [3.5, -1]},
    "Tevatron": {
        "query_id": "7",
        "query": "q",
        "positive_passages": [{"docid": "1", "title": "Wolves", "text": "howl at dusk."}],
        "negative_passages": [{"docid": "2", "title": "", "text": N}, {"docid": "3", "title": None, "text": M}],
    },
    "DPR": {
        "question": "q",
        "answers": ["wolves"],
        "positive_ctxs": [{"title": "", "text": P, "score": 1000}],
        "negative_ctxs": [],
        "hard_negative_ctxs": [{"title": "", "text": N}, {"title": "", "text": M}],
    },
}
READ: dict[str, tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...] | None]] = {
    "FlagEmbedding": ((P, N, M), (1, 0, 0), (9, 1, 0.5)),
    "triplet": ((P, N), (1, 0), None),
    "texts": ((P, N), (2, 0), (3.5, -1)),
}


@pytest.mark.parametrize("form", FORMS)
def test_other_tools_lines_become_examples(form: str, tmp_path: Path) -> None:
    (example,) = read(json_lines(tmp_path, FORMS[form]))
    assert (example.passages, example.labels, example.scores) == READ.get(form, ((P, N, M), (1, 0, 0), None))
    assert (example.query, example.query_id) == ("q", "7" if form == "Tevatron" else None)


@pytest.mark.parametrize(
    "names", [("sentence1", "sentence2", "label"), ("query", "passage", "label"), ("anchor", "passage", "label")]
)
def test_pairs_of_a_query_become_one_example_wherever_they_stand(names: tuple[str, str, str], tmp_path: Path) -> None:
    pairs = [("q", P, 1), ("r", M, 0.5), ("s", P, 1), ("q", N, 0), ("r", N, 0.0)]
    reasons: list[str] = []
    found = read(json_lines(tmp_path, *(dict(zip(names, pair, strict=True)) for pair in pairs)), on_skip=reasons.append)
    assert [(example.query, example.passages, example.labels) for example in found] == [
        ("q", (P, N), (1.0, 0.0)),
        ("r", (M, N), (0.5, 0.0)),
    ]
    assert reasons == ["query without a passage beside the relevant ones"]


def test_pairs_too_far_from_their_querys_others_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "WINDOW", 4)
    pairs = [("q", P, 1), ("r", M, 1), ("r", N, 0), ("s", N, 0), ("s", P, 1), ("q", N, 0)]
    lines = [{"query": query, "passage": passage, "label": label} for query, passage, label in pairs]
    fault = r"judged\.jsonl:6: the other passages of the query 'q' lie 4 passages or more before this one; sort"
    with pytest.raises(CorpusError, match=fault):
        read(json_lines(tmp_path, *lines))
    near = read(json_lines(tmp_path, *lines[:3], lines[5]))
    assert [(example.query, example.passages) for example in near] == [("q", (P, N)), ("r", (M, N))]


def test_examples_between_the_pairs_of_a_query_keep_their_order(tmp_path: Path) -> None:
    pairs = [{"query": "q", "passage": passage, "label": label} for passage, label in ((P, 1), (N, 0))]
    found = read(json_lines(tmp_path, LINE, pairs[0], LINE, LINE, pairs[1]))
    assert [example.query for example in found] == [LINE["query"], "q", LINE["query"], LINE["query"]]


def test_two_texts_and_a_label_are_a_pair(tmp_path: Path) -> None:
    (example,) = read(json_lines(tmp_path, {"texts": ["q", P], "label": 1}, {"texts": ["q", N], "label": 0}))
    assert (example.query, example.passages, example.labels) == ("q", (P, N), (1.0, 0.0))


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"query": "q", "hard_negatives": [N], "pos": [P]}, "'hard_negatives' isn't known beside positives; wanted"),
        ({"query": "q", "positive": P, "negative": N, "label": 0.5}, "'label' isn't known beside positives; wanted"),
        ({"query": "q", "positve": P}, "'positives' is missing, there are 'positve', 'query'; wanted"),
        ({"text": P, "label": 1}, "'query' is missing, there are 'label', 'text'; wanted"),
        ({"query": "q", "anchor": "r", "pos": [P]}, "it has both 'query' and 'anchor'"),
        ({"query": "q", "pos": [P], "positive": P}, "it has both 'positive' and 'pos'"),
        ({"query": "q", "pos": [P], "neg": [N], "negative_1": M}, "it has both 'neg' and 'negative_1'"),
        ({"query": "q", "pos": [P], "neg": [N], "pos_scores": [1]}, "'neg_scores' has 0 numbers for 1 negatives"),
        ({"query": "q", "pos": [P], "neg": [N], "pos_scores": [1, 2]}, "'pos_scores' has 2 numbers for 1 positives"),
        ({"query": "q", "pos": [P], "scores": [1], "pos_scores": [1]}, "it has both 'scores' and 'pos_scores'"),
        ({"query": "q", "passages": [P, N]}, "'labels' is missing, there are 'passages', 'query'; wanted"),
        ({"query": "q", "passages": [P, N], "labels": [1]}, "'labels' has 1 numbers for 2 passages"),
        ({"query": "q", "passages": [P, N], "labels": [1, -1]}, r"labels\[1\] is -1, not 0 or more"),
        ({"query": "q", "passages": [P], "labels": [1], "pos": [P]}, "it has both 'passages' and 'pos'"),
        ({"sentence1": "q", "sentence2": P}, "'label' is missing, there are 'sentence1', 'sentence2'; wanted"),
        ({"sentence1": "q", "sentence2": P, "label": "1"}, r"label\[0\] is not a finite number"),
        ({"texts": ["q", P, N], "label": 1}, "'texts' has 3 texts for one label, not 2"),
        ({"query": "q", "positive_passages": [{"title": "t"}]}, r"'positive_passages\[0\].text' is missing"),
        (
            {"query": "q", "pos": ["7187158"], "neg": ["12", "9"]},
            r"its passages are numbers, as ids are \(7187158, 12, 9\)",
        ),
        ({"query": "q", "pos": [{"text": P}, P]}, r"'pos\[1\]' is text, not an object as others are"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_names(record: dict[str, Any], fault: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=rf"judged\.jsonl:2: {fault}"):
        read(json_lines(tmp_path, LINE, record))


def test_an_id_of_two_queries_is_refused_with_both_lines(tmp_path: Path) -> None:
    records = [LINE | {"query_id": 7.0}, LINE | {"query_id": "7"}, LINE | {"query": "another", "query_id": 7}]
    with pytest.raises(CorpusError, match=r"jsonl:3: query id '7' has another text in .*jsonl:1; give each"):
        read(json_lines(tmp_path, *records))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'{"query": "a", "query": "b"}', ":1: it has 'query' twice"),
        (b'[\n{"query": "q"}]', ":1: the beginning of JSON over several lines"),
        ('{"query": "q"}'.encode("utf-16"), " is written in UTF-16; convert it to UTF-8: iconv"),
        ('{"query": "\u00e9"}'.encode("latin-1"), ":1: byte 12 of the line is no UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_named(content: bytes, fault: str, tmp_path: Path) -> None:
    (tmp_path / "judged.jsonl").write_bytes(content)
    with pytest.raises(CorpusError, match=rf"judged\.jsonl{fault}"):
        read(Source("jsonl", str(tmp_path / "judged.jsonl")))


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (["query\tpositive\tnegative", "a\tb\tc"], "1: it is a header"),
        (["1\t22\t333"], "1: it holds ids, not texts, so the file is read as qidpidtriples"),
        (["a\tb\tc", "a\tb"], r"2: it has 2 tab-separated fields, not 3 \(query, positive, negative\)"),
    ],
)
def test_a_row_that_is_no_triple_is_refused(rows: list[str], fault: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "triples.tsv", rows)
    with pytest.raises(CorpusError, match=rf"triples\.tsv:{fault}"):
        read(Source("triples", str(path)))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("1\tp1\tbees\tanother text", "query 1 has passage p1 twice, with different texts"),
        ("1\tp2\twasps\ttext", "query 1 is 'bees' and 'wasps'"),
    ],
)
def test_candidates_with_an_id_of_two_texts_are_refused(row: str, fault: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "top1000.tsv", ["1\tp1\tbees\thoney", row])
    qrels = write_lines(tmp_path / "qrels.tsv", ["1 0 p1 1"])
    with pytest.raises(CorpusError, match=rf"top1000\.tsv: {fault}"):
        read(Source.parse(f"top1000:{path},qrels={qrels}"))


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
    source = Source("jsonl", str(write_lines(tmp_path / "judged.jsonl", [*lines, "{]"])))
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
    assert reasons == [CONTRADICTED, "query without a passage beside the relevant ones"]  # both of yeast


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
    assert reasons == ["passage beyond 6 of its query"] * 94 + ["query without a relevant passage"]


def test_a_run_becomes_examples_with_scores_only(tmp_path: Path, small_index: Index) -> None:
    ranked = [f"1 Q0 {name} {rank} {9 - rank} r" for rank, name in enumerate(PASSAGES, start=1)]
    source = Source.parse(f"run:{write_lines(tmp_path / 'run.trec', ranked)},index=small")
    (example,) = read(source, index=small_index, per_query=5)
    assert (example.source, example.query_id, example.labels) == ("run run.trec", "1", None)
    assert len(set(example.passages)) == len(example.scores or ()) == 5
    with pytest.raises(SettingsError, match=r"run\.trec holds only ids; give the index that holds their passages\.$"):
        local_examples(source)


def mined_folder(
    folder: Path, layout: NegativesLayout, *, ranked_by: str = "rrf", reranker: str | None = None
) -> Source:
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
        "source": ranked_by,
        "reranker": reranker,
        "forms": layout.forms,
        "scores": layout.scores,
        "rows": rows,
        "files": files,
        "settings": {"per_query": 2},
    }
    atomic.write_json(folder / MANIFEST, manifest)
    return Source("mined", str(folder))


LABELED_LISTS = NegativesLayout(("labeled-lists",), scores=True)


@pytest.mark.parametrize(("scores", "expected"), [(True, (9.0, 8.0, 7.0, 6.5)), (False, None)])
def test_mined_lists_become_examples(tmp_path: Path, scores: bool, expected: tuple[float, ...] | None) -> None:
    source = mined_folder(tmp_path / "bees", replace(LABELED_LISTS, scores=scores), reranker="judge")
    passages = ("text a", "text b", "text c", "text d")
    assert read(source) == [Example("mined bees", "q", passages, (3.0, 1.0, 0.0, 0.0), expected, QueryId("1"))]


def test_a_first_stages_scores_become_logits_as_a_runs_and_an_indexs_do(tmp_path: Path) -> None:
    mined = (9.0, 8.0, 7.0, 6.5)
    (dense,) = read(mined_folder(tmp_path / "dense", LABELED_LISTS, ranked_by="dense"))
    assert dense.scores == tuple(map(as_logits, mined))
    for ranked_by in ("bm25", "rrf", "weighted"):
        (ranked,) = read(mined_folder(tmp_path / ranked_by, LABELED_LISTS, ranked_by=ranked_by))
        assert ranked.scores is not None
        assert (np.mean(ranked.scores), np.std(ranked.scores)) == pytest.approx((0, RUN_SPREAD), abs=1e-5)
        assert list(ranked.scores) == sorted(ranked.scores, reverse=True)


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
