"""What was mined is used again for the same build, settings, query and judgments, and never for others."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing.judged.sets import JudgedSet, judged_sets
from indexing.records import PassageId, QueryId
from search.journal import Journal
from search.pipeline import RetrieveAndRerank
from tests.support.fakes import Reports
from training.data.extra_negatives import add_negatives
from training.data.judged_lists import ListSettings, judged_examples
from training.example import Example
from training.mining import kept_negatives
from training.mining.first_stage import ServedFirstStage
from training.mining.kept_negatives import Keeping, open_kept
from training.mining.settings import MiningSettings

SETTINGS = MiningSettings(relative_margin=None, per_query=3)


@pytest.fixture
def train(small_corpus: Path) -> JudgedSet:
    return judged_sets(small_corpus)["train"]


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries whose first stage was computed, in order."""
    queries: list[str] = []
    rank, candidates = ServedFirstStage.rank, ServedFirstStage.candidates

    def ranked(stage: ServedFirstStage, query: str) -> Any:
        queries.append(query)
        return rank(stage, query)

    def scored(stage: ServedFirstStage, query: Any, judged: Any) -> Any:
        queries.append(query.id)
        return candidates(stage, query, judged)

    monkeypatch.setattr(ServedFirstStage, "rank", ranked)
    monkeypatch.setattr(ServedFirstStage, "candidates", scored)
    return queries


def mined(
    pipeline: RetrieveAndRerank, judged: JudgedSet, folder: Path, settings: MiningSettings = SETTINGS, **options: Any
) -> list[Example]:
    progress, keeping = options.pop("progress", Reports()), Keeping(folder, options.pop("anew", False))
    lists = ListSettings(per_list=4, **options)
    return list(judged_examples(pipeline, judged, settings, lists, keeping=keeping, progress=progress))


def test_the_second_time_the_same_lists_come_without_a_search(
    pipeline: RetrieveAndRerank, train: JudgedSet, searched: list[str], tmp_path: Path
) -> None:
    reports = Reports()
    options: dict[str, Any] = {"fusion": "dense", "with_scores": True}
    first = mined(pipeline, train, tmp_path, progress=reports, **options)
    assert first == mined(pipeline, train, tmp_path / "none before", **options)
    assert {phase for phase, *_ in reports.rows} == {"mine small"}
    searched.clear()
    reports = Reports()
    assert mined(pipeline, train, tmp_path, progress=reports, **options) == first
    assert searched == []
    count = len(train.queries)
    assert {phase for phase, *_ in reports.rows} == {f"mine small ({count} of {count} queries mined before)"}


def test_a_part_that_was_mined_before_helps_the_whole(
    pipeline: RetrieveAndRerank, train: JudgedSet, searched: list[str], tmp_path: Path
) -> None:
    mined(pipeline, train, tmp_path, limit=1, seed=3)
    (done,) = searched
    searched.clear()
    mined(pipeline, train, tmp_path)
    assert searched == [query.id for query in train.queries if query.id != done]


def test_another_judgment_text_setting_or_build_is_mined_anew(
    pipeline: RetrieveAndRerank, train: JudgedSet, searched: list[str], tmp_path: Path
) -> None:
    mined(pipeline, train, tmp_path)
    first, *others = train.queries
    ids = [query.id for query in train.queries]

    def searches(now: RetrieveAndRerank, judged: JudgedSet, settings: MiningSettings = SETTINGS) -> list[str]:
        searched.clear()
        mined(now, judged, tmp_path, settings)
        return list(searched)

    grades = {**train.qrels[first.id], PassageId("d1"): 1}
    assert searches(pipeline, replace(train, qrels={**train.qrels, first.id: grades})) == [first.id]
    other_text = replace(first, text=f"{first.text} in winter")
    assert searches(pipeline, replace(train, queries=(other_text, *others))) == [first.id]
    assert searches(pipeline, train, replace(SETTINGS, seed=18)) == ids
    index = replace(pipeline.index, manifest=replace(pipeline.index.manifest, build="rebuilt"))
    assert searches(RetrieveAndRerank(index, pipeline.encoder, None), train) == ids
    assert searches(pipeline, train) == []


