"""What a visitor sees where a login is configured; tests/e2e/test_login.py logs in for real."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import REPOSITORY


def opened() -> AppTest:
    app = AppTest.from_file(str(REPOSITORY / "app/main.py"))
    app.secrets["auth"] = {"redirect_uri": "http://127.0.0.1:8501/oauth2callback", "cookie_secret": "x"}
    return app.run()


def test_a_visitor_can_log_in_and_do_nothing_else() -> None:
    app = opened()
    assert not app.exception
    assert [button.label for button in app.button] == ["Log in"]
    assert not app.text_input


def test_a_login_whose_library_is_absent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.login.find_spec", lambda name: None)
    app = opened()
    assert [error.value for error in app.error] == [
        "A login is configured in .streamlit/secrets.toml, but Authlib, which it needs, isn't installed. "
        'Run pip install -e ".[login]" and restart the app.'
    ]
    assert not app.button
