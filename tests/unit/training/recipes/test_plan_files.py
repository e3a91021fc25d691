"""Plans of stages are read from files as they were written, or refused with file, line and reason."""

import hashlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import SettingsError
from tests.conftest import REPOSITORY
from training.mining.groups import GroupSettings
from training.recipes.plan_files import SHIPPED_PLANS, line_of, read_plan
from training.recipes.stages import Ingredient, Stage, StagePlan

DIGESTS = {
    "third-reranker": "1a9fddbd72f1dddc",
    "judges-reranker": "4b7a04a0d46268ce",
    "closing-reranker": "b49624c1ec455683",
    "two-hour-reranker": "86447bcd984edade",
}
"""Of what decided the shipped trainings while they were written in Python, but for `data/models/` before a base."""
PLAN = """{
  "base": "mine/1",
  "seed": 5,
  "mining": {"relative_margin": null},
  "stages": [
    {
      "name": "one",
      "learning_rate": 1e-4,
      "ingredients": [
        {"index": "a", "kind": "judged", "groups": 10},
        {"index": "b", "kind": "distill", "groups": 20, "ranks": [2, 60], "teacher": "given+late-interaction"}
      ]
    }
  ]
}
"""


def put(folder: Path, text: str) -> Path:
    path = folder / "mine.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_plans_decide_what_they_did_before_they_were_files() -> None:
    found = {}
    for name, path in SHIPPED_PLANS.items():
        values = asdict(read_plan(path))
        assert values.pop("learns_from")
        found[name] = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
    assert found == DIGESTS


def test_a_plan_is_what_its_file_says(tmp_path: Path) -> None:
    ingredients = (
        Ingredient("a", "judged", 10),
        Ingredient("b", "distill", 20, ranks=(2, 60), teacher="given+late-interaction"),
    )
    mining = GroupSettings(relative_margin=None)
    expected = StagePlan((Stage("one", ingredients, 1e-4),), base="mine/1", mining=mining, seed=5)
    assert read_plan(put(tmp_path, PLAN)) == expected


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"seed": 5', '"seeds": 5', "line 3: has the unknown field 'seeds'; its fields are stages, base, "),
        ('"seed": 5', '"seed": "5"', "line 3: seed is '5', a whole number is wanted; mend it."),
        ('"seed": 5', '"seed": -5', "line 3: seed is -5; give 0 or more."),
        ('"seed": 5', '"max_length": 9', "line 3: max_length is 9; give 16 to 8,192 tokens."),
        ('"seed": 5,', '"seed": 5', "line 4: no valid JSON here (Expecting ',' delimiter); mend it."),
        ("null", '"much"', "line 4: mining relative_margin is 'much', a number is wanted; mend it."),
        ("1e-4", "0", "line 8: learning_rate is 0; give a number above 0."),
        ('"learning_rate": 1e-4,', "", "line 6: lacks 'learning_rate'; add it."),
        ("10}", "10.5}", "line 10: groups is 10.5, a whole number is wanted; mend it."),
        ("10}", "0}", "line 10: groups is 0; give 1 or more."),
        ("judged", "graded", "line 10: ingredient kind 'graded' is unknown; choose one of distill, run, judged, quest"),
        ("[2, 60]", "[60, 2]", "line 11: ranks is 60 to 2; give a first rank from 1, then a last."),
        ("late-interaction", "later", "line 11: teacher 'given+later' is unknown; give given, "),
        ("given+late", "itself+late", "line 6: Stage 'one' is the first and has no re-ranker before it to learn from"),
        ('{"index": "a", "kind": "judged", "groups": 10}', "7", "line 10: is 7, an object is wanted; mend it."),
    ],
)
def test_what_a_plan_can_t_be_is_told_with_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in PLAN
    path = put(tmp_path, PLAN.replace(before, after, 1))
    with pytest.raises(SettingsError) as refused:
        read_plan(path)
    assert str(refused.value).startswith(f"{path}, {said}")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "line 1: is [], an object is wanted; mend it."),
        ({"seed": 1}, "line 1: stages must be a list with at least one entry."),
        ({"stages": []}, "line 1: stages must be a list with at least one entry."),
        (
            {"stages": [{"name": "one", "learning_rate": 1, "ingredients": 3}]},
            "line 1: ingredients must be a list with at least one entry.",
        ),
    ],
)
def test_a_plan_has_stages_and_they_have_ingredients(tmp_path: Path, values: Any, said: str) -> None:
    path = put(tmp_path, json.dumps(values))
    with pytest.raises(SettingsError) as refused:
        read_plan(path)
    assert str(refused.value) == f"{path}, {said}"


def test_a_file_that_can_t_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.json can't be read \(No such file or directory\)"):
        read_plan(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b'{"base": "\xe9"}')
    with pytest.raises(SettingsError, match=r"latin\.json is no text in UTF-8"):
        read_plan(tmp_path / "latin.json")


def test_the_line_of_a_value_is_counted_from_one() -> None:
    text = '\n{"a": [1,\n {"b": "]}",\n  "c": 2}],\n "d"\n: 3}'
    places: list[tuple[tuple[str | int, ...], int]] = [
        ((), 2),
        (("a", 0), 2),
        (("a", 1), 3),
        (("a", 1, "c"), 4),
        (("d",), 5),
    ]
    assert [line_of(text, steps) for steps, _ in places] == [line for _, line in places]


def test_recipes_are_known_without_any_heavy_library() -> None:
    script = (
        "import sys; from training.recipes.catalog import find_recipe; find_recipe('third-reranker');"
        "print({'torch', 'transformers', 'sentence_transformers', 'sklearn', 'datasets', 'faiss'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
