"""Each recipe's data of the hub becomes examples, row by row, or a sentence says why not; no network is used here."""

import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from indexing.corpus.hub import fetch
from indexing.corpus.hub_layouts import BATCH
from indexing.errors import HubError, SettingsError, TrainingError
from indexing.index import Index
from indexing.records import QueryId
from tests.conftest import PASSAGES, write_lines
from tests.unit.indexing.corpus.hub_folders import MSMARCO, Records, repository
from training.data.readers.hub import HUB_DATA, PATIENCE, Place, hub_examples
from training.data.readers.hub_rows import LIST_LENGTH
from training.data.readers.query_store import STORE_SHARD
from training.example import NO_PASSAGE, NO_POSITIVE, NO_QUERY, Example

QUERIES: Records = [
    {"query_id": "1", "query": "how do bees  make honey"},
    {"query_id": "2", "query": "why does bread rise"},
]
HONEY, BREAD = "how do bees make honey", "why does bread rise"
TRIPLETS: Records = [{"query_id": "1", "positive_id": "a1", "negative_id": "b1"}]
ROWS: Mapping[str, Records] = {
    "bce-preprocessed": TRIPLETS,
    "lambda-preprocessed": [{"query_id": "1", "doc_ids": ["b1", "a1"], "labels": [0, 1]}],
    "adrmse": [{"query_id": "1", "doc_ids": ["a3", "a1", "b1"]}],
    "distill-mse": [{"query_id": "1", "passage_id": "a1", "score": 9.5}],
    "distill-margin-mse": [{"query_id": "1", "positive_id": "a1", "negative_id": "b1", "score": -1.25}],
}
"""Rows of each recipe that reads ids."""
OF_TEXTS = sorted(set(HUB_DATA) - set(ROWS))


def shown(query_id: int, query: str, passages: Mapping[str, int]) -> dict[str, Any]:
    """A row of Microsoft's set: texts, and whether each was selected."""
    return {
        "query_id": query_id,
        "query": query,
        "passages": {
            "passage_text": list(passages),
            "is_selected": list(passages.values()),
            "url": [""] * len(passages),
        },
        "answers": ["an answer"],
    }


BEES = shown(7, HONEY, {"Bees make honey.": 1, "A lighthouse.": 0})


def ids_folder(folder: Path, recipe: str, rows: Records, queries: Records = QUERIES) -> str:
    return repository(folder, {HUB_DATA[recipe].config: rows, "queries": queries})


def read(
    recipe: str, source: str | Path, tmp_path: Path, index: Index | None = None, **options: Any
) -> tuple[list[Example], Counter[str]]:
    """All examples, and how often each reason to skip was told."""
    reasons: Counter[str] = Counter()

    def on_skip(reason: str) -> None:
        reasons[reason] += 1

    examples = hub_examples(recipe, index=index, source=source, cache=tmp_path / "cache", on_skip=on_skip, **options)
    return list(examples), reasons


def test_every_recipe_has_its_set_and_configuration() -> None:
    assert {recipe: data.name for recipe, data in HUB_DATA.items()} == {
        **dict.fromkeys(
            ["bce", "cmnrl", "listnet", "lambda", "lambda-hard-neg", "listmle", "plistmle", "ranknet"],
            "microsoft/ms_marco v1.1",
        ),
        "bce-preprocessed": "sentence-transformers/msmarco triplets",
        "lambda-preprocessed": "sentence-transformers/msmarco labeled-list",
        "adrmse": "sentence-transformers/msmarco rankzephyr-colbert",
        "distill-mse": "sentence-transformers/msmarco bert-ensemble-mse",
        "distill-margin-mse": "sentence-transformers/msmarco bert-ensemble-margin-mse",
    }
    assert {data.split for data in HUB_DATA.values()} == {"train"}


@pytest.mark.parametrize("recipe", OF_TEXTS)
def test_a_row_of_texts_is_an_example_with_labels(tmp_path: Path, recipe: str) -> None:
    examples, reasons = read(recipe, repository(tmp_path / "hub", {"v1.1": [BEES]}), tmp_path)
    expected = Example(
        "microsoft/ms_marco v1.1",
        HONEY,
        ("Bees make honey.", "A lighthouse."),
        labels=(1.0, 0.0),
        query_id=QueryId("7"),
    )
    assert examples == [expected]
    assert not reasons
    assert not (tmp_path / "cache").exists()  # nothing is to be kept of texts


