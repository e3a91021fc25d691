"""Runs are read in the forms that the field uses, and written so that they read back the same."""

from pathlib import Path

import numpy as np
import pytest

from indexing.errors import CorpusError
from indexing.records import PassageId, QueryId, Ranking
from search.trec import read_run, write_run
from tests.conftest import write_lines


def ranking(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def test_a_trec_run_is_read_by_score(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 2 0.5 tag", "1 Q0 b 1 0.75 tag", "2 Q0 a 1 3 tag"])
    assert read_run(path) == {"1": ranking(b=0.75, a=0.5), "2": ranking(a=3)}


@pytest.mark.parametrize(
    ("ranks", "order"),
    [
        ((1, 2, 3), ("b", "a", "c")),  # the ranks decide
        ((7, 9, 8), ("b", "c", "a")),
        ((1, 1, 1), ("c", "b", "a")),  # no rank decides: ids from last to first, as in trec_eval
        ((1, 2, 2), ("c", "b", "a")),
    ],
)
def test_ties_of_a_run_stand_by_rank_or_as_in_trec_eval(
    tmp_path: Path, ranks: tuple[int, ...], order: tuple[str, ...]
) -> None:
    lines = [f"1 Q0 {name} {rank} 0.5 tag" for name, rank in zip("bac", ranks, strict=True)]
    notes: list[str] = []
    assert read_run(write_lines(tmp_path / "run.trec", lines), note=notes.append)[QueryId("1")].passage_ids == order
    assert len(notes) == 1
    assert "scores tie" in notes[0]


def test_an_ms_marco_run_is_read_by_rank(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.tsv", ["1\ta\t2", "1\tb\t1", "1\tc\t1000"])
    assert read_run(path) == {"1": ranking(b=1, a=1 / 2, c=1 / 1000)}


@pytest.mark.parametrize("line", ["1 Q0 b", "1 Q0 b 1", "1 Q0 b 1 high tag", "1\tb\t0", "1\tb\tfirst"])
def test_a_line_of_a_run_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 1 3 tag", line])
    with pytest.raises(CorpusError, match=f"{path}:2: "):
        read_run(path)


@pytest.mark.parametrize("lines", [["1 Q0 a 1 3 t", "1 Q0 a 2 2 t"], ["1 Q0 a 1 nan t"]], ids=["twice", "nan"])
def test_a_run_that_is_no_ranking_is_named(tmp_path: Path, lines: list[str]) -> None:
    path = write_lines(tmp_path / "run.trec", lines)
    with pytest.raises(CorpusError, match=str(path)):
        read_run(path)


def test_a_run_is_written_in_trecs_six_fields(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {QueryId("1"): ranking(a=0.25, b=0.5)}, tag="mine")
    assert (tmp_path / "run.trec").read_text() == "1 Q0 b 1 0.5 mine\n1 Q0 a 2 0.25 mine\n"


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    run = {
        QueryId(str(query)): Ranking.sort((PassageId(str(row)), score) for row, score in enumerate(rng.normal(size=50)))
        for query in range(5)
    }
    write_run(tmp_path / "run.trec", run, tag="t")
    assert read_run(tmp_path / "run.trec") == run


def test_neighbouring_scores_do_not_become_a_tie_in_the_file(tmp_path: Path) -> None:
    # the smallest step of float32, as reciprocal ranks come close to: with 7 digits both read 0.01639344
    low = np.float32(1 / 61)
    high = np.nextafter(low, np.float32(1))
    run = {QueryId("1"): ranking(z=float(high), a=float(low))}
    write_run(tmp_path / "run.trec", run, tag="t")
    assert read_run(tmp_path / "run.trec") == run


def test_an_id_with_a_space_is_not_written_as_two_fields(tmp_path: Path) -> None:
    # ids of a folder of text files are file names; either it reads back, or it isn't written
    run = {QueryId("1"): Ranking.sort([(PassageId("my notes"), 1.0)])}
    try:
        write_run(tmp_path / "run.trec", run, tag="t")
    except CorpusError as error:
        assert "my notes" in str(error)  # noqa: PT017  # either of two outcomes is right
        return
    assert read_run(tmp_path / "run.trec") == run
