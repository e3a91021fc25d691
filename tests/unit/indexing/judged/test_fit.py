"""Judgments and runs are compared with the passages they are about before anything is computed from them."""

import pytest

from indexing.errors import SettingsError
from indexing.judged.fit import PassagesInMemory, check_run, fit_judgments, is_own_passage, leave_out, listed
from indexing.judged.sets import JudgedSet
from indexing.records import Passage, PassageId, Query, QueryId, Ranking


def collection(**texts: str) -> PassagesInMemory:
    return PassagesInMemory({PassageId(name): Passage(PassageId(name), text) for name, text in texts.items()})


def judged_set(texts: dict[str, str], grades: dict[str, dict[str, int]]) -> JudgedSet:
    queries = tuple(Query(QueryId(name), text) for name, text in texts.items())
    qrels = {
        QueryId(query): {PassageId(name): grade for name, grade in judged.items()} for query, judged in grades.items()
    }
    return JudgedSet("test", queries, qrels)


def ranking(*ids: str) -> Ranking:
    return Ranking.sort((PassageId(name), len(ids) - place) for place, name in enumerate(ids))


SALT = collection(d0="Apples grow on trees.", d1="Salt dissolves in water.", d2="Owls hunt at night.")


def test_judgments_that_fit_are_left_as_they_are() -> None:
    judged = judged_set({"q1": "apples"}, {"q1": {"d0": 1, "d2": 0}})
    fitted = fit_judgments(judged, SALT, name="index salt")
    assert (fitted.judged, fitted.own, fitted.absent, fitted.notes) == (judged, frozenset(), {}, ())


def test_judged_queries_without_a_text_are_left_out_by_name() -> None:
    judged = judged_set({"q1": "apples"}, {"q1": {"d0": 1}, "q3": {"d1": 1}, "q4": {"d2": 1}})
    fitted = fit_judgments(judged, SALT, name="index salt")
    assert fitted.judged.qrels == {"q1": {"d0": 1}}
    assert fitted.notes == ("2 judged queries of the test split have no text and are left out: 'q3', 'q4'.",)


def test_passages_that_the_index_lacks_are_counted_and_stay_judged() -> None:
    judged = judged_set({"q1": "apples", "q2": "salt"}, {"q1": {"d0": 1}, "q2": {"d1": 1, "gone": 1, "away": 0}})
    fitted = fit_judgments(judged, SALT, name="index salt")
    assert fitted.judged.qrels == judged.qrels
    assert fitted.absent == {"q2": {"gone"}}
    assert fitted.notes == (
        "Of 4 judged passages 2 are missing from index salt (1 of them relevant, which no ranking can contain): "
        "'gone', 'away'.",
    )


def test_judgments_of_other_passages_are_refused_with_ids_of_both_sides() -> None:
    judged = judged_set({"q1": "apples"}, {"q1": {"0": 1}})
    with pytest.raises(SettingsError, match=r"judged is '0', and index salt has 'd0', 'd1', 'd2'; give judgments"):
        fit_judgments(judged, SALT, name="index salt")


def test_judgments_whose_relevant_passages_are_all_elsewhere_are_refused() -> None:
    judged = judged_set({"q1": "apples"}, {"q1": {"d0": 0, "gone": 1}})
    with pytest.raises(SettingsError, match="None of the 1 relevant passages of the test split is in index salt"):
        fit_judgments(judged, SALT, name="index salt")


@pytest.mark.parametrize(
    ("query", "passage", "own"),
    [
        ("Which tea has\tcaffeine?", Passage(PassageId("q"), "which tea has  caffeine?"), True),
        ("Tea Which has caffeine?", Passage(PassageId("q"), "which has caffeine?", title="Tea"), True),
        ("Which has caffeine?", Passage(PassageId("q"), "which has caffeine?", title="Tea"), True),
        ("Which tea has caffeine?", Passage(PassageId("q"), "Bees make honey."), False),
    ],
    ids=["case and white space", "with its title", "without its title", "the same id alone"],
)
def test_a_query_is_a_passage_where_id_and_text_are_the_same(query: str, passage: Passage, own: bool) -> None:
    assert is_own_passage(Query(QueryId("q"), query), PassagesInMemory({passage.id: passage})) is own


def test_an_own_passage_counts_neither_in_judgments_nor_in_runs() -> None:
    tea = collection(tea1="Which tea?", tea2="What tea?", bike="A bike.")
    judged = judged_set({"tea1": "which tea?", "bike": "tyres"}, {"tea1": {"tea1": 1, "tea2": 1}, "bike": {"bike": 1}})
    fitted = fit_judgments(judged, tea, name="index tea")
    assert fitted.own == {"tea1"}
    assert fitted.judged.qrels == {"tea1": {"tea2": 1}, "bike": {"bike": 1}}
    assert "1 query is itself a passage of index tea (same id and text): 'tea1'; such" in fitted.notes[0]
    run = {QueryId("tea1"): ranking("tea1", "tea2"), QueryId("bike"): ranking("bike")}
    measured = fitted.measured(run)
    assert {query: found.passage_ids for query, found in measured.items()} == {"tea1": ("tea2",), "bike": ("bike",)}


def test_what_isnt_in_a_ranking_neednt_be_left_out() -> None:
    given = ranking("a", "b", "c")
    assert leave_out(given, "x") is given
    assert list(leave_out(given, "b")) == [(1, "a", 3.0), (2, "c", 1.0)]


QRELS = {QueryId("q1"): {PassageId("d0"): 1}}


def test_passages_of_a_run_that_the_index_lacks_are_counted() -> None:
    run = {QueryId("q1"): ranking("d0", "x"), QueryId("q9"): ranking("y")}
    assert check_run("theirs", run, QRELS, SALT, name="index salt") == (
        "Of 2 passages that theirs ranks index salt lacks 1: 'x'.",
    )
    assert check_run("theirs", {QueryId("q1"): ranking("d0", "d1")}, QRELS, SALT, name="index salt") == ()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"9": ["d0"]}, "theirs answers none of the 1 judged queries (judged is 'q1'; it answers '9')"),
        ({"q1": []}, "theirs answers none of the 1 judged queries (judged is 'q1'; it answers 'q1')"),
        ({}, "theirs answers none of the 1 judged queries (judged is 'q1'; it answers nothing)"),
        ({"q1": ["D0"]}, "ranks no passage of index salt: it has 'D0', and index salt has 'd0', 'd1', 'd2'"),
    ],
)
def test_a_run_of_something_else_is_refused(run: dict[str, list[str]], message: str) -> None:
    rankings = {QueryId(query): ranking(*ids) for query, ids in run.items()}
    with pytest.raises(SettingsError) as refusal:
        check_run("theirs", rankings, QRELS, SALT, name="index salt")
    assert message in str(refusal.value)


def test_long_lists_of_names_are_cut() -> None:
    assert listed(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
