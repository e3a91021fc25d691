"""Cases about files of queries, judgments and runs: repeats, headers, comments, grades, ties, Quepid's CSV."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from indexing.errors import CorpusError
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, Ranking
from search.trec import read_run
from tests.cases.case import Case, Checks
from training.evaluation.measures import measure_run

CHECKS = Checks()
PASSAGES = {"d1": "Otters crack shells on stones.", "d2": "Barley grows in cool fields.", "d3": "Tin is soft."}
QUERIES = {"301": "what cracks shells", "302": "where does barley grow"}


def _lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _collection(folder: Path, passages: Mapping[str, str], queries: Mapping[str, str]) -> None:
    for name, rows in (("corpus", passages), ("queries", queries)):
        _lines(folder / f"{name}.jsonl", [json.dumps({"_id": key, "text": text}) for key, text in rows.items()])


def _judged(*lines: str) -> Callable[[Path], None]:
    """Makes a collection of two queries with these lines of judgments."""

    def make(folder: Path) -> None:
        _collection(folder, PASSAGES, QUERIES)
        _lines(folder / "qrels.test.txt", lines)

    return make


def _refusal(read: Callable[[], object], *mentions: str) -> str:
    """The sentence with which a file is refused; it has all of `mentions`."""
    sentence = ""
    try:
        value = read()
    except CorpusError as error:
        sentence = str(error)
    assert sentence, f"accepted as {value}"
    for mention in mentions:
        assert mention in sentence, f"{mention!r} isn't in: {sentence}"
    return sentence


def _ndcg(judged: JudgedSet) -> dict[str, float]:
    """nDCG@10 of a ranking that has d1 first for query 301, and d2 for 302."""
    run = {
        query.id: Ranking([PassageId(name) for name in names], np.arange(3, 0, -1, dtype=np.float32))
        for query, names in zip(judged.queries, (("d1", "d2", "d3"), ("d2", "d1", "d3")), strict=True)
    }
    return {str(query): value for query, value in measure_run(run, judged.qrels).per_query["nDCG@10"].items()}


def _ties(folder: Path) -> None:
    _collection(folder, {"a7": "The tram stops here.", "b3": "The tram to the zoo stops at nine.", "c1": "No."}, {})
    _lines(folder / "queries.jsonl", [json.dumps({"_id": "q1", "text": "when does the tram to the zoo stop"})])
    _lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q1\tb3\t1"])
    runs = {
        "one_millionth": ["q1 Q0 b3 1 61.500002 x", "q1 Q0 a7 2 61.500001 x", "q1 Q0 c1 3 3 x"],
        "large": ["q1 Q0 b3 1 987.654322 x", "q1 Q0 a7 2 987.654321 x"],
        "ranks_as_scores": ["q1 Q0 b3 1 300000001 x", "q1 Q0 a7 2 300000000 x"],
        "constant_pair": ["q1 Q0 b3 1 0.5 x", "q1 Q0 a7 2 0.5 x"],
        "duplicate_docs": ["q1 Q0 b3 1 3 x", "q1 Q0 a7 2 2 x", "q1 Q0 b3 3 1 x"],
        "nan": ["q1 Q0 b3 1 nan x", "q1 Q0 a7 2 8 x"],
        "sci_unsorted_tabs": ["q1\tQ0\ta7\t5\t1e-05\tx", "q1\tQ0\tb3\t1\t2.5E-02\tx"],
    }
    for name, lines in runs.items():
        _lines(folder / f"{name}.trec", lines)


@CHECKS.add("07-run-ties", _ties)
def run_ties(case: Case) -> None:
    """Scores are compared in double precision, ties by rank; repeats and numbers that aren't finite are refused."""
    _refusal(lambda: read_run(case.folder / "duplicate_docs.trec"), "duplicate_docs.trec:3", "'q1'", "'b3'")
    _refusal(lambda: read_run(case.folder / "nan.trec"), "nan.trec:1", "'q1'")
    qrels = judged_sets(case.folder)["test"].qrels
    for name in ("one_millionth", "large", "ranks_as_scores", "constant_pair", "sci_unsorted_tabs"):
        means = measure_run(read_run(case.folder / f"{name}.trec"), qrels).means
        assert (means["nDCG@10"], means["MRR@10"]) == (1, 1), (name, means)


def _header(folder: Path) -> None:
    _lines(folder / "queries.test.tsv", ["qid\ttext", '1\t"why ""old"" iron rusts"', "2\twhere tin is mined"])
    _lines(folder / "qrels.tsv", ["query-id\titeration\tdoc-id\trelevance", "1\t0\t7\t1"])


