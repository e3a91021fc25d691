"""A link names no re-ranker but those that are here, and, outside read-only mode, those that somebody typed."""

from pathlib import Path

import pytest

from app import rerankers

STRANGE = (
    "org/model",
    "/etc",
    "..",
    "../mine/1",
    "mine/2",
    "mine/1/",
    "mine//1",
    "",
    " ",
    "MINE/1",
    "mine/1\0",
    "\uff4dine/1",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    monkeypatch.delenv("SECOND_LOOK_RERANKER", raising=False)
    monkeypatch.setattr("app.rerankers._typed", {})
    (tmp_path / "models/mine/1").mkdir(parents=True)
    (tmp_path / "models/mine/1/config.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("read_only", ["0", "1"])
def test_what_is_here_is_offered_and_nothing_else(read_only: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", read_only)
    assert all(map(rerankers.is_offered, ("default", "none", "shipped", "mine/1")))
    assert not any(map(rerankers.is_offered, STRANGE))
    monkeypatch.setenv("SECOND_LOOK_RERANKER", "org/configured")
    assert rerankers.is_offered("org/configured")


def test_a_typed_name_is_offered_outside_read_only_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    rerankers.accept("org/model")
    assert rerankers.is_offered("org/model")
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert not rerankers.is_offered("org/model")
    rerankers.accept("org/other")
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "0")
    assert not rerankers.is_offered("org/other")


def test_the_oldest_typed_names_are_forgotten() -> None:
    for number in range(rerankers.MOST_TYPED + 1):
        rerankers.accept(f"org/{number}")
    assert not rerankers.is_offered("org/0")
    assert rerankers.is_offered("org/1")


def test_a_versions_folder_is_offered_to_owners_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(home / "models/mine/1")
    assert rerankers.is_offered(folder)
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert not rerankers.is_offered(folder)
    assert rerankers.usable(folder) == "default"
    assert rerankers.usable("mine/1") == "mine/1"
