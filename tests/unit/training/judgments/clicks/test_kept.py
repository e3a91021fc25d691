"""Kept judgments from clicks: one set an index, with their mark; what is protected is never handed to a training."""

import json
import shutil
from pathlib import Path

import pytest

from indexing import places
from indexing.errors import CorpusError, SettingsError
from indexing.judged.qrels import read_judgments
from indexing.records import Passage, PassageId
from tests.unit.training.judgments.clicks.logs import swapped, write_log
from training.judgments.clicks.expected import ClickSettings
from training.judgments.clicks.judge import ClickJudgments, judge_clicks
from training.judgments.clicks.kept import keep_clicks, kept_clicks, remove_clicks
from training.judgments.feedback import FeedbackStore
from training.judgments.kept import FROM_CLICKS, judgments_to_train, write_to_train

WAX, BREAD = "what do bees store in wax", "how bread rises"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path / "home"))
    wax = swapped(WAX, "a1", "a4", name="wax")
    return write_log(tmp_path / "log.jsonl", *wax, *swapped(BREAD, "c1", "b1", name="bread"))


def judged(log: Path, *, views: int = 20) -> ClickJudgments:
    return judge_clicks([log], ClickSettings(least_views=views))


def test_what_is_kept_takes_the_place_of_what_was_kept_before(log: Path) -> None:
    assert kept_clicks("small") is None
    first = keep_clicks(judged(log), "small", build="b1")
    assert (first.judgments, first.queries, first.least_views, first.logs) == (4, 2, 20, ("log.jsonl",))
    assert read_judgments(first.folder / FROM_CLICKS.qrels).source == "clicks"
    second = keep_clicks(judged(log, views=10), "small", build="b1")
    assert kept_clicks("small") == second
    assert not first.folder.exists()
    assert kept_clicks("other") is None
    assert not places.feedback().exists()
    remove_clicks("small")
    assert kept_clicks("small") is None


def test_nothing_is_kept_of_a_log_too_short(log: Path) -> None:
    with pytest.raises(SettingsError, match="No passage has 21 views"):
        keep_clicks(judged(log, views=21), "small", build="b1")
    assert kept_clicks("small") is None
    assert not list((places.clicks() / "small").iterdir())


def test_a_damaged_record_is_told_with_its_folder(log: Path) -> None:
    kept = keep_clicks(judged(log), "small", build="b1")
    (kept.folder / "clicks.json").write_text('{"judgments": 4}', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"small/1 are damaged \('judged_queries'\); delete the folder\."):
        kept_clicks("small")


def test_queries_that_measure_are_left_out_of_a_training(log: Path, tmp_path: Path) -> None:
    keep_clicks(judged(log), "small", build="b1")
    store = FeedbackStore.open(tmp_path / "grades.sqlite3", protected_share=0.0)
    passage = Passage(PassageId("c1"), "Bread rises by yeast.")
    store.grade(f"{BREAD}?", passage, grade=3, rater="ann", index="small", build="b1", held_out=True)
    assert store.protected([WAX, BREAD]) == {BREAD}
    left = judgments_to_train(FROM_CLICKS, "small", store)
    assert left is not None
    assert [query.text for query in left.queries] == [WAX]
    assert left.source == "clicks"
    write_to_train(FROM_CLICKS, "small", tmp_path / "job", store)
    (text,) = (tmp_path / "job" / FROM_CLICKS.queries).read_text(encoding="utf-8").splitlines()
    assert text.endswith(f"\t{WAX}")
    read = read_judgments(tmp_path / "job" / FROM_CLICKS.qrels)
    assert read.source == "clicks"
    assert [dict(grades) for grades in read.grades.values()] == [{"a1": 2, "a4": 1}]  # 1.5 and 0.5 times as many


def test_the_newest_counts_where_a_program_was_killed_in_between(log: Path) -> None:
    first = keep_clicks(judged(log), "small", build="b1")
    shutil.copytree(first.folder, first.folder.with_name("10"))
    shutil.copytree(first.folder, first.folder.with_name("9"))
    (first.folder.with_name("11")).mkdir()  # without a record
    kept = kept_clicks("small")
    assert kept is not None
    assert kept.folder.name == "10"
    assert json.loads((kept.folder / "kept.json").read_text(encoding="utf-8"))["index"] == "small"
