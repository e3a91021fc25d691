"""Rows on disk are those of the examples, in their order, whole or not there, with what they were made of."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexing.errors import TrainingError
from training.example import Example
from training.recipes import row_files
from training.recipes.row_counts import RowCounts
from training.recipes.row_files import PREVIEW, preview, read_rows, write_rows
from training.recipes.rows import FORMS, rows_of

LISTS = FORMS["lists"]


def judged(number: int, *labels: float, source: str = "first") -> Example:
    names = tuple(f"{number}-{place}" for place in range(len(labels)))
    return Example(source, f"query {number}", names, labels=labels)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    given = [judged(1, 3, 0), judged(2, 0.5, 0, 0)]
    write_rows(tmp_path / "rows", given, LISTS, seed=1)
    rows, _ = read_rows(tmp_path / "rows")
    assert rows.column_names == ["query", "passages", "labels"]
    assert list(rows) == [
        {"query": "query 1", "passages": ["1-0", "1-1"], "labels": [3.0, 0.0]},
        {"query": "query 2", "passages": ["2-0", "2-1", "2-2"], "labels": [0.5, 0.0, 0.0]},
    ]


@pytest.mark.parametrize("form", ["pairs", "n-tuples", "margins", "scored-pairs"])
def test_every_kind_of_row_is_written(tmp_path: Path, form: str) -> None:
    example = Example("test", "q", tuple("abcdef"), labels=(1, 0, 0, 0, 0, 0), scores=(5, 4, 3, 2, 1, 0.5))
    write_rows(tmp_path / "rows", [example], FORMS[form], seed=3)
    rows, _ = read_rows(tmp_path / "rows")
    assert list(rows) == rows_of(example, FORMS[form], seed=3)
    assert rows.column_names == list(FORMS[form].columns)


def test_counts_say_what_the_rows_were_made_of(tmp_path: Path) -> None:
    given = [judged(1, 1, 0), judged(2, 1, 0, 0, source="second"), judged(3, 0, 0), judged(4, 1, 1, 0)]
    dropped = Counter({"protected": 2})
    written = write_rows(tmp_path / "rows", given, LISTS, seed=1, dropped=dropped)
    assert written == RowCounts(
        examples={"first": 2, "second": 1},
        dropped={"protected": 2, f"query with less than this recipe needs: {LISTS.least}": 1},
        rows=3,
        pairs=2 + 3 + 3,
    )
    assert read_rows(tmp_path / "rows")[1] == written


def test_what_is_left_out_while_the_examples_come_is_counted_too(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()

    def streamed() -> Iterator[Example]:
        yield judged(1, 1, 0)
        dropped["no positive"] += 1

    assert write_rows(tmp_path / "rows", streamed(), LISTS, seed=1, dropped=dropped).dropped == {"no positive": 1}


def test_more_rows_than_are_held_in_memory_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_files, "BLOCK", 3)
    given = [judged(number, 1, 0) for number in range(8)]  # two whole blocks and a rest of 2
    write_rows(tmp_path / "rows", given, LISTS, seed=1)
    assert list(read_rows(tmp_path / "rows")[0]["query"]) == [f"query {number}" for number in range(8)]


def test_a_preview_is_the_first_rows(tmp_path: Path) -> None:
    write_rows(tmp_path / "few", [judged(1, 1, 0)], LISTS, seed=1)
    write_rows(tmp_path / "many", [judged(number, 1, 0) for number in range(30)], LISTS, seed=1)
    assert preview(tmp_path / "few") == [{"query": "query 1", "passages": ["1-0", "1-1"], "labels": [1.0, 0.0]}]
    assert [row["query"] for row in preview(tmp_path / "many")] == [f"query {number}" for number in range(PREVIEW)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "the source is empty"),
        (
            [judged(1, 0, 0), judged(2, 1, 1)],
            "2 query with less than this recipe needs: 1 relevant passage and 1 other",
        ),
    ],
)
def test_where_no_row_is_left_the_reasons_are_told_and_nothing_is_there(
    tmp_path: Path, given: list[Example], reason: str
) -> None:
    with pytest.raises(TrainingError, match=reason):
        write_rows(tmp_path / "rows", given, LISTS, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_how_many_passages_a_recipe_needs_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"\(1 query with less than .*: 1 relevant passage and 5 others\); give other"
    ):
        write_rows(tmp_path / "rows", [judged(1, 1, 0, 0, 0, 0)], FORMS["n-tuples"], seed=1)
    with pytest.raises(
        TrainingError, match=r"\(1 query with less than .*: 2 passages of different scores\); give other"
    ):
        write_rows(tmp_path / "rows", [Example("run", "q", ("a", "b"), scores=(2, 2))], FORMS["margins"], seed=1)


def test_lists_are_made_of_scores_where_nobody_judged(tmp_path: Path) -> None:
    example = Example("a run", "q", ("a", "b"), scores=(2, 1))
    assert write_rows(tmp_path / "rows", [example], LISTS, seed=1).examples == {"a run": 1}


@pytest.mark.parametrize(
    ("form", "example", "said"),
    [
        ("scored-pairs", judged(1, 1, 0, source="the judges"), "of the judges have no scores.*--teacher"),
        ("pairs", Example("a run", "q", ("a", "b"), scores=(2, 1)), "of a run have no labels.*choose a recipe"),
    ],
)
def test_an_example_without_what_the_recipe_learns_from_is_told_and_nothing_is_there(
    tmp_path: Path, form: str, example: Example, said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        write_rows(tmp_path / "rows", [example], FORMS[form], seed=1)
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_not_whole_are_not_trained_on(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="absent holds no rows"):
        read_rows(tmp_path / "absent")
    write_rows(tmp_path / "rows", [judged(1, 1, 0)], LISTS, seed=1)
    (tmp_path / "rows" / "rows.json").write_text("{")
    with pytest.raises(TrainingError, match="start the training anew"):
        read_rows(tmp_path / "rows")


def test_labels_that_are_all_equal_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    same = Example("test", "q", ("a", "b"), scores=(2.5, 2.5))
    write_rows(tmp_path / "same", [same], FORMS["scored-pairs"], seed=3, note=notes.append)
    assert notes == ["All 2 rows have the label 2.5, so there is little to learn from them."]
    other = Example("test", "q", ("a", "b"), scores=(2.5, 1.0))
    write_rows(tmp_path / "other", [same, other], FORMS["scored-pairs"], seed=3, note=notes.append)
    write_rows(tmp_path / "lists", [judged(1, 1, 0)], LISTS, seed=3, note=notes.append)
    assert len(notes) == 1
