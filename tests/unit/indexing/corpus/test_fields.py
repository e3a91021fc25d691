"""A record's fields are those that are given, else those that known collections use."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus.corpus import Corpus
from indexing.corpus.fields import Fields
from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId
from tests.conftest import write_lines

CAT = Passage(PassageId("1"), "The cat sat.")
DOG = Passage(PassageId("2"), "The dog ran.")
GOOD = b"1\tThe cat sat.\n"


def given_fields(path: Path, **names: str) -> list[Passage]:
    return list(Corpus(path, fields=Fields(**names)))


RECORD = '{"id": "x", "key": 1, "text": "not this", "words": "The cat sat.", "title": "nor this", "head": "A cat"}'


def test_fields_that_are_given_are_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", [RECORD])
    wanted = Passage(PassageId("1"), "The cat sat.", "A cat")
    assert given_fields(path, id="key", text="words", title="head") == [wanted]


def test_fields_that_are_not_given_are_found(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", [RECORD])
    assert given_fields(path, text="words") == [Passage(PassageId("x"), "The cat sat.", "nor this")]


def test_a_title_of_no_name_is_not_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", [RECORD])
    assert given_fields(path, id="key", text="words", title="") == [CAT]


def test_a_field_that_is_the_text_is_not_the_title_too(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", ['{"id": 1, "title": "The cat sat."}'])
    assert given_fields(path, text="title") == [CAT]


@pytest.mark.parametrize("name", ["id", "text", "title"])
def test_a_given_field_that_is_absent_is_named_with_those_there(tmp_path: Path, name: str) -> None:
    path = write_lines(tmp_path / "c.jsonl", ['{"id": "1", "text": "The cat sat."}'])
    with pytest.raises(CorpusError, match=f"{path}:1: there is no field 'wrong', only 'id', 'text'"):
        given_fields(path, **{name: "wrong"})


def test_lines_may_differ_in_their_fields(tmp_path: Path) -> None:
    lines = ['{"id": "1", "text": "The cat sat."}', '{"docid": "2", "body": "The dog ran.", "url": "x"}']
    assert given_fields(write_lines(tmp_path / "c.jsonl", lines)) == [CAT, DOG]


def test_of_many_fields_8_are_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "c.jsonl", [json.dumps({f"f{number}": 1 for number in range(10)})])
    with pytest.raises(CorpusError, match="'f6', 'f7' and 2 more hold no id"):
        list(Corpus(path))


@pytest.mark.parametrize("names", [{"id": ""}, {"text": ""}])
def test_an_id_or_text_of_no_name_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="can't be empty"):
        Fields(**names)


@pytest.mark.parametrize("name", ["c.tsv", "c.tsv.gz", "1.txt"])
def test_fields_of_a_form_that_has_none_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(GOOD) if name.endswith(".gz") else GOOD)
    with pytest.raises(SettingsError, match="has no field names") as caught:
        given_fields(path, id="pid")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "c.jsonl",
            [
                '{"id": 0, "docid": "D1", "text": "The cat sat.", "n": 1}',
                '{"id": 1, "docid": "D2", "text": "The dog ran."}',
            ],
        ),
        ("c.csv", ["id,docid,text", "0,D1,The cat sat.", "1,D2,The dog ran."]),
        ("c.tsv", ["id\tdocid\ttext", "0\tD1\tThe cat sat.", "1\tD2\tThe dog ran."]),
    ],
)
def test_a_second_name_of_ids_that_is_not_taken_is_told_once(tmp_path: Path, name: str, lines: list[str]) -> None:
    told = "The id is taken from 'id', and not from 'docid'; for that: --id-field docid."
    corpus = Corpus(write_lines(tmp_path / name, lines))
    assert [passage.id for passage in corpus] == ["0", "1"]
    assert corpus.notes.count(told) == 1
    chosen = Corpus(corpus.path, fields=Fields(id="docid"))
    assert [passage.id for passage in chosen] == ["D1", "D2"]
    assert told not in chosen.notes


def test_columns_of_parquet_that_are_not_taken_are_told(tmp_path: Path) -> None:
    columns = {"pid": ["a"], "text": ["The cat sat."], "body": ["x"], "content": ["y"]}
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    corpus = Corpus(tmp_path / "c.parquet")
    assert [passage.text for passage in corpus] == ["The cat sat."]
    assert corpus.notes == (
        "The text is taken from 'text', and not from 'content' or 'body'; for one of those: --text-field content.",
    )
