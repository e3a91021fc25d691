"""The results of a race as a Markdown table."""

from collections.abc import Sequence

from indexing.records import QueryId
from training.evaluation.paired import compare_paired
from training.evaluation.settings import MAIN_MEASURE
from training.race.standings import Standing


def race_table(standings: Sequence[Standing]) -> str:
    """The Markdown table, best first; each recipe is compared with the first, query by query.

    With several seeds, a column shows the lowest and highest result; minutes and pairs are those of one seed.
    """
    seeds = max((len(standing.by_seed) for standing in standings), default=0)
    several = [f"{seeds} seeds"] if seeds > 1 else []
    names = [
        "recipe",
        MAIN_MEASURE,
        "95 % interval",
        "against the first",
        *several,
        "rounds",
        "minutes",
        "pairs",
        "pairs/s",
    ]
    lines = [
        "| " + " | ".join(names) + " |",
        "|---|---:|---|---|" + "---|" * len(several) + "---:|" * 4,
    ]
    for standing in standings:
        if standing.fault:
            lines.append(f"| {standing.recipe} | | {standing.fault} | |{' |' * len(several)} | | | |")
        else:
            lines.append("| " + " | ".join(_cells(standing, standings[0], several=bool(several))) + " |")
    return "\n".join(lines) + "\n"


def _cells(standing: Standing, first: Standing, *, several: bool) -> list[str]:
    name = f"{standing.recipe} (the same training as {standing.same_as})" if standing.same_as else standing.recipe
    cells = [name, f"{standing.ndcg:.4f}", f"{standing.low:.4f} to {standing.high:.4f}", _against(standing, first)]
    if several:
        seeds = standing.by_seed
        cells.append(f"{min(seeds):.4f} to {max(seeds):.4f}" if len(seeds) > 1 else "")
    costs = [f"{standing.rounds}", f"{standing.minutes:.1f}", f"{standing.pairs:,}", f"{standing.pairs_per_second:.0f}"]
    return cells + (costs if standing.rounds else [""] * 4)


def _against(standing: Standing, first: Standing) -> str:
    """Difference, interval and outcome; empty for the first itself, and if their recorded queries differ."""
    if standing.recipe == first.recipe or not first.by_query or standing.by_query.keys() != first.by_query.keys():
        return ""
    candidate, baseline = (
        {QueryId(query): value for query, value in compared.by_query.items()} for compared in (standing, first)
    )
    return compare_paired(candidate, baseline, measure=MAIN_MEASURE).change()
