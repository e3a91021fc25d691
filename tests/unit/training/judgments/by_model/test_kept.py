"""What is kept of a model: agreement by rater and model, and grades that add up for one model and replace another's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing import places
from indexing.errors import CorpusError
from indexing.records import PassageId, Query, QueryId
from tests.unit.training.judgments.by_model.agreements import AGREEMENT, TINY
from training.judgments.by_model import kept
from training.judgments.by_model.kept import (
    answers_folder,
    keep_agreement,
    keep_model_grades,
    kept_agreement,
    kept_of_model,
    last_agreement,
)
from training.judgments.kept import BY_MODEL, read_kept

WAX, BREAD = Query(QueryId("1"), "wax"), Query(QueryId("2"), "bread")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))


def grades(query: Query, **given: int) -> dict[QueryId, dict[PassageId, int]]:
    return {query.id: {PassageId(name): grade for name, grade in given.items()}}


def test_agreement_is_kept_by_index_rater_and_model() -> None:
    later = replace(AGREEMENT, model="other", at="2026-11-30T13:00:00+00:00")
    keep_agreement("small", "ann", TINY, AGREEMENT)
    assert kept_agreement("small", "ann", TINY) == last_agreement("small", "ann") == AGREEMENT
    assert kept_agreement("small", "bob", TINY) is None
    assert kept_agreement("large", "ann", TINY) is None
    other = replace(TINY, model="other")
    assert kept_agreement("small", "ann", other) is None
    assert answers_folder("small", other) != answers_folder("small", TINY)
    assert answers_folder("small", replace(TINY, timeout=5)) == answers_folder("small", TINY)
    keep_agreement("small", "ann", other, later)
    assert last_agreement("small", "ann") == later


def test_grades_of_one_model_add_up_and_another_model_s_take_their_place() -> None:
    first = keep_model_grades(grades(WAX, a=3, b=0), [WAX, BREAD], AGREEMENT, "small", build="b1")
    assert (first.judgments, first.queries, first.made_by, dict(first.grades)) == (2, 1, "tiny", {0: 1, 3: 1})
    both = keep_model_grades(grades(WAX, b=1) | grades(BREAD, c=2), [BREAD, WAX], AGREEMENT, "small", build="b1")
    judged = read_kept(BY_MODEL, both.folder)
    assert judged.source == "model:tiny"
    assert {query: dict(of) for query, of in judged.qrels.items()} == {"1": {"a": 3, "b": 1}, "2": {"c": 2}}
    other = keep_model_grades(grades(BREAD, c=0), [BREAD], replace(AGREEMENT, model="big"), "small", build="b1")
    assert (other.judgments, other.made_by) == (1, "big")


def test_grades_that_somebody_else_keeps_meanwhile_arent_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = kept._earlier

    def slow(*asked: Any) -> Any:
        found = earlier(*asked)
        monkeypatch.undo()
        monkeypatch.setenv("SECOND_LOOK_HOME", str(home_of_both))
        keep_model_grades(grades(BREAD, c=2), [BREAD], AGREEMENT, "small", build="b1")
        return found

    home_of_both = places.home()
    monkeypatch.setattr(kept, "_earlier", slow)
    with pytest.raises(CorpusError, match="Somebody else"):
        keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
    both = keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
    assert set(read_kept(BY_MODEL, both.folder).qrels) == {WAX.id, BREAD.id}


def test_an_id_that_has_another_text_now_keeps_no_grade_of_the_earlier_query() -> None:
    keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
    honey = Query(WAX.id, "honey")
    kept = keep_model_grades(grades(honey, b=1), [honey], AGREEMENT, "small", build="b2")
    judged = read_kept(BY_MODEL, kept.folder)
    assert judged.queries == (honey,)
    assert {query: dict(of) for query, of in judged.qrels.items()} == {WAX.id: {"b": 1}}


def test_only_the_same_model_at_the_same_address_has_graded_a_query() -> None:
    assert kept_of_model(AGREEMENT, "small") is None
    keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
    same = kept_of_model(AGREEMENT, "small")
    assert same is not None
    assert same.queries == (WAX,)
    elsewhere = replace(AGREEMENT, address="http://127.0.0.1:2/v1")
    assert kept_of_model(elsewhere, "small") is None
    assert kept_of_model(replace(AGREEMENT, guideline="0"), "small") is None
    assert keep_model_grades(grades(BREAD, c=0), [BREAD], elsewhere, "small", build="b1").queries == 1


def test_damaged_grades_are_told_before_others_are_added() -> None:
    kept = keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
    (kept.folder / "model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"by a model in .*small/1 are damaged \('agreement'\); delete the folder"):
        keep_model_grades(grades(WAX, a=3), [WAX], AGREEMENT, "small", build="b1")
