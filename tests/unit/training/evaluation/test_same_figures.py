"""Runs that we write have the same figures here, in trec_eval and in ir-measures, to the last digit."""

from pathlib import Path

import numpy as np
import pytest

from indexing.records import PassageId, QueryId, Ranking
from search.trec import write_run
from tests.conftest import write_lines
from tests.support.same_figures import differences


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_a_run_full_of_ties_has_one_figure_everywhere(tmp_path: Path, steps: int) -> None:
    rng = np.random.default_rng(steps)
    run, judged = {}, []
    for query in range(20):
        ids = [PassageId(f"p{row}") for row in rng.permutation(60)]
        scores = np.sort(rng.integers(0, steps, size=60) / steps)[::-1]
        run[QueryId(f"q{query}")] = Ranking(ids, scores.astype(np.float32))
        judged += [f"q{query} 0 {name} {rng.integers(0, 4)}" for name in ids if rng.random() < 0.4]
    write_run(tmp_path / "run.trec", run, tag="t")
    qrels = write_lines(tmp_path / "qrels.txt", judged)
    assert differences(tmp_path / "run.trec", qrels, minimum_grade=2) == []


def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    # scores tie, and the rank column puts a first, where trec_eval has b: ids from last to first
    run = write_lines(tmp_path / "run.trec", ["1 Q0 a 1 0.5 t", "1 Q0 b 2 0.5 t"])
    qrels = write_lines(tmp_path / "qrels.txt", ["1 0 a 1"])
    assert "MAP of 1: 0.5, and ours 1.0" in differences(run, qrels, minimum_grade=1)