def test_a_new_judgment_is_no_negative_any_more(pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path) -> None:
    first, *_ = train.queries
    alone = replace(train, queries=(first,), qrels={first.id: train.qrels[first.id]})
    (before,) = mined(pipeline, alone, tmp_path)
    assert before.labels is not None
    text = pipeline.index.passages.by_id
    negatives = {passage for passage, label in zip(before.passages, before.labels, strict=True) if not label}
    name = next(
        name
        for name in map(
            PassageId, ("b1", "b2", "b3", "c1", "c2", "d1", "d2", *(f"a{number}" for number in range(1, 6)))
        )
        if name in pipeline.index.passages and text(name).content in negatives and name not in alone.qrels[first.id]
    )
    judged = {**alone.qrels[first.id], name: 3}
    (after,) = mined(pipeline, replace(alone, qrels={QueryId(first.id): judged}), tmp_path)
    assert after.labels is not None
    assert dict(zip(after.passages, after.labels, strict=True)).get(text(name).content, 3.0) == 3.0


def test_what_is_timed_is_mined_anew_and_helps_what_follows(
    pipeline: RetrieveAndRerank, train: JudgedSet, searched: list[str], tmp_path: Path
) -> None:
    first = mined(pipeline, train, tmp_path, anew=True)
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    searched.clear()
    assert mined(pipeline, train, tmp_path, anew=True) == first
    assert searched == [query.id for query in train.queries]
    assert file.stat().st_size == size  # once is enough
    searched.clear()
    assert mined(pipeline, train, tmp_path) == first
    assert searched == []


def test_damage_is_mined_anew(
    pipeline: RetrieveAndRerank, train: JudgedSet, searched: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = mined(pipeline, train, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])  # the last line is cut
    searched.clear()
    assert mined(pipeline, train, tmp_path) == first
    assert searched == [train.queries[-1].id]
    assert file.read_bytes() == whole
    file.write_bytes(b"no journal\n" + whole)
    searched.clear()
    assert mined(pipeline, train, tmp_path) == first
    assert len(searched) == len(train.queries)
    assert "What was mined before isn't used" in caplog.text
    mined(pipeline, train, tmp_path)
    assert file.read_bytes() == whole


def test_a_file_that_another_process_has_just_removed_is_done_without(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mined(pipeline, train, tmp_path)
    (file,) = tmp_path.iterdir()
    read = Journal.items

    def items(journal: Journal) -> Iterator[tuple[str, Any]]:
        file.unlink()
        return read(journal)

    monkeypatch.setattr(Journal, "items", items)
    assert mined(pipeline, train, tmp_path) == first


def test_while_another_mines_in_the_same_way_nothing_is_kept(
    pipeline: RetrieveAndRerank, train: JudgedSet, tmp_path: Path
) -> None:
    settings = {"fusion": "rrf", "depth": 100}
    with (
        open_kept(Keeping(tmp_path), pipeline.index, settings) as held,
        open_kept(Keeping(tmp_path), pipeline.index, settings) as second,
    ):
        assert held.get("key", lambda: [1]) == [1]
        assert second.get("key", lambda: [2]) == [2]  # it neither waits nor reads what may be half written
    with open_kept(Keeping(tmp_path), pipeline.index, settings) as later:
        assert later.get("key", lambda: [3]) == [1]


def test_those_used_longest_ago_are_removed(
    pipeline: RetrieveAndRerank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def use(name: str) -> Path:
        before = set(tmp_path.iterdir())
        with open_kept(Keeping(tmp_path), pipeline.index, {"name": name}) as kept:
            kept.get("key", lambda: "x" * 1000)
        return next(iter(set(tmp_path.iterdir()) - before), Path())

    first, second = use("first"), use("second")
    os.utime(first, (1000, 1000))
    os.utime(second, (2000, 2000))
    use("first")  # now the newest
    monkeypatch.setattr(kept_negatives, "MOST_BYTES", 3000)
    third = use("third")
    assert set(tmp_path.iterdir()) == {first, third}


def test_negatives_of_other_examples_are_kept_too(
    pipeline: RetrieveAndRerank, searched: list[str], tmp_path: Path
) -> None:
    example = Example("file", "how do bees make honey", ("Bees make honey.", "Snow is cold."), labels=(1.0, 0.0))

    def added() -> list[Example]:
        return list(add_negatives([example], pipeline, SETTINGS, keeping=Keeping(tmp_path)))

    first = added()
    assert len(first[0].passages) == 5
    searched.clear()
    assert added() == first
    assert searched == []
