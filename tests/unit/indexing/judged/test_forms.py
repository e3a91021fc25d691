"""Queries and qrels are read by their headers, in JSON and with quotation marks; other forms are refused by name."""

from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged.qrels import read_judgments, read_qrels, whole_grade
from indexing.judged.queries import read_queries
from indexing.judged.sets import judged_sets, read_judged
from indexing.records import Query, QueryId
from tests.conftest import write_lines

TWO = '{"qid": "2", "pid": "a", "rel": "1.0"}'


@pytest.mark.parametrize(("value", "grade"), [("1.0", 1), ("-2", -2), ("-0", 0), (3, 3), (2.0, 2), ("1000", 1000)])
def test_whole_numbers_are_grades(value: object, grade: int) -> None:
    assert whole_grade(value) == grade


@pytest.mark.parametrize("value", ["1.5", "1e3", "+1", "1_0", "٣", "", "1001", "9" * 5000, True, None, 0.5, [1]])
def test_what_is_no_grade_is_described(value: object) -> None:
    assert isinstance(whole_grade(value), str)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["1 0 a 1", "1 b 1"], ":2: 3 fields, where line 1 has 4"),
        (["1 a 0 1", "2 b 0 1"], ":1: every passage is called '0'.*second and third columns are swapped"),
        (["0\tq1\ta\t1", "1\tq2\ta\t1"], ":1: the first fields number the rows"),
        (["1 a 1", "1 b 2", "1 c 3", "1 d 4", "1 e 5", "2 a 1"], "it is a run in MS MARCO's form"),
        (["1 0 1", "2 0 1"], ":1: every passage is called '0', as TREC's unused second column"),
        (["1 a 1 1 0.5"], ":1: 5 fields, which are NIST's prels"),
        (["1 Q0 a 1 2.5 tag"], ":1: 6 fields are those of a run"),
        (["3 qid:1 1:0.5 2:1"], ":1: a line of RankLib's or SVMrank's"),
        (["1\t100\t7187158"], ":1: grade '7187158' is outside of -1,000 to 1,000"),
        (["1 0 a 1", "1 0 a 2"], ":2: grade 2 of query '1' and passage 'a', which have grade 1 in line 1"),
        (['{"1": {"a": 1, "a": 2}}'], "'a' stands twice in one object"),
        (["1 0 a 1", "query-id 0 corpus-id score"], ":2: "),
        (["query_id,doc_id,score,label", "1,a,12,0"], ":1: the header's columns score and label may be meant for the"),
        (["qid\tpid\trel\trel", "1\ta\t1\t0"], ":1: the header's columns rel and rel may be meant for the same"),
    ],
)
def test_qrels_of_other_forms_are_refused(tmp_path: Path, lines: list[str], what: str) -> None:
    with pytest.raises(CorpusError, match=what):
        read_qrels(write_lines(tmp_path / "qrels.txt", lines))


