"""A model grades only once its agreement is known; answers are kept, marked, and never mixed with people's grades."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.errors import ModelError, SettingsError
from indexing.index import Index
from indexing.judged.sets import JudgedSet, read_judged
from indexing.records import Passage, PassageId, Query, QueryId, Ranking
from tests.conftest import PASSAGES, write_lines
from tests.unit.training.judgments.by_model.servers import Asked, saying, serving
from training.__main__ import main
from training.judgments.by_model.chat import KEY
from training.judgments.by_model.grader import Pair, open_grader
from training.judgments.by_model.guideline import MOST, messages, read_grade
from training.judgments.by_model.judge import run_pairs
from training.judgments.by_model.measured import ModelAgreement, measure_agreement, read_agreement, write_agreement
from training.judgments.by_model.own_grades import OwnGrade, draw, grades_in_files, grades_in_store
from training.judgments.feedback import FeedbackStore

WAX = Query(QueryId("1"), "wax")


def pair(number: int) -> Pair:
    return Pair(WAX, Passage(PassageId(f"p{number}"), f"passage {number}."))


def own(*grades: int) -> list[OwnGrade]:
    return [OwnGrade(pair(number), grade) for number, grade in enumerate(grades)]


def number_in(asked: Asked) -> int:
    return int(asked.content.partition("passage ")[2].partition(".")[0])


def measure(folder: Path, grades: list[OwnGrade], answer: Callable[[int], object]) -> tuple[ModelAgreement, list[str]]:
    notes: list[str] = []
    reply = saying(lambda asked: str(answer(number_in(asked))))
    with serving(reply) as server, open_grader(folder, server.address()) as grader:
        return measure_agreement(grader, grades, server.address(), note=notes.append), notes


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ("2", 2),
        (" Grade: **3**.\n", 3),
        ("<think>1 or 2? It names 7 bees.</think>0", 0),
        ("<think>1</think>" * 2 + "2", 2),
        ("<think>It may be a 2, since", None),
        ("<think>" * 150_000, None),
        ("4", None),
        ("-1", None),
        ("2.5", None),
        ("2 or 3", None),
        ("relevant", None),
        ("", None),
        ("٢", None),
        ("9" * 5000, None),
    ],
)
def test_a_grade_is_the_only_number_of_an_answer(answer: str, grade: int | None) -> None:
    assert read_grade(answer) == grade


def test_a_model_is_told_the_scale_and_sees_the_beginning_of_a_long_passage() -> None:
    system, user = messages("wax?", "a" * MOST + "b")
    assert "3: perfectly relevant" in system["content"]
    assert user["content"] == f"Query: wax?\n\nPassage:\n{'a' * MOST}\n\nGrade:"


def test_agreement_by_hand(tmp_path: Path) -> None:
    """Of 15 passages of grade 0 the model calls 3 perfect; with the 15 of grade 3 it agrees.

    Binary: 27 of 30 the same, and by chance 15/30 x 12/30 + 15/30 x 18/30 = 0.5, so (0.9 - 0.5) / (1 - 0.5) = 0.8.
    Quadratic: 3 x 9 / 30 = 0.9 apart, and by chance (15/30 x 18/30 + 15/30 x 12/30) x 9 = 4.5, so 1 - 0.9 / 4.5 = 0.8.
    """
    agreement, notes = measure(tmp_path, own(*[0] * 15, *[3] * 15), lambda number: 0 if number < 12 else 3)
    assert (agreement.pairs, agreement.same, agreement.relevant_from) == (30, 0.9, 2)
    assert agreement.binary == pytest.approx(0.8)
    assert agreement.quadratic == pytest.approx(0.8)
    low, high = agreement.quadratic_interval
    assert 0.4 < low < 0.8 < high <= 1
    assert agreement.table == ((12, 0, 0, 3), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 15))
    assert not agreement.doubtful
    assert notes == []
    write_agreement(tmp_path, agreement)
    assert read_agreement(tmp_path) == agreement


def test_a_model_that_grades_by_chance_is_doubtful(tmp_path: Path) -> None:
    agreement, _ = measure(tmp_path, own(*[0, 2] * 15), lambda number: 2 * (number // 2 % 2))
    assert agreement.quadratic == pytest.approx(0, abs=0.1)
    assert agreement.doubtful


def test_too_few_grades_are_refused_before_the_model_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        measure(tmp_path, own(*[0, 3] * 14, 3), lambda _: pytest.fail("asked"))
    assert str(told.value) == (
        "Only 29 of your grades can be measured against; grade 1 more, as at least 30 pairs tell how far a model "
        "agrees."
    )


def test_grades_that_are_all_alike_measure_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="are all alike, so that agreement by chance can't be told from more"):
        measure(tmp_path, own(*[3] * 30), lambda _: 3)


def test_answers_without_a_grade_are_told_and_leave_too_few(tmp_path: Path) -> None:
    agreement, notes = measure(
        tmp_path / "a", own(*[0, 3] * 16), lambda number: "?" if number == 7 else 3 * (number % 2)
    )
    assert (agreement.pairs, agreement.without_grade) == (31, 1)
    assert notes == ["1 answer of tiny held no grade and is left out: '?'."]
    with pytest.raises(SettingsError, match="Only 29 answers of tiny held a grade; grade 1 more"):
        measure(tmp_path / "b", own(*[0, 3] * 15), lambda number: "?" if number == 7 else 3 * (number % 2))


def test_an_answer_that_repeats_the_key_is_told_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "sk-secret")
    notes: list[str] = []
    with (
        serving(saying(lambda asked: f"What is {asked.key}?")) as server,
        open_grader(tmp_path, server.address()) as grader,
    ):
        assert grader.grade([pair(1)], note=notes.append) == [None]
    assert notes == ["1 answer of tiny held no grade and is left out: 'What is Bearer ***?'."]


def test_a_stopped_grading_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    pairs = [pair(number) for number in range(8)]
    with serving(saying(lambda asked: "no" if number_in(asked) > 2 and len(server.asked) < 9 else "1")) as server:
        with open_grader(tmp_path, server.address()) as grader, pytest.raises(ModelError) as told:
            grader.grade(pairs)
        assert str(told.value) == (
            "5 answers of tiny in a row held no grade from 0 to 3, the last being 'no'; give a model that follows "
            "instructions."
        )
        with open_grader(tmp_path, server.address()) as grader:
            assert grader.grade(pairs) == [1] * 8
        assert [number_in(asked) for asked in server.asked] == [*range(8), *range(3, 8)]
        with (
            pytest.raises(SettingsError, match=r"model tiny, now other"),
            open_grader(tmp_path, replace(server.address(), model="other")),
        ):
            pytest.fail("another model's answers were taken")


def test_the_same_pairs_are_drawn_and_more_of_them_with_a_larger_count() -> None:
    grades = own(*[1] * 40)
    assert draw(reversed(grades), 30) == draw(grades, 40)[:30]


def test_grades_of_the_teach_page_are_those_of_one_rater_and_of_unchanged_texts(
    tmp_path: Path, small_index: Index
) -> None:
    path = tmp_path / "feedback.sqlite3"
    with pytest.raises(SettingsError, match="doesn't exist; grade passages on the Teach page"):
        grades_in_store(path, small_index)
    store = FeedbackStore.open(path)
    shown = small_index.passages.by_id(PassageId("a1"))
    for rater, passage in (("ann", shown), ("ann", Passage(PassageId("a2"), "as it was")), ("bob", shown)):
        store.grade("wax", passage, grade=2, rater=rater, index="small", build="b")
    notes: list[str] = []
    with pytest.raises(SettingsError, match="Grades of index small are by ann, bob; name one of them by --rater"):
        grades_in_store(path, small_index)
    found = grades_in_store(path, small_index, rater="Ann", note=notes.append)
    assert [(each.pair.query.text, each.pair.passage.id, each.grade) for each in found] == [("wax", "a1", 2)]
    assert notes == ["1 grade left out: the passage has changed since, or is gone from index small."]


def test_only_peoples_grades_from_0_to_3_count_as_own(small_index: Index) -> None:
    def judged(grade: int, source: str = "") -> JudgedSet:
        grades = {PassageId("a1"): grade, PassageId("gone"): 1}
        return JudgedSet("own", (WAX,), {WAX.id: grades}, source=source)

    notes: list[str] = []
    assert [each.grade for each in grades_in_files(judged(3), small_index, note=notes.append)] == [3]
    assert notes == ["1 grade left out: index small has no such passage."]
    with pytest.raises(SettingsError, match=r"has the grade 4; give grades from 0 to 3"):
        grades_in_files(judged(4), small_index)
    with pytest.raises(SettingsError, match=r"were made from clicks; give your own grades"):
        grades_in_files(judged(3, "clicks"), small_index)


def test_the_first_passages_of_a_run_are_graded(small_index: Index) -> None:
    run = {WAX.id: Ranking.sort([(PassageId("a2"), 3.0), (PassageId("gone"), 2.0), (PassageId("a1"), 1.0)])}
    notes: list[str] = []
    pairs = run_pairs([WAX, Query(QueryId("2"), "bees")], run, small_index, depth=2, note=notes.append)
    assert [each.passage.id for each in pairs] == ["a2"]
    assert notes == [
        "1 passage of the run left out: index small has none of that id.",
        "1 query left out: the run doesn't answer them.",
    ]
    with pytest.raises(SettingsError, match="holds no passage of index small for any of the 1 query"):
        run_pairs([Query(QueryId("2"), "bees")], run, small_index, depth=2)


def test_from_measuring_to_judgments_in_the_shell(
    tmp_path: Path, built_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model calls a passage perfect that holds the query's word; so did the person, but for two passages."""
    texts = {"1": "honey", "2": "light"}
    queries = write_lines(tmp_path / "queries.tsv", [f"{name}\t{text}" for name, text in texts.items()])
    grades = {(name, passage): 3 * (word in text) for name, word in texts.items() for passage, text in PASSAGES.items()}
    own_ones = grades | {("1", "a4"): 3, ("2", "a4"): 3}
    qrels = write_lines(
        tmp_path / "own.qrels", [f"{name} 0 {passage} {grade}" for (name, passage), grade in own_ones.items()]
    )
    run = write_lines(tmp_path / "first.trec", ["1 Q0 a1 1 9 t", "1 Q0 a4 2 8 t", "1 Q0 b1 3 7 t", "2 Q0 b2 1 5 t"])
    small = ["--index", "small", "--root", str(built_root)]
    judge = ["judgments", "judge", str(tmp_path / "judge"), *small, "--queries", str(queries), "--run", str(run)]

    def answer(asked: Asked) -> str:
        query, _, passage = asked.content.partition("\n\n")
        return "3" if query.removeprefix("Query: ") in passage else "0"

    with serving(saying(answer)) as server:
        assert main([*judge]) == 2
        assert "holds no measured model (agreement.json); measure it: python -m" in capsys.readouterr().err
        assert server.asked == []
        measure = ["judgments", "measure-judge", str(tmp_path / "judge"), *small, "--address", server.url, "--model"]
        assert main([*measure, "tiny", "--queries", str(queries), "--qrels", str(qrels)]) == 0
        printed = capsys.readouterr().out
        assert "tiny agrees with your grades of 40 pairs by a quadratic kappa of 0." in printed
        assert main([*judge, "--depth", "2"]) == 0
        assert "agrees with your grades of 40 pairs" in capsys.readouterr().out
        assert len(server.asked) == 40  # all pairs had been measured
    made = read_judged(
        tmp_path / "judge" / "queries.model.tsv", tmp_path / "judge" / "qrels.model.tsv", split="x", note=lambda _: None
    )
    assert made.qrels == {"1": {"a1": 3, "a4": 0}, "2": {"b2": 3 * ("light" in PASSAGES["b2"])}}
    assert made.source == "model:tiny"
    assert made.notes[0].endswith("3 judgments were made by the model tiny, not by people.")
    assert json.loads((tmp_path / "judge" / "model.json").read_text())["agreement"]["pairs"] == 40
    assert main(judge) == 2
    assert "exists already; give another --output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"pairs": 29}, "was measured on 29 pairs, fewer than 30"),
        ({"guideline": "old"}, "was measured with another guideline than this program's"),
        ({"pairs": "many"}, "pairs is 'many', a whole number is wanted"),
    ],
)
def test_an_agreement_that_tells_too_little_allows_no_grading(
    tmp_path: Path, values: dict[str, object], told: str
) -> None:
    agreement, _ = measure(tmp_path, own(*[0, 3] * 15), lambda number: 3 * (number % 2))
    write_agreement(tmp_path, agreement)
    path = tmp_path / "agreement.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(SettingsError, match=told):
        read_agreement(tmp_path)
