"""Markup keeps texts as texts, and plots put values where they belong."""

import re

import pytest

from tests.support.html_reports import checked
from training.evaluation.html.markup import Markup, element, join
from training.evaluation.html.page import figure, notes, page
from training.evaluation.html.plots import BARS, MARGIN, Part, Scale, bars, interval, line_plot, ticks, whole

HOSTILE = "<script>alert(1)</script> & \"quotes\" 'too'"


def test_a_text_stays_a_text_wherever_it_stands() -> None:
    made = element("td", HOSTILE, aria_label=HOSTILE)
    assert made.count("<") == 2
    assert '"&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot; &#x27;too&#x27;"' in made
    assert join([Markup("<b>"), "<b>"]) == "<b>&lt;b&gt;"


def test_a_page_of_hostile_texts_is_still_one_that_loads_nothing() -> None:
    body = figure(element("p", HOSTILE), HOSTILE, basis=f"{HOSTILE} basis")
    read = checked(page(HOSTILE, {HOSTILE: HOSTILE}, body, notes([HOSTILE, HOSTILE]), made=HOSTILE), basis="basis")
    assert read.text.count(HOSTILE) == 9  # title twice, fact and value, figure, caption, basis, one note, foot


def test_an_interval_lies_on_the_scale_of_its_column() -> None:
    drawn = interval(0.5, 0.25, 0.75, Scale(0, 1, 100), kind="better", zero=True)
    assert f'x1="{MARGIN + 25:g}" x2="{MARGIN + 75:g}"' in drawn
    assert f'cx="{MARGIN + 50:g}"' in drawn
    assert f'x1="{MARGIN:g}" x2="{MARGIN:g}"' in drawn  # 0
    assert 'class="better"' in drawn


def test_a_scale_of_equal_values_has_a_width() -> None:
    scale = Scale.over([0.5, 0.5], 100)
    assert (scale(0.5), scale(1.5)) == (0, 100)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.36, 0.97, [0.4, 0.6, 0.8]),
        (-0.3, 0.05, [-0.3, -0.2, -0.1, 0]),
        (0.611, 0.634, [0.615, 0.62, 0.625, 0.63]),
    ],
)
def test_ticks_are_round_numbers_within_the_range(low: float, high: float, shown: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(shown)


def test_bars_go_from_the_largest_gain_to_the_largest_loss() -> None:
    drawn = bars([0.0, -0.5, 0.25, 1.0], label="four queries")
    found = re.findall(r'class="(gain|loss)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawn)
    kinds = [(kind, float(height)) for kind, height in found]
    assert [kind for kind, _ in kinds] == ["gain", "gain", "loss"]  # none for the query that stays as it was
    most, some, lost = (height for _, height in kinds)
    assert some == pytest.approx(most / 4, abs=0.02)
    assert lost == pytest.approx(most / 2, abs=0.02)


def test_parts_of_a_whole_fill_the_bar() -> None:
    drawn = whole([Part("reached", 3, "won"), Part("lost", 1, "recall"), Part("absent", 0, "absent")], label="parts")
    assert f'x="0" y="0" width="{BARS * 3 / 4 - 1:g}"' in drawn
    assert f'x="{BARS * 3 / 4:g}" y="0" width="{BARS / 4 - 1:g}"' in drawn
    assert "absent" not in drawn


def test_names_at_the_ends_of_lines_do_not_lie_upon_each_other() -> None:
    drawn = line_plot([0, 10, 100], [0.5, 0.6, 0.7], [0.5, 0.6, 0.7], label="equal", names=("line", "ceiling"))
    places = {name: float(y) for y, name in re.findall(r'y="([\d.]+)" class="[a-z]*">(line|ceiling)<', drawn)}
    assert places["line"] - places["ceiling"] >= 16