def test_what_is_left_out_of_qrels_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    lines = ["query-id\tcorpus-id\tscore", "# by hand", "1\ta b\t1", "1\ta b\t1.0", "query-id\tcorpus-id\tscore"]
    path = write_lines(tmp_path / "qrels.txt", lines)
    assert read_qrels(path, note=notes.append) == {"1": {"a b": 1}}
    assert notes == [
        f"{path}: 2 header lines are left out (the first is line 1).",
        f"{path}: 1 line that starts with '#' is left out as a comment (line 2).",
        f"{path}: 1 line repeats an earlier one and counts once (line 4).",
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("qrels.json", ['{"1": {"a": 3, "b": 0}, "2": {"a": 1}}']),
        ("qrels.json", ['{"1": {', '"a": 3.0, "b": 0}, "2": {"a": 1}}']),
        ("qrels.jsonl", ['{"qid": 1, "pid": "a", "rel": 3}', '{"qid": 1, "pid": "b", "rel": 0}', TWO]),
        ("qrels.csv", ["doc_id;query_id;label", '"a";1;3', "b;1;0", "a;2;1"]),
        ("qrels.txt", ["rel docno topic", "3 a 1", "0 b 1", "1 a 2"]),
        ("qrels.tsv", ['"1"\t"0"\t"a"\t"3"', "1\t0\tb\t0", "2\t0\ta\t1"]),
        ("qrels.tsv", ["\u200b1\t0\ta\u200e\t3", "1 0 \ufeffb\u00a0 0", "2\u2060 0 a 1"]),
        ("qrels.csv", ["qid,pid,label", "\u200b1,a,3", "1\u00a0\u200b,b,0", "2,\u202aa\u202c,1"]),
        ("qrels.json", ['{"\u200b1": {"\u200ea": 3, "b": 0}, "2": {"a": 1}}']),
    ],
)
def test_qrels_are_read_by_names(tmp_path: Path, name: str, lines: list[str]) -> None:
    assert read_qrels(write_lines(tmp_path / name, lines)) == {"1": {"a": 3, "b": 0}, "2": {"a": 1}}


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["<top>", "<num> Number: 301"], ":1: TREC topics"),
        (["1:where is it"], ":1: 'number:text'"),
        (["who sings it\t['a', 'b']"], ":1: DPR's question and answers"),
        (["1\ta\tb"], ":1: 3 tab-separated fields"),
        (["who sings it\t1", "where is it\t2"], "has numbers where texts are expected, and texts as ids"),
        (["1\ta", "1\tb"], ":2: query '1' stands in line 1 with another text"),
        (['{"query": "a", "pos": ["b"]}'], "no id"),
    ],
)
def test_queries_of_other_forms_are_refused(tmp_path: Path, lines: list[str], what: str) -> None:
    path = tmp_path / ("q.jsonl" if lines[0].startswith("{") else "q.tsv")
    with pytest.raises(CorpusError, match=what):
        read_queries(write_lines(path, lines))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("q.tsv", ["query_id\tquery", '7\t"the ""old"" mill"']),
        ("q.tsv", ["id\ttext\ttitle", '7\tthe "old" mill\t']),
        ("q.tsv", ['7\t"the ""old"" mill"']),
        ("q.csv", ["id,text", '7,"the ""old"" mill"']),
        ("q.json", ['{"7": "the \\"old\\" mill"}']),
        ("q.json", ['[{"id": 7.0, "query": "the \\"old\\" mill"}]']),
        ("q.jsonl", ['{"query_id": 7, "text": "the \\"old\\" mill"}', '{"_id": "7", "text": "the \\"old\\" mill"}']),
        ("q.jsonl", ['{"_id": "\\u200b7", "text": "the \\"old\\" mill"}']),
    ],
)
def test_queries_are_read_by_names(tmp_path: Path, name: str, lines: list[str]) -> None:
    assert read_queries(write_lines(tmp_path / name, lines)) == [Query(QueryId("7"), 'the "old" mill')]


def test_what_programs_changed_in_queries_and_judgments_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    queries = write_lines(tmp_path / "q.csv", [",id,query", "0,1.2E+11,rye", "1,2,nan", "2,3,nan bread"])
    assert [query.text for query in read_queries(queries, note=notes.append)] == ["rye", "nan", "nan bread"]
    qrels = write_lines(tmp_path / "qrels.csv", ["qid,pid,rel", '"=""007""",a,1', "2,1E+05,1", "3,E+05,1"])
    read_qrels(qrels, note=notes.append)
    assert [note.partition(": ")[2] for note in notes if "header" not in note] == [
        "1 line has an id as a spreadsheet writes it, which other files may have in full; save the column as text "
        "(line 2).",
        "1 query has a text that programs write for a missing value; it is searched as a word (line 3).",
        "2 lines have ids as a spreadsheet writes them, which other files may have in full; save the columns as text "
        "(the first is line 2).",
    ]


def test_a_second_name_of_ids_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = ["id,query_id,text", "0,q7,rye", "1,q8,oats"]
    assert [query.id for query in read_queries(write_lines(tmp_path / "q.csv", rows), note=notes.append)] == ["0", "1"]
    lines = ['{"id": 0, "query_id": "q7", "text": "rye"}', '{"id": "q8", "query_id": "q8", "text": "oats"}']
    read_queries(write_lines(tmp_path / "q.jsonl", lines), note=notes.append)
    rows = ["qid,pid,docid,rel", "1,a,b,1"]
    assert read_qrels(write_lines(tmp_path / "qrels.csv", rows), note=notes.append) == {"1": {"b": 1}}
    assert [note.partition(": ")[2] for note in notes if "header" not in note] == [
        "the ids of queries are taken from 'id', and not from 'query_id'; remove what isn't meant.",
        "the ids of queries are taken from 'id', and not from 'query_id'; remove what isn't meant.",
        "the ids of passages are taken from 'docid', and not from 'pid'; remove what isn't meant.",
    ]
    read_queries(write_lines(tmp_path / "q.jsonl", lines[1:]), note=notes.append)  # both say the same
    assert len(notes) == 5


def test_queries_that_were_encoded_twice_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    path = write_lines(tmp_path / "q.tsv", ["1\trye", "2\tlet\u00e2\u20ac\u2122s bake"])
    assert [query.text for query in read_queries(path, note=notes.append)] == ["rye", "let\u00e2\u20ac\u2122s bake"]
    told = "1 query was encoded twice, where passages are read as they were meant; save it as UTF-8 once (line 2)."
    assert notes == [f"{path}: {told}"]