def test_the_version_is_the_configuration_of_microsofts_set(tmp_path: Path) -> None:
    folder = repository(tmp_path / "hub", {"v1.1": [BEES], "v2.1": [shown(8, BREAD, {"Yeast.": 1})]})
    examples, _ = read("bce", folder, tmp_path, version="v2.1")
    assert [(example.source, example.query) for example in examples] == [("microsoft/ms_marco v2.1", BREAD)]


def test_rows_without_a_selected_passage_or_a_query_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        shown(1, "nothing selected", {"One.": 0, "Two.": 0}),
        shown(2, "only an empty one selected", {"One.": 0, " ": 1}),
        shown(3, "no passage at all", {}),
        shown(4, " ", {"One.": 1}),
        shown(5, "an empty one  dropped", {"One\n two.": 1, "": 0, "Three.": 0}),
    ]
    rows[2]["passages"] = {"passage_text": [], "is_selected": [], "url": []}
    examples, reasons = read("listnet", repository(tmp_path / "hub", {"v1.1": rows}), tmp_path)
    assert [(example.query, example.passages, example.labels) for example in examples] == [
        ("an empty one dropped", ("One two.", "Three."), (1.0, 0.0))
    ]
    assert reasons == {NO_POSITIVE: 3, NO_QUERY: 1}


@pytest.mark.parametrize(
    ("recipe", "passages", "labels", "scores"),
    [
        ("bce-preprocessed", ("a1", "b1"), (1.0, 0.0), None),
        ("lambda-preprocessed", ("a1", "b1"), (1.0, 0.0), None),  # the relevant one first
        ("adrmse", ("a3", "a1", "b1"), None, (3.0, 2.0, 1.0)),  # 3 - 0, 3 - 1, 3 - 2
        ("distill-mse", ("a1",), None, (9.5,)),
        ("distill-margin-mse", ("a1", "b1"), None, (-1.25, 0.0)),  # -1.25 - 0 is the margin
    ],
)
def test_a_row_of_ids_is_an_example_with_the_texts_of_index_and_queries(
    tmp_path: Path,
    small_index: Index,
    recipe: str,
    passages: tuple[str, ...],
    labels: tuple[float, ...] | None,
    scores: tuple[float, ...] | None,
) -> None:
    examples, reasons = read(recipe, ids_folder(tmp_path / "hub", recipe, ROWS[recipe]), tmp_path, small_index)
    texts = tuple(PASSAGES[key] for key in passages)
    assert examples == [Example(HUB_DATA[recipe].name, HONEY, texts, labels, scores, query_id=QueryId("1"))]
    assert not reasons


@pytest.mark.parametrize(
    ("recipe", "rows", "expected", "reasons"),
    [
        (
            "bce-preprocessed",
            [
                {"query_id": "1", "positive_id": "a1", "negative_id": "x"},
                {"query_id": "1", "positive_id": "x", "negative_id": "y"},
                {"query_id": "9", "positive_id": "a1", "negative_id": "b1"},
                {"query_id": "2", "positive_id": "c1", "negative_id": "c5"},
            ],
            [(BREAD, ("c1", "c5"))],
            {NO_PASSAGE: 3, NO_QUERY: 1},
        ),
        (
            "lambda-preprocessed",
            [
                {"query_id": "1", "doc_ids": ["x", "b1", "a1"], "labels": [0, 0, 1]},
                {"query_id": "1", "doc_ids": ["x", "b1"], "labels": [1, 0]},
            ],
            [(HONEY, ("a1", "b1"))],
            {NO_PASSAGE: 2, NO_POSITIVE: 1},
        ),
        (
            "adrmse",
            [{"query_id": "1", "doc_ids": ["a1", "x", "a3"]}, {"query_id": "2", "doc_ids": ["x"]}],
            [(HONEY, ("a1", "a3"))],
            {NO_PASSAGE: 2},
        ),
        (
            "distill-mse",
            [{"query_id": "1", "passage_id": "x", "score": 1.0}, {"query_id": "1", "passage_id": "a1", "score": 2.0}],
            [(HONEY, ("a1",))],
            {NO_PASSAGE: 1},
        ),
        (
            "distill-margin-mse",
            [
                {"query_id": "1", "positive_id": "a1", "negative_id": "x", "score": 1.0},
                {"query_id": "2", "positive_id": "c1", "negative_id": "c5", "score": 2.0},
            ],
            [(BREAD, ("c1", "c5"))],
            {NO_PASSAGE: 1},
        ),
    ],
    ids=["triplets", "labelled lists", "ordered lists", "scored pairs", "scored triplets"],
)
def test_missing_ids_are_left_out_and_counted(
    tmp_path: Path, small_index: Index, recipe: str, rows: Records, expected: Any, reasons: dict[str, int]
) -> None:
    examples, counts = read(recipe, ids_folder(tmp_path / "hub", recipe, rows), tmp_path, small_index)
    texts = [(query, tuple(PASSAGES[key] for key in keys)) for query, keys in expected]
    assert [(example.query, example.passages) for example in examples] == texts
    assert counts == reasons


