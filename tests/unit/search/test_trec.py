"""Runs are read in the forms that the field uses, and written so that they read back the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexing.errors import CorpusError
from indexing.index import Index
from indexing.records import Passage, PassageId, QueryId, Ranking
from indexing.store.ids import IdTable, write_ids
from indexing.store.passages import PassageStore, shard_ids, write_passages
from search.trec import check_run_ids, falling, read_run, write_run
from tests.conftest import write_lines


def ranking(**scores: float) -> Ranking:
    return Ranking.sort((PassageId(name), score) for name, score in scores.items())


def test_a_trec_run_is_read_by_score(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 2 0.5 tag", "1 Q0 b 1 0.75 tag", "2 Q0 a 1 3 tag"])
    assert read_run(path) == {"1": ranking(b=0.75, a=0.5), "2": ranking(a=3)}


@pytest.mark.parametrize("name", ["run.trec", "run.json"])
def test_ids_of_a_run_have_nothing_unseen_at_their_ends(tmp_path: Path, name: str) -> None:
    lines = ["\u200b1 Q0 \u200ea\u00a0 1 0.5 tag"] if name == "run.trec" else ['{"\u200b1": {"\u200ea": 0.5}}']
    assert read_run(write_lines(tmp_path / name, lines)) == {"1": ranking(a=0.5)}


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


def test_written_scores_fall_strictly_in_single_precision_too(tmp_path: Path) -> None:
    # three ties, then the next lower float32, which the third tie was lowered to and so has to be lowered itself
    low = float(np.nextafter(np.nextafter(np.float32(1), np.float32(0)), np.float32(0)))
    tied = Ranking([PassageId(name) for name in "badc"], np.array([1, 1, 1, low], dtype=np.float32))
    zeros = Ranking([PassageId(name) for name in "ab"], np.zeros(2, dtype=np.float32))
    least = Ranking([PassageId(name) for name in "ba"], np.full(2, np.finfo(np.float32).min))
    write_run(tmp_path / "run.trec", {QueryId(q): r for q, r in zip("123", (tied, zeros, least), strict=True)}, tag="t")
    rows = [line.split() for line in (tmp_path / "run.trec").read_text().splitlines()]
    assert [row[2] for row in rows] == [*"badc", *"ab", *"ba"]
    scores = np.array([row[4] for row in rows], dtype=np.float32)
    assert (np.diff(scores)[[0, 1, 2, 4, 6]] < 0).all()
    assert {query: ranking.passage_ids for query, ranking in read_run(tmp_path / "run.trec").items()} == {
        "1": tuple("badc"),
        "2": tuple("ab"),
        "3": tuple("ba"),
    }


@pytest.mark.parametrize(
    "scores",
    [[2, 2, 2], [0, 0, 0], [0.0, -0.0, -0.0], [-3, -3, -3.0000002], [1e30, 1e30, 1], [5, 4, 3], [1e-45, 0, 0], []],
)
def test_scores_that_tie_hardly_change_and_others_stay(scores: list[float]) -> None:
    given = np.array(scores, dtype=np.float32)
    found = np.array(falling(given.tolist()), dtype=np.float32)
    assert (found[1:] < found[:-1]).all()
    np.testing.assert_allclose(found, given, rtol=5e-7, atol=1e-29)
    assert (given[1:] < given[:-1]).all() == (found == given).all()


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["q Q0 a 1 9 t", "q Q0 b 2 8 t", "q Q0 a 3 7 t"], ":3: passage 'a' of query 'q' stands in line 1 already"),
        (["q Q0 a 1 9 t", "q Q0 b 2 nan t"], ":2: score 'nan' of query 'q' is no finite number"),
        (["q Q0 a 1 1_0 t"], ":1: score '1_0'"),
        (["q Q0 a 12.5 1 t"], ":1: rank '12.5' is no whole number"),
        (["q a Q0 1 9 t"], ":1: the passage of every line is called Q0 or 0"),
        (["q 0 a 1"], ":1: 4 fields, which are those of qrels"),
        (["q a 1", "q b 1"], ":2: query 'q' has rank 1 already in line 1"),
        (["q a 12", "q b 7", "q c 1"], ":1: the third field falls from line to line"),
        (["q Q0 a 1 9 t", "q a 1"], ":2: 3 fields, where line 1 has 6"),
        (['{"q": {"a": NaN}}'], "NaN is no number"),
    ],
)
def test_lines_that_are_no_run_are_refused(tmp_path: Path, lines: list[str], what: str) -> None:
    with pytest.raises(CorpusError, match=what):
        read_run(write_lines(tmp_path / "run.trec", lines))


def test_ranks_that_contradict_scores_and_lines_that_repeat_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    path = write_lines(tmp_path / "run.trec", ["1 Q0 a 1 0.5 t", "1 Q0 b 2 0.7 t", "1 Q0 b 2 0.7 t"])
    assert read_run(path, note=notes.append) == {"1": ranking(b=0.7, a=0.5)}
    assert notes[0] == f"{path}: 1 line repeats an earlier one and counts once (line 3)."
    assert "in 1 query (the first is '1') ranks contradict scores; scores decide" in notes[1]


def test_scores_are_compared_in_double_precision(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.trec", ["1 Q0 b 2 45.231796 t", "1 Q0 z 9 45.231795 t", "1 Q0 c 9 1e8 t"])
    assert read_run(path)[QueryId("1")].passage_ids == ("c", "b", "z")


def test_a_run_in_json_stands_by_score(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "run.json", ['{"1": {"a": 0.5, "b": 2, "c": 0.5}}'])
    assert read_run(path)[QueryId("1")].passage_ids == ("b", "c", "a")


def test_ids_that_no_run_can_hold_are_found_before_a_search(small_index: Index, tmp_path: Path) -> None:
    check_run_ids(["1", "q-2"], small_index)
    for name in ("a b", "", "x\u3000y", "a\u2028", "#1"):
        with pytest.raises(CorpusError, match="a query"):
            check_run_ids([name], small_index)
    for number, name in enumerate(("user guide", "é\u00a0", "日本\u3000語")):
        folder = tmp_path / str(number)
        folder.mkdir()
        plain = [Passage(PassageId(f"é{row}"), "x") for row in range(3)]
        write_passages(folder / "0.arrow", [*plain, Passage(PassageId(name), "x")])
        write_ids(tmp_path / f"ids{number}", shard_ids(folder))
        store = PassageStore(folder, IdTable(tmp_path / f"ids{number}"))
        assert store.first_id_with_blanks() == name
        with pytest.raises(CorpusError, match="of a passage contains white space"):
            check_run_ids([], replace(small_index, passages=store))


def test_an_id_with_a_space_is_not_written_as_two_fields(tmp_path: Path) -> None:
    # ids of a folder of text files are file names; either it reads back, or it isn't written
    run = {QueryId("1"): Ranking.sort([(PassageId("my notes"), 1.0)])}
    try:
        write_run(tmp_path / "run.trec", run, tag="t")
    except CorpusError as error:
        assert "my notes" in str(error)  # noqa: PT017  # either of two outcomes is right
        return
    assert read_run(tmp_path / "run.trec") == run
