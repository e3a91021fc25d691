"""Plots as SVG that stands in the page: intervals on one scale, lines by depth, parts of a whole, bars by query."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from training.evaluation.html.markup import Markup, element

WIDTH, HEIGHT = 170.0, 26.0  # of an interval in a row
MARGIN = 6.0
BARS, BAR_HEIGHT = 760.0, 180.0
STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Scale:
    """Maps values to places from 0 to a width."""

    low: float
    high: float
    width: float

    @classmethod
    def over(cls, values: Sequence[float], width: float) -> "Scale":
        """A scale on which all values lie."""
        low, high = min(values), max(values)
        return cls(low, high if high > low else low + 1.0, width)

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return (value - self.low) / (self.high - self.low) * self.width


class Part(NamedTuple):
    """A part of a whole."""

    name: str
    value: float
    kind: str
    """Its class in the style."""


def interval(value: float, low: float, high: float, scale: Scale, *, kind: str = "", zero: bool = False) -> Markup:
    """A dot with its interval, on the scale of its column; `zero` marks 0 by a line, `kind` is better or worse."""
    middle = HEIGHT / 2
    x, left, right = (MARGIN + scale(at) for at in (value, low, high))
    marks = [element("line", x1=left, x2=right, y1=middle, y2=middle, class_="range")]
    marks.append(element("circle", cx=x, cy=middle, r=4.5, class_="dot"))
    if zero:
        at = MARGIN + scale(0)
        marks.insert(0, element("line", x1=at, x2=at, y1=0, y2=HEIGHT, class_="zero"))
    size = {"width": scale.width + 2 * MARGIN, "height": HEIGHT}
    return element("svg", element("g", *marks, class_=kind), aria_hidden="true", **size)


def ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them and one more."""
    power = 10 ** math.floor(math.log10((high - low) / most))
    step = next(each * power for each in (*STEPS, 10.0) if (high - low) / (each * power) <= most)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def line_plot(
    places: Sequence[float], values: Sequence[float], ceiling: Sequence[float], *, label: str, names: tuple[str, str]
) -> Markup:
    """A line by depth and its ceiling, each named at its end; `label` tells it to a screen reader."""
    width, height, left, right, top, bottom = 760.0, 260.0, 44.0, 150.0, 12.0, 30.0
    across = Scale.over(places, width - left - right)
    low, high = min(*values, *ceiling), max(*values, *ceiling)
    room = max(high - low, 0.02) * 0.08
    up = Scale(low - room, high + room, height - top - bottom)

    def point(place: float, value: float) -> tuple[float, float]:
        return left + across(place), height - bottom - up(value)

    marks = []
    for tick in ticks(up.low, up.high):
        y = point(places[0], tick)[1]
        marks.append(element("line", x1=left, x2=width - right, y1=y, y2=y, class_="axis"))
        marks.append(element("text", f"{tick:.2f}", x=left - 8, y=y + 4, text_anchor="end", class_="faint"))
    for place in _apart(places, across, 34):
        x = left + across(place)
        marks.append(element("text", f"{place:g}", x=x, y=height - 10, text_anchor="middle", class_="faint"))
    for series, kind in ((ceiling, "ceiling"), (values, "line")):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(point, places, series))
        marks.append(element("polyline", points=path, class_=kind))
    for x, y in map(point, places, values):
        marks.append(element("circle", cx=x, cy=y, r=3.5, class_="point"))
    ends = [point(places[-1], series[-1])[1] for series in (values, ceiling)]
    ends[1] = min(ends[1], ends[0] - 16)  # names may not lie upon each other
    for name, y, kind in zip(names, ends, ("", "faint"), strict=True):
        marks.append(element("text", name, x=width - right + 10, y=y + 4, class_=kind))
    return element(
        "svg", *marks, viewBox=f"0 0 {width:g} {height:g}", width=width, class_="lettered", role="img", aria_label=label
    )


def _apart(places: Sequence[float], across: Scale, least: float) -> list[float]:
    """The places whose numbers don't touch, from the last one."""
    kept: list[float] = []
    for place in reversed(places):
        if not kept or across(kept[-1]) - across(place) >= least:
            kept.append(place)
    return kept


def whole(parts: Sequence[Part], *, label: str) -> Markup:
    """A bar of parts, side by side."""
    total = sum(part.value for part in parts) or 1.0
    marks, at = [], 0.0
    for part in parts:
        width = part.value / total * BARS
        if width > 0:
            marks.append(element("rect", x=at, y=0, width=max(width - 1, 0.5), height=26, class_=part.kind))
        at += width
    return element("svg", *marks, viewBox=f"0 0 {BARS:g} 26", width=BARS, role="img", aria_label=label)


def bars(values: Sequence[float], *, label: str) -> Markup:
    """One bar a query, upwards for a gain and downwards for a loss, from the largest gain to the largest loss."""
    ordered = sorted(values, reverse=True)
    left = 44.0
    most = max(max(map(abs, ordered), default=0.0), 0.1)
    up = Scale(min(0.0, *ordered, -0.1 * most), max(0.0, *ordered, 0.1 * most), BAR_HEIGHT - 16)
    wide = (BARS - left) / max(len(ordered), 1)
    zero = BAR_HEIGHT - 8 - up(0)
    marks = []
    for tick in ticks(up.low, up.high, most=4):
        y = BAR_HEIGHT - 8 - up(tick)
        marks.append(element("line", x1=left, x2=BARS, y1=y, y2=y, class_="axis"))
        marks.append(
            element("text", f"{tick:+.1f}" if tick else "0", x=left - 8, y=y + 4, text_anchor="end", class_="faint")
        )
    for place, value in enumerate(ordered):
        y = BAR_HEIGHT - 8 - up(value)
        size = {"y": min(y, zero), "width": max(wide - min(2.0, wide / 4), 0.4), "height": abs(y - zero)}
        if size["height"] > 0:
            marks.append(element("rect", x=left + place * wide, class_="gain" if value > 0 else "loss", **size))
    marks.append(element("line", x1=left, x2=BARS, y1=zero, y2=zero, class_="zero"))
    return element(
        "svg",
        *marks,
        viewBox=f"0 0 {BARS:g} {BAR_HEIGHT:g}",
        width=BARS,
        class_="lettered",
        role="img",
        aria_label=label,
    )