def test_an_ordered_list_without_some_passages_counts_down_over_the_rest(tmp_path: Path, small_index: Index) -> None:
    folder = ids_folder(tmp_path / "hub", "adrmse", [{"query_id": "1", "doc_ids": ["a1", "x", "a3"]}])
    examples, _ = read("adrmse", folder, tmp_path, small_index)
    assert [example.scores for example in examples] == [(2.0, 1.0)]


def test_labels_of_a_list_are_grades_the_highest_first(tmp_path: Path, small_index: Index) -> None:
    rows = [{"query_id": 1.0, "doc_ids": ["a1", "b1", "a3", "c1"], "labels": [1, 0, 3, 0.5]}]
    folder = ids_folder(tmp_path / "hub", "lambda-preprocessed", rows)
    (example,), _ = read("lambda-preprocessed", folder, tmp_path, small_index)
    assert example.passages == tuple(PASSAGES[key] for key in ("a3", "a1", "c1", "b1"))
    assert example.labels == (3.0, 1.0, 0.5, 0.0)
    assert example.query_id == "1"


def test_long_lists_are_cut_and_keep_a_relevant_passage_that_lies_deep(tmp_path: Path, small_index: Index) -> None:
    many = ["b1"] * (LIST_LENGTH + 5)
    rows = [{"query_id": "1", "doc_ids": [*many, "a1", "x"], "labels": [0] * len(many) + [1, 0]}]
    folder = ids_folder(tmp_path / "labelled", "lambda-preprocessed", rows)
    (example,), reasons = read("lambda-preprocessed", folder, tmp_path, small_index)
    assert example.passages == (PASSAGES["a1"], *[PASSAGES["b1"]] * (LIST_LENGTH - 1))
    assert example.labels == (1.0, *[0.0] * (LIST_LENGTH - 1))
    assert not reasons  # what lies behind the cut isn't looked up
    folder = ids_folder(tmp_path / "ordered", "adrmse", [{"query_id": "1", "doc_ids": [*many, "x"]}])
    (example,), reasons = read("adrmse", folder, tmp_path, small_index)
    assert example.scores == tuple(map(float, range(LIST_LENGTH, 0, -1)))
    assert not reasons


def test_a_list_of_relevant_passages_leaves_a_place_for_another(tmp_path: Path, small_index: Index) -> None:
    doc_ids, labels = ["a1"] * LIST_LENGTH + ["b1"], [1] * LIST_LENGTH + [0]
    rows = [{"query_id": "1", "doc_ids": doc_ids, "labels": labels}]
    folder = ids_folder(tmp_path / "hub", "lambda-preprocessed", rows)
    (example,), _ = read("lambda-preprocessed", folder, tmp_path, small_index)
    assert example.labels == (1.0,) * (LIST_LENGTH - 1) + (0.0,)


def test_ids_may_be_numbers(tmp_path: Path, small_index: Index) -> None:
    rows = [{"query_id": 1, "positive_id": "a1", "negative_id": "b1"}]
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", rows, [{"query_id": 1, "query": HONEY}])
    (example,), _ = read("bce-preprocessed", folder, tmp_path, small_index)
    assert (example.query, example.query_id) == (HONEY, "1")


