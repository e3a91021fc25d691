"""Judgments of Quepid and OpenSearch for an index: read by text, compared with the index, kept with their mark."""

from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.judged.qrels import read_judgments
from indexing.judged.sets import read_judged
from indexing.records import Passage, PassageId
from tests.conftest import write_lines
from training.judgments.by_model.own_grades import grades_in_files
from training.judgments.feedback import FeedbackStore
from training.judgments.imported import keep_imported, read_imported
from training.judgments.kept import IMPORTED, build_of, judgments_to_train, kept_set, remove_kept
from training.judgments.quepid import export_judgments, judged_in_store

RATINGS = ["query,docid,rating", "wax,a1,3", "wax,a4,0", "Bread,c1,2.0", "bread?,x9,1", "gone,x1,3"]


def held(passage: PassageId) -> bool:
    return not passage.startswith("x")


@pytest.fixture
def ratings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "home"))
    return write_lines(tmp_path / "ratings.csv", RATINGS)


def test_what_an_index_lacks_is_counted_and_left_out(ratings: Path) -> None:
    read = read_imported(ratings)
    assert (read.read_queries, read.judgments, read.absent) == (3, 5, ())
    fits = read.within("small", holds=held)
    assert (fits.absent, fits.left_out, fits.judgments) == (("x9", "x1"), 2, 3)
    assert [query.text for query in fits.queries] == ["wax", "Bread"]
    assert dict(fits.grades) == {3: 1, 2: 1, 0: 1}
    with pytest.raises(CorpusError, match=r"Index small holds none of the 5 passages that ratings.csv judges \(a1, a4"):
        read.within("small", holds=lambda _: False)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([*RATINGS, "wax,a1,best"], r"ratings.csv:7: grade 'best' is no whole number"),
        (
            [*RATINGS, "wax,a1,1"],
            r"ratings.csv:7: grade 1 of query 'wax' and passage 'a1', which have grade 3 in line 2",
        ),
        (
            ["query-id,corpus-id,score", "1,a1,3"],
            r"ratings.csv names queries by ids, whose texts it doesn't hold",
        ),
        (['{"judgmentRatings": [{"query": "wax"}]}'], "holds a judgment list with an entry of another form"),
        (['{"judgmentRatings": [{"query": null, "ratings": [{"docId": "a1", "rating": 3}]}]}'], "an empty id"),
        (['{"judgmentRatings": [{"query": {"q": 1}, "ratings": [{"docId": "a1", "rating": 3}]}]}'], "an empty id"),
        (
            ['{"query_id": "1", "docid": "a1", "rating": 1}', '{"query": "wax", "docid": "a1", "rating": 1}'],
            "ratings.csv:2: a query named by its text, where those before are by ids",
        ),
        (
            ['{"query": "wax", "docid": "a1", "rating": 1}', '{"query_id": "1", "docid": "a1", "rating": 1}'],
            "ratings.csv:2: a query named by its id, where those before are by texts",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(ratings: Path, lines: list[str], told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        read_imported(write_lines(ratings, lines))


def test_kept_judgments_of_one_passage_called_0_are_read_again(ratings: Path) -> None:
    """TREC's second column holds 0 too, so that a passage of that name looks like swapped columns."""
    folder = keep_imported(read_imported(write_lines(ratings, ["query,docid,rating", "wax,0,2"])), "small", build="b1")
    (grades,) = read_judgments(folder / IMPORTED.qrels, note=lambda _: None).grades.values()
    assert dict(grades) == {"0": 2}


def test_another_form_of_a_drawn_query_is_never_trained_on(ratings: Path, tmp_path: Path) -> None:
    """The draw takes the two forms of an accent for two queries; what measures one of them must not train the other."""
    store = FeedbackStore.open(tmp_path / "grades.sqlite3")
    texts = (f"caf\u00e9 {number}" for number in range(1000))
    drawn = next(one for one in texts if store.protects(one) and not store.protects(one.replace("\u00e9", "e\u0301")))
    lines = ["query,docid,rating", f"{drawn.replace(chr(0xE9), 'e' + chr(0x301))},a1,3", "wax,a1,3"]
    keep_imported(read_imported(write_lines(ratings, lines)), "small", build="b1")
    trained = judgments_to_train(IMPORTED, "small", store)
    assert trained is not None
    assert len(trained.queries) == 2
    store.grade(drawn, Passage(PassageId("a1"), "Bees."), grade=3, rater="ann", index="small", build="b1")
    trained = judgments_to_train(IMPORTED, "small", store)
    assert trained is not None
    assert [query.text for query in trained.queries] == ["wax"]


def test_kept_judgments_bear_their_mark_and_never_train_for_protected_queries(ratings: Path, tmp_path: Path) -> None:
    folder = keep_imported(read_imported(ratings).within("small", holds=held), "small", build="b1")
    kept = kept_set(IMPORTED, "small")
    assert kept is not None
    assert (kept.folder, kept.judgments, kept.queries, kept.made_by) == (folder, 3, 2, "ratings.csv")
    notes: list[str] = []
    assert read_judgments(folder / IMPORTED.qrels, note=notes.append).source == "imported"
    assert notes == [f"{folder / IMPORTED.qrels}: 3 judgments were brought in from a file."]
    store = FeedbackStore.open(tmp_path / "grades.sqlite3", protected_share=0.0)
    store.grade("wax!", Passage(PassageId("a1"), "Bees."), grade=3, rater="a", index="small", build="b", held_out=True)
    left = judgments_to_train(IMPORTED, "small", store)
    assert left is not None
    assert ([query.text for query in left.queries], left.source) == (["Bread"], "imported")
    assert build_of(IMPORTED, "small") == "b1"
    again = keep_imported(read_imported(ratings), "small", build="b2")
    assert build_of(IMPORTED, "small") == "b2"
    (again / "kept.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"from a file in .*small/2 are damaged"):
        build_of(IMPORTED, "small")
    assert (again.name, folder.exists()) == ("2", False)
    remove_kept(IMPORTED, "small")
    assert judgments_to_train(IMPORTED, "small", store) is None
    assert build_of(IMPORTED, "small") == ""


def test_a_model_is_not_measured_on_them(ratings: Path) -> None:
    folder = keep_imported(read_imported(ratings), "small", build="b1")
    judged = read_judged(folder / IMPORTED.queries, folder / IMPORTED.qrels, split="own", note=lambda _: None)
    with pytest.raises(Exception, match="were brought in from a file; give your own grades"):
        grades_in_files(judged, None)  # type: ignore[arg-type]  # refused before it is looked at


def test_a_damaged_record_is_told_with_its_folder(ratings: Path) -> None:
    folder = keep_imported(read_imported(ratings), "small", build="b1")
    (folder / IMPORTED.record).write_text('{"source": "imported"}', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"from a file in .*small/1 are damaged \('file'\); delete the folder"):
        kept_set(IMPORTED, "small")


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_own_grades_go_out_and_come_back_the_same(tmp_path: Path, ending: str) -> None:
    store = FeedbackStore.open(tmp_path / "grades.sqlite3")
    for query, passage, grade, rater in [
        ('say "wax", now', "a1", 3, "ann"),
        ('say "wax", now', "a1", 2, "bob"),  # a median of 2.5, rounded up
        ('say "wax", now', "a2", 0, "ann"),
        ("bread", "c1", 1, "ann"),
    ]:
        kept = Passage(PassageId(passage), "text")
        store.grade(query, kept, grade=grade, rater=rater, index="small", build="b1")
    store.grade("bread", Passage(PassageId("z"), "text"), grade=3, rater="ann", index="other", build="b1")
    file = tmp_path / f"grades.{ending}"
    assert export_judgments(judged_in_store(store, "small"), file) == 3
    read = read_imported(file)
    by_text = {query.text: dict(read.qrels[query.id]) for query in read.queries}
    assert by_text == {'say "wax", now': {"a1": 3, "a2": 0}, "bread": {"c1": 1}}