@CHECKS.add("queries-and-qrels-with-a-header", _header)
def queries_with_a_header(case: Case) -> None:
    """A header is no query and no judgment, and is said to be left out; quotation marks of CSV are undone."""
    notes: list[str] = []
    queries = read_queries(case.folder / "queries.test.tsv", note=notes.append)
    assert [(query.id, query.text) for query in queries] == [("1", 'why "old" iron rusts'), ("2", "where tin is mined")]
    assert read_qrels(case.folder / "qrels.tsv", note=notes.append) == {"1": {"7": 1}}
    assert sum("header line is left out (line 1)" in note for note in notes) == 2, notes


@CHECKS.add(
    "11-duplicate-qids",
    lambda folder: _lines(folder / "queries.tsv", ["44\twhy iron rusts", "44\twhere tin is mined", "45\twhat floats"]),
)
def duplicate_queries(case: Case) -> None:
    """An id with two texts is refused at its second line."""
    _refusal(lambda: read_queries(case.folder / "queries.tsv"), "queries.tsv:2", "'44'", "line 1")


@CHECKS.add("12a-qrels-duplicate-pair", _judged("301 0 d1 2", "301 0 d1 0", "302 0 d2 1"))
def duplicate_pair(case: Case) -> None:
    """A pair with two grades is refused with both lines."""
    _refusal(lambda: judged_sets(case.folder), "qrels.test.txt:2", "line 1", "'301'", "'d1'")


@CHECKS.add("12b-qrels-comment", _judged("# topic 301", "301 0 d1 1", "302 0 d2 1"))
def comment(case: Case) -> None:
    """A comment is no judgment."""
    judged = judged_sets(case.folder)["test"]
    assert judged.qrels == {"301": {"d1": 1}, "302": {"d2": 1}}, judged.qrels
    assert [note for note in judged.notes if "comment (line 1)" in note], judged.notes
    assert _ndcg(judged) == {"301": 1, "302": 1}


@CHECKS.add("12d-float-grades", _judged("301 0 d1 1.0", "302 0 d2 0.5"))
def float_grades(case: Case) -> None:
    """1.0 is grade 1; 0.5 is no grade."""
    _refusal(lambda: judged_sets(case.folder), "qrels.test.txt:2", "'0.5'")


@CHECKS.add("12e-negative-grades", _judged("301 0 d1 2", "301 0 d3 -2", "302 0 d2 1", "302 0 d1 -1"))
def negative_grades(case: Case) -> None:
    """Grades below 0 gain nothing and cost nothing."""
    assert _ndcg(judged_sets(case.folder)["test"]) == {"301": 1, "302": 1}


def _quepid(folder: Path) -> None:
    _collection(folder, {"7": "Iron rusts in rain.", "9": "Tin is mined in Cornwall."}, {})
    (folder / "queries.jsonl").unlink()
    _lines(folder / "queries.tsv", ["q1\trust", "q2\ttin, mined"])
    _lines(folder / "qrels.test.csv", ["query,docid,rating", "rust,7,3", '"tin, mined",9,3'])


@CHECKS.add("20-quepid-csv", _quepid)
def quepid(case: Case) -> None:
    """Quepid's ratings beside a corpus are the test split's judgments, and go out in the form that they came in."""
    judged = judged_sets(case.folder)["test"]
    assert {query.id for query in judged.queries} == {"q1", "q2"}, judged
    assert all(set(grades.values()) == {3} for grades in judged.qrels.values()), judged.qrels
    assert len(judged.queries) == 2
    source, queries, made = case.folder / "qrels.test.csv", case.folder / "queries.tsv", case.home / "made"
    case.done("training", "judgments", "import", source, "--queries", queries, "--output", made)
    files = ("--queries", made / "queries.test.tsv", "--qrels", made / "qrels.test.tsv")
    case.done("training", "judgments", "export", case.home / "again.csv", *files)
    assert (case.home / "again.csv").read_text() == source.read_text()
    evaluated = judged_sets(made)["test"]
    assert evaluated == judged, evaluated


def _opensearch(folder: Path) -> None:
    ratings = [{"docId": "7", "rating": "3.000"}, {"docId": "9", "rating": "0.000"}]
    listed = {"name": "imported", "type": "IMPORT_JUDGMENT", "judgmentRatings": [{"query": "rust", "ratings": ratings}]}
    (folder / "judgments.json").write_text(json.dumps(listed))


@CHECKS.add("opensearch-judgment-list", _opensearch)
def opensearch(case: Case) -> None:
    """A judgment list of OpenSearch's Search Relevance Workbench becomes queries and qrels."""
    case.done("training", "judgments", "import", case.folder / "judgments.json", "--output", case.home)
    judged = judged_sets(case.home)["test"]
    assert [query.text for query in judged.queries] == ["rust"]
    assert list(judged.qrels.values()) == [{"7": 3, "9": 0}]