@pytest.mark.parametrize("recipe", ROWS)
def test_a_set_of_ids_needs_an_index(tmp_path: Path, recipe: str) -> None:
    with pytest.raises(TrainingError, match="python -m indexing build --corpus msmarco --index msmarco") as caught:
        hub_examples(recipe, index=None, source=ids_folder(tmp_path / "hub", recipe, ROWS[recipe]))
    assert str(caught.value) == (
        f"Recipe {recipe} trains on {HUB_DATA[recipe].name}, which names passages by id, so it needs an index of MS "
        "MARCO to read them from; build one: python -m indexing build --corpus msmarco --index msmarco"
    )


@pytest.mark.parametrize("rows", [3, PATIENCE + 1])
def test_an_index_of_another_collection_is_refused(tmp_path: Path, small_index: Index, rows: int) -> None:
    missing = [{"query_id": "1", "positive_id": f"x{number}", "negative_id": "b1"} for number in range(rows)]
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", missing)
    reasons: list[str] = []
    examples = hub_examples(
        "bce-preprocessed", index=small_index, source=folder, cache=tmp_path / "cache", on_skip=reasons.append
    )
    with pytest.raises(TrainingError, match="python -m indexing build --corpus msmarco --index msmarco") as caught:
        next(examples)
    read_before = min(rows, PATIENCE)
    assert str(caught.value) == (
        f"None of the first {read_before:,} rows of sentence-transformers/msmarco triplets has its passages in index "
        f"{small_index.folder}; give an index of MS MARCO with the original ids, made by: "
        "python -m indexing build --corpus msmarco --index msmarco"
    )
    assert len(reasons) == read_before


def test_missing_rows_after_a_complete_one_are_only_counted(tmp_path: Path, small_index: Index) -> None:
    missing = [{"query_id": "1", "positive_id": "x", "negative_id": "b1"}] * PATIENCE
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", [*TRIPLETS, *missing])
    examples, reasons = read("bce-preprocessed", folder, tmp_path, small_index)
    assert len(examples) == 1
    assert reasons == {NO_PASSAGE: PATIENCE}


def test_queries_of_another_collection_are_refused(tmp_path: Path, small_index: Index) -> None:
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", TRIPLETS, [{"query_id": "9", "query": "another"}])
    with pytest.raises(
        TrainingError,
        match=r"None of the first 1 rows .* has its query in sentence-transformers/msmarco queries; give a folder "
        r"whose tables match\.$",
    ):
        read("bce-preprocessed", folder, tmp_path, small_index)


def test_queries_are_stored_once_and_again_when_their_files_change(tmp_path: Path, small_index: Index) -> None:
    folder = tmp_path / "hub"
    source = ids_folder(folder, "bce-preprocessed", TRIPLETS)
    for _ in range(2):
        read("bce-preprocessed", source, tmp_path, small_index)
    (store,) = (tmp_path / "cache").glob("*/queries-store")
    written_at = [path.stat().st_mtime_ns for path in sorted(store.rglob("*.arrow"))]
    assert len(written_at) == 1
    pq.write_table(
        pa.table({"query_id": ["1"], "query": ["another query"]}), folder / "queries/train-00000-of-00001.parquet"
    )
    (example,), _ = read("bce-preprocessed", source, tmp_path, small_index)
    assert example.query == "another query"
    assert len(list((tmp_path / "cache").glob("*/queries-store"))) == 2
    assert [path.stat().st_mtime_ns for path in sorted(store.rglob("*.arrow"))] == written_at


@pytest.mark.parametrize("local", [True, False])
def test_the_store_of_queries_is_not_taken_for_a_fetched_corpus(tmp_path: Path, local: bool) -> None:
    corpora, folder = tmp_path / "corpora", repository(tmp_path / "hub", MSMARCO)
    Place("sentence-transformers/msmarco", Path(folder) if local else None).store(corpora).mkdir(parents=True)
    for name in ("sentence-transformers/msmarco", "msmarco"):
        assert (fetch(name, root=corpora, repository=folder) / "collection.tsv").is_file()


def test_a_store_may_have_several_files_of_queries(tmp_path: Path, small_index: Index) -> None:
    last = STORE_SHARD + 1
    queries = [{"query_id": str(number), "query": f"query {number}"} for number in range(last + 1)]
    rows = [{"query_id": str(number), "passage_id": "a1", "score": 1.0} for number in (0, STORE_SHARD, last)]
    folder = ids_folder(tmp_path / "hub", "distill-mse", rows, queries)
    examples, _ = read("distill-mse", folder, tmp_path, small_index)
    assert [example.query for example in examples] == ["query 0", f"query {STORE_SHARD}", f"query {last}"]


