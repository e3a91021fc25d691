"""One glossary explains the words of pages and manual."""

import re
from pathlib import Path

import pytest

from app.views.widgets.terms import RECALL, meaning, measure_meaning, term_html, terms
from tests.conftest import REPOSITORY
from training.evaluation.settings import MEASURES

QUOTED = re.compile(r"""(?:meaning|term_html)\((?:"([^"]+)"|'([^']+)')\)""")
LABEL = re.compile(r"""(?:_label|pick|whole_number|number_input|selectbox)\(\s*"([^"]+)\"""")
BY_NAME = {"b", "k1", "BM25's weight", "Re-ranker's share"}  # fields of a pipeline, which quote the term of their label
OF_TABLES = {RECALL, *MEASURES}  # columns, which quote the measure of their name
OF_THE_MANUAL = {"Candidate"}  # no page shows these
SOURCES = sorted((REPOSITORY / "app").rglob("*.py"))


def quoted(text: str) -> set[str]:
    return {first or second for first, second in QUOTED.findall(text)}


def test_every_term_is_one_sentence_and_they_are_in_order() -> None:
    listed = list(terms())
    assert len(listed) > 30
    assert listed == sorted(listed, key=lambda term: re.sub("[^a-z0-9 ]", "", term.lower()))
    for term, sentence in terms().items():
        assert re.fullmatch(r"[A-Z][^|]*[.]", sentence), term


def test_what_pages_quote_is_there() -> None:
    found = {term for path in SOURCES for term in quoted(path.read_text(encoding="utf-8"))}
    assert {"Depth", "Fusion", "Recipe", "Index"} <= found
    assert found <= terms().keys()
    with pytest.raises(KeyError):
        meaning("Deepness")


def test_every_term_is_explained_on_some_page() -> None:
    found = {term for path in SOURCES for term in quoted(path.read_text(encoding="utf-8"))}
    assert terms().keys() - found - BY_NAME - OF_TABLES == OF_THE_MANUAL


def test_a_term_in_html_tells_its_meaning_on_hover_and_by_tab() -> None:
    html = term_html("First stage")
    assert html.startswith('<abbr class="sl-term" tabindex="0" title="BM25 and dense, quick over all passages;')
    assert html.endswith(">First stage</abbr>")


def test_every_measure_is_explained() -> None:
    assert [measure_meaning(name) for name in MEASURES if name.startswith("R@")] == [meaning(RECALL)] * 3
    assert len({measure_meaning(name) for name in MEASURES}) == len(MEASURES) - 2


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY / "app")))
def test_a_field_that_bears_a_term_s_name_explains_it_by_the_glossary(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(LABEL.findall(text)) & terms().keys() <= quoted(text)