def test_judgments_with_a_mark_of_their_own_are_no_numbered_rows(tmp_path: Path) -> None:
    assert read_qrels(write_lines(tmp_path / "q.txt", ["1 x a 1", "3 x b 1"])) == {"1": {"a": 1}, "3": {"b": 1}}


def test_a_query_in_quotation_marks_of_its_own_keeps_them(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.tsv", ['1\t"to be or not to be"'])
    assert read_queries(path) == [Query(QueryId("1"), '"to be or not to be"')]


def test_judged_queries_without_a_text_are_named_and_in_no_mean(tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "queries.tsv", ["1\twhere is it", "3\tunjudged"])
    qrels = write_lines(tmp_path / "qrels.txt", ["1 0 a 1", "2 0 a 1", "01 0 a 1"])
    notes: list[str] = []
    judged = read_judged(queries, qrels, split="test", note=notes.append)
    assert judged.qrels == {"1": {"a": 1}}
    assert judged.without_text == ("2", "01")
    assert judged.notes == tuple(notes)
    assert notes == [f"{qrels}: 2 judged queries have no text in {queries} and are left out: 2, 01."]


def test_files_of_judgments_that_are_not_read_are_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.tsv", ["1\twhere is it"])
    for name in ("qrels.test.tsv", "qrels.test.csv", "qrels.dl19.txt", "qrels/extra.tsv"):
        write_lines(tmp_path / name, ["1 0 a 1"])
    notes: list[str] = []
    assert list(judged_sets(tmp_path, note=notes.append)) == ["test"]
    assert notes == [
        f"{tmp_path}: qrels.dl19.txt, qrels.test.csv, qrels/extra.tsv aren't read as judgments; one file a split is, "
        "such as qrels.test.tsv."
    ]


def test_judgments_without_any_queries_are_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "qrels.dev.tsv", ["1 0 a 1"])
    notes: list[str] = []
    assert judged_sets(tmp_path, note=notes.append) == {}
    assert len(notes) == 1
    assert "no file of queries lies beside it, such as queries.dev.tsv" in notes[0]


def test_an_object_over_several_lines_is_no_two_queries(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "queries.json", ["{", ' "_id": "q1",', ' "text": "what is moss"', "}"])
    with pytest.raises(CorpusError, match=r"queries\.json holds one object over 4 lines; write it in one line"):
        read_queries(path)


def test_ids_in_brackets_are_no_json(tmp_path: Path) -> None:
    guid = "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}"
    queries = write_lines(tmp_path / "queries.tsv", [f"{guid}\twhat is moss", "[12]\twhat is peat"])
    assert [query.id for query in read_queries(queries)] == [guid, "[12]"]
    assert read_qrels(write_lines(tmp_path / "qrels.txt", [f"{guid} 0 a 1"])) == {guid: {"a": 1}}


def test_a_carriage_return_and_a_comma_in_the_first_line_make_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "queries.tsv"
    path.write_bytes(b"1\thello\rworld, moss\n2\tpeat\n")
    assert [query.id for query in read_queries(path)] == ["1", "2"]


def test_in_csv_only_a_line_of_one_field_is_a_comment(tmp_path: Path) -> None:
    notes: list[str] = []
    lines = ["# by hand", "query,docid,rating", "#moss,a,3", '"peat', '# bog",b,1', "# the end"]
    path = write_lines(tmp_path / "ratings.csv", lines)
    assert read_judgments(path, note=notes.append).grades == {"#moss": {"a": 3}, "peat\n# bog": {"b": 1}}
    assert f"{path}: 2 lines that start with '#' are left out as comments (the first is line 1)." in notes


def test_queries_beside_the_ones_that_are_read_and_judgments_in_parquet_are_named(tmp_path: Path) -> None:
    write_lines(tmp_path / "queries.tsv", ["q1\tmoss"])
    write_lines(tmp_path / "queries.jsonl", ['{"_id": "q1", "text": "peat"}'])
    write_lines(tmp_path / "qrels/test.tsv", ["q1\td1\t1"])
    (tmp_path / "qrels/dev.parquet").write_bytes(b"PAR1")
    notes: list[str] = []
    assert judged_sets(tmp_path, note=notes.append)["test"].queries[0].text == "moss"
    assert notes == [
        f"{tmp_path}/queries.tsv is read, and not queries.jsonl beside it; keep one of them.",
        f"{tmp_path}: qrels/dev.parquet isn't read as judgments; one file a split is, such as qrels.test.tsv.",
    ]
