"""What a training will do, in sentences, so that nobody needs its settings to know."""

from app.views.train.choice import TrainingChoice
from app.views.train.data import Found
from training.data.readers.hub import HUB_DATA
from training.recipes.catalog import find_loss_recipe

SERVED = "The served version"
INNER = ("The ", "Version ")  # words that a name begins with, small within a sentence


def title_of(choice: TrainingChoice, found: Found, *, base: str) -> str:
    """The heading: whether the served version becomes better, and by whose judgments."""
    if not base.startswith(SERVED):
        return "New training"
    mine = choice.data.feedback and found.grades
    return "Improve the served model with my judgments" if mine else "Improve the served model"


def sentences_of(choice: TrainingChoice, found: Found, *, base: str) -> list[str]:
    """What it learns from and starts from, how long that takes, and what decides which weights are kept."""
    start = base[0].lower() + base[1:] if base.startswith(INNER) else base
    sentences = [f"It starts from {start} and learns from {_learned_from(choice, found)}."]
    minutes = f"{choice.settings.minutes or 0:,.4g} minute{'' if choice.settings.minutes == 1 else 's'}"
    counted = "in all: gathering, mining, training and measuring are counted" if choice.whole else "of training"
    sentences.append(f"About {minutes} {counted}.")
    if choice.dev is not None:
        queries = min(choice.dev.queries, found.splits.get(choice.dev.split, 0))
        sentences[-1] += f" The weights that rank {queries:,} {choice.dev.split} queries best are kept."
    return sentences


def _learned_from(choice: TrainingChoice, found: Found) -> str:
    data = choice.data
    if find_loss_recipe(choice.recipe).from_passages:
        return f"queries that are made from passages of {data.index}"
    train = found.splits.get("train", 0)
    named = {
        f"my {found.grades:,} grade{'' if found.grades == 1 else 's'}": data.feedback,
        f"the {train:,} judged train quer{'y' if train == 1 else 'ies'} of {data.index}": data.judged,
        **{f"the {found.kept[origin].words(origin)}": True for origin in data.kept},
        HUB_DATA[choice.recipe].name if choice.recipe in HUB_DATA else "": data.hub,
    }
    return (
        " and ".join(words for words, chosen in named.items() if chosen) or "nothing yet: choose its data under Expert"
    )
