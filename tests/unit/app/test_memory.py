"""Arenas: glibc's allocator is told to make few, and where there is no such call, nothing happens."""

import ctypes
import platform
from types import SimpleNamespace

import pytest

from app import memory


def test_allocator_of_glibc_takes_the_limit() -> None:
    assert memory.limit_arenas() is (platform.libc_ver()[0] == "glibc")


def test_allocator_without_the_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert memory.limit_arenas() is False
