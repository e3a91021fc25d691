"""The app's environment is read when it is asked for."""

import sys

import pytest

from app import environment


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECOND_LOOK_INDEX", "SECOND_LOOK_RERANKER", "SECOND_LOOK_READ_ONLY"):
        monkeypatch.delenv(name, raising=False)
    assert (environment.default_index(), environment.default_reranker()) == ("sample", "default")
    assert not environment.read_only()


def test_what_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_INDEX", "mine")
    monkeypatch.setenv("SECOND_LOOK_RERANKER", "none")
    assert (environment.default_index(), environment.default_reranker()) == ("mine", "none")


@pytest.mark.parametrize(("value", "expected"), [("", False), ("0", False), ("1", True), ("yes", True)])
def test_read_only_by_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", value)
    assert environment.read_only() == expected


def test_read_only_by_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECOND_LOOK_READ_ONLY", raising=False)
    monkeypatch.setattr(sys, "argv", ["app/main.py", "--read-only"])
    assert environment.read_only()
