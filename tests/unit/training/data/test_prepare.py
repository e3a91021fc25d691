"""Judged data of several forms is laid out in one form that can be indexed and trained on."""

import json
from pathlib import Path

import pytest

from indexing.corpus.corpus import Corpus
from indexing.errors import CorpusError
from indexing.judged.queries import read_queries
from indexing.judged.sets import judged_sets
from tests.conftest import write_lines
from training.data.prepare import MOST_CANDIDATES, PASSAGE_WORDS, JudgedCollection, prepare


def wikiqa(folder: Path, *records: object) -> None:
    write_lines(folder / "qa/wikiqa.train.jsonl", [json.dumps(record) for record in records])
    write_lines(folder / "qa/trecqa.train.jsonl", [])


def candidate(text: str, label: int) -> dict[str, object]:
    return {"text": text, "label": label}


def passages(folder: Path) -> dict[str, str]:
    return {passage.id: passage.text for passage in Corpus(folder)}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A source in the form of MS MARCO, with a judgment of a passage that has no text."""
    folder = tmp_path / "given"
    write_lines(folder / "msmarco-mini/collection.tsv", ["7\tThe cat sat.", "8\t" + "long " * 300])
    write_lines(folder / "msmarco-mini/queries.train.tsv", ["1\twhere is the cat", "2\twhere is the dog"])
    write_lines(folder / "msmarco-mini/qrels.train.tsv", ["1 0 7 1", "1 0 99 1", "2 0 99 1", "3 0 7 1"])
    return folder


def test_a_collection_keeps_its_ids(sources: Path, tmp_path: Path) -> None:
    corpora = prepare(sources, tmp_path / "corpora")
    assert corpora == {"msmarco-mini": tmp_path / "corpora/msmarco-mini"}
    assert passages(corpora["msmarco-mini"])["7"] == "The cat sat."


def test_long_documents_are_cut(sources: Path, tmp_path: Path) -> None:
    corpora = prepare(sources, tmp_path / "corpora")
    assert passages(corpora["msmarco-mini"])["8"].split() == ["long"] * PASSAGE_WORDS


def test_judgments_of_passages_or_queries_without_text_are_left_out(sources: Path, tmp_path: Path) -> None:
    corpora = prepare(sources, tmp_path / "corpora")
    assert judged_sets(corpora["msmarco-mini"])["train"].qrels == {"1": {"7": 1}}


def test_queries_without_judgments_stay_for_distillation(sources: Path, tmp_path: Path) -> None:
    corpora = prepare(sources, tmp_path / "corpora")
    assert len(read_queries(corpora["msmarco-mini"] / "queries.train.tsv")) == 2


def test_candidate_sentences_become_passages_with_grades(tmp_path: Path) -> None:
    wikiqa(tmp_path / "given", {"query": "who sat", "candidates": [candidate("No.", 0), candidate("The cat.", 1)]})
    folder = prepare(tmp_path / "given", tmp_path / "corpora")["qa-sentences"]
    by_text = {text: name for name, text in passages(folder).items()}
    assert judged_sets(folder)["train"].qrels == {"0": {by_text["The cat."]: 1, by_text["No."]: 0}}


def test_a_sentence_of_two_questions_is_one_passage(tmp_path: Path) -> None:
    answers = [candidate("The  cat.", 1), candidate("No.", 0)]
    wikiqa(tmp_path / "given", {"query": "a", "candidates": answers}, {"query": "b", "candidates": answers})
    assert len(passages(prepare(tmp_path / "given", tmp_path / "corpora")["qa-sentences"])) == 2


def test_a_question_without_an_answer_is_left_out(tmp_path: Path) -> None:
    unanswered = {"query": "who ran", "candidates": [candidate("No.", 0)]}
    answered = {"query": "who sat", "candidates": [candidate("The cat.", 1)]}
    wikiqa(tmp_path / "given", unanswered, answered)
    folder = prepare(tmp_path / "given", tmp_path / "corpora")["qa-sentences"]
    assert [query.text for query in read_queries(folder / "queries.train.tsv")] == ["who sat"]


def test_answers_come_first_among_many_candidates(tmp_path: Path) -> None:
    many = [*(candidate(f"No {number}.", 0) for number in range(40)), candidate("The cat.", 1)]
    wikiqa(tmp_path / "given", {"query": "who sat", "candidates": many})
    folder = prepare(tmp_path / "given", tmp_path / "corpora")["qa-sentences"]
    (judged,) = judged_sets(folder)["train"].qrels.values()
    assert len(judged) == MOST_CANDIDATES
    assert sorted(judged.values()) == [0] * (MOST_CANDIDATES - 1) + [1]


def test_answer_sentences_become_judgments(tmp_path: Path) -> None:
    write_lines(tmp_path / "given/qa/squad-sentences.dev.jsonl", ['{"query": "who sat", "positive": "The cat."}'])
    write_lines(tmp_path / "given/qa/squad-sentences.test.jsonl", ['{"query": "who ran", "positive": "The dog."}'])
    folder = prepare(tmp_path / "given", tmp_path / "corpora")["squad"]
    assert judged_sets(folder)["train"].qrels == {"0": {"0": 1}, "1": {"1": 1}}


def test_a_source_that_is_already_laid_out_stays_unchanged(sources: Path, tmp_path: Path) -> None:
    corpora = prepare(sources, tmp_path / "corpora")
    write_lines(sources / "msmarco-mini/collection.tsv", ["7\tThe dog ran."])
    prepare(sources, tmp_path / "corpora")
    assert passages(corpora["msmarco-mini"])["7"] == "The cat sat."


def test_a_folder_without_any_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="msmarco-mini"):
        prepare(tmp_path, tmp_path / "corpora")


def test_a_source_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    wikiqa(tmp_path / "given", {"query": "who sat", "candidates": [candidate("The cat.", 1)]})
    with (tmp_path / "given/qa/wikiqa.train.jsonl").open("a") as file:
        file.write("{broken\n")
    with pytest.raises(CorpusError, match=r"wikiqa\.train\.jsonl:2"):
        prepare(tmp_path / "given", tmp_path / "corpora")


def test_a_text_of_the_same_words_has_one_id() -> None:
    source = JudgedCollection()
    assert source.add_text("The  cat\nsat.") == source.add_text("The cat sat.") != source.add_text("The dog ran.")


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"candidates": []}, "'query' is missing"),
        ({"query": "q", "candidates": "x"}, "'candidates' is not a list of objects"),
        ({"query": "q", "candidates": [{"text": "x"}]}, "'label' is 'None', not 0 or 1"),
        ({"query": "q", "candidates": [{"text": 3, "label": 1}]}, "'text' is a number, not text"),
        ({"query": "q", "candidates": [{"text": "x", "label": "1"}]}, "'label' is '1', not 0 or 1"),
    ],
)
def test_a_record_of_another_form_is_named(record: dict[str, object], fault: str, tmp_path: Path) -> None:
    wikiqa(tmp_path, {"query": "q", "candidates": [candidate("x", 1)]}, record)
    with pytest.raises(CorpusError, match=rf"wikiqa\.train\.jsonl:2: {fault}"):
        prepare(tmp_path, tmp_path / "corpora")
