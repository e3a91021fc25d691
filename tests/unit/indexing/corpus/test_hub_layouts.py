"""Each layout that collections have on the hub is written in MS MARCO's, with its judgments, from local folders."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.hub import fetch
from indexing.errors import HubError
from indexing.judged.queries import read_queries
from indexing.judged.sets import judged_sets
from tests.conftest import write_lines
from tests.unit.indexing.corpus.hub_folders import MSMARCO, NANO, Records, in_splits, repository, texts


@pytest.mark.parametrize(
    ("name", "tables", "passages"),
    [
        ("nano-msmarco", NANO, ["7 The cat sat on a mat.", "8 The dog ran."]),
        ("zeta-alpha-ai/NanoNQ", NANO, ["7 The cat sat on a mat.", "8 The dog ran."]),
        ("msmarco", MSMARCO, ["0 The cat sat.", "1 The dog ran."]),
        ("sentence-transformers/msmarco", MSMARCO, ["0 The cat sat.", "1 The dog ran."]),
    ],
)
def test_passages_are_written_one_a_line(
    tmp_path: Path, name: str, tables: dict[str, Records], passages: list[str]
) -> None:
    folder = fetch(name, root=tmp_path / "corpora", repository=repository(tmp_path / "hub", tables))
    assert folder == tmp_path / "corpora" / name.replace("/", "--")
    assert texts(folder) == passages


@pytest.mark.parametrize(
    ("name", "tables", "file", "queries"),
    [
        ("nano-msmarco", NANO, "queries.test.tsv", ["q1 where is the cat", "q2 not judged"]),
        ("msmarco", MSMARCO, "queries.tsv", ["5 where is the cat"]),
    ],
)
def test_queries_are_written_one_a_line(
    tmp_path: Path, name: str, tables: dict[str, Records], file: str, queries: list[str]
) -> None:
    folder = fetch(name, root=tmp_path / "corpora", repository=repository(tmp_path / "hub", tables))
    assert [f"{query.id} {query.text}" for query in read_queries(folder / file)] == queries


def test_judgments_are_written_as_qrels(tmp_path: Path) -> None:
    folder = fetch("nano-msmarco", root=tmp_path / "corpora", repository=repository(tmp_path / "hub", NANO))
    assert judged_sets(folder)["test"].qrels == {"q1": {"7": 1}}


def test_grades_of_another_name_and_ids_that_became_floats_are_read(tmp_path: Path) -> None:
    tables: dict[str, Records] = NANO | {
        "corpus": [{"_id": 7.0, "text": "The cat sat."}],
        "qrels": [{"query-id": "q1", "corpus-id": 7, "label": 2}],
    }
    folder = fetch("nano-msmarco", root=tmp_path / "corpora", repository=repository(tmp_path / "hub", tables))
    assert texts(folder) == ["7 The cat sat."]
    assert judged_sets(folder)["test"].qrels == {"q1": {"7": 2}}


def test_a_collection_of_nano_beir_is_the_split_behind_the_colon(tmp_path: Path) -> None:
    other = {
        "corpus": [{"_id": "x", "text": "other"}],
        "queries": [{"_id": "x", "text": "other"}],
        "qrels": [{"query-id": "x", "corpus-id": "x"}],
    }
    both = {name: {"NanoNQ": other[name], "NanoMSMARCO": records} for name, records in NANO.items()}
    given = in_splits(tmp_path / "hub", both)
    folder = fetch("sentence-transformers/NanoBEIR-en:NanoMSMARCO", root=tmp_path / "corpora", repository=given)
    assert folder.name == "sentence-transformers--NanoBEIR-en-NanoMSMARCO"
    assert texts(folder) == ["7 The cat sat on a mat.", "8 The dog ran."]
    assert judged_sets(folder)["test"].qrels == {"q1": {"7": 1}}


BEIR: dict[str, dict[str, Records]] = {
    "corpus": {
        "corpus": [
            {"_id": "4", "title": "", "text": "The cat sat."},
            {"_id": "5", "title": "A\tdog", "text": "It  ran."},
            {"_id": "6", "title": "A title alone", "text": ""},
            {"_id": "7", "title": "", "text": " "},
        ]
    },
    "queries": {
        "queries": [
            {"_id": "1", "title": "", "text": "where is the cat"},
            {"_id": "2", "title": "", "text": "where is the dog"},
            {"_id": "3", "title": "", "text": "not judged"},
        ]
    },
}
HEADER = "query-id\tcorpus-id\tscore"


def beir(folder: Path, qrels: Mapping[str, Sequence[str]]) -> str:
    """BEIR's two repositories: corpus and queries, and beside it the judgments as one table a split."""
    given = in_splits(folder, BEIR)
    for split, lines in qrels.items():
        write_lines(Path(f"{folder}-qrels") / f"{split}.tsv", [HEADER, *lines])
    return given


def test_beirs_splits_each_have_their_judged_queries(tmp_path: Path) -> None:
    lines = {"train": ["1\t4\t1", "1\t5\t0"], "validation": ["2\t5\t2"], "test": ["1\t5\t3", "2\t4\t1"]}
    folder = fetch("BeIR/scifact", root=tmp_path / "corpora", repository=beir(tmp_path / "hub/scifact", lines))
    assert folder.name == "BeIR--scifact"
    sets = judged_sets(folder)
    assert {split: judged.qrels for split, judged in sets.items()} == {
        "train": {"1": {"4": 1, "5": 0}},
        "dev": {"2": {"5": 2}},
        "test": {"1": {"5": 3}, "2": {"4": 1}},
    }
    assert {split: read_queries(folder / f"queries.{split}.tsv") for split in sets} == {
        split: list(judged.queries) for split, judged in sets.items()
    }
    assert [query.text for query in sets["test"].queries] == ["where is the cat", "where is the dog"]


