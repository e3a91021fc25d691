"""The recipes by name: those of a single loss, which can be raced against each other, and those of stages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from indexing.errors import SettingsError
from training.mining.settings import MiningSettings
from training.recipes.plan_files import SHIPPED_PLANS, read_plan
from training.recipes.recipe import Recipe
from training.recipes.stages import StagePlan

_GRADED = "lists of graded passages"

BCE = Recipe(
    name="bce",
    learns_from="pairs, relevant or not",
    loss="binary cross-entropy",
    form_name="pairs",
    batch=64,
    learning_rate=2e-5,
    good_for="Judgments that say no more than relevant or not. Its scores are calibrated: 0 is even odds. Needs hard "
    "negatives; lists are usually learned better by a list loss.",
    related=("lambda", "cmnrl"),
    paper="Nogueira and Cho 2019, https://arxiv.org/abs/1901.04085",
)
BCE_PREPROCESSED = replace(
    BCE,
    name="bce-preprocessed",
    learns_from="pairs as the hub has them",
    good_for="The triplets that sentence-transformers prepared on the hub, whose negatives are mined already.",
    related=("bce", "lambda-preprocessed"),
)
CMNRL = Recipe(
    name="cmnrl",
    learns_from="a relevant passage against 5 mined and 4 of other queries",
    loss="cached multiple negatives ranking",
    form_name="n-tuples",
    batch=16,
    learning_rate=2e-5,
    whole_batch=True,
    good_for="Questions with one known answer and nothing judged beside it. Every step takes a whole batch, so it is "
    "slower than the others.",
    related=("bce", "listnet"),
    paper="Gao et al. 2021, https://arxiv.org/abs/2101.06983",
)
LISTNET = Recipe(
    name="listnet",
    learns_from=_GRADED,
    loss="listnet",
    form_name="lists",
    batch=16,
    learning_rate=2e-5,
    good_for="Graded lists, or lists with a teacher's scores where nobody judged. Cheap, robust with few lists: a good "
    "first choice.",
    related=("lambda", "plistmle"),
    paper="Cao et al. 2007, https://www.microsoft.com/en-us/research/publication/"
    "learning-to-rank-from-pairwise-approach-to-listwise-approach/",
)
LAMBDA = Recipe(
    name="lambda",
    learns_from=f"{_GRADED}, weighed by nDCG",
    loss="lambda",
    form_name="lists",
    batch=16,
    learning_rate=2e-5,
    mean_over="ordered pairs",
    good_for="Graded lists where the first places count most: each pair of passages weighs as much as their exchange "
    "would change nDCG (NDCG-Loss2++). Usually the best of the list losses.",
    related=("listnet", "ranknet", "lambda-hard-neg"),
    paper="Wang et al. 2018, https://marc.najork.org/papers/cikm2018.pdf",
)
LAMBDA_PREPROCESSED = replace(
    LAMBDA,
    name="lambda-preprocessed",
    learns_from="lists as the hub has them, weighed by nDCG",
    good_for="The labeled lists that sentence-transformers prepared on the hub.",
    related=("lambda", "bce-preprocessed"),
)
LAMBDA_HARD_NEG = replace(
    LAMBDA,
    name="lambda-hard-neg",
    learns_from="lists with negatives mined from our index",
    good_for="Judged lists whose negatives are too easy: 9 more are taken from the top of our own first stage, as its "
    "authors do without a margin, so that it learns what it will be served.",
    related=("lambda",),
    needs_index=True,
    mining=MiningSettings(per_query=9, ranks=(3, 30), sampling="top", relative_margin=None),
)
LISTMLE = Recipe(
    name="listmle",
    learns_from=_GRADED,
    loss="listmle",
    form_name="lists",
    batch=16,
    learning_rate=2e-5,
    good_for="Graded lists whose whole order matters equally. `plistmle` is usually better.",
    related=("plistmle", "lambda"),
    paper="Xia et al. 2008, https://dl.acm.org/doi/abs/10.1145/1390156.1390306",
)
PLISTMLE = Recipe(
    name="plistmle",
    learns_from=f"{_GRADED}, first places first",
    loss="plistmle",
    form_name="lists",
    batch=16,
    learning_rate=2e-5,
    good_for="Graded lists whose first places matter most, learned by the likelihood of their order.",
    related=("listmle", "lambda"),
    paper="Lan et al. 2014, https://auai.org/uai2014/proceedings/individuals/164.pdf",
)
RANKNET = Recipe(
    name="ranknet",
    learns_from=f"{_GRADED}, pair by pair",
    loss="ranknet",
    form_name="lists",
    batch=16,
    learning_rate=2e-5,
    mean_over="ordered pairs",
    good_for="Graded lists where every pair in the wrong order is as bad as any other; `lambda` without weights.",
    related=("lambda",),
    paper="Burges et al. 2005, https://icml.cc/Conferences/2015/wp-content/uploads/2015/06/icml_ranking.pdf",
)
ADRMSE = Recipe(
    name="adrmse",
    learns_from="lists in a teacher's order",
    loss="adr-mse",
    form_name="ordered-lists",
    batch=16,
    learning_rate=8e-6,
    mean_over="passages",
    good_for="The order of a strong teacher that gives ranks and no comparable scores, such as a language model.",
    related=("ranknet", "distill-mse"),
    paper="Schlatt et al. 2024, https://arxiv.org/abs/2405.07920",
)
DISTILL_MSE = Recipe(
    name="distill-mse",
    learns_from="a teacher's score of each pair",
    loss="mse",
    form_name="scored-pairs",
    batch=64,
    learning_rate=8e-6,
    good_for="A teacher whose scores lie on one scale for all queries, and are to be kept as they are.",
    related=("distill-margin-mse",),
    paper="Hofstätter et al. 2020, https://arxiv.org/abs/2010.02666",
)
DISTILL_MARGIN_MSE = Recipe(
    name="distill-margin-mse",
    learns_from="a teacher's margins",
    loss="margin-mse",
    form_name="margins",
    batch=32,
    learning_rate=8e-6,
    good_for="A teacher whose scores mean something within a query only: the distance of two passages is learned.",
    related=("distill-mse",),
    paper="Hofstätter et al. 2020, https://arxiv.org/abs/2010.02666",
)
DISTILL_LIST = Recipe(
    name="distill-list",
    learns_from="lists with grades and a teacher's scores together",
    loss="listnet",
    form_name="scored-lists",
    batch=16,
    learning_rate=1e-4,
    mixes_grades=True,
    good_for="Graded lists to which a teacher that already ranks well, such as late interaction, gives scores: the "
    "grades tell what to change, and the teacher what to keep.",
    related=("listnet", "distill-margin-mse"),
    paper="Hinton et al. 2015, https://arxiv.org/abs/1503.02531; the list's distribution as in Cao et al. 2007",
)
COLD_START = Recipe(
    name="cold-start",
    learns_from="the first stage, no judgment",
    loss="listnet",
    form_name="scored-lists",
    batch=16,
    learning_rate=5e-5,
    good_for="A corpus that nobody judged: queries are cut from its passages, the first stage is the teacher, and in a "
    "second pass the model's own scores join it. It can hardly be much better than the dense ranking.",
    related=("listnet",),
    paper="ListNet on made queries, as GPL has them (Wang et al. 2022, https://arxiv.org/abs/2112.07577)",
    needs_index=True,
    from_passages=True,
    own_teacher=True,
    teaches_itself=True,
)
LOSS_RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        BCE,
        BCE_PREPROCESSED,
        CMNRL,
        LISTNET,
        LAMBDA,
        LAMBDA_PREPROCESSED,
        LAMBDA_HARD_NEG,
        LISTMLE,
        PLISTMLE,
        RANKNET,
        ADRMSE,
        DISTILL_MSE,
        DISTILL_LIST,
        COLD_START,
        DISTILL_MARGIN_MSE,
    )
}
"""Named after the training scripts common in the field, with learning rates usual for all of MS MARCO."""

USUAL = LISTNET.name
"""The recipe that learns from people's grades unless another is chosen."""

