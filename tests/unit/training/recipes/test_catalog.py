"""A recipe says by its attributes what it needs, and nobody outside of the recipes goes by its name."""

import re

import pytest

from indexing.errors import SettingsError
from tests.conftest import REPOSITORY
from training.recipes.catalog import LOSS_RECIPES, find_loss_recipe, find_recipe, recipe_names, staged_recipe
from training.recipes.losses import COUNTERS, LOSSES
from training.recipes.plan_files import SHIPPED_PLANS
from training.recipes.stages import Ingredient, Stage, StagePlan

NAMES = "|".join(map(re.escape, (*LOSS_RECIPES, *SHIPPED_PLANS)))
CONSTANTS = r"COLD_START|LAMBDA_HARD_NEG|HARD"
BY_NAME = re.compile(
    rf"(?:==|!=|\bin) *\(?(?:[\"'](?:{NAMES})[\"']|(?:{CONSTANTS})\b|(?:LOSS_)?RECIPES\b)"
    rf"|(?:[\"'](?:{NAMES})[\"']|\b(?:{CONSTANTS})\b) *(?:==|!=)"
)


def test_no_line_outside_of_the_recipes_goes_by_a_recipe_s_name() -> None:
    files = [*(REPOSITORY / "training").rglob("*.py"), *(REPOSITORY / "app").rglob("*.py")]
    outside = [path for path in files if path.parent != REPOSITORY / "training/recipes"]
    assert len(outside) > 100
    lines = [(path.name, line) for path in outside for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(name, line) for name, line in lines if BY_NAME.search(line) and " for " not in line] == []


@pytest.mark.parametrize(
    "line",
    ['if recipe == "cold-start":', "x = recipe in (HARD, other)", "if name in LOSS_RECIPES", "COLD_START != name"],
)
def test_the_search_for_such_lines_finds_them(line: str) -> None:
    assert BY_NAME.search(line)


@pytest.mark.parametrize("name", LOSS_RECIPES)
def test_a_recipe_is_documented_and_its_parts_are_there(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe is LOSS_RECIPES[name]
    assert recipe.name == name
    assert recipe.loss in LOSSES
    assert recipe.mean_over in COUNTERS
    assert recipe.form.columns
    assert recipe.good_for.endswith(".")
    assert "https://" in recipe.paper
    assert set(recipe.related) <= LOSS_RECIPES.keys() - {name}


def test_what_recipes_need_is_said_by_their_attributes() -> None:
    def names(attribute: str) -> set[str]:
        return {name for name, recipe in LOSS_RECIPES.items() if getattr(recipe, attribute)}

    assert names("needs_index") == {"cold-start", "lambda-hard-neg"}
    assert names("mining") == {"lambda-hard-neg"}
    assert names("own_examples") == {"cold-start", "lambda-hard-neg"}
    assert names("from_passages") == names("own_teacher") == names("teaches_itself") == {"cold-start"}
    assert {name: recipe.passes for name, recipe in LOSS_RECIPES.items() if recipe.passes > 1} == {"cold-start": 2}
    assert names("needs_scores") == {"cold-start", "adrmse", "distill-mse", "distill-margin-mse", "distill-list"}
    assert not names("plan")


def test_an_unknown_recipe_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(SettingsError, match=r"Recipe 'best' is unknown; choose one of bce, .*, two-hour-reranker\."):
        find_recipe("best")
    with pytest.raises(SettingsError, match=r"Recipe 'two-hour-reranker' is unknown; .*, distill-margin-mse\."):
        find_loss_recipe("two-hour-reranker")
    assert recipe_names() == (
        *LOSS_RECIPES,
        "closing-reranker",
        "judges-reranker",
        "third-reranker",
        "two-hour-reranker",
    )


def test_a_recipe_of_stages_has_its_plan_s_data_and_numbers() -> None:
    stages = (
        Stage("one", (Ingredient("a", "judged", 3, queries="b"),), learning_rate=1e-4),
        Stage("two", (Ingredient("c", "run", 3),), learning_rate=2e-5),
    )
    recipe = staged_recipe("mine", StagePlan(stages, groups_per_step=8))
    assert recipe.plan is not None
    assert recipe.plan.indexes() == {"a", "b", "c"}
    assert (recipe.name, recipe.batch, recipe.learning_rate, recipe.form_name) == ("mine", 8, 1e-4, "scored-lists")
    assert recipe.own_teacher
    assert (recipe.passes, recipe.needs_index) == (1, False)
