"""One version is promoted at any moment, whatever dies; each rollback goes one step back; the history tells it all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.errors import BusyError, ModelError, SettingsError
from search.served import promoted_version, reranker_path
from tests.support.kill_promotions import Killed, kill_at_each_moment
from tests.support.versions import make_version
from training.versions import promoted
from training.versions.promoted import NOTHING, Promotion, current_promotion, history, rollback, set_promoted


@pytest.fixture
def models(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    for name in ("mine/1", "mine/2", "mine/3"):
        make_version(tmp_path / "models", name, tiny_cross_encoder)
    return tmp_path / "models"


@pytest.fixture
def shipped(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    return make_version(tmp_path, "shipped", tiny_cross_encoder)


def promote(models: Path, name: str, **more: Any) -> Promotion:
    options: dict[str, Any] = {"verdict": {"p": 0.5}, "by": "ann", "reason": "", "forced": False, **more}
    return set_promoted(name, seen=current_promotion(models), models=models, **options)


def test_where_nothing_was_promoted_the_shipped_one_is_served(tmp_path: Path) -> None:
    assert current_promotion(tmp_path / "none") == NOTHING
    assert NOTHING.promoted == "shipped"
    assert history(tmp_path / "none") == []


def test_a_promotion_is_served_and_says_who_when_and_why(models: Path) -> None:
    promote(models, "mine/1", reason="longer passages", forced=True)
    promotion = current_promotion(models)
    assert (promotion.promoted, promotion.before, promotion.by) == ("mine/1", "shipped", "ann")
    assert (promotion.reason, promotion.action, promotion.verdict) == ("longer passages", "force", {"p": 0.5})
    assert promotion.at.startswith("20")
    assert reranker_path(models=models) == str(models / "mine/1")


def test_the_file_says_what_was_agreed_on(models: Path) -> None:
    promote(models, "mine/1")
    values = json.loads((models / "promoted.json").read_text())
    assert {"promoted", "before", "at", "by", "reason", "verdict"} <= values.keys()


def test_each_rollback_goes_one_step_back_to_the_shipped_one(models: Path, shipped: Path) -> None:
    for name in ("mine/1", "mine/2", "mine/3"):
        promote(models, name)
    served = [rollback(by="bob", models=models, shipped=shipped).promoted for _ in range(3)]
    assert served == ["mine/2", "mine/1", "shipped"]
    assert reranker_path(models=models, shipped=shipped) == str(shipped)
    with pytest.raises(ModelError, match="shipped is served and nothing was promoted before it"):
        rollback(by="bob", models=models, shipped=shipped)


def test_what_was_rolled_back_is_no_step_any_more(models: Path, shipped: Path) -> None:
    promote(models, "mine/1")
    promote(models, "mine/2")
    rollback(by="bob", models=models, shipped=shipped)  # shipped, 1
    promote(models, "mine/3")  # shipped, 1, 3
    served = [rollback(by="bob", models=models, shipped=shipped).promoted for _ in range(2)]
    assert served == ["mine/1", "shipped"]


def test_the_history_tells_every_change(models: Path, shipped: Path) -> None:
    promote(models, "mine/1")
    promote(models, "mine/2", forced=True, reason="in a hurry")
    rollback(by="bob", reason="it was worse", models=models, shipped=shipped)
    actions = [(row.action, row.promoted, row.by, row.reason) for row in history(models)]
    assert actions == [
        ("promote", "mine/1", "ann", ""),
        ("force", "mine/2", "ann", "in a hurry"),
        ("rollback", "mine/1", "bob", "it was worse"),
    ]
    assert len((models / "history.jsonl").read_text().splitlines()) == 3


def test_a_pointer_written_by_hand_is_read(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/2"}))
    assert current_promotion(models).before == "shipped"
    assert rollback(by="bob", models=models, shipped=shipped).promoted == "shipped"
    assert [row.promoted for row in history(models)] == ["mine/2", "shipped"]


def test_a_rollback_to_a_damaged_version_is_refused_and_changes_nothing(models: Path, shipped: Path) -> None:
    promote(models, "mine/1")
    promote(models, "mine/2")
    (models / "mine/1/config.json").unlink()
    with pytest.raises(ModelError, match=r"mine/1 is damaged: config\.json is absent"):
        rollback(by="bob", models=models, shipped=shipped)
    assert current_promotion(models).promoted == "mine/2"


def test_a_rollback_works_where_the_promoted_one_is_gone(models: Path, shipped: Path) -> None:
    promote(models, "mine/1")
    (models / "mine/1").rename(models / "gone")
    with pytest.raises(ModelError, match="training rollback"):
        reranker_path(models=models, shipped=shipped)
    assert rollback(by="bob", models=models, shipped=shipped).promoted == "shipped"


def test_a_promotion_judged_against_another_version_is_refused(models: Path) -> None:
    seen = current_promotion(models)
    promote(models, "mine/1")
    with pytest.raises(ModelError, match=r"mine/1 was promoted by ann while mine/2 was judged against shipped"):
        set_promoted("mine/2", seen=seen, verdict={}, by="bob", reason="", forced=False, models=models)
    assert current_promotion(models).promoted == "mine/1"


@pytest.mark.parametrize(
    "change", [lambda models: promote(models, "mine/1"), lambda models: rollback(by="", models=models)]
)
def test_two_changes_at_once_are_refused(models: Path, change: Callable[[Path], object]) -> None:
    with atomic.locked(models) as free:
        assert free
        with pytest.raises(BusyError, match="Another process is changing"):
            change(models)
    assert current_promotion(models) == NOTHING


def test_a_name_that_leads_elsewhere_is_never_promoted(models: Path) -> None:
    with pytest.raises(SettingsError, match="must be NAME/VERSION"):
        promote(models, "../mine/1")


@pytest.mark.parametrize("content", ['{"promoted": "../../etc"}', '{"promoted": 3}', '{"promoted": "mine"}', "{"])
def test_a_pointer_that_leads_elsewhere_is_broken(models: Path, content: str) -> None:
    (models / "promoted.json").write_text(content)
    for read in (current_promotion, history, promoted_version):
        with pytest.raises(ModelError, match="is broken"):
            read(models)


def test_a_line_of_the_history_that_was_cut_short_is_passed_over(models: Path) -> None:
    promote(models, "mine/1")
    path = models / "history.jsonl"
    path.write_text(path.read_text() + '{"promoted": "mi')
    promote(models, "mine/2")
    assert [row.promoted for row in history(models)] == ["mine/1", "mine/2"]


def test_without_a_name_on_the_machine_the_person_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not promotion")

    monkeypatch.setattr(promoted, "getuser", nobody)
    assert promoted.person() == "unknown"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, tiny_cross_encoder: Path) -> list[Killed]:
    """Promotions and rollbacks from mine/2, before which mine/1 was promoted, killed at every moment."""
    folder = tmp_path_factory.mktemp("killed")
    for name in ("mine/1", "mine/2", "mine/3"):
        make_version(folder / "models", name, tiny_cross_encoder)
    promote(folder / "models", "mine/1")
    promote(folder / "models", "mine/2")
    return list(kill_at_each_moment(folder / "models", folder / "copies"))


def test_a_kill_at_any_moment_leaves_the_old_version_served_or_the_new_one(killed: list[Killed]) -> None:
    assert [row.code for row in killed].count(0) == 4  # two actions, by kill and by power cut, end by themselves once
    assert {row.code for row in killed} == {0, -9}
    assert {row.replaced for row in killed if row.code == -9} == {False, True}
    for row in killed:
        assert promoted_version(row.models) == row.expected, row.moments
        assert reranker_path(models=row.models) == str(row.models / row.expected)


def test_after_a_kill_the_history_is_whole_and_the_next_change_works(killed: list[Killed]) -> None:
    for row in killed:
        started = ["mine/1", "mine/2", *([row.expected] if row.replaced else [])]
        assert [promotion.promoted for promotion in history(row.models)] == started, row.moments
        promote(row.models, "mine/9")
        assert [promotion.promoted for promotion in history(row.models)] == [*started, "mine/9"]
        lines = (row.models / "history.jsonl").read_text().splitlines()
        assert sum(line.endswith("}") for line in lines) == len(started) + 1
        assert current_promotion(row.models).before == row.expected
