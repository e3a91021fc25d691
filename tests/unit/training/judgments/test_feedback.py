"""Grades are kept as given, taken back in order, shared by processes, and exported without mixing what is protected."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from random import Random

import pytest

from indexing.errors import CorpusError, SettingsError
from indexing.judged.sets import judged_sets
from indexing.records import Passage, PassageId, QueryId
from tests.conftest import PASSAGES
from training.data.readers.feedback import feedback_examples
from training.example import PROTECTED
from training.judgments.export import ExportedGrades, export_jsonl, export_qrels, query_ids
from training.judgments.feedback import FeedbackStore, Grade, check_rater, is_drawn, text_fingerprint
from training.source import Source

# the SHA-256 of the first begins with 7ad3, of the second with 16ed: 0.48 and 0.09 of the way from 0 to 1
TRAINED, PROTECTED_QUERY = "how do bees make honey", "how do glaciers carve valleys"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback/feedback.sqlite3"


@pytest.fixture
def store(path: Path) -> FeedbackStore:
    return FeedbackStore.open(path)


def give(
    store: FeedbackStore,
    passage: str,
    grade: int,
    *,
    rater: str = "ann",
    query: str = TRAINED,
    query_id: str | None = None,
    index: str = "small",
    held_out: bool = False,
) -> Grade:
    return store.grade(
        query,
        Passage(PassageId(passage), PASSAGES.get(passage, "its text")),
        grade=grade,
        rater=rater,
        index=index,
        build="b1",
        query_id=None if query_id is None else QueryId(query_id),
        held_out=held_out,
    )


def grades_in(store: FeedbackStore) -> list[tuple[str, str, int]]:
    return [(grade.rater, grade.passage_id, grade.grade) for grade in store.grades()]


def test_a_grade_is_stored_with_its_query_passage_and_rater(store: FeedbackStore, path: Path) -> None:
    stored = give(store, "a1", 3, rater="  Ann  B. ", query=" How do bees\tmake honey? ", query_id="1")
    assert FeedbackStore.open(path).grades() == [stored]
    assert (stored.query, stored.normalized, stored.query_id) == ("How do bees make honey?", TRAINED, "1")
    assert (stored.index, stored.build, stored.passage_id, stored.grade) == ("small", "b1", "a1", 3)
    assert stored.fingerprint == text_fingerprint(PASSAGES["a1"])
    assert stored.rater == "ann b."
    assert stored.at.endswith("+00:00")


def test_a_new_grade_replaces_the_earlier_one_of_the_same_judgment_only(store: FeedbackStore) -> None:
    give(store, "a1", 3)
    give(store, "a1", 1, query=TRAINED.upper() + "?")  # the same query
    give(store, "a1", 2, rater="bob")
    give(store, "a1", 0, query="bees")
    give(store, "a1", 0, index="large")
    assert grades_in(store) == [("ann", "a1", 1), ("bob", "a1", 2), ("ann", "a1", 0), ("ann", "a1", 0)]
    assert [grade.index for grade in store.grades("large")] == ["large"]
    assert store.grades("none") == []


def test_undo_reverts_the_rater_s_actions_one_at_a_time(store: FeedbackStore) -> None:
    give(store, "a1", 3)
    give(store, "a1", 1)
    give(store, "a2", 0, rater="bob")
    undone = store.undo("Ann")
    assert undone is not None
    assert (undone.passage_id, undone.grade) == ("a1", 1)
    assert grades_in(store) == [("ann", "a1", 3), ("bob", "a2", 0)]  # what it replaced holds again
    assert store.undo("ann") is not None
    assert grades_in(store) == [("bob", "a2", 0)]
    assert store.undo("ann") is None
    assert grades_in(store) == [("bob", "a2", 0)]


def test_a_grade_after_an_undo_is_in_effect_and_is_undone_first(store: FeedbackStore) -> None:
    give(store, "a1", 3)
    give(store, "a2", 1)
    store.undo("ann")
    give(store, "a3", 2)
    assert grades_in(store) == [("ann", "a1", 3), ("ann", "a3", 2)]
    store.undo("ann")
    store.undo("ann")
    assert grades_in(store) == []


def test_nothing_is_ever_deleted_from_the_log(store: FeedbackStore, path: Path) -> None:
    give(store, "a1", 3)
    give(store, "a1", 1)
    store.undo("ann")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT number, grade FROM grades").fetchall() == [(1, 3), (2, 1)]
        assert connection.execute("SELECT number FROM undone").fetchall() == [(2,)]
    connection.close()


def test_counts_and_raters_are_of_the_grades_in_effect(store: FeedbackStore) -> None:
    give(store, "a1", 3)
    give(store, "a2", 3)
    give(store, "d2", 3, rater="bob", query=PROTECTED_QUERY)
    give(store, "d1", 0, rater="cat")
    store.undo("cat")
    counts = store.counts()
    assert (counts.grades, counts.queries, counts.protected) == (3, 2, 1)
    assert counts.by_rater == {"ann": 2, "bob": 1}
    assert store.raters() == ["ann", "bob"]


@pytest.mark.parametrize("grade", [-1, 4, True, 2.0])
def test_a_grade_out_of_range_is_refused(store: FeedbackStore, grade: int) -> None:
    with pytest.raises(SettingsError) as refused:
        give(store, "a1", grade)
    assert str(refused.value) == f"Passage a1 got the grade {grade!r}; give 0, 1, 2 or 3."
    assert grades_in(store) == []


@pytest.mark.parametrize("query", ["", "  ", "?!", " ... "])
def test_a_query_without_a_word_is_refused(store: FeedbackStore, query: str) -> None:
    with pytest.raises(SettingsError) as refused:
        give(store, "a1", 1, query=query)
    assert str(refused.value) == f"Query {query!r} has no word; grade passages for one that does."


@pytest.mark.parametrize("name", ["", "  ", "...", "x" * 41, "a\u202eb", "a\0b"])
def test_an_invalid_name_is_refused(store: FeedbackStore, name: str) -> None:
    with pytest.raises(
        SettingsError, match=r"; give a name of 1 to 40 characters that contains a letter or a digit\.$"
    ):
        give(store, "a1", 1, rater=name)
    assert grades_in(store) == []


def test_names_are_normalized() -> None:
    assert check_rater(" Änne   K ") == check_rater("A\u0308nne k") == "änne k"
    assert check_rater("x" * 40) == "x" * 40


def test_the_protected_share_is_drawn_by_hash() -> None:
    assert not is_drawn(TRAINED, share=0.2)
    assert is_drawn(PROTECTED_QUERY, share=0.2)
    assert is_drawn(TRAINED, share=1.0)
    assert not is_drawn(PROTECTED_QUERY, share=0.0)
    drawn = sum(is_drawn(f"query {number}", share=0.2) for number in range(2000))
    assert 346 <= drawn <= 454  # 400 expected, 3 standard deviations of sqrt(2000 * 0.2 * 0.8) = 17.9


def test_the_share_is_recorded_when_the_store_is_made_and_stays(path: Path) -> None:
    assert FeedbackStore.open(path, protected_share=0.0).protected_share == 0.0
    again = FeedbackStore.open(path, protected_share=1.0)
    assert again.protected_share == 0.0
    assert not again.protects(PROTECTED_QUERY)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(path: Path, share: float) -> None:
    with pytest.raises(SettingsError, match="give a number from 0 to 1"):
        FeedbackStore.open(path, protected_share=share)
    assert not path.exists()


def test_a_held_out_query_is_protected_from_then_on_for_everyone(store: FeedbackStore) -> None:
    before = give(store, "a1", 3)
    assert not before.protected
    after = give(store, "a2", 0, rater="bob", query=TRAINED + "?", held_out=True)
    assert after.protected
    store.undo("bob")
    assert store.protects(TRAINED.upper())
    assert [grade.protected for grade in store.grades()] == [True]


def twenty_grades(path: Path, rater: str) -> None:
    store = FeedbackStore.open(path)
    for number in range(20):
        give(store, str(number), 1, rater=rater)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12; the children start no thread
def test_several_processes_may_write_at_once(path: Path) -> None:
    # none of them finds the file there, so that this tries its making too
    raters = ["ann", "bob", "cat"]
    processes = [get_context("fork").Process(target=twenty_grades, args=(path, rater)) for rater in raters]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert FeedbackStore.open(path).counts().by_rater == dict.fromkeys(raters, 20)


def test_several_threads_may_make_and_use_one_store(path: Path) -> None:
    def work(number: int) -> None:
        give(FeedbackStore.open(path), "a1", number % 4, rater=f"rater {number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(16)))
    assert FeedbackStore.open(path).counts().grades == 16
    assert [file.name for file in path.parent.iterdir() if file.name.endswith(".sqlite3")] == [path.name]


def test_undos_from_two_tabs_undo_two_grades(store: FeedbackStore) -> None:
    for passage in ("a1", "a2", "a3"):
        give(store, passage, 1)
    with ThreadPoolExecutor(2) as threads:
        undone = list(threads.map(store.undo, ["ann", "ann"]))
    assert sorted(grade.passage_id for grade in undone if grade) == ["a2", "a3"]
    assert grades_in(store) == [("ann", "a1", 1)]


def test_a_writer_that_holds_the_file_too_long_is_named(
    store: FeedbackStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.judgments.feedback.WAIT", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        CorpusError,
        match=r"can't be used \(database is locked\); check that it is intact and writable, then try again\.$",
    ):
        give(store, "a1", 1)
    assert grades_in(store) == []  # reading is still possible
    other.close()
    assert give(store, "a1", 1).grade == 1


def test_another_schema_version_is_refused(store: FeedbackStore, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(
        CorpusError,
        match=r"has schema version 9, and this program reads version 1; open it with the program that wrote it, or "
        r"move it away to start a new one\.$",
    ):
        FeedbackStore.open(path)


@pytest.mark.parametrize("content", [b"", b"no database at all, but some text" * 40])
def test_a_file_that_is_no_store_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"is not a feedback store, and this program reads version 1; |is damaged"):
        FeedbackStore.open(path)
    assert path.read_bytes() == content


def test_a_place_that_cannot_hold_a_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorpusError, match=r"file is not a folder, so no feedback can be stored there; move it\.$"):
        FeedbackStore.open(tmp_path / "file/feedback.sqlite3")
    with pytest.raises(CorpusError, match=r"can't be created \(.*\); move away what is in its place\.$"):
        FeedbackStore.open(tmp_path / "file/deeper/feedback.sqlite3")


def test_a_removed_store_is_not_created_again_by_a_grade(store: FeedbackStore, path: Path) -> None:
    path.unlink()
    with pytest.raises(CorpusError, match="can't be used"):
        give(store, "a1", 1)
    assert not path.exists()


def test_qrels_of_protected_queries_are_in_a_file_of_their_own(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3, query_id="1")
    give(store, "a4", 0, query_id="1")
    give(store, "d2", 3, query=PROTECTED_QUERY)
    export_qrels(store, tmp_path / "out")
    sets = judged_sets(tmp_path / "out")
    assert sets["train"].qrels == {"1": {"a1": 3, "a4": 0}}
    (dev,) = sets["dev"].queries
    assert sets["dev"].qrels == {dev.id: {"d2": 3}}
    assert (dev.text, dev.id[:9]) == (PROTECTED_QUERY, "feedback-")
    assert (tmp_path / "out/qrels.train.tsv").read_text() == "1 0 a1 3\n1 0 a4 0\n"
    export_qrels(store, tmp_path / "again")
    assert judged_sets(tmp_path / "again") == sets


def test_an_empty_store_gives_empty_files(store: FeedbackStore, tmp_path: Path) -> None:
    export_qrels(store, tmp_path / "out")
    assert {file.name: file.read_text() for file in (tmp_path / "out").iterdir()} == dict.fromkeys(
        ["queries.tsv", "qrels.train.tsv", "qrels.dev.tsv"], ""
    )


def test_several_raters_make_one_grade_in_qrels(store: FeedbackStore, tmp_path: Path) -> None:
    for rater, grades in {"ann": (0, 3, 1), "bob": (1, 0, 1), "cat": (3, 0, 2)}.items():
        for passage, grade in zip(("a1", "a2", "a3"), grades, strict=True):
            give(store, passage, grade, rater=rater, query_id="1")
    give(store, "a4", 1, query_id="1")
    give(store, "a4", 2, rater="bob", query_id="1")
    export_qrels(store, tmp_path)
    # medians of 0 1 3, of 0 0 3, of 1 1 2, and of 1 2: 1.5, rounded up
    assert judged_sets(tmp_path)["train"].qrels == {"1": {"a1": 1, "a2": 0, "a3": 1, "a4": 2}}


def test_passages_of_two_indexes_are_not_exported_to_one_qrels_file(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3)
    give(store, "a1", 0, index="large")
    with pytest.raises(
        SettingsError, match=r"passages of large, small, whose ids can't share one qrels file; name one index\.$"
    ):
        export_qrels(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    export_qrels(store, tmp_path / "out", index="large")
    assert (tmp_path / "out/qrels.train.tsv").read_text().split()[2:] == ["a1", "0"]


def test_an_id_with_white_space_is_named_and_nothing_is_written(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3)
    give(store, "a b", 3, query=PROTECTED_QUERY)
    with pytest.raises(
        CorpusError, match=r"^Id 'a b' contains white space, which TREC qrels don't allow; rename it in the corpus\.$"
    ):
        export_qrels(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_id_that_two_queries_share_is_used_for_neither(store: FeedbackStore) -> None:
    give(store, "a1", 3, query_id="1")
    give(store, "a1", 3, query="bees", query_id="2", index="large")
    give(store, "a1", 3, query="wasps", query_id="2")
    ids = query_ids(store.grades())
    assert ids[TRAINED] == "1"
    assert ids["bees"].startswith("feedback-")
    assert ids["wasps"].startswith("feedback-")
    assert len(set(ids.values())) == 3


def text(index: str, passage_id: str) -> str:
    assert index == "small"
    return PASSAGES[passage_id]


def test_jsonl_holds_every_grade_with_its_passage(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3, query_id="1")
    give(store, "a1", 2, rater="bob", query_id="1")
    give(store, "d2", 3, query=PROTECTED_QUERY)
    assert export_jsonl(store, tmp_path / "out.jsonl", text) == ExportedGrades(lines=3, changed=0, absent=0)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "query": TRAINED,
        "query_id": "1",
        "passage_id": "a1",
        "passage": PASSAGES["a1"],
        "grade": 3,
        "rater": "ann",
        "protected": False,
        "index": "small",
    }
    assert [(line["rater"], line["grade"], line["protected"]) for line in lines[1:]] == [
        ("bob", 2, False),
        ("ann", 3, True),
    ]
    assert lines[2]["query_id"].startswith("feedback-")


def test_training_reads_the_jsonl_and_leaves_out_protected_queries(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3)
    give(store, "a4", 0)
    give(store, "d2", 3, query=PROTECTED_QUERY)
    export_jsonl(store, tmp_path / "out.jsonl", text)
    reasons: list[str] = []
    (example,) = feedback_examples(Source("feedback", str(tmp_path / "out.jsonl")), on_skip=reasons.append)
    assert example.query == TRAINED
    assert (example.passages, example.labels) == ((PASSAGES["a1"], PASSAGES["a4"]), (3, 0))
    assert reasons == [PROTECTED]


def test_grades_of_changed_or_missing_passages_are_left_out(store: FeedbackStore, tmp_path: Path) -> None:
    give(store, "a1", 3)
    give(store, "gone", 2)
    store.grade(TRAINED, Passage(PassageId("a2"), "as it was"), grade=1, rater="ann", index="small", build="b0")
    assert export_jsonl(store, tmp_path / "out.jsonl", text) == ExportedGrades(lines=1, changed=1, absent=1)
    assert json.loads((tmp_path / "out.jsonl").read_text())["passage_id"] == "a1"


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A store with a hundred grades, in one file."""
    path = tmp_path / "graded.sqlite"
    store = FeedbackStore.open(path)
    for number in range(100):
        passage = Passage(PassageId(f"p{number}"), f"passage {number} of bees")
        store.grade(f"query {number % 7}", passage, grade=number % 4, rater="ann", index="small", build="1")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


def refusal(path: Path) -> str:
    """The sentence on a store that can't be read; empty for one that can."""
    try:
        FeedbackStore.open(path).counts()
    except CorpusError as error:
        return str(error)
    return ""


def test_a_damaged_store_is_one_sentence_with_what_to_do(graded: Path) -> None:
    content, random = graded.read_bytes(), Random(3)
    sentences: list[str] = []
    for _ in range(60):
        hurt = bytearray(content)
        for _ in range(40):
            hurt[random.randrange(len(hurt))] = random.randrange(256)
        graded.write_bytes(hurt)
        sentences += filter(None, [refusal(graded)])
    assert len(sentences) > 40
    assert all(str(graded) in sentence and "\n" not in sentence for sentence in sentences)
    assert sum("is damaged" in sentence for sentence in sentences) > 30


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "feedback.sqlite"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(CorpusError, match=r"is damaged \(file is not a database\); put a copy of it back"):
        FeedbackStore.open(path)


def test_a_store_that_was_cut_off_is_told(graded: Path) -> None:
    graded.write_bytes(graded.read_bytes()[: graded.stat().st_size // 2])
    with pytest.raises(CorpusError, match="is damaged"):
        FeedbackStore.open(graded).counts()
