"""The recipes of stages that come with the project."""

from collections.abc import Mapping

from training.mining.groups import GroupSettings
from training.recipes.stages import ITSELF, Ingredient, Recipe, Stage

MSMARCO = "msmarco-mini"
FIRST_STAGE_OPINIONS = "given+late-interaction"
THIRD_RERANKER = Recipe(
    stages=(
        Stage(
            "learn from the dense stage, late interaction and judgments",
            (
                Ingredient("squad", "distill", 1500, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "distill", 2600, queries="qa-sentences", teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "distill", 1704, repeats=3, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("trec-dl-2022", "distill", 760, repeats=10, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("trec-dl-2021", "distill", 424, repeats=8, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("sample", "distill", 450, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "questions", 1000, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "judged", 1704, repeats=3, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 636, repeats=12),
                Ingredient("trec-dl-2022", "run", 456, repeats=6),
                Ingredient("qa-sentences", "judged", 900),
                Ingredient("squad", "judged", 800, ranks=(2, 40)),
                Ingredient("sample", "judged", 450),
            ),
            learning_rate=1e-4,
        ),
    ),
    mining=GroupSettings(relative_margin=None),
)
THIRD = "third-reranker/1"
JUDGES_RERANKER = Recipe(
    stages=(
        Stage(
            "learn from judges and a stronger run",
            (
                Ingredient(MSMARCO, "judged", 2272, repeats=4, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 1060, repeats=20),
                Ingredient("trec-dl-2021", "run", 530, repeats=10),
                Ingredient("trec-dl-2022", "run", 760, repeats=10),
                Ingredient("qa-sentences", "judged", 600),
                Ingredient("squad", "judged", 400, ranks=(2, 40)),
                Ingredient("sample", "judged", 900, repeats=2),
            ),
            learning_rate=5e-5,
        ),
    ),
    base=THIRD,
    mining=GroupSettings(relative_margin=None, seed=71),
    seed=71,
)
MIDDLE = "middle-reranker/1"
MIDDLE_OPINIONS = f"{FIRST_STAGE_OPINIONS}+reranker:{MIDDLE}"
CLOSING_RERANKER = Recipe(
    stages=(
        Stage(
            "learn from the dense stage, late interaction, itself and judges",
            (
                Ingredient(MSMARCO, "distill", 1700, queries="qa-sentences", teacher=MIDDLE_OPINIONS),
                Ingredient(MSMARCO, "distill", 1200, queries="squad", teacher=MIDDLE_OPINIONS),
                Ingredient(MSMARCO, "distill", 1704, repeats=3, teacher=MIDDLE_OPINIONS),
                Ingredient("trec-dl-2022", "distill", 912, repeats=12, teacher=MIDDLE_OPINIONS),
                Ingredient("trec-dl-2021", "distill", 530, repeats=10, teacher=MIDDLE_OPINIONS),
                Ingredient("sample", "distill", 450, teacher=MIDDLE_OPINIONS),
                Ingredient(MSMARCO, "questions", 1000, teacher=MIDDLE_OPINIONS),
                Ingredient(MSMARCO, "judged", 1704, repeats=3, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 530, repeats=10),
                Ingredient("trec-dl-2021", "run", 318, repeats=6),
                Ingredient("trec-dl-2022", "run", 760, repeats=10),
                Ingredient("qa-sentences", "judged", 400),
                Ingredient("squad", "judged", 300, ranks=(2, 40)),
                Ingredient("sample", "judged", 450),
            ),
            learning_rate=4.5e-5,
        ),
    ),
    base=MIDDLE,
    groups_per_step=8,
    mining=GroupSettings(relative_margin=None, seed=89),
    seed=89,
)
TWO_HOUR_OPINIONS = f"{FIRST_STAGE_OPINIONS}+{ITSELF}"
TWO_HOUR_RERANKER = Recipe(
    stages=(
        Stage(
            "learn from the dense stage, late interaction and judgments",
            (
                Ingredient("squad", "distill", 1000, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "distill", 2400, queries="qa-sentences", teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "distill", 1704, repeats=3, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("trec-dl-2022", "distill", 760, repeats=10, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("trec-dl-2021", "distill", 424, repeats=8, teacher=FIRST_STAGE_OPINIONS),
                Ingredient("sample", "distill", 450, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "questions", 1000, teacher=FIRST_STAGE_OPINIONS),
                Ingredient(MSMARCO, "judged", 1704, repeats=3, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 636, repeats=12),
                Ingredient("trec-dl-2022", "run", 456, repeats=6),
                Ingredient("qa-sentences", "judged", 900),
                Ingredient("squad", "judged", 500, ranks=(2, 40)),
                Ingredient("sample", "judged", 450),
            ),
            learning_rate=1e-4,
        ),
        Stage(
            "learn from them and itself",
            (
                Ingredient(MSMARCO, "distill", 1800, queries="qa-sentences", teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "distill", 1200, queries="squad", teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "distill", 1704, repeats=3, teacher=TWO_HOUR_OPINIONS),
                Ingredient("trec-dl-2022", "distill", 912, repeats=12, teacher=TWO_HOUR_OPINIONS),
                Ingredient("trec-dl-2021", "distill", 530, repeats=10, teacher=TWO_HOUR_OPINIONS),
                Ingredient("sample", "distill", 450, teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "questions", 1000, teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "judged", 1704, repeats=3, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 530, repeats=10),
                Ingredient("trec-dl-2022", "run", 760, repeats=10),
                Ingredient("qa-sentences", "judged", 600),
                Ingredient("squad", "judged", 300, ranks=(2, 40)),
                Ingredient("sample", "judged", 450),
            ),
            learning_rate=6e-5,
            seed=29,
        ),
        Stage(
            "learn from them and itself, once more",
            (
                Ingredient(MSMARCO, "distill", 800, queries="qa-sentences", teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "distill", 1000, queries="squad", teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "distill", 1136, repeats=2, teacher=TWO_HOUR_OPINIONS),
                Ingredient("trec-dl-2022", "distill", 456, repeats=6, teacher=TWO_HOUR_OPINIONS),
                Ingredient("trec-dl-2021", "distill", 318, repeats=6, teacher=TWO_HOUR_OPINIONS),
                Ingredient("sample", "distill", 450, teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "questions", 400, teacher=TWO_HOUR_OPINIONS),
                Ingredient(MSMARCO, "judged", 1136, repeats=2, ranks=(2, 60)),
                Ingredient("trec-dl-2021", "judged", 318, repeats=6),
                Ingredient("trec-dl-2022", "run", 456, repeats=6),
                Ingredient("squad", "judged", 400, ranks=(2, 40)),
                Ingredient("sample", "judged", 450),
            ),
            learning_rate=4e-5,
            seed=53,
        ),
    ),
    mining=GroupSettings(relative_margin=None),
)
RECIPES: Mapping[str, Recipe] = {
    "third-reranker": THIRD_RERANKER,
    "judges-reranker": JUDGES_RERANKER,
    "closing-reranker": CLOSING_RERANKER,
    "two-hour-reranker": TWO_HOUR_RERANKER,
}
"""The shipped re-ranker is the mean of the weights of `judges` and `closing`, and the latter goes on from the mean of
`third` and `judges`. `two-hour-reranker` learns from much of the same in one training."""
