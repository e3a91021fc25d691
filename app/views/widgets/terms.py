"""What the words on the pages mean: docs/glossary.md, which hovers quote, so that each is explained in one place."""

from collections.abc import Mapping
from functools import cache
from html import escape

from indexing import places

FILE = "docs/glossary.md"
RECALL = "R@10, R@100, R@1000"


def meaning(term: str) -> str:
    """The glossary's sentence on a term. Raises KeyError for a term that it lacks."""
    return terms()[term]


def term_html(term: str) -> str:
    """A term as HTML, with its meaning on hover and, for those who reach it by Tab, below it. Raises KeyError."""
    return f'<abbr class="sl-term" tabindex="0" title="{escape(meaning(term))}">{escape(term)}</abbr>'


def measure_meaning(measure: str) -> str:
    """The glossary's sentence on a measure; recall has one for all of its cutoffs."""
    return meaning(RECALL if measure.startswith("R@") else measure)


@cache
def terms() -> Mapping[str, str]:
    """Every term with its meaning, in the glossary's order."""
    lines = (places.CHECKOUT / FILE).read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").partition(" | ") for line in lines if line.startswith("| ")]
    return {term: sentence for term, _, sentence in rows[1:]}
