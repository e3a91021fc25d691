"""A decision as one HTML file: the verdict, every pipeline with its cost, and what to judge next."""

from pathlib import Path

from indexing.dense.encoder import BiEncoder
from indexing.index import Index
from tests.support.html_reports import checked
from tests.unit.training.choosing.test_decide import KnowingReranker, NoisyReranker, opened, request
from training.choosing.decide import decide
from training.choosing.html import decision_html

BUILDS = {"small": "b1"}


def test_the_verdict_stands_above_all_pipelines(small_index: Index, bi_encoder: BiEncoder, tmp_path: Path) -> None:
    found = decide(opened(small_index, bi_encoder, KnowingReranker(1)), request(tmp_path))
    read = checked(decision_html(found.as_json(), BUILDS, split="dev", at="today"), basis="index small, build b1")
    assert found.verdict.sentence in read.text
    assert "dev: 20 queries of 40 judged compare" in read.captions[0]
    mean, difference = (row for row in read.rows if row[0] == "knowing")
    assert mean[2:4] == ["1.0000", "1.000 to 1.000"]  # for all, and not only in the plot, which no reader speaks
    assert found.reranked is not None
    assert found.reranked.compared is not None
    assert difference[1] == f"{found.reranked.compared.paired.difference:+.4f}"
    assert difference[4] == "better"
    assert "What to judge next" not in read.text


def test_without_judgments_there_are_times_and_queries_to_judge(
    small_index: Index, bi_encoder: BiEncoder, tmp_path: Path
) -> None:
    found = decide(opened(small_index, bi_encoder, NoisyReranker(1)), request(tmp_path, judged=()))
    read = checked(
        decision_html(found.as_json(), BUILDS, split="dev", at="today"),
        basis="nothing is judged · index small, build b1",
    )
    assert read.row("knowing")[1] == "knowing"
    assert "What to judge next" in read.text
    assert [one.query.text for one in found.to_label] == [row[0] for row in read.rows[-len(found.to_label) :]]
