"""A query that is protected by its id or its text is never mined."""

import hashlib
import unicodedata
from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged.queries import normalize_query
from indexing.judged.sets import JudgedSet
from indexing.records import PassageId, Query, QueryId
from tests.conftest import QUERIES, write_lines
from training.example import PROTECTED, Example
from training.judgments.protection import Protection


def query(key: str, text: str) -> Query:
    return Query(QueryId(key), text)


@pytest.mark.parametrize("text", ["how do bees make honey", "  How do BEES\tmake honey ?", "How do bees make honey?!"])
def test_queries_are_compared_without_case_spaces_and_final_punctuation(text: str) -> None:
    assert normalize_query(text) == "how do bees make honey"


def test_a_query_is_identified_by_its_id_or_by_its_text() -> None:
    protection = Protection(frozenset({QueryId("7")}), frozenset({"how do bees make honey"}))
    assert protection.covers(query("7", "anything"))
    assert protection.covers(query("8", " How do BEES make  honey?"))
    assert not protection.covers(query("8", "how do wasps make paper"))


def test_nothing_is_protected_by_default() -> None:
    assert not Protection().covers(query("1", ""))


def test_files_protect_by_id_and_text(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "queries.tsv", ["7\tHow do bees make honey?"])
    assert Protection.read([path]) == Protection(frozenset({QueryId("7")}), frozenset({"how do bees make honey"}))


def test_several_files_protect_their_queries(tmp_path: Path) -> None:
    paths = [write_lines(tmp_path / "a.tsv", ["1\tOne?"]), write_lines(tmp_path / "b.tsv", ["1\t two  words"])]
    assert Protection.read(paths).texts == {"one", "two words"}


def test_collections_protect_the_texts_of_their_other_splits_everywhere(small_corpus: Path) -> None:
    protection = Protection.read([], [small_corpus])
    assert protection.texts == {*QUERIES["dev"].values(), *QUERIES["test"].values()}
    assert protection.ids == frozenset()


def test_the_ids_of_a_collection_s_other_splits_protect_only_its_own_queries(
    small_corpus: Path, tmp_path: Path
) -> None:
    protection = Protection.read([write_lines(tmp_path / "secret.tsv", ["77\tsecret"])], [small_corpus])
    reworded = query("3", "reworded")  # a dev query's id
    assert protection.within(small_corpus / "../" / small_corpus.name).covers(reworded)
    assert protection.within(small_corpus).covers(query("77", "other"))
    assert not protection.covers(reworded)
    assert not protection.within(tmp_path).covers(reworded)
    assert not protection.within(small_corpus).covers(query("1", "reworded"))  # a train query's


def test_the_fingerprint_changes_with_ids_and_texts_but_not_with_the_location(tmp_path: Path) -> None:
    bees, seven = frozenset({"bees"}), frozenset({QueryId("7")})
    others = [Protection(), Protection(texts=bees), Protection(ids=seven), Protection(own={tmp_path: seven})]
    assert len({protection.fingerprint() for protection in others}) == 4
    moved = Protection(own={tmp_path / "elsewhere": seven})
    assert moved.fingerprint() == others[-1].fingerprint()
    assert len(moved.fingerprint()) == 16


def test_a_judged_set_loses_its_protected_queries() -> None:
    queries = (query("1", "one"), query("2", "two"), query("3", "three"))
    qrels = {entry.id: {PassageId("a"): 1} for entry in queries}
    left = Protection(frozenset({QueryId("1")}), frozenset({"two"})).without(JudgedSet("train", queries, qrels))
    assert left == JudgedSet("train", queries[2:], {QueryId("3"): {PassageId("a"): 1}})


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFD", "Wo öffnet die Bäckerei"),
        "Wo öffnet die Bäcke\u200brei",
        "ＷＯ öffnet die Bäckerei",  # full-width on purpose
        "wo  ÖFFNET die\u00a0Bäckerei ?!",
        "Wo öffnet die Bäckerei…",
        "Wo öffnet die Bäckerei?".encode().decode("latin-1"),
        "Wo &ouml;ffnet die B&auml;ckerei?",
    ],
)
def test_no_other_way_of_writing_lets_a_protected_query_slip_in(text: str, tmp_path: Path) -> None:
    protection = Protection.read([write_lines(tmp_path / "queries.tsv", ["7\tWo öffnet die Bäckerei?"])])
    assert protection.covers(query("8", text))
    assert not protection.covers(query("8", f"{text} heute"))
    mixed = Protection.read([write_lines(tmp_path / "queries.tsv", [f"7\t{text}"])])
    assert mixed.covers(query("8", "Wo öffnet die Bäckerei?"))


def test_queries_known_only_by_their_hashes_are_protected(tmp_path: Path) -> None:
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in ("how do bees make honey?", "what is a wasp")]
    protection = Protection.read([write_lines(tmp_path / "topics.sha256", [hashes[0].upper(), "", hashes[1]])])
    assert protection.covers(query("1", " How do  BEES make honey?"))
    assert protection.covers(query("2", "What is a wasp?"))  # its hash is of the text without a question mark
    assert not protection.covers(query("3", "what is a bee"))
    assert protection.fingerprint() != Protection().fingerprint()


@pytest.mark.parametrize(("line", "said"), [("what is a bee", "no SHA-256 of 64"), ("", "holds no SHA-256")])
def test_file_of_hashes_that_holds_something_else_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        Protection.read([write_lines(tmp_path / "topics.sha256", ["", line])])


def test_planted_queries_of_every_held_out_kind_get_no_example(tmp_path: Path, small_corpus: Path) -> None:
    digest = hashlib.sha256(b"planted by its hash").hexdigest()
    files = [write_lines(tmp_path / "a.tsv", ["9\tplanted by its text"]), write_lines(tmp_path / "b.sha256", [digest])]
    protection = Protection.read(files, [small_corpus])
    texts = [
        "Planted by its TEXT?",
        "planted  by its hash",
        *QUERIES["dev"].values(),
        *QUERIES["test"].values(),
        "free",
    ]
    examples = [Example("made", text, ("a", "b"), labels=(1.0, 0.0)) for text in texts]
    examples.append(Example("made", "planted by its id", ("a", "b"), labels=(1.0, 0.0), query_id=QueryId("9")))
    dropped: list[str] = []
    assert [example.query for example in protection.examples(examples, on_skip=dropped.append)] == ["free"]
    assert dropped == [PROTECTED] * (len(examples) - 1)
