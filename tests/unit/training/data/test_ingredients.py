"""Ingredients become examples with their texts, and no protected query is among them."""

import shutil
from pathlib import Path

import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.errors import IndexingError, TrainingError
from indexing.judged.queries import normalize_query
from indexing.records import QueryId
from tests.conftest import PASSAGES, QUERIES, write_lines
from training.data.ingredients import IngredientReader
from training.data.open_indexes import OpenIndexes
from training.judgments.protection import Protection
from training.mining.groups import GroupSettings
from training.recipes.stages import Ingredient, Stage
from training.teachers.teacher import open_teacher

SETTINGS = GroupSettings(per_query=4)
NONE = Protection()


def gatherer(root: Path, protection: Protection = NONE) -> IngredientReader:
    return IngredientReader(OpenIndexes(root), protection=protection)


def test_distilled_examples_have_the_training_queries(built_root: Path) -> None:
    examples = gatherer(built_root).ingredient(Ingredient("small", "distill", 10), SETTINGS)
    assert {example.query for example in examples} == set(QUERIES["train"].values())


def test_an_example_holds_whole_passages_and_a_target_for_each(built_root: Path) -> None:
    for example in gatherer(built_root).ingredient(Ingredient("small", "distill", 10), SETTINGS):
        assert example.scores is not None
        assert len(example.passages) == len(example.scores) == 4
        assert set(example.passages) <= set(PASSAGES.values())


def test_the_best_judged_passage_has_the_highest_target(built_root: Path) -> None:
    settings = GroupSettings(per_query=8, relative_margin=None)
    for example in gatherer(built_root).ingredient(Ingredient("small", "judged", 10), settings):
        assert example.scores is not None
        best = max(zip(example.scores, example.passages, strict=True))[1]
        assert best == {"how do bees make honey": PASSAGES["a1"], "why does bread rise": PASSAGES["c1"]}[example.query]


HONEY = frozenset({normalize_query("How do bees make honey?")})
HONEY_ID = frozenset({QueryId("1")})


@pytest.mark.parametrize("by", ["text", "id", "id of its collection"])
def test_a_protected_query_is_in_no_example(built_root: Path, small_corpus: Path, by: str) -> None:
    protections = {
        "text": Protection(texts=HONEY),
        "id": Protection(ids=HONEY_ID),
        "id of its collection": Protection(own={small_corpus.resolve(): HONEY_ID}),
    }
    gather = gatherer(built_root, protections[by])
    for kind in ("distill", "judged"):
        examples = gather.ingredient(Ingredient("small", kind, 10), SETTINGS)
        assert {example.query for example in examples} == {"why does bread rise"}
    assert gather.dropped == 2  # once a kind


def test_an_id_of_another_collection_protects_nothing(built_root: Path, tmp_path: Path) -> None:
    gather = gatherer(built_root, Protection(own={tmp_path: HONEY_ID}))
    examples = gather.ingredient(Ingredient("small", "distill", 10), SETTINGS)
    assert {example.query for example in examples} == set(QUERIES["train"].values())
    assert gather.dropped == 0


def test_protected_ids_are_those_of_the_queries_collection(other: Path, built_root: Path, tmp_path: Path) -> None:
    shutil.copytree(built_root / "small", other / "small")
    ingredient = Ingredient("small", "distill", 10, queries="other")
    gather = gatherer(other, Protection(own={(tmp_path / "corpus").resolve(): HONEY_ID}))
    assert {example.query for example in gather.ingredient(ingredient, SETTINGS)} == {"why does bread rise"}


def test_an_ingredient_has_at_most_its_number_of_groups(built_root: Path) -> None:
    assert len(gatherer(built_root).ingredient(Ingredient("small", "distill", 3, repeats=2), SETTINGS)) == 3


def test_the_same_seed_yields_the_same_examples_in_the_same_order(built_root: Path) -> None:
    stage = Stage("both", (Ingredient("small", "distill", 9, repeats=4), Ingredient("small", "judged", 4)), 1e-4)
    first, second = (gatherer(built_root).stage(stage, SETTINGS) for _ in range(2))
    assert first == second
    assert first != gatherer(built_root).stage(stage, GroupSettings(per_query=4, seed=3))


def test_a_missing_index_is_named(built_root: Path) -> None:
    with pytest.raises(IndexingError, match="absent"):
        gatherer(built_root).ingredient(Ingredient("absent", "distill", 10), SETTINGS)


def test_an_ingredient_without_unprotected_queries_is_an_error(built_root: Path) -> None:
    with pytest.raises(TrainingError, match="no queries"):
        gatherer(built_root, Protection(texts=frozenset(QUERIES["train"].values()))).ingredient(
            Ingredient("small", "judged", 9), SETTINGS
        )


@pytest.fixture
def other(tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes that holds one of a corpus that a test may change: `tmp_path / corpus`."""
    shutil.copytree(small_corpus, tmp_path / "corpus")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(tmp_path / "corpus"), name="other", root=tmp_path / "root", settings=settings)
    return tmp_path / "root"


def test_a_judged_ingredient_without_judgments_is_an_error(other: Path, tmp_path: Path) -> None:
    (tmp_path / "corpus/qrels.train.tsv").unlink()
    with pytest.raises(TrainingError, match=r"qrels\.train\.tsv"):
        gatherer(other).ingredient(Ingredient("other", "judged", 10), SETTINGS)


def test_a_judged_passage_that_the_index_lacks_is_ignored(other: Path, tmp_path: Path) -> None:
    # such as a line that was left out when the index was built
    write_lines(tmp_path / "corpus/qrels.train.tsv", ["1 0 a1 3", "1 0 zz 2", "1 0 a4 0"])
    (example,) = gatherer(other).ingredient(Ingredient("other", "judged", 10), GroupSettings(per_query=20))
    assert PASSAGES["a1"] in example.passages


def test_an_ingredient_s_teacher_replaces_the_first_stage(built_root: Path, tiny_bi_encoder: Path) -> None:
    plain, taught = (
        gatherer(built_root).ingredient(Ingredient("small", "distill", 10, teacher=teacher), SETTINGS)
        for teacher in ("", "late-interaction")
    )
    assert [(example.query, example.passages) for example in plain] == [
        (example.query, example.passages) for example in taught
    ]
    expected = open_teacher("late-interaction", bi_encoder=str(tiny_bi_encoder)).scores(plain)
    for example, values in zip(taught, expected, strict=True):
        assert example.scores == pytest.approx(tuple(values), abs=0.1)
