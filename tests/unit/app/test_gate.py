"""The gate tells a request that a user of this server may have meant from one that nobody can have."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app.gate import HERE, is_allowed, refusal, without_path

Scope = dict[str, Any]
LOCAL = ("localhost", "127.0.0.1", "::1")


@pytest.fixture(autouse=True)
def option() -> Iterator[Callable[[str, Any], None]]:
    """Sets an option of Streamlit until the test ends."""
    names = ("server.address", "server.allowedHosts", "server.corsAllowedOrigins")
    before = {name: config.get_option(name) for name in names}
    config.set_option("server.address", "127.0.0.1")
    config.set_option("server.allowedHosts", [])
    yield config.set_option
    for name, value in before.items():
        config.set_option(name, value)


def request(
    *headers: tuple[str, str], method: str = "GET", path: str = "/", kind: str = "http", client: str = "127.0.0.1"
) -> Scope:
    """What an ASGI server hands on."""
    scope = {
        "type": kind,
        "path": path,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": (client, 1234),
    }
    return scope | ({"method": method} if kind == "http" else {})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1:8501",
        "LOCALHOST:1",
        "localhost.",
        "localhost.:8501",
        "[::1]",
        "[::1]:8501",
        "localhost:",
    ],
)
def test_this_machines_names_are_allowed_on_any_port(host: str) -> None:
    assert is_allowed(host, LOCAL)
    assert refusal(request(("host", host))) == ""


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8501", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example"),
        *("127.0.0.2", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "::1", "[::1"),
        *("", " ", ".", "localhost..", "localhost:99999", "localhost:-1", "localhost:8501:1", "localhost:x"),
        *("user@localhost", "localhost/x", "localhost?x", "localhost#x", "localhost,evil.example", "localhost evil"),
        *("http://localhost", "loc\u00e4lhost", "localhost\x00", "*", "[localhost", "a" * 100_000),
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert not is_allowed(host, LOCAL)
    assert "isn't meant to be reached as" in refusal(request(("host", host)))
    assert len(refusal(request(("host", host)))) < 600


@pytest.mark.parametrize(
    ("headers", "hosts"),
    [((), 0), ((("host", "localhost"), ("host", "evil.example")), 2), ((("host", "localhost"),) * 2, 2)],
)
def test_a_request_names_one_host(headers: tuple[tuple[str, str], ...], hosts: int) -> None:
    assert refusal(request(*headers)) == f"The request names {hosts} hosts; name one."


def test_other_names_are_allowed_where_they_are_configured(option: Callable[[str, Any], None]) -> None:
    option("server.allowedHosts", ["Search.example.org", "*.lab.example"])
    for host in ("search.example.org", "SEARCH.example.org:443", "a.lab.example", "a.b.lab.example:80"):
        assert refusal(request(("host", host))) == ""
    for host in ("localhost", "example.org", "lab.example", "xlab.example", "search.example.org.evil.example"):
        assert refusal(request(("host", host))) != ""
    option("server.allowedHosts", ["*"])
    assert refusal(request(("host", "anything.example"))) == ""


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost:9999",
        "http://localhost",
        "https://localhost:85",
        "file://",
        "http://[",
        "localhost:8501",
    ],
)
def test_a_page_of_another_origin_may_change_nothing(kind: str, origin: str) -> None:
    headers = (("host", "localhost:8501"), ("origin", origin))
    assert "may not use this server" in refusal(request(*headers, kind=kind, method="PUT"))


@pytest.mark.parametrize("origin", ["http://localhost:8501", "https://localhost:8501", "http://LOCALHOST:8501"])
def test_the_servers_own_page_may(origin: str) -> None:
    headers = (("host", "localhost:8501"), ("origin", origin))
    assert refusal(request(*headers, kind="websocket")) == ""
    assert refusal(request(*headers, method="DELETE")) == ""


def test_a_second_origin_is_refused_and_a_configured_one_is_not(option: Callable[[str, Any], None]) -> None:
    own = (("host", "localhost"), ("origin", "http://localhost"))
    assert refusal(request(*own, ("origin", "http://evil.example"), kind="websocket")) != ""
    option("server.corsAllowedOrigins", ["https://portal.example.org"])
    assert refusal(request(("host", "localhost"), ("origin", "https://portal.example.org"), kind="websocket")) == ""


@pytest.mark.parametrize(
    ("client", "near"), [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.168.1.5", False)]
)
def test_without_an_address_to_listen_at_only_this_machine_is_served(
    client: str, near: bool, option: Callable[[str, Any], None]
) -> None:
    option("server.address", None)
    assert (refusal(request(("host", "localhost"), client=client)) == "") == near
    option("server.address", "0.0.0.0")
    assert refusal(request(("host", "localhost"), client=client)) == ""


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/base/_stcore/upload_file/a/b"])
def test_in_read_only_mode_no_file_is_taken(method: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = request(("host", "localhost"), method=method, path=path)
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "0")
    assert refusal(scope) == ""
    monkeypatch.setenv("SECOND_LOOK_READ_ONLY", "1")
    assert refusal(scope) == "This server is in read-only mode and takes no files."


def test_a_session_isnt_told_where_the_program_lies() -> None:
    message = ForwardMsg()
    message.new_session.main_script_path = f"{HERE}/main.py"
    message.new_session.name = "main"
    sent = ForwardMsg.FromString(without_path(message.SerializeToString()))
    assert (sent.new_session.main_script_path, sent.new_session.name) == ("main.py", "main")
    other = ForwardMsg()
    other.delta.new_element.markdown.body = f"{HERE} in a passage"
    assert without_path(other.SerializeToString()) == other.SerializeToString()


def test_with_a_login_files_are_taken_from_those_who_are_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECOND_LOOK_READ_ONLY", raising=False)
    monkeypatch.setattr("app.gate.login_configured", lambda: True)
    monkeypatch.setattr("app.gate.get_cookie_secret", lambda: "secret")
    signed, forged = (create_signed_value(key, USER_COOKIE_NAME, "{}").decode() for key in ("secret", "another"))
    for value, expected in (("", "log in first"), (forged, "log in first"), (signed, "")):
        cookie = (("cookie", f"{USER_COOKIE_NAME}={value}"),) if value else ()
        said = refusal(request(("host", "localhost"), *cookie, method="PUT", path="/_stcore/upload_file/a/b"))
        assert expected in said
        assert bool(said) == bool(expected)


@pytest.mark.parametrize(
    ("held", "size", "taken"), [(0, 200, True), (201, 200, False), (200, 200, True), (0, 401, False)]
)
def test_all_uploads_together_are_bounded(held: int, size: int, taken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECOND_LOOK_READ_ONLY", raising=False)
    monkeypatch.setattr("app.gate._held", lambda: held << 20)
    length = ("content-length", str(size << 20))
    said = refusal(request(("host", "localhost"), length, method="PUT", path="/_stcore/upload_file/a/b"))
    assert (said == "") == taken