def test_a_broken_store_of_queries_is_named(tmp_path: Path, small_index: Index) -> None:
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", TRIPLETS)
    read("bce-preprocessed", folder, tmp_path, small_index)
    (file,) = (tmp_path / "cache").glob("*/queries-store/passages/*.arrow")
    file.write_bytes(b"not Arrow")
    with pytest.raises(TrainingError, match=r"; delete that folder, and it is made again\.$") as caught:
        read("bce-preprocessed", folder, tmp_path, small_index)
    assert str(file.parent.parent) in str(caught.value)


@pytest.mark.parametrize(
    ("queries", "fault"),
    [
        ([{"query_id": "1", "text": "another column"}], "sentence-transformers/msmarco queries .*no field 'query'"),
        ([{"query_id": None, "query": "text"}, {"query_id": "1", "query": "text"}], "queries .*an id is empty"),
    ],
)
def test_queries_of_another_form_leave_nothing(
    tmp_path: Path, small_index: Index, queries: Records, fault: str
) -> None:
    folder = ids_folder(tmp_path / "hub", "bce-preprocessed", TRIPLETS, queries)
    with pytest.raises(HubError, match=fault) as caught:
        read("bce-preprocessed", folder, tmp_path, small_index)
    assert "\n" not in str(caught.value)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.name != path.parent.name and path.is_file()] == []
    assert list((tmp_path / "cache").glob("*/*")) == []


@pytest.mark.parametrize(
    ("recipe", "column"),
    [(recipe, column) for recipe in ROWS for column in ROWS[recipe][0]]
    + [("bce", column) for column in ("query_id", "query", "passages")],
)
def test_a_column_that_is_missing_is_named_with_its_set(
    tmp_path: Path, small_index: Index, recipe: str, column: str
) -> None:
    row = ROWS.get(recipe, [BEES])[0]
    folder = ids_folder(tmp_path / "hub", recipe, [{key: value for key, value in row.items() if key != column}])
    with pytest.raises(HubError, match=f"{HUB_DATA[recipe].name} .*no field '{column}'") as caught:
        read(recipe, folder, tmp_path, small_index)
    assert "\n" not in str(caught.value)
    assert folder in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "row", "fault"),
    [
        ("bce", BEES | {"passages": [{"passage_text": "x", "is_selected": 1}]}, "its passages have no field"),
        ("bce", BEES | {"passages": {"passage_text": ["x"]}}, "its passages have no field 'is_selected'"),
        (
            "bce",
            BEES | {"passages": {"passage_text": ["x", "y"], "is_selected": [1]}},
            "it has 2 passages but 1 labels",
        ),
        (
            "lambda-preprocessed",
            {"query_id": "1", "doc_ids": ["a1", "b1"], "labels": [1]},
            "it has 2 passages but 1 labels",
        ),
        ("distill-mse", {"query_id": "1", "passage_id": "a1", "score": float("nan")}, "its score is nan"),
        ("distill-margin-mse", {"query_id": "1", "positive_id": "a1", "negative_id": "b1", "score": "high"}, "'high'"),
        ("bce-preprocessed", {"query_id": "1", "positive_id": "a1", "negative_id": " "}, "an id is empty"),
        ("bce", BEES | {"passages": {"passage_text": ["x"], "is_selected": [2]}}, "is_selected is '2', not 0 or 1"),
        ("distill-mse", {"query_id": "1", "passage_id": "a1", "score": "0.5"}, "its score is '0.5', not a number"),
        (
            "lambda-preprocessed",
            {"query_id": "1", "doc_ids": ["a1", "b1"], "labels": [1.0, float("nan")]},
            "its score is nan",
        ),
        ("lambda-preprocessed", {"query_id": "1", "doc_ids": ["a1", "b1"], "labels": [1, -1]}, "a label is -1, not 0"),
        ("adrmse", {"query_id": "1", "doc_ids": "a1"}, "'doc_ids' is text where a list is expected"),
        ("bce-preprocessed", TRIPLETS[0] | {"negative_id": ["b1", "c1"]}, "'id' is a list where a text is expected"),  # type: ignore[operator]  # a dict
        (
            "bce",
            BEES | {"passages": {"passage_text": [["x"], ["y"]], "is_selected": [1, 0]}},
            "'passage_text' is a list where a text is expected",
        ),
        ("bce", BEES | {"query": ["x", "y"]}, "'query' is a list where a text is expected"),
        ("distill-mse", {"query_id": 2.0**60, "passage_id": "a1", "score": 1.0}, "too large a floating-point number"),
    ],
)
def test_a_row_of_another_form_is_named_by_its_number(
    tmp_path: Path, small_index: Index, recipe: str, row: dict[str, Any], fault: str
) -> None:
    folder = ids_folder(tmp_path / "hub", recipe, [row])
    with pytest.raises(HubError, match=f"Row 1 of {HUB_DATA[recipe].name} .*{fault}") as caught:
        read(recipe, folder, tmp_path, small_index)
    assert "\n" not in str(caught.value)