def test_beirs_splits_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    given = beir(tmp_path / "hub/scifact", {"test": ["1\t4\t1"]})
    folder = fetch("BeIR/scifact", root=tmp_path / "corpora", repository=given)
    assert list(judged_sets(folder)) == ["test"]
    assert {path.name for path in folder.iterdir()} == {"collection.tsv", "queries.test.tsv", "qrels.test.tsv"}


def test_beirs_titles_are_kept_and_stand_in_for_a_text_that_is_empty(tmp_path: Path) -> None:
    given = beir(tmp_path / "hub/scifact", {"test": ["1\t4\t1"]})
    folder = fetch("BeIR/scifact", root=tmp_path / "corpora", repository=given)
    assert [(passage.id, passage.title, passage.text) for passage in Corpus(folder)] == [
        ("4", "", "The cat sat."),
        ("5", "A dog", "It ran."),
        ("6", "", "A title alone"),
    ]


def test_passages_of_no_words_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = beir(tmp_path / "hub/scifact", {"test": ["1\t4\t1"]})
    fetch("BeIR/scifact", root=tmp_path / "corpora", repository=given)
    assert "neither text nor title: 1" in caplog.text


def test_beirs_own_json_lines_are_read_from_the_hub_too(tmp_path: Path) -> None:
    folder = tmp_path / "hub/scifact"
    for name, splits in BEIR.items():
        write_lines(folder / f"{name}.jsonl", [json.dumps(record) for record in splits[name]])
    lines = ["---", "configs:"]
    for name in BEIR:
        lines += [f"- config_name: {name}", "  data_files:", f"  - split: {name}", f"    path: {name}.jsonl"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    write_lines(Path(f"{folder}-qrels") / "test.tsv", [HEADER, "1\t4\t1"])
    fetched = fetch("BeIR/scifact", root=tmp_path / "corpora", repository=str(folder))
    assert texts(fetched)[0] == "4 The cat sat."
    assert judged_sets(fetched)["test"].qrels == {"1": {"4": 1}}


def test_a_grade_that_is_no_whole_number_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    given = beir(tmp_path / "hub/scifact", {"test": ["1\t4\t0.5"]})
    with pytest.raises(HubError, match=r"0\.5, no whole number"):
        fetch("BeIR/scifact", root=tmp_path / "corpora", repository=given)
    assert list((tmp_path / "corpora").iterdir()) == []


def test_a_beir_collection_without_its_judgments_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    given = beir(tmp_path / "hub/scifact", {})
    with pytest.raises(HubError, match="BeIR/scifact couldn't be fetched"):
        fetch("BeIR/scifact", root=tmp_path / "corpora", repository=given)
    assert list((tmp_path / "corpora").iterdir()) == []


def shown(query_id: int, query: str, *passages: tuple[str, int]) -> dict[str, object]:
    """A record of Microsoft's form: a query, and passages with 1 for those that were selected."""
    return {
        "answers": ["an answer"],
        "passages": {
            "is_selected": [selected for _, selected in passages],
            "passage_text": [text for text, _ in passages],
            "url": ["http://example.org"] * len(passages),
        },
        "query": query,
        "query_id": query_id,
    }


QUESTIONS: dict[str, Records] = {
    "train": [
        shown(1, "where is  the cat", ("The cat sat.", 1), ("The dog ran.", 0), ("The  cat\nsat.", 1)),
        shown(2, "nothing is selected", ("The cow stood.", 0)),
    ],
    "validation": [shown(3, "where is the dog", ("The dog ran.", 1), ("A bird flew.", 1), ("", 0))],
    "test": [shown(4, "hidden", ("The fish swam.", 0))],
}


@pytest.mark.parametrize(
    ("name", "version"),
    [("microsoft/ms_marco", "v1.1"), ("microsoft/ms_marco:v1.1", "v1.1"), ("microsoft/ms_marco:v2.1", "v2.1")],
)
def test_microsofts_passages_are_those_shown_once_each(tmp_path: Path, name: str, version: str) -> None:
    given = in_splits(tmp_path / "hub", {version: QUESTIONS})
    folder = fetch(name, root=tmp_path / "corpora", repository=given)
    assert folder.name == f"microsoft--ms_marco-{version}"
    found = {passage.text: passage.id for passage in Corpus(folder)}
    assert list(found) == ["The cat sat.", "The dog ran.", "The cow stood.", "A bird flew.", "The fish swam."]
    # printf 'The cat sat.' | b2sum --length 64, its bytes from last to first
    assert found["The cat sat."] == "4afbafbafbc2f8bd"


def test_microsofts_judgments_are_the_selected_passages(tmp_path: Path) -> None:
    folder = fetch(
        "microsoft/ms_marco", root=tmp_path / "corpora", repository=in_splits(tmp_path / "hub", {"v1.1": QUESTIONS})
    )
    key = {passage.text: passage.id for passage in Corpus(folder)}
    sets = judged_sets(folder)
    assert {split: judged.qrels for split, judged in sets.items()} == {
        "train": {"1": {key["The cat sat."]: 1}},
        "dev": {"3": {key["The dog ran."]: 1, key["A bird flew."]: 1}},
    }
    assert [query.text for judged in sets.values() for query in judged.queries] == [
        "where is the cat",
        "where is the dog",
    ]
    assert len((folder / "qrels.train.tsv").read_text().splitlines()) == 1  # one line though it was shown twice
    assert not (folder / "queries.test.tsv").exists()
