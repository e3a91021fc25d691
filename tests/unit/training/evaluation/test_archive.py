"""The files of a report in memory are those on disk, and a ZIP of them can be read again."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.errors import CorpusError
from indexing.records import PassageId, QueryId
from search.pipeline import RetrieveAndRerank
from search.trec import read_run
from training.evaluation.archive import report_files, zipped
from training.evaluation.evaluate import evaluate_stages
from training.evaluation.report import EvaluationReport, write_report
from training.evaluation.settings import EvaluationRequest


@pytest.fixture
def report(pipeline: RetrieveAndRerank) -> EvaluationReport:
    return evaluate_stages(pipeline, EvaluationRequest(depth=5)).reports[0]


def test_the_files_are_those_that_are_written(report: EvaluationReport, tmp_path: Path) -> None:
    files = report_files(report)
    write_report(tmp_path, report)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files.keys() == there
    assert {"qrels.txt", "report.json", "report.md", "queries.tsv", "runs/bm25.trec"} <= there
    assert all((tmp_path / path).read_bytes() == content for path, content in files.items())


def test_a_zip_gives_back_every_file_and_is_always_the_same(report: EvaluationReport, tmp_path: Path) -> None:
    files = report_files(report)
    packed = zipped(files)
    assert packed == zipped(files)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
        archive.extractall(tmp_path)
    run = read_run(tmp_path / "runs/re-ranked.trec")
    assert {query: list(ranking.passage_ids) for query, ranking in run.items()} == {
        query: list(ranking.passage_ids) for query, ranking in report.runs["re-ranked"].items()
    }


def test_an_id_that_trec_cannot_hold_is_reported(report: EvaluationReport) -> None:
    strange = replace(report, qrels={QueryId("4"): {PassageId("b 2"): 3}})
    with pytest.raises(CorpusError, match="'b 2' contains white space"):
        report_files(strange)
