"""Which queries a model grades for: each once, none that a person or the model graded, none that measures."""

from pathlib import Path

from app.views.teach.by_model.queries import ungraded
from indexing.judged.by_text import id_of_text
from indexing.judged.sets import JudgedSet
from indexing.records import Passage, PassageId, Query, QueryId
from training.judgments.feedback import FeedbackStore


def judged(**splits: tuple[str, ...]) -> dict[str, JudgedSet]:
    queries = {
        split: tuple(Query(QueryId(f"{split}{number}"), text) for number, text in enumerate(texts))
        for split, texts in splits.items()
    }
    return {split: JudgedSet(split, of, {query.id: {} for query in of}) for split, of in queries.items()}


def test_train_queries_are_passed_over_with_a_count_by_reason(tmp_path: Path) -> None:
    store = FeedbackStore.open(tmp_path / "grades.sqlite3", protected_share=0.0)
    passage = Passage(PassageId("a1"), "Bees.")
    store.grade("moraine", passage, grade=3, rater="ann", index="small", build="b", held_out=True)
    sets = judged(train=("wax", "Wax?", "bread", "moraine", "honey", "lens"), test=("lens!",))
    left = ungraded(" \n", sets, store, graded={"bread"})
    assert [query.text for query in left.queries] == ["wax", "honey"]
    assert left.sentence() == "2 queries without a grade; 1 is graded already and 2 are protected."


def test_another_spelling_of_a_query_that_measures_is_passed_over(tmp_path: Path) -> None:
    """Accents as one character or two, invisible characters, and punctuation within the text."""
    store = FeedbackStore.open(tmp_path / "grades.sqlite3", protected_share=0.0)
    passage = Passage(PassageId("a1"), "Bees.")
    store.grade("caf\u00e9 wax", passage, grade=3, rater="ann", index="small", build="b", held_out=True)
    typed = "cafe\u0301 wax\nCaf\u00e9-wax\nle\u200bns\nr\u00f4le, please\nbread"
    left = ungraded(typed, judged(test=("lens",), dev=("ro\u0302le please",)), store, graded=())
    assert [query.text for query in left.queries] == ["bread"]
    assert left.protected == 4


def test_typed_queries_take_their_place_and_keep_a_known_id(tmp_path: Path) -> None:
    store = FeedbackStore.open(tmp_path / "grades.sqlite3", protected_share=0.0)
    left = ungraded("Bread?\n\n new  query \nnew query\n?", judged(train=("wax", "bread")), store, graded=())
    assert left.queries == (Query(QueryId("train1"), "bread"), Query(id_of_text("new query"), "new query"))
    assert ungraded("", {}, store, graded=()).sentence() == "0 queries without a grade."
    assert ungraded("wax", {}, store, graded=()).sentence() == "1 query without a grade."
