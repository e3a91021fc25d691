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
def test_options_of_the_form_are_parsed_after_the_place(
    text: str, form: str, place: str, options: dict[str, str]
) -> None:
    source = Source.parse(text)
    assert (source.form, source.place, dict(source.options)) == (form, place, options)
    assert str(source) == text


@pytest.mark.parametrize(
    "text", ["", "jsonl", "jsonl:", "index", "index:", "judged:,queries=q,qrels=r", "csv:x", "hubs"]
)
def test_text_that_names_no_source_is_refused_with_the_list_of_forms(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Source.parse(text)
    assert str(caught.value) == f"{text!r} names no training data; give {SOURCE_USAGE}."


def test_usage_lists_every_form_with_its_options() -> None:
    assert SOURCE_USAGE.startswith("hub, hub:FOLDER, index:NAME, judged:INDEX,queries=FILE,qrels=FILE, jsonl:FILE, ")
    assert SOURCE_USAGE.endswith("run:FILE,index=NAME[,queries=FILE], mined:FOLDER or feedback:FILE")
    assert all(f"{form}:" in SOURCE_USAGE for form in SOURCE_FORMS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("qidpidtriples:f", "qidpidtriples:f needs queries; add ,queries=FILE."),
        ("top1000:f", "top1000:f needs qrels; add ,qrels=FILE."),
        ("run:f", "run:f needs index; add ,index=NAME."),
        ("run:f,index=", "run:f needs index; add ,index=NAME."),
        ("judged:small", "judged:small needs queries; add ,queries=FILE."),
        ("judged:small,queries=q", "judged:small needs qrels; add ,qrels=FILE."),
        (
            "run:r,index=a,queries=q,index=b",
            "'run:r,index=a,queries=q,index=b' has index twice; remove a or b.",
        ),
    ],
)
def test_a_source_that_lacks_an_option_or_has_it_twice_says_which(text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Source.parse(text)
    assert str(caught.value) == fault


def test_an_option_that_the_form_does_not_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^jsonl:f takes no index; remove small\.$"):
        Source("jsonl", "f", (("index", "small"),))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("jsonl:{gone}", "The file {gone} of source jsonl doesn't exist; give one that does."),
        ("jsonl:{folder}", "The file {folder} of source jsonl doesn't exist; give one that does."),
        ("mined:{file}", "The folder {file} of source mined doesn't exist; give one that does."),
        ("hub:{file}", "The folder {file} of source hub doesn't exist; give one that does."),
        ("qidpidtriples:{file},queries={gone}", "The queries file {gone} doesn't exist; give one that does."),
        ("run:{gone},index=small", "The file {gone} of source run doesn't exist; give one that does."),
        ("run:{file},index=small,queries={gone}", "The queries file {gone} doesn't exist; give one that does."),
        ("judged:small,queries={file},qrels={gone}", "The qrels file {gone} doesn't exist; give one that does."),
    ],
)
def test_check_files_names_a_missing_file(tmp_path: Path, text: str, fault: str) -> None:
    places = {"file": write_lines(tmp_path / "a,b", ["x"]), "folder": tmp_path, "gone": tmp_path / "gone"}
    source = Source.parse(text.format(**places))
    with pytest.raises(SettingsError) as caught:
        source.check_files()
    assert str(caught.value) == fault.format(**places)


def test_check_files_accepts_files_that_exist(tmp_path: Path) -> None:
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
def test_a_source_names_its_index_before_it_is_read(text: str, index: str) -> None:
    assert Source.parse(text).index == index


@pytest.mark.parametrize(
    ("text", "of_corpus"),
    [("index:small", True), ("run:r,index=small", True), ("run:r,index=small,queries=q", False), ("jsonl:a", False)],
)
def test_only_some_sources_take_their_queries_from_the_index_s_corpus(text: str, of_corpus: bool) -> None:
    assert Source.parse(text).has_corpus_queries is of_corpus
