"""Each form has the columns that its losses take, in their order, and is read back as it was written."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.errors import SettingsError, TrainingError
from indexing.records import Candidate, PassageId, QueryId
from training.mining.files import MANIFEST, list_ids, manifest, read_negatives, write_negatives
from training.mining.negatives import MinedQuery, Positive
from training.mining.settings import NEGATIVE_FORMS, NegativesLayout

QUERIES = {QueryId("1"): "what do bees make", QueryId("2"): "café\u2028\n“naïve”"}


def positive(name: str, grade: int, score: float) -> Positive:
    return Positive(PassageId(name), grade, 1, score)


def negative(name: str, rank: int, score: float) -> Candidate:
    return Candidate(rank, PassageId(name), score)


FULL = MinedQuery(
    QueryId("1"),
    (positive("a", 3, 9.0), positive("b", 1, 8.0)),
    (negative("c", 2, 7.0), negative("d", 5, 6.5)),
    {},
)
SHORT = MinedQuery(QueryId("2"), (positive("a", 1, 9.0),), (negative("c", 2, 7.0),), {})
NO_NEGATIVE = MinedQuery(QueryId("1"), (positive("a", 1, 9.0),), (), {})
NO_POSITIVE = MinedQuery(QueryId("1"), (), (), {})
ALL = NegativesLayout(scores=True)


def write(folder: Path, mined: Sequence[MinedQuery], layout: NegativesLayout = ALL) -> dict[str, int]:
    """Write with two negatives wanted, and the manifest that a mining leaves."""
    rows = write_negatives(folder, mined, layout, query_texts=QUERIES, text=lambda name: f"text {name}", per_query=2)
    files = {path.name: atomic.file_row(path) for path in folder.glob("*.jsonl")}
    manifest_values = {
        "forms": layout.forms,
        "scores": layout.scores,
        "rows": rows,
        "files": files,
        "settings": {"per_query": 2},
        "source": "rrf",
        "reranker": None,
    }
    atomic.write_json(folder / MANIFEST, manifest_values)
    return rows


def lines(folder: Path, form: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{form}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


def test_triplets_pair_every_positive_with_every_negative(tmp_path: Path) -> None:
    assert write(tmp_path, [FULL])["triplets"] == 2 * 2
    rows = lines(tmp_path, "triplets")
    assert [(row["positive"], row["negative"], row["scores"]) for row in rows] == [
        ("text a", "text c", [9.0, 7.0]),
        ("text a", "text d", [9.0, 6.5]),
        ("text b", "text c", [8.0, 7.0]),
        ("text b", "text d", [8.0, 6.5]),
    ]
    assert {row["query"] for row in rows} == {"what do bees make"}


def test_n_tuples_give_every_positive_all_negatives(tmp_path: Path) -> None:
    write(tmp_path, [FULL])
    names = ("query", "positive", "negative_1", "negative_2", "scores")
    values = ["what do bees make", "text b", "text c", "text d", [8.0, 7.0, 6.5]]
    assert lines(tmp_path, "n-tuples")[1] == dict(zip(names, values, strict=True))


def test_n_tuples_leave_out_a_query_with_too_few_negatives(tmp_path: Path) -> None:
    assert write(tmp_path, [FULL, SHORT])["n-tuples"] == 2


def test_labeled_pairs_are_1_and_0(tmp_path: Path) -> None:
    write(tmp_path, [FULL])
    assert [(row["passage"], row["label"], row["scores"]) for row in lines(tmp_path, "labeled-pairs")] == [
        ("text a", 1, [9.0]),
        ("text b", 1, [8.0]),
        ("text c", 0, [7.0]),
        ("text d", 0, [6.5]),
    ]


def test_labeled_lists_have_grades_and_0(tmp_path: Path) -> None:
    write(tmp_path, [FULL])
    (row,) = lines(tmp_path, "labeled-lists")
    assert row["passages"] == ["text a", "text b", "text c", "text d"]
    assert row["labels"] == [3, 1, 0, 0]
    assert row["scores"] == [9.0, 8.0, 7.0, 6.5]


def test_each_list_has_its_query_s_id(tmp_path: Path) -> None:
    write(tmp_path, [NO_NEGATIVE, FULL, NO_POSITIVE, SHORT], NegativesLayout(("labeled-lists",)))
    assert [row["query"] for row in lines(tmp_path, "labeled-lists")] == [QUERIES[key] for key in list_ids(tmp_path)]
    assert list(list_ids(tmp_path)) == [FULL.query_id, SHORT.query_id]


def test_ids_that_have_changed_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [FULL], NegativesLayout(("labeled-lists",)))
    (tmp_path / "mined.jsonl").write_text("{}\n")
    with pytest.raises(TrainingError, match=r"is broken: .*mined\.jsonl.*; mine it again\.$"):
        list(list_ids(tmp_path))


def test_the_record_keeps_ids_ranks_and_scores_of_every_query(tmp_path: Path) -> None:
    assert write(tmp_path, [FULL, NO_NEGATIVE, NO_POSITIVE])["mined"] == 3
    record = lines(tmp_path, "mined")[0]
    assert record["query_id"] == "1"
    assert record["positives"][1] == {"id": "b", "grade": 1, "rank": 1, "score": 8.0}
    assert record["negatives"][1] == {"id": "d", "rank": 5, "score": 6.5}


@pytest.mark.parametrize("form", NEGATIVE_FORMS)
def test_a_query_without_a_pair_makes_no_row(tmp_path: Path, form: str) -> None:
    assert write(tmp_path, [NO_NEGATIVE, NO_POSITIVE])[form] == 0


COLUMNS = {
    "triplets": ["query", "positive", "negative"],
    "n-tuples": ["query", "positive", "negative_1", "negative_2"],
    "labeled-pairs": ["query", "passage", "label"],
    "labeled-lists": ["query", "passages", "labels"],
}


@pytest.mark.parametrize("form", NEGATIVE_FORMS)
def test_rows_are_read_back_with_the_columns_of_the_losses(tmp_path: Path, form: str) -> None:
    write(tmp_path, [FULL, SHORT])
    rows = read_negatives(tmp_path, form)
    assert rows.column_names == COLUMNS[form]
    assert rows.to_list() == [{name: row[name] for name in COLUMNS[form]} for row in lines(tmp_path, form)]


@pytest.mark.parametrize("form", NEGATIVE_FORMS)
def test_scores_are_read_back_on_request(tmp_path: Path, form: str) -> None:
    write(tmp_path, [FULL])
    rows = read_negatives(tmp_path, form, scores=True)
    assert rows.column_names == [*COLUMNS[form], "scores"]
    assert rows["scores"][0][0] == 9.0


def test_scores_are_written_only_on_request(tmp_path: Path) -> None:
    write(tmp_path, [FULL], NegativesLayout())
    assert all("scores" not in row for form in NEGATIVE_FORMS for row in lines(tmp_path, form))
    assert read_negatives(tmp_path, "triplets").column_names == COLUMNS["triplets"]
    with pytest.raises(TrainingError, match="--scores"):
        read_negatives(tmp_path, "triplets", scores=True)


def test_any_text_makes_one_line(tmp_path: Path) -> None:
    write(tmp_path, [SHORT])
    assert read_negatives(tmp_path, "labeled-lists")["query"][0] == QUERIES[QueryId("2")]


def test_only_the_requested_forms_are_written(tmp_path: Path) -> None:
    write(tmp_path, [FULL], NegativesLayout(("triplets",)))
    assert {path.name for path in tmp_path.glob("*.jsonl")} == {"triplets.jsonl", "mined.jsonl"}
    with pytest.raises(TrainingError, match="not labeled-lists"):
        read_negatives(tmp_path, "labeled-lists")


def test_a_folder_without_mined_negatives_is_refused(tmp_path: Path) -> None:
    message = (
        f"{tmp_path} holds no mined negatives (manifest.json is missing or broken); make them: "
        f"python -m training mine --output {tmp_path}"
    )
    with pytest.raises(TrainingError) as refused:
        manifest(tmp_path)
    assert str(refused.value) == message
    whole = {"files": {"mined.jsonl": {"bytes": 0, "sha256": ""}}, "forms": [], "rows": {}, "scores": True}
    damaged = [whole, {**whole, "settings": []}, {**whole, "settings": {"per_query": "5"}}]
    damaged += [{**whole, "settings": {"per_query": 5}, "forms": ["triplets"]}, {**whole, "forms": 3}]
    for text in ("{", "[]", '{"forms": []}', "[" * 100_000, *map(json.dumps, damaged)):
        (tmp_path / MANIFEST).write_text(text)
        with pytest.raises(TrainingError) as refused:
            read_negatives(tmp_path, "triplets")
        assert str(refused.value) == message


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [FULL])
    path = tmp_path / "triplets.jsonl"
    path.write_text(path.read_text().replace("bees", "wasp"))
    with pytest.raises(TrainingError, match=r"is broken: .*triplets\.jsonl.*; mine it again\.$"):
        read_negatives(tmp_path, "triplets")


def test_an_empty_form_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, [SHORT])
    with pytest.raises(TrainingError) as refused:
        read_negatives(tmp_path, "n-tuples")
    assert str(refused.value) == (
        f"{tmp_path / 'n-tuples.jsonl'} is empty; mine again with more ranks or fewer negatives per query."
    )


@pytest.mark.parametrize("forms", [(), ("pairs",), ("triplets", "triplets")])
def test_unknown_forms_are_refused(forms: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="labeled-lists"):
        NegativesLayout(forms)