def test_rows_are_read_lazily(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    folder = repository(hub, {"v1.1": [BEES] * BATCH})
    (hub / "v1.1/train-00000-of-00001.parquet").rename(hub / "v1.1/train-00000-of-00002.parquet")
    (hub / "v1.1/train-00001-of-00002.parquet").write_bytes(b"no Parquet file, and never reached")
    taken = list(islice(hub_examples("bce", index=None, source=folder), BATCH))
    assert [example.query for example in taken] == [HONEY] * BATCH
    with pytest.raises(HubError, match=r"microsoft/ms_marco v1\.1 couldn't be read"):
        list(hub_examples("bce", index=None, source=folder))


def test_a_folder_for_each_configuration_needs_no_readme(tmp_path: Path, small_index: Index) -> None:
    hub = tmp_path / "hub"
    write_lines(hub / "triplets/part.jsonl", [json.dumps(row) for row in TRIPLETS])
    write_lines(hub / "queries/part.jsonl", [json.dumps(row) for row in QUERIES])
    (example,), _ = read("bce-preprocessed", hub, tmp_path, small_index)
    assert (example.query, example.labels) == (HONEY, (1.0, 0.0))


def test_a_folder_of_one_table_is_read_as_it_is(tmp_path: Path) -> None:
    write_lines(tmp_path / "hub/train.jsonl", [json.dumps(BEES)])
    (example,), _ = read("bce", tmp_path / "hub", tmp_path)
    assert example.query == HONEY


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_data_is_refused(tmp_path: Path, exists: bool) -> None:
    if exists:
        (tmp_path / "hub").mkdir()
    with pytest.raises(HubError, match="microsoft/ms_marco") as caught:
        read("bce", tmp_path / "hub", tmp_path)
    assert str(tmp_path / "hub") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_that_the_folder_lacks_is_named(tmp_path: Path) -> None:
    folder = repository(tmp_path / "hub", {"v1.1": [BEES], "other": [BEES]})
    with pytest.raises(HubError, match=r"microsoft/ms_marco v2\.1 couldn't be read from .*v2\.1"):
        read("bce", folder, tmp_path, version="v2.1")


@pytest.mark.parametrize(("recipe", "version"), [("bce", "v3"), ("triplets", "v1.1")])
def test_unknown_recipes_and_versions_are_refused_at_once(recipe: str, version: str) -> None:
    with pytest.raises(SettingsError, match=version if recipe == "bce" else recipe):
        hub_examples(recipe, index=None, version=version)


@pytest.mark.parametrize("recipe", ["bce", "adrmse"])
def test_offline_mode_makes_no_request_and_names_the_set(tmp_path: Path, small_index: Index, recipe: str) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    start = time.monotonic()
    name = HUB_DATA[recipe].repository
    with pytest.raises(HubError, match=f"{name} .*Check the network, or download it elsewhere") as caught:
        list(hub_examples(recipe, index=small_index, cache=tmp_path / "cache"))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 15


def test_an_unreachable_hub_is_reported_at_once(monkeypatch: pytest.MonkeyPatch, small_index: Index) -> None:
    # nothing listens at port 9 of this machine
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        HubError, match=r"isn't reached at http://127\.0\.0\.1:9 .* name an index: --data index:sample\.$"
    ):
        hub_examples("adrmse", index=small_index)