STAGE_LOSS = COLD_START
"""Stages use its loss and form of rows: ListNet's cross-entropy on lists of target logits from any teacher."""


def staged_recipe(name: str, plan: StagePlan) -> Recipe:
    """The recipe of a plan of stages."""
    return Recipe(
        name=name,
        learns_from=plan.learns_from or "the data of its own stages",
        loss=STAGE_LOSS.loss,
        form_name=STAGE_LOSS.form_name,
        batch=plan.groups_per_step,
        learning_rate=max((stage.learning_rate for stage in plan.stages), default=STAGE_LOSS.learning_rate),
        good_for="A training whose data and amounts are laid down in a file.",
        paper=LISTNET.paper,
        own_teacher=True,
        plan=plan,
    )


@cache
def shipped_recipe(name: str) -> Recipe:
    """A recipe of stages that comes with the project."""
    return staged_recipe(name, read_plan(SHIPPED_PLANS[name]))


def recipe_names() -> tuple[str, ...]:
    """The names that `find_recipe` knows: recipes of a single loss, then recipes of stages."""
    return (*LOSS_RECIPES, *SHIPPED_PLANS)


def find_recipe(name: str) -> Recipe:
    """The recipe of this name. Raises SettingsError for an unknown name."""
    if name in SHIPPED_PLANS:
        return shipped_recipe(name)
    return find_loss_recipe(name, known=recipe_names())


def find_loss_recipe(name: str, *, known: Iterable[str] = LOSS_RECIPES) -> Recipe:
    """The recipe of this name among those of a single loss. Raises SettingsError for an unknown name."""
    if name not in LOSS_RECIPES:
        raise SettingsError(f"Recipe {name!r} is unknown; choose one of {', '.join(known)}.")
    return LOSS_RECIPES[name]
