"""The results of a race as a Pareto plot: each recipe's quality against its training time and speed."""

from collections.abc import Callable, Sequence
from html import escape

from training.race.standings import BASE, Standing

WIDTH, HEIGHT = 460, 340  # of one panel, in pixels
MARGIN = 52
LABEL_HEIGHT, LETTER = 12, 6.2  # height of a name, and width of a letter
INK, FAINT, ACCENT = "#334155", "#94a3b8", "#b45309"


def pareto(standings: Sequence[Standing], cost: Callable[[Standing], float]) -> list[Standing]:
    """The standings that no other beats in quality at the same or a lower cost, cheapest first."""
    front: list[Standing] = []
    for standing in sorted(standings, key=lambda row: (cost(row), -row.ndcg)):
        if not front or standing.ndcg > front[-1].ndcg:
            front.append(standing)
    return front


def plot(standings: Sequence[Standing]) -> str:
    """Two panels as SVG: nDCG@10 against training minutes, and against pairs per second; intervals as whiskers."""
    raced = [standing for standing in standings if standing.rounds and not standing.same_as]
    base = next((standing for standing in standings if standing.recipe == BASE), None)
    panels = [
        _panel(raced, base, "training minutes", lambda standing: standing.minutes, cheaper=1),
        _panel(raced, base, "pairs per second", lambda standing: standing.pairs_per_second, cheaper=-1),
    ]
    shifted = "".join(f'<g transform="translate({place * WIDTH},0)">{panel}</g>' for place, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11"><rect width="{2 * WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{shifted}</svg>\n'
    )


def _panel(
    raced: Sequence[Standing], base: Standing | None, label: str, value: Callable[[Standing], float], *, cheaper: int
) -> str:
    """One panel; `cheaper` is 1 if lower values are better, -1 if higher ones are."""
    drawn = [*raced, *([base] if base else [])]
    right = max((value(standing) for standing in raced), default=1.0) * 1.1 or 1.0
    low, high = min(standing.low for standing in drawn), max(standing.high for standing in drawn)
    pad = (high - low) * 0.06 or 0.01
    low, high = low - pad, high + pad

    def x(number: float) -> float:
        return MARGIN + number / right * (WIDTH - 2 * MARGIN)

    def y(number: float) -> float:
        return HEIGHT - MARGIN - (number - low) / (high - low) * (HEIGHT - 2 * MARGIN)

    parts = [_axes(label, right, low, high, x, y)]
    if base:
        parts.append(_line(MARGIN, y(base.ndcg), WIDTH - MARGIN, y(base.ndcg), FAINT, dashed=True))
        edge, anchor = (WIDTH - MARGIN, "end") if cheaper > 0 else (MARGIN + 4, "start")  # where fewer points lie
        parts.append(_text(edge, y(base.ndcg) - 4, BASE, FAINT, anchor=anchor))
    front = pareto(raced, lambda standing: cheaper * value(standing))
    line = " ".join(f"{x(value(standing)):.1f},{y(standing.ndcg):.1f}" for standing in front)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{ACCENT}" stroke-width="1.5"/>')
    points_at = [(x(value(standing)), y(standing.ndcg)) for standing in raced]
    for standing, (across, height) in zip(raced, points_at, strict=True):
        color = ACCENT if standing in front else INK
        parts.append(_line(across, y(standing.low), across, y(standing.high), FAINT))
        parts.append(f'<circle cx="{across:.1f}" cy="{height:.1f}" r="4" fill="{color}"/>')
    for standing, (across, height), beside in zip(raced, points_at, _labels(raced, points_at), strict=True):
        color = ACCENT if standing in front else INK
        if abs(beside - height) > LABEL_HEIGHT:
            parts.append(_line(across, height, across + _towards(across) * 12, beside - 4, FAINT))
        anchor = "start" if _towards(across) > 0 else "end"
        parts.append(_text(across + _towards(across) * 14, beside, standing.recipe, color, anchor=anchor))
    return "".join(parts)


def _towards(across: float) -> int:
    """The side of a point that has room for its name: 1 for right, -1 for left."""
    return 1 if across < WIDTH * 0.6 else -1


def _labels(raced: Sequence[Standing], points: Sequence[tuple[float, float]]) -> list[float]:
    """The height of each point's name: as near to the point as possible without overlapping other names."""
    taken: list[tuple[float, float, float]] = []  # left, right, height
    chosen = [0.0] * len(raced)
    for place in sorted(range(len(raced)), key=lambda place: points[place][1]):
        across, height = points[place]
        width = len(raced[place].recipe) * LETTER + 16
        left, right = (across, across + width) if _towards(across) > 0 else (across - width, across)
        steps = sorted(range(-2 * len(raced), 2 * len(raced)), key=abs)
        heights = (height + 4 + step * LABEL_HEIGHT / 2 for step in steps)
        free = (at for at in heights if all(_apart(left, right, at, other) for other in taken))
        chosen[place] = next(at for at in free if MARGIN < at < HEIGHT - MARGIN)
        taken.append((left, right, chosen[place]))
    return chosen


def _apart(left: float, right: float, height: float, other: tuple[float, float, float]) -> bool:
    return right < other[0] or left > other[1] or abs(height - other[2]) >= LABEL_HEIGHT


def _axes(
    label: str, right: float, low: float, high: float, x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    parts = [_line(MARGIN, y(low), WIDTH - MARGIN, y(low), INK), _line(MARGIN, y(low), MARGIN, y(high), INK)]
    for share in (0, 0.25, 0.5, 0.75, 1):
        across, up = share * right, low + share * (high - low)
        parts.append(_text(x(across), y(low) + 16, f"{across:.3g}", INK, anchor="middle"))
        parts.append(_text(MARGIN - 6, y(up) + 4, f"{up:.3f}", INK, anchor="end"))
    parts.append(_text(WIDTH / 2, HEIGHT - 12, label, INK, anchor="middle"))
    parts.append(_text(MARGIN, MARGIN - 14, "nDCG@10 on the dev queries", INK))
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, color: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"{dash}/>'


def _text(x: float, y: float, text: str, color: str, *, anchor: str = "start") -> str:
    halo = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'  # so that lines don't cross out names
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" {halo} text-anchor="{anchor}">{escape(text)}</text>'
