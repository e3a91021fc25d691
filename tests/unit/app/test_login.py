"""Who is logged in is named by email address, else by name."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from app.login import broken_secrets, user_name
from tests.conftest import REPOSITORY


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
    monkeypatch.setattr("app.login.login_configured", lambda: True)
    monkeypatch.setattr(st, "user", user)
    assert user_name() == name


def test_without_a_login_there_is_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.login.login_configured", lambda: False)
    monkeypatch.setattr(st, "user", {"is_logged_in": True, "email": "ann@example.org"})
    assert user_name() == ""


@pytest.mark.parametrize("content", [b"[auth", b"\xff\xfe", b"a = b\n[auth]\n", None])
def test_where_the_secrets_are_broken_nobody_is_let_in(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".streamlit/secrets.toml"
    file.parent.mkdir()
    file.mkdir() if content is None else file.write_bytes(content)
    monkeypatch.setattr(st, "secrets", type(st.secrets)())
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(file)])
    try:
        assert broken_secrets() == ".streamlit/secrets.toml"
        app = AppTest.from_file(str(REPOSITORY / "app/main.py")).run()
        assert "so nobody is let in" in app.error[0].value
        assert not app.text_input
        assert not app.button
    finally:
        config.set_option("secrets.files", before)


def test_without_secrets_nothing_is_broken() -> None:
    assert broken_secrets() == ""
