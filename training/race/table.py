"""The results of a race as a Markdown table."""

from collections.abc import Sequence

from training.race.standings import Standing


def table(standings: Sequence[Standing]) -> str:
    """In Markdown, best first; where several seeds ran, the lowest and highest of them, minutes and pairs of one."""
    seeds = max((len(item.by_seed) for item in standings), default=0)
    several = [f"{seeds} seeds"] if seeds > 1 else []
    names = ["recipe", "nDCG@10", "95 % interval", *several, "rounds", "minutes", "pairs", "pairs/s"]
    lines = [
        "| " + " | ".join(names) + " |",
        "|---|---:|---|" + "---|" * len(several) + "---:|" * 4,
    ]
    for item in standings:
        if item.fault:
            lines.append(f"| {item.recipe} | | {item.fault} |{' |' * len(several)} | | | |")
            continue
        name = f"{item.recipe} (the same training as {item.same_as})" if item.same_as else item.recipe
        cells = [name, f"{item.ndcg:.4f}", f"{item.low:.4f} to {item.high:.4f}"]
        if several:
            cells.append(f"{min(item.by_seed):.4f} to {max(item.by_seed):.4f}" if len(item.by_seed) > 1 else "")
        costs = [f"{item.rounds}", f"{item.minutes:.1f}", f"{item.pairs:,}", f"{item.pairs_per_second:.0f}"]
        lines.append("| " + " | ".join(cells + (costs if item.rounds else [""] * 4)) + " |")
    return "\n".join(lines) + "\n"
