"""Shared by the tests of pages: small judged indexes, reading and pressing what a page shows, waiting for its work."""

import re
import time
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.dense.encoder import BiEncoder
from indexing.index import open_index
from indexing.judged.sets import JudgedSet
from indexing.records import Query, QueryId
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.conftest import PASSAGES, QRELS, QUERIES, REPOSITORY, write_lines
from training.evaluation.candidates import first_stage_lists, reranked

DEV = {
    str(number): text.split(";")[0][:40].strip() for number, text in enumerate(list(PASSAGES.values())[:12:2], start=10)
}
BERLIN_QUERY = "how many people live in berlin"
BERLIN = [
    "Berlin has about 3.9 million inhabitants. How many people live in the suburbs is counted apart.",
    "Many people live in Munich, which is smaller than Berlin.",
    "<script>alert('berlin')</script> is a <b>passage</b> about people & code in Berlin.",
    "The Berlin Wall was 155 kilometres long.",
    "Irving Berlin wrote White Christmas.",
    "Hamburg is a port on the river Elbe.",
    "Water boils at 100 degrees Celsius at sea level.",
    "A long passage about Berlin: " + "it goes on and on about the city and its people, " * 80 + "until the end.",
]
BERLIN_GRADES = {"1": 3, "2": 2, "4": 1, "5": 0}
LONG = 60.0  # seconds after which a test gives up


def app_of(*pages: str, timeout: float = 60) -> AppTest:
    """An app with these pages, by their folders below app/views, of which the first is shown; links need the others."""
    listed = ", ".join(
        f"st.Page({str(REPOSITORY / 'app/views' / name / 'page.py')!r}, url_path={name!r}, default={name == pages[0]})"
        for name in pages
    )
    return AppTest.from_string(f"import streamlit as st\nst.navigation([{listed}]).run()", default_timeout=timeout)


def make_berlin_index(folder: Path, bi_encoder: Path, passages: Sequence[str]) -> Path:
    """Build the index `tiny` of these passages, with one judged test query; return the folder of its index."""
    corpus = folder / "corpus"
    write_lines(corpus / "collection.tsv", [f"{number}\t{text}" for number, text in enumerate(passages, start=1)])
    write_lines(corpus / "queries.test.tsv", [f"1\t{BERLIN_QUERY}"])
    write_lines(corpus / "qrels.test.tsv", [f"1\t0\t{passage}\t{grade}" for passage, grade in BERLIN_GRADES.items()])
    settings = BuildSettings(bi_encoder=str(bi_encoder))
    build(Corpus(corpus), name="tiny", root=folder / "indexes", settings=settings)
    return folder / "indexes"


def make_gate_index(folder: Path, bi_encoder: BiEncoder, cross_encoder: Path, *, dev: Mapping[str, str] = DEV) -> Path:
    """Build the index `dev` below the folder; give back the folder of its index.

    Its dev queries, six by default, are judged as the cross-encoder ranks them, so that it is perfect there; the test
    split is that of the small corpus.
    """
    corpus, root = folder / "corpus", folder / "indexes"
    write_lines(corpus / "collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    write_lines(corpus / "queries.dev.tsv", [f"{key}\t{text}" for key, text in dev.items()])
    write_lines(corpus / "queries.test.tsv", [f"{key}\t{text}" for key, text in QUERIES["test"].items()])
    judged = [f"{q} 0 {p} {grade}" for q, grades in QRELS["test"].items() for p, grade in grades.items()]
    write_lines(corpus / "qrels.test.tsv", judged)
    settings = BuildSettings(bi_encoder=bi_encoder.name)
    build(Corpus(corpus), name="dev", root=root, settings=settings)
    pipeline = RetrieveAndRerank(open_index("dev", root=root), bi_encoder, None)
    queries = tuple(Query(QueryId(key), text) for key, text in dev.items())
    lists = first_stage_lists(pipeline, JudgedSet("dev", queries, {query.id: {} for query in queries}), depth=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexing.precision.fastest_dtype", lambda on: torch.float32)
        run = reranked(lists, CrossEncoderReranker(str(cross_encoder)))
    write_lines(corpus / "qrels.dev.tsv", [f"{query} 0 {ranking.passage_ids[0]} 3" for query, ranking in run.items()])
    return root


def settle(page: AppTest, stop: str) -> AppTest:
    """Draw the page anew until its work in the background is over: until the button of this key is gone."""
    end = time.monotonic() + LONG
    while any(button.key == stop for button in page.button):
        assert time.monotonic() < end
        time.sleep(0.02)
        page.run()
    assert not page.exception
    return page


def again(page: AppTest) -> AppTest:
    """Draw the page anew."""
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, key: str) -> AppTest:
    """Press the button of this key."""
    page.button(key=key).click()
    return again(page)


def html(page: AppTest) -> str:
    """All HTML of the page except style sheets."""
    return "\n".join(element.body for element in page.html if not _is_style_sheet(element.body))


def text(page: AppTest) -> str:
    """The page's HTML with its entities resolved."""
    return unescape(html(page))


def sentences(page: AppTest) -> str:
    """The text of all error, warning, hint and success boxes, without the backslashes that escape Markdown."""
    boxes = [*page.error, *page.warning, *page.info, *page.success]
    return " ".join(box.value for box in boxes).replace("\\", "")


def keys(page: AppTest) -> set[str | None]:
    """The keys of all buttons."""
    return {button.key for button in page.button}


def figure(page: AppTest, name: str) -> str:
    """The value below a figure's name; the first of this name."""
    match = re.search(rf"<small>{re.escape(name)}</small><b>(.*?)</b>", html(page))
    assert match is not None, name
    return match[1]


def column(page: AppTest, name: str) -> str:
    """The HTML of the list `first` or `second`; empty where it isn't shown."""
    return html(page).partition(f"sl-column-{name}")[2].partition("</section>")[0]


def card(column: str, passage: str) -> str:
    """The HTML of one passage's card in a list."""
    return column.partition(f'data-passage="{passage}"')[2].partition("</li>")[0]


def _is_style_sheet(body: str) -> bool:
    return body.strip().startswith("<style>") and body.strip().endswith("</style>")
