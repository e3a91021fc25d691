"""Our figures are the field's, on judged data whose figures are published. Skipped where that data isn't.

The folder is named by SECOND_LOOK_JUDGED; by default it is ../shared/data beside the repository.
"""

import os
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, Rprec, nDCG

from indexing.bm25.backends import Bm25s, RankBm25
from indexing.bm25.build import build_bm25
from indexing.bm25.postings import write_postings
from indexing.bm25.settings import Bm25Settings
from indexing.corpus.corpus import Corpus
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.records import PassageId, Qrels, Ranking, Run
from indexing.words.analyzers import analyzer_for
from search.trec import read_run, write_run
from tests.conftest import REPOSITORY
from tests.support.same_figures import differences
from training.data.prepare import READERS
from training.evaluation.measures import measure_run

FOLDER = Path(os.environ.get("SECOND_LOOK_JUDGED", REPOSITORY.parent / "shared/data"))
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"public judged data isn't in {FOLDER}; name its folder by SECOND_LOOK_JUDGED"
)


def table(path: Path) -> dict[str, float]:
    """trec_eval's output: its figures over all queries by its own names."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return {name: float(value) for name, query, value in rows if query == "all" and name != "runid"}


def mean(run: Run, qrels: Qrels, measure: ir_measures.Measure) -> float:
    """One of ir-measures' figures over what our readers read."""
    scored = {
        query: dict(zip(ranking.passage_ids, ranking.scores.tolist(), strict=True)) for query, ranking in run.items()
    }
    judged = {query: dict(grades.items()) for query, grades in qrels.items()}
    return float(ir_measures.calc_aggregate([measure], judged, scored)[measure])


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("map", AP),
        ("Rprec", Rprec),
        ("recip_rank", RR),
        ("P_10", P @ 10),
        ("P_1000", P @ 1000),
        ("recall_100", R @ 100),
        ("ndcg", nDCG),
        ("ndcg_cut_10", nDCG @ 10),
    ],
)
def test_trec_evals_own_files_give_its_own_figures(name: str, measure: ir_measures.Measure) -> None:
    run, qrels = read_run(FOLDER / "trec_eval/results.test"), read_qrels(FOLDER / "trec_eval/qrels.test")
    assert mean(run, qrels, measure) == pytest.approx(table(FOLDER / "trec_eval/out.test.a")[name], abs=6e-5)


def test_trec_eval_and_ir_measures_give_our_figures_on_trec_evals_own_files() -> None:
    assert differences(FOLDER / "trec_eval/results.test", FOLDER / "trec_eval/qrels.test", minimum_grade=1) == []


def test_a_published_run_that_we_wrote_has_the_same_figures_everywhere(tmp_path: Path) -> None:
    folder = FOLDER / "trec-dl-2019"
    write_run(tmp_path / "run.trec", read_run(folder / "runs/d_bert_kd_tasb.trec"), tag="again")
    assert differences(tmp_path / "run.trec", folder / "qrels.txt", minimum_grade=2) == []


def test_a_published_run_that_is_written_and_read_again_has_the_same_figures(tmp_path: Path) -> None:
    folder = FOLDER / "trec-dl-2019"
    run, qrels = read_run(folder / "runs/bm25.trec"), read_qrels(folder / "qrels.txt")
    write_run(tmp_path / "run.trec", run, tag="again")
    again = read_run(tmp_path / "run.trec")
    assert {query: ranking.passage_ids for query, ranking in again.items()} == {
        query: ranking.passage_ids for query, ranking in run.items()
    }
    assert measure_run(again, qrels, minimum_grade=2) == measure_run(run, qrels, minimum_grade=2)


@pytest.fixture(scope="module")
def vaswani() -> tuple[list[PassageId], list[list[str]]]:
    passages = list(Corpus(FOLDER / "vaswani"))
    return [passage.id for passage in passages], analyzer_for().analyze(passage.content for passage in passages)


def saved_bm25(folder: Path, analyzed: list[list[str]], settings: Bm25Settings) -> Bm25s:
    (folder / "terms").mkdir()
    write_postings(folder / "terms/00000.arrow", analyzed)
    build_bm25(folder / "terms", folder / "bm25", settings)
    return Bm25s.open(folder / "bm25")


def test_both_bm25_back_ends_score_vaswani_alike(
    vaswani: tuple[list[PassageId], list[list[str]]], tmp_path: Path
) -> None:
    fast = saved_bm25(tmp_path, vaswani[1], Bm25Settings())
    plain = RankBm25(vaswani[1], Bm25Settings(backend="rank-bm25"))
    for query in read_queries(FOLDER / "vaswani/queries.tsv")[::6]:
        terms = analyzer_for().terms(query.text)
        assert np.abs(fast.scores(terms) - plain.scores(terms)).max() < 1e-5


def test_bm25_finds_what_it_should_in_vaswani(vaswani: tuple[list[PassageId], list[list[str]]], tmp_path: Path) -> None:
    bm25 = saved_bm25(tmp_path, vaswani[1], Bm25Settings(k1=1.2, b=0.75))
    run = {}
    for query in read_queries(FOLDER / "vaswani/queries.tsv"):
        rows, scores = bm25.search(analyzer_for().terms(query.text), depth=1000)
        found = zip(rows.tolist(), scores, strict=True)
        run[query.id] = Ranking.sort(((vaswani[0][row], score) for row, score in found), depth=1000)
    # PyTerrier's documentation gives BM25 a MAP of 0.296 on Vaswani, with Terrier's analyzer
    assert mean(run, read_qrels(FOLDER / "vaswani/qrels.txt"), AP) == pytest.approx(0.296, abs=0.02)


@pytest.mark.parametrize("name", ["msmarco-mini", "trec-dl-2021", "nfcorpus", "qa-sentences"])
def test_a_judged_source_is_read_whole(name: str) -> None:
    source = READERS[name](FOLDER)
    assert source.qrels
    assert {passage for judged in source.qrels.values() for passage in judged} <= set(source.passages)
    assert set(source.qrels) <= set(source.queries)


def test_what_is_for_evaluation_only_is_never_prepared() -> None:
    assert "trec-dl-2019" not in READERS
    ours = {query.text.lower() for query in read_queries(FOLDER / "trec-dl-2019/queries.tsv")}
    prepared = {text.lower() for text in READERS["trec-dl-2021"](FOLDER).queries.values()}
    assert ours & prepared == set()
