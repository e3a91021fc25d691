"""A comparison of versions as one HTML file."""

from search.pipeline import RetrieveAndRerank
from tests.support.html_reports import checked
from tests.unit.training.versions.test_compare import DEPTH, JUDGED, QUERY, first
from training.versions.compare import FIRST_STAGE, compare_versions
from training.versions.compare_html import ComparedOn, compare_html


def test_the_difference_stands_with_what_it_was_measured_on(pipeline: RetrieveAndRerank) -> None:
    versions = {"mine/1": first("d1"), "mine/2": first("b2")}
    found = compare_versions(versions, pipeline, JUDGED, baseline="mine/2", depth=DEPTH)
    on = ComparedOn(index="small", build="b1", split="test", depth=DEPTH)
    read = checked(
        compare_html(found, "mine/1", on, at="today"),
        basis="1 query of test · 20 candidates re-ranked · index small, build b1",
    )
    # b2 is at rank 1, or at rank 8: 1 / log2(8 + 1) = 0.3155
    assert "nDCG@10 of mine/1 is 0.3155, of mine/2 1.0000, over 1 queries: -0.6845" in read.text
    assert read.row("mine/1")[1] == "0.3155"
    assert FIRST_STAGE in {row[0] for row in read.rows}
    assert [QUERY.text, "1.000", "0.315", "-0.685"] in read.rows
    assert "Gained most" not in read.text
