"""Who is logged in is named by email address, else by name."""

import pytest
import streamlit as st

from app.login import user_name


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"is_logged_in": True, "email": "ann@example.org", "name": "Ann"}, "ann@example.org"),
        ({"is_logged_in": True, "name": "Ann"}, "Ann"),
        ({"is_logged_in": False, "email": "ann@example.org"}, ""),
        ({}, ""),
    ],
)
def test_the_user_is_named_by_email_else_by_name(
    monkeypatch: pytest.MonkeyPatch, user: dict[str, object], name: str
) -> None:
    monkeypatch.setattr("app.login._login_configured", lambda: True)
    monkeypatch.setattr(st, "user", user)
    assert user_name() == name


def test_without_a_login_there_is_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.login._login_configured", lambda: False)
    monkeypatch.setattr(st, "user", {"is_logged_in": True, "email": "ann@example.org"})
    assert user_name() == ""
