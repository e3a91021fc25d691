"""Whether others can reach the app, by what it is configured with."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit import config

from app.exposure import open_to_others


@pytest.fixture
def option() -> Iterator[Callable[[str, Any], None]]:
    names = ("server.address", "server.allowedHosts", "server.corsAllowedOrigins")
    before = {name: config.get_option(name) for name in names}
    config.set_option("server.address", "127.0.0.1")
    config.set_option("server.allowedHosts", [])
    config.set_option("server.corsAllowedOrigins", [])
    yield config.set_option
    for name, value in before.items():
        config.set_option(name, value)


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("server.address", "127.0.0.1", False),
        ("server.address", "::1", False),
        ("server.address", "localhost", False),
        ("server.address", None, False),  # the gate then answers this machine alone
        ("server.address", "0.0.0.0", True),
        ("server.address", "::", True),
        ("server.address", "search.example.org", True),
        ("server.allowedHosts", ["localhost"], False),
        ("server.allowedHosts", ["localhost", "search.example.org"], True),
        ("server.allowedHosts", ["*"], True),
        # a proxy that names this machine in place of the host needs the page's origin to be allowed
        ("server.corsAllowedOrigins", ["https://search.example.org"], True),
        ("server.corsAllowedOrigins", ["http://localhost:3000"], False),
        ("server.corsAllowedOrigins", ["*"], True),
    ],
)
def test_an_address_or_a_name_of_its_own_opens_it(
    option: Callable[[str, Any], None], name: str, value: object, others: bool
) -> None:
    option(name, value)
    assert open_to_others() is others


def test_so_do_a_login_and_read_only_mode(option: Callable[[str, Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not open_to_others()
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert open_to_others()
    monkeypatch.delenv("SECOND_LOOK_READ_ONLY")
    monkeypatch.setattr("app.exposure.login_configured", lambda: True)
    assert open_to_others()
