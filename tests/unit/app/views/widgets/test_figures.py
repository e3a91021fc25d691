"""Figures: values are escaped unless they are HTML, and numbers read as a person writes them."""

import pytest

from app.views.widgets.figures import Figure, change_html, duration_text, figures_html, heading_html, p_text, size_text


def test_names_values_and_hints_are_escaped() -> None:
    html = figures_html([Figure("<i>name</i>", "<b>value</b>", 'a "hint"')])
    assert html == (
        '<div class="sl-figures"><span class="sl-figure" title="a &quot;hint&quot;">'
        "<small>&lt;i&gt;name&lt;/i&gt;</small><b>&lt;b&gt;value&lt;/b&gt;</b></span></div>"
    )


def test_html_stays_html_and_a_wide_figure_says_so() -> None:
    html = figures_html([Figure("a", "<i>1</i>", is_html=True), Figure("b", "2", wide=True)])
    assert '<span class="sl-figure"><small>a</small><b><i>1</i></b></span>' in html
    assert '<span class="sl-figure sl-wide"><small>b</small><b>2</b></span>' in html


def test_a_heading_is_escaped() -> None:
    assert heading_html("<a>", "b & c") == '<h2 class="sl-heading">&lt;a&gt; <small>b &amp; c</small></h2>'


@pytest.mark.parametrize(("size", "text"), [(900, "1 kB"), (1_500_000, "1.5 MB"), (2_340_000_000, "2.3 GB")])
def test_sizes(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(59.4, "59 s"), (90, "2 min"), (7199, "120 min"), (9000, "2.5 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_p_values() -> None:
    assert (p_text(0.00009), p_text(0.03125)) == ("< 0.0001", "0.0312")


def test_a_change_that_rounds_to_nothing_is_none() -> None:
    assert change_html(0.5, 0.5004) == '0.500 → 0.500 <span class="sl-move sl-same">·</span>'
    assert change_html(0.5, 0.625) == '0.500 → 0.625 <span class="sl-move sl-up">▲0.125</span>'
    assert change_html(0.5, 0.375) == '0.500 → 0.375 <span class="sl-move sl-down">▼0.125</span>'
