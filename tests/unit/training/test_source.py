"""A source is read as it is written and written as it was read; a bad one is refused with what it should be."""

from pathlib import Path

import pytest

from indexing.errors import SettingsError
from tests.conftest import write_lines
from training.source import SOURCE_FORMS, SOURCE_USAGE, Source


@pytest.mark.parametrize(
    ("text", "form", "place", "options"),
    [
        ("hub", "hub", "", {}),
        ("hub:folder", "hub", "folder", {}),
        ("index:small", "index", "small", {}),
        ("mined:/a/negatives/", "mined", "/a/negatives/", {}),
        ("jsonl:a,queries=b", "jsonl", "a,queries=b", {}),  # has no options, so it is all path
        ("top1000:C:/a,b,qrels=q", "top1000", "C:/a,b", {"qrels": "q"}),
        ("run:r.trec,index=small", "run", "r.trec", {"index": "small"}),
        ("run:r,s,queries=q,1,index=small", "run", "r,s", {"queries": "q,1", "index": "small"}),
        ("run:r,qrels=q,index=i", "run", "r,qrels=q", {"index": "i"}),  # a run has no qrels, so the path has
        ("judged:small,qrels=a,queries=b=c", "judged", "small", {"qrels": "a", "queries": "b=c"}),
    ],
)
def test_what_stands_behind_a_place_is_an_option_of_its_form(
    text: str, form: str, place: str, options: dict[str, str]
) -> None:
    source = Source.parse(text)
    assert (source.form, source.place, dict(source.options)) == (form, place, options)
    assert str(source) == text


@pytest.mark.parametrize(
    "text", ["", "jsonl", "jsonl:", "index", "index:", "judged:,queries=q,qrels=r", "csv:x", "hubs"]
)
def test_what_names_no_source_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Source.parse(text)
    assert str(caught.value) == f"{text!r} names no training data; give {SOURCE_USAGE}."


def test_the_forms_are_named_with_what_they_need() -> None:
    assert SOURCE_USAGE.startswith("hub, hub:FOLDER, index:NAME, judged:INDEX,queries=FILE,qrels=FILE, jsonl:FILE, ")
    assert SOURCE_USAGE.endswith("run:FILE,index=NAME[,queries=FILE], mined:FOLDER or feedback:FILE")
    assert all(f"{form}:" in SOURCE_USAGE for form in SOURCE_FORMS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("qidpidtriples:f", "qidpidtriples:f is read with queries; add ,queries=FILE."),
        ("top1000:f", "top1000:f is read with qrels; add ,qrels=FILE."),
        ("run:f", "run:f is read with index; add ,index=NAME."),
        ("run:f,index=", "run:f is read with index; add ,index=NAME."),
        ("judged:small", "judged:small is read with queries; add ,queries=FILE."),
        ("judged:small,queries=q", "judged:small is read with qrels; add ,qrels=FILE."),
        (
            "run:r,index=a,queries=q,index=b",
            "'run:r,index=a,queries=q,index=b' has two index; leave a or b out.",
        ),
    ],
)
def test_a_source_that_lacks_an_option_or_has_it_twice_says_which(text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Source.parse(text)
    assert str(caught.value) == fault


def test_a_form_takes_no_option_that_it_has_no_use_for() -> None:
    with pytest.raises(SettingsError, match="jsonl:f is read without index; leave small out"):
        Source("jsonl", "f", (("index", "small"),))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("jsonl:{gone}", "There is no file {gone} to read jsonl from; give one that exists."),
        ("jsonl:{folder}", "There is no file {folder} to read jsonl from; give one that exists."),
        ("mined:{file}", "There is no folder {file} to read mined from; give one that exists."),
        ("hub:{file}", "There is no folder {file} to read hub from; give one that exists."),
        ("qidpidtriples:{file},queries={gone}", "There is no file {gone} of queries; give one that exists."),
        ("run:{gone},index=small", "There is no file {gone} to read run from; give one that exists."),
        ("run:{file},index=small,queries={gone}", "There is no file {gone} of queries; give one that exists."),
        ("judged:small,queries={file},qrels={gone}", "There is no file {gone} of qrels; give one that exists."),
    ],
)
def test_a_file_that_does_not_exist_is_named_when_it_is_to_be_read(tmp_path: Path, text: str, fault: str) -> None:
    places = {"file": write_lines(tmp_path / "a,b", ["x"]), "folder": tmp_path, "gone": tmp_path / "gone"}
    source = Source.parse(text.format(**places))
    with pytest.raises(SettingsError) as caught:
        source.check_files()
    assert str(caught.value) == fault.format(**places)


def test_files_that_exist_are_not_complained_of(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "file", ["x"])
    for text in ("hub", "index:nosuch", f"mined:{tmp_path}", f"run:{file},index=nosuch,queries={file}"):
        Source.parse(text).check_files()


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("index:small", "small"),
        ("judged:small,queries=q,qrels=r", "small"),
        ("run:r,queries=q,index=small", "small"),
        ("hub:small", ""),
        ("jsonl:a,index=small", ""),
    ],
)
def test_the_index_that_a_source_is_read_with_is_known_before_it_is_read(text: str, index: str) -> None:
    assert Source.parse(text).index == index


@pytest.mark.parametrize(
    ("text", "of_corpus"),
    [("index:small", True), ("run:r,index=small", True), ("run:r,index=small,queries=q", False), ("jsonl:a", False)],
)
def test_whose_queries_a_source_has_decides_what_their_ids_mean(text: str, of_corpus: bool) -> None:
    assert Source.parse(text).has_corpus_queries is of_corpus
