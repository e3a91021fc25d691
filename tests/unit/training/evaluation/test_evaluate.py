"""A pipeline is evaluated on its index's judged queries and, on request, on a TREC run."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.dense.encoder import BiEncoder
from indexing.errors import SettingsError
from indexing.index import open_index
from indexing.records import QueryId
from search.pipeline import RetrieveAndRerank
from tests.conftest import PASSAGES, QRELS, QUERIES, write_lines
from tests.support.fakes import WordOverlapReranker
from training.evaluation.evaluate import WITHOUT_LATE, evaluate_stages
from training.evaluation.report import RERANKED_WITH_MISSED, markdown
from training.evaluation.settings import EvaluationRequest, EvaluationSettings
from training.evaluation.stages import STAGES


@pytest.fixture
def trec(tmp_path: Path) -> Path:
    """A TREC folder whose BM25 missed the best passage."""
    folder = tmp_path / "trec"
    write_lines(folder / "corpus.jsonl", [json.dumps({"id": name, "text": text}) for name, text in PASSAGES.items()])
    write_lines(folder / "queries.tsv", ["t1\thow do bees make honey"])
    write_lines(folder / "qrels.txt", ["t1 0 a1 3", "t1 0 a3 2", "t1 0 zz 2"])
    write_lines(folder / "runs/bm25.trec", ["t1 Q0 a4 1 3 x", "t1 Q0 a3 2 2 x"])
    return folder


def test_the_split_that_is_asked_for_is_reported(pipeline: RetrieveAndRerank) -> None:
    phases: list[str] = []
    found = evaluate_stages(
        pipeline, EvaluationRequest(depth=20), progress=lambda phase, done, total: phases.append(phase)
    )
    (report,) = found.reports
    assert (found.index, found.reranker, report.title) == ("small", "word overlap", "small, test split")
    assert set(report.qrels) == {QueryId("4"), QueryId("5")} == {query.id for query in report.queries}
    assert set(STAGES) < set(report.comparison.systems)
    assert list(dict.fromkeys(phases)) == ["dev", "test"]
    assert found.shares is not None
    assert json.loads(json.dumps(found.as_json()))["reports"][0]["queries"] == len(QRELS["test"])


def test_the_dev_split_is_searched_once_where_it_is_the_one_asked_for(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker
) -> None:
    evaluate_stages(pipeline, EvaluationRequest(split="dev", depth=20))
    assert [query for query, _ in reranker.asked] == list(QUERIES["dev"].values())


def test_a_trec_folders_run_is_re_ranked_and_has_its_own_report(pipeline: RetrieveAndRerank, trec: Path) -> None:
    found = evaluate_stages(pipeline, EvaluationRequest(depth=20, trec=trec))
    report = found.reports[1]
    assert report.title == "trec, BM25's top 20 as given"
    assert report.sweep[0].measured.means["MRR@10"] == 1 / 2  # a4 before a3, as in the file
    assert set(report.runs["re-ranked"][QueryId("t1")].passage_ids) == {"a3", "a4"}
    # a3 of a1, a3 and zz was retrieved
    assert report.comparison.systems["re-ranked"].means["R@10"] == pytest.approx(1 / 3)


def test_the_second_account_scores_what_was_missed_and_has_a_text(pipeline: RetrieveAndRerank, trec: Path) -> None:
    found = evaluate_stages(pipeline, EvaluationRequest(depth=20, trec=trec, missed=True))
    every = found.reports[1].second_account
    assert every is not None
    assert (every.appended, every.without_text) == (1, 1)  # a1; zz
    assert found.reports[1].comparison.systems[RERANKED_WITH_MISSED].means["R@10"] == pytest.approx(2 / 3)
    ours = found.reports[0].second_account
    assert ours is not None
    assert ours.appended == 0  # 20 of 20 passages were retrieved


def test_another_systems_run_stands_where_it_answers(pipeline: RetrieveAndRerank, trec: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "theirs.trec", ["t1 Q0 a1 1 9.5 them"])
    request = EvaluationRequest(
        depth=20, trec=trec, runs={"theirs": path}, settings=EvaluationSettings(baseline="re-ranked")
    )
    own, trec_report = evaluate_stages(pipeline, request).reports
    assert "theirs" not in own.comparison.systems
    assert trec_report.comparison.systems["theirs"].means["MRR@10"] == 1
    assert (
        trec_report.comparison.versus["theirs"].difference
        == trec_report.comparison.differences("theirs")[QueryId("t1")]
    )
    assert "against re-ranked" in markdown(trec_report)


@pytest.mark.parametrize("name", ["re-ranked", RERANKED_WITH_MISSED])
def test_a_run_cant_have_the_name_of_one_of_our_own(pipeline: RetrieveAndRerank, tmp_path: Path, name: str) -> None:
    path = write_lines(tmp_path / "theirs.trec", ["4 Q0 a1 1 9.5 them"])
    with pytest.raises(SettingsError, match=f"A run can't be named '{name}', as one of our own is; give it"):
        evaluate_stages(pipeline, EvaluationRequest(runs={name: path}))


def test_a_run_that_answers_nothing_is_reported_before_anything_is_searched(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "theirs.trec", ["q77 Q0 a1 1 9.5 them"])
    with pytest.raises(SettingsError, match="Run theirs answers none of the 2 judged queries"):
        evaluate_stages(pipeline, EvaluationRequest(runs={"theirs": path}))
    assert reranker.asked == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (EvaluationSettings(minimum_grade=4), "No judgment has grade 4"),
        (EvaluationSettings(baseline="TF-IDF"), "'TF-IDF' isn't one of the systems; choose from BM25, dense"),
    ],
)
def test_settings_that_dont_fit_are_reported_before_anything_is_searched(
    pipeline: RetrieveAndRerank, reranker: WordOverlapReranker, settings: EvaluationSettings, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        evaluate_stages(pipeline, EvaluationRequest(settings=settings))
    assert reranker.asked == []


def test_where_the_baseline_doesnt_answer_bm25_is_the_baseline(
    pipeline: RetrieveAndRerank, trec: Path, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "theirs.trec", ["t1 Q0 a1 1 9.5 them"])
    request = EvaluationRequest(
        depth=20, trec=trec, runs={"theirs": path}, settings=EvaluationSettings(baseline="theirs")
    )
    own, trec_report = evaluate_stages(pipeline, request).reports
    assert (own.comparison.baseline, trec_report.comparison.baseline) == ("BM25", "theirs")


def test_a_split_that_isnt_there_is_reported_with_those_that_are(pipeline: RetrieveAndRerank) -> None:
    with pytest.raises(SettingsError, match=r"no judged eval queries \(there: train, dev, test\)"):
        evaluate_stages(pipeline, EvaluationRequest(split="eval"))


def test_without_a_re_ranker_there_is_nothing_to_compare(pipeline: RetrieveAndRerank) -> None:
    alone = RetrieveAndRerank(pipeline.index, pipeline.encoder, None)
    with pytest.raises(SettingsError, match="needs a re-ranker"):
        evaluate_stages(alone, EvaluationRequest())


def test_without_dev_queries_nothing_is_mixed(pipeline: RetrieveAndRerank, small_corpus: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_corpus, tmp_path / "corpus"))
    (folder / "qrels.dev.tsv").unlink()
    index = pipeline.index
    moved = replace(index, manifest=replace(index.manifest, corpus=str(folder)))
    found = evaluate_stages(RetrieveAndRerank(moved, pipeline.encoder, pipeline.reranker), EvaluationRequest(depth=20))
    assert found.shares is None
    assert "re-ranked + first stage" not in found.reports[0].comparison.systems
    assert "re-ranked" in found.reports[0].comparison.systems


def test_the_index_that_was_built_is_named(pipeline: RetrieveAndRerank, built_root: Path) -> None:
    found = evaluate_stages(pipeline, EvaluationRequest(depth=5))
    assert found.build == open_index("small", root=built_root).folder.name


def test_a_bi_encoder_without_vectors_of_tokens_has_no_late_interaction_and_the_report_says_so(
    pipeline: RetrieveAndRerank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BiEncoder, "has_tokens", False)
    (report,) = evaluate_stages(pipeline, EvaluationRequest(depth=5)).reports
    assert not any("late" in name for name in report.comparison.systems)
    assert WITHOUT_LATE in report.notes
