"""A run teaches by its scores on the scale of logits, and what run, queries or index lack is counted."""

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from indexing.errors import CorpusError, SettingsError, TrainingError
from indexing.index import Index
from tests.conftest import PASSAGES, QUERIES, write_lines
from training.data.readers.run import run_examples
from training.example import Example
from training.mining.groups import GroupSettings
from training.source import Source
from training.targets import RUN_SPREAD

SETTINGS = GroupSettings(per_query=8)


def run_of(folder: Path, *queries: str, names: str = "a1 a2 b1 c1") -> Path:
    """Each query ranks these passages, with scores 9, 8, 7 and so on."""
    lines = [f"{key} Q0 {name} {rank} {10 - rank} r" for key in queries for rank, name in enumerate(names.split(), 1)]
    return write_lines(folder / "run.trec", lines)


def source_of(path: Path, queries: Path | None = None) -> Source:
    options = {"index": "small"} | ({} if queries is None else {"queries": str(queries)})
    return Source("run", str(path), tuple(options.items()))


def read(
    path: Path, index: Index, queries: Path | None = None, settings: GroupSettings = SETTINGS
) -> tuple[list[Example], Counter[str]]:
    reasons: Counter[str] = Counter()
    examples = run_examples(
        source_of(path, queries), index=index, settings=settings, on_skip=lambda why: reasons.update([why])
    )
    return list(examples), reasons


def test_scores_become_logits_of_one_spread_and_nothing_is_judged(tmp_path: Path, small_index: Index) -> None:
    (example,), reasons = read(run_of(tmp_path, "1"), small_index)
    assert (example.query_id, example.query) == ("1", QUERIES["train"]["1"])
    assert list(example.passages) == [PASSAGES[name] for name in ("a1", "a2", "b1", "c1")]
    values = np.array([9, 8, 7, 6])  # mean 7.5, standard deviation sqrt(1.25)
    expected = (values - 7.5) / 1.25**0.5 * RUN_SPREAD
    assert example.scores == pytest.approx(expected, abs=1e-5)
    assert example.labels is None
    assert not reasons


def test_passages_are_drawn_by_the_seed(tmp_path: Path, small_index: Index) -> None:
    path = write_lines(tmp_path / "run", [f"1 Q0 {name} 1 {place} r" for place, name in enumerate(PASSAGES)])
    first, same, other = (
        read(path, small_index, settings=GroupSettings(per_query=4, seed=seed))[0][0].passages for seed in (1, 1, 2)
    )
    assert first == same
    assert len(first) == len(other) == 4
    assert first != other


def test_missing_queries_and_passages_are_counted(tmp_path: Path, small_index: Index) -> None:
    lines = ["1 Q0 a1 1 3 r", "1 Q0 zz 2 2 r", "1 Q0 a2 3 1 r"]  # the index lacks zz
    lines += ["3 Q0 a1 1 3 r", "3 Q0 a2 2 2 r"]  # a dev query, so no text beside the train queries
    lines += ["2 Q0 a1 1 5 r", "2 Q0 a2 2 5 r"]  # tells no passages apart
    (example,), reasons = read(write_lines(tmp_path / "run.trec", lines), small_index)
    assert list(example.passages) == [PASSAGES["a1"], PASSAGES["a2"]]
    assert reasons == {
        "passage that the index lacks": 1,
        "query without a text": 1,
        "query without 2 passages of different scores in the run": 1,
    }


def test_a_query_whose_passages_the_index_lacks_is_counted(tmp_path: Path, small_index: Index) -> None:
    lines = ["1 Q0 a1 1 3 r", "1 Q0 a2 2 2 r", "2 Q0 yy 1 3 r", "2 Q0 zz 2 2 r"]
    examples, reasons = read(write_lines(tmp_path / "run.trec", lines), small_index)
    assert [example.query_id for example in examples] == ["1"]
    assert reasons == {
        "passage that the index lacks": 2,
        "query without 2 passages of different scores in the run": 1,
    }


def test_queries_may_come_from_a_file(tmp_path: Path, small_index: Index) -> None:
    queries = write_lines(tmp_path / "queries.tsv", ["q7\tmy own query", "q8\tnot in the run"])
    examples, reasons = read(run_of(tmp_path, "1", "q7"), small_index, queries)
    assert [(example.query_id, example.query) for example in examples] == [("q7", "my own query")]
    assert reasons == {"query without a text": 1}


def test_ranks_without_scores_teach_their_reciprocals(tmp_path: Path, small_index: Index) -> None:
    path = write_lines(tmp_path / "run.tsv", ["1\ta1\t1", "1\tb1\t2"])
    (example,), _ = read(path, small_index)
    # two values lie one standard deviation from their mean, whatever they are
    assert list(example.passages) == [PASSAGES["a1"], PASSAGES["b1"]]
    assert example.scores == pytest.approx([RUN_SPREAD, -RUN_SPREAD])


def test_lists_are_made_lazily(tmp_path: Path, small_index: Index) -> None:
    lines = ["1 Q0 a1 1 3 r", "1 Q0 a2 2 2 r", "2 Q0 a1 1 3 r", "2 Q0 zz 2 2 r"]
    reasons: list[str] = []
    path = write_lines(tmp_path / "run.trec", lines)
    lists = run_examples(source_of(path), index=small_index, settings=SETTINGS, on_skip=reasons.append)
    assert len(list(islice(lists, 1))) == 1
    assert reasons == []  # of the second query nothing was looked up yet


def test_a_run_of_other_queries_is_refused(tmp_path: Path, small_index: Index) -> None:
    with pytest.raises(
        TrainingError,
        match=r"None of the 2 queries of run .* has a text in .*queries\.train\.tsv; name the file of its queries with "
        r",queries=FILE\.$",
    ):
        read(run_of(tmp_path, "x", "y"), small_index)
    with pytest.raises(CorpusError, match=r"empty\.trec is empty"):
        read(write_lines(tmp_path / "empty.trec", []), small_index)


def test_a_run_of_another_index_is_refused(tmp_path: Path, small_index: Index) -> None:
    with pytest.raises(
        TrainingError,
        match=r"run\.trec has no two passages of index small with different scores for any of 2 queries; name the "
        r"index whose passages it ranks\.$",
    ):
        read(run_of(tmp_path, "1", "2", names="x1 x2 x3"), small_index)


def test_an_invalid_line_is_named(tmp_path: Path, small_index: Index) -> None:
    with pytest.raises(CorpusError, match=r"run\.trec:2"):
        read(write_lines(tmp_path / "run.trec", ["1 Q0 a1 1 9 r", "1 Q0 a2 2"]), small_index)


def test_a_run_without_queries_says_which_option_to_add(
    tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.readers.run.open_corpus_folder", lambda _: tmp_path)
    with pytest.raises(SettingsError, match=r"Index small has no .*queries\.train\.tsv .*; add ,queries=FILE"):
        read(run_of(tmp_path, "1"), small_index)
