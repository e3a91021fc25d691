"""A file of queries is answered one after the other, and a stopped run goes on where it was."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexing.errors import SettingsError
from indexing.records import PassageId, Query, QueryId, Ranking
from search.answers import Answer, plain_ranking, queries_fingerprint, ranking_json, write_answers
from search.trec import read_run

QUERIES = [Query(QueryId(str(number)), f"query {number}") for number in range(5)]
IDENTITY = {"index": "small", "queries": queries_fingerprint(QUERIES)}


class StoppedError(Exception):
    """Stands for the end of a process."""


def ranking(query: Query) -> Ranking:
    return Ranking.sort((PassageId(f"p{place}"), (int(query.id) + 1) / (place + 3)) for place in range(4))


def stopping(after: int, asked: list[str]) -> Callable[[], Answer]:
    """What answers so many queries, and stops at the next."""

    def answer(query: Query) -> Ranking:
        if len(asked) == after:
            raise StoppedError
        asked.append(query.id)
        return ranking(query)

    return lambda: answer


def test_a_run_stopped_at_any_query_becomes_the_same_file(tmp_path: Path) -> None:
    whole = tmp_path / "whole.trec"
    write_answers(whole, QUERIES, IDENTITY, stopping(99, []), tag="t")
    for stop in range(len(QUERIES)):
        output = tmp_path / f"{stop}.trec"
        asked: list[str] = []
        with pytest.raises(StoppedError):
            write_answers(output, QUERIES, IDENTITY, stopping(stop, asked), tag="t")
        assert not output.exists()
        again: list[str] = []
        write_answers(output, QUERIES, IDENTITY, stopping(99, again), tag="t")
        assert output.read_bytes() == whole.read_bytes()
        assert [*asked, *again] == [query.id for query in QUERIES]  # none twice
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".trec"] * 6


def test_nothing_is_loaded_where_all_are_answered(tmp_path: Path) -> None:
    output = tmp_path / "run.trec"
    with pytest.raises(StoppedError):
        write_answers(output, [*QUERIES, Query(QueryId("9"), "")], IDENTITY, stopping(5, []), tag="t")

    def load() -> Answer:
        raise AssertionError("loaded")

    write_answers(output, QUERIES, IDENTITY, load, tag="t")
    assert list(read_run(output)) == [query.id for query in QUERIES]


def test_a_stopped_run_isnt_mixed_with_another(tmp_path: Path) -> None:
    output = tmp_path / "run.trec"
    with pytest.raises(StoppedError):
        write_answers(output, QUERIES, IDENTITY, stopping(2, []), tag="t")
    with pytest.raises(SettingsError, match=r"run\.trec\.partial keeps 2 queries .*\(index small, now large\)"):
        write_answers(output, QUERIES, IDENTITY | {"index": "large"}, stopping(99, []), tag="t")


def test_rankings_come_back_to_the_last_bit() -> None:
    scores = np.random.default_rng(3).normal(size=30)
    given = Ranking.sort((PassageId(str(row)), score) for row, score in enumerate(scores))
    assert plain_ranking(ranking_json(given)) == given
    assert len(plain_ranking(ranking_json(Ranking.sort(())))) == 0


def test_the_fingerprint_of_queries_changes_with_ids_texts_and_order() -> None:
    known = {queries_fingerprint(QUERIES), queries_fingerprint(QUERIES[::-1]), queries_fingerprint(QUERIES[1:])}
    known.add(queries_fingerprint([Query(QUERIES[0].id, "other"), *QUERIES[1:]]))
    assert len(known) == 4
