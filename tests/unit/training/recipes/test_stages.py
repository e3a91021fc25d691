"""What `make reranker` trains and averages is what ships, and each step comes after those that it builds on."""

import json
import re
import subprocess

from indexing.names import DEFAULT_BI_ENCODER
from tests.conftest import REPOSITORY
from training.recipes.catalog import find_recipe
from training.recipes.stages import StagePlan

TRAINED = re.compile(r"-m training train --recipe (\S+) --output data/models/(\S+)")
BASE = re.compile(r"--base (\S+)")
AVERAGED = re.compile(r"-m training average ([^-]\S*(?: [^-]\S*)+) --output \"?data/models/([a-z-]+/\d+)")


def wanted(recipe: StagePlan) -> set[str]:
    """Versions that must be there before the recipe can be trained."""
    teachers = {
        one.removeprefix("reranker:")
        for stage in recipe.stages
        for item in stage.ingredients
        for one in item.teacher.split("+")
        if one.startswith("reranker:")
    }
    return teachers | ({recipe.base} - {DEFAULT_BI_ENCODER})


def test_the_shipped_reranker_is_what_make_makes_of_recipes_that_are_there() -> None:
    line = ["make", "--dry-run", "reranker", "JUDGED=judged"]
    lines = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    made: set[str] = set()
    averaged: list[str] = []
    for step in lines:
        for recipe, output in TRAINED.findall(step):
            plan = find_recipe(recipe).plan
            assert (wanted(plan) if plan is not None else set(BASE.findall(step))) <= made
            made.add(output)
        for versions, output in AVERAGED.findall(step):
            averaged = versions.split()
            assert set(averaged) <= made
            made.add(output)
    shipped = json.loads((REPOSITORY / "data/reranker/manifest.json").read_text(encoding="utf-8"))
    assert averaged == shipped["settings"]["averaged"]
    assert made >= {name for lineage in shipped["averaged_lineages"] for name in lineage[1:]}
