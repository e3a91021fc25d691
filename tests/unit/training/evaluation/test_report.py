"""One judged set's report has every part, and its files can be read again."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.errors import SettingsError
from indexing.judged.qrels import read_qrels
from indexing.judged.sets import JudgedSet
from indexing.records import Query, Run
from search.trec import read_run
from tests.support.judged_lists import ONE, TWO, grades, ranking, scored
from training.evaluation.missed import SecondAccount
from training.evaluation.report import (
    ORACLE,
    RERANKED_WITH_MISSED,
    EvaluationReport,
    make_report,
    markdown,
    report_json,
    write_report,
)
from training.evaluation.settings import EvaluationSettings
from training.evaluation.stages import STAGES, Stages

QUERIES = (Query(ONE, "first"), Query(TWO, "second"))
QRELS = {ONE: grades(a=3, b=1), TWO: grades(c=2, d=2)}
FUSED = {ONE: ranking("x", "b", "a"), TWO: ranking("y", "c")}
LOGITS = {ONE: scored(a=3.0, x=2.0, b=1.0), TWO: scored(y=2.0, c=1.0)}
SHARES = {"fused": 1.0, "dense": 1.0, "late": 1.0}
STAGES_RUN = Stages(bm25=FUSED, dense=FUSED, fused=FUSED, reranked=LOGITS, cosine=FUSED, late=FUSED, rerank_seconds=0.5)
RUNS = STAGES_RUN.by_name(shares=SHARES)
JUDGED = JudgedSet("test", QUERIES, QRELS)
NONE_ABSENT = {"lost to absent passages": 0.0}


def report(others: Mapping[str, Run] | None = None, **options: object) -> EvaluationReport:
    settings = EvaluationSettings(measure="MRR@10", baseline="fused (RRF)")
    runs = {**RUNS, **(others or {})}
    return make_report("Small", STAGES_RUN, JUDGED, runs=runs, settings=settings, **options)  # type: ignore[arg-type]  # of each test


def test_a_pairs_time_is_that_of_all_pairs_shared() -> None:
    assert STAGES_RUN.seconds_per_pair == pytest.approx(0.5 / 5)
    assert replace(STAGES_RUN, rerank_seconds=None).seconds_per_pair is None
    assert replace(STAGES_RUN, reranked={}).seconds_per_pair is None


def test_all_stages_and_the_ceiling_stand_in_one_table() -> None:
    found = report()
    assert list(found.comparison.systems) == [*STAGES, ORACLE]
    assert set(found.comparison.versus) == {*STAGES} - {"fused (RRF)"}
    # a: rank 3, then 1; c: rank 2 both times; the oracle has both first
    means = {name: measured.means["MRR@10"] for name, measured in found.comparison.systems.items()}
    assert means["fused (RRF)"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert (means["re-ranked"], means[ORACLE]) == pytest.approx(((1 + 1 / 2) / 2, 1))


def test_losses_are_those_of_the_re_ranked_list() -> None:
    assert report().attribution.means == pytest.approx(
        {"value": 0.75, "ceiling": 1, "ideal": 1, "lost to recall": 0, "lost to ranking": 0.25} | NONE_ABSENT
    )


def test_other_systems_stand_beside_ours_and_are_tested() -> None:
    found = report(others={"theirs": {ONE: ranking("a")}})
    assert found.comparison.systems["theirs"].means["MRR@10"] == 0.5
    assert "theirs" in found.comparison.versus
    assert "'theirs' has no result for 1 query, which count 0: " in markdown(found)


def test_the_second_account_is_shown_with_its_counts() -> None:
    complete = SecondAccount(
        candidates={**FUSED, TWO: ranking("y", "c", "d")},
        reranked={**LOGITS, TWO: scored(d=3.0, y=2.0, c=1.0)},
        appended=1,
        without_text=4,
    )
    found = report(second_account=complete)
    assert found.comparison.systems[RERANKED_WITH_MISSED].means["R@10"] == 1  # a; c and d
    assert found.comparison.systems["re-ranked"].means["R@10"] == pytest.approx((1 + 1 / 2) / 2)
    assert RERANKED_WITH_MISSED not in found.comparison.versus
    assert "1 judged positives that the first stage missed were re-ranked too; 4 more" in markdown(found)
    assert report_json(found)["missed_positives"] == {"appended": 1, "without_text": 4}


def test_the_sweep_has_the_time_of_a_query() -> None:
    found = report().sweep
    assert [row.depth for row in found] == [0, 3]
    assert found[1].seconds == pytest.approx((3 + 2) / 2 * 0.1)


def test_a_sweep_takes_the_candidates_in_the_order_in_which_they_were_given() -> None:
    found = report(candidates={ONE: ranking("a", "b", "x"), TWO: ranking("c", "y")}).sweep
    assert found[0].measured.means["MRR@10"] == 1  # nothing re-ranked: a and c stand first
    assert found[1].measured.means["MRR@10"] == pytest.approx((1 + 1 / 2) / 2)


def test_the_report_can_be_read() -> None:
    text = markdown(report())
    assert text.startswith("### Small (2 judged queries)\n\n| | nDCG@10 | MRR@10 |")
    assert "MRR@10 of 're-ranked' is 0.7500; the best order of its candidates has 1.0000" in text
    assert "0 queries lose more to recall, 1 to ranking, 0 equally to both, 1 nothing." in text
    # mean list of (3 + 2) / 2 pairs, 0.1 s each; the figures of the table's own row
    assert "| 0 | 0.4869 | 0.4167 | 0.2917 | 0.4869 | 0.000 |" in text
    assert "| 3 | 0.6754 | 0.7500 | 0.6250 | 0.8066 | 0.250 |" in text
    assert "count grade 2 or more as relevant; 0 queries have no such passage" in text


def test_a_minimum_grade_that_nothing_has_is_refused() -> None:
    with pytest.raises(SettingsError, match="No judgment has grade 4"):
        make_report("", STAGES_RUN, JUDGED, runs=RUNS, settings=EvaluationSettings(minimum_grade=4))


def test_of_binary_judgments_the_lowest_grade_counts_and_the_report_says_so() -> None:
    judged = JudgedSet("test", QUERIES, {ONE: grades(a=1, b=0), TWO: grades(c=1)})
    settings = EvaluationSettings(measure="MRR@10", baseline="fused (RRF)")
    found = make_report("Small", STAGES_RUN, judged, runs=RUNS, settings=settings)
    assert found.minimum_grade == report_json(found)["minimum_grade"] == 1
    assert found.comparison.systems["re-ranked"].means["MRR@10"] == pytest.approx((1 + 1 / 2) / 2)
    assert (
        "The judgments are binary: none has grade 2 or more, so grade 1 counts as relevant. Means are over all judged "
        "queries that have a text. MRR, MAP and recall count grade 1 or more as relevant; 0 queries have no such "
        "passage"
    ) in markdown(found)
    requested = replace(settings, minimum_grade=2)
    with pytest.raises(SettingsError, match=r"No judgment has grade 2 or more \(the highest is 1\)"):
        make_report("Small", STAGES_RUN, judged, runs=RUNS, settings=requested)


def test_all_of_it_is_written(tmp_path: Path) -> None:
    found = report()
    write_report(tmp_path / "out", found)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "qrels.txt",
        "queries.tsv",
        "report.json",
        "report.md",
        "runs",
    ]
    assert json.loads((tmp_path / "out/report.json").read_text()) == json.loads(json.dumps(report_json(found)))
    assert markdown(found) in (tmp_path / "out/report.md").read_text()
    assert read_qrels(tmp_path / "out/qrels.txt") == QRELS
    assert read_run(tmp_path / "out/runs/re-ranked.trec") == LOGITS
    assert len((tmp_path / "out/queries.tsv").read_text().splitlines()) == 1 + 2
    write_report(tmp_path / "out", found)  # a second time replaces them
