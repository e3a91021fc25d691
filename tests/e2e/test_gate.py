"""The handshake as another page's browser would make it: refused before the app says a word, whatever it asks for."""

import shutil
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY
from tests.e2e.serving import own_environment, served
from tests.support.raw_web import handshake, request, rerun, session


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where an app without any index listens."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(REPOSITORY / ".streamlit", folder / ".streamlit")
    with served(folder, own_environment(), folder / "log.txt") as address:
        yield int(address.rpartition(":")[2])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "localhost.", "[::1]"])
def test_this_machines_own_names_are_served_on_any_port(port: int, host: str) -> None:
    for named in (host, f"{host}:{port}", f"{host}:9000"):  # a tunnel's port is another
        assert handshake(port, [("Host", named)]) == 101
        assert handshake(port, [("Host", named), ("Origin", f"http://{named}")]) == 101
        assert request(port, "/", [("Host", named)]).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.2", "0.0.0.0", ""]
)
@pytest.mark.parametrize(
    "path", ["/", "/compare", "/_stcore/health", "/_stcore/host-config", "/media/x", "/static/x.js"]
)
def test_a_foreign_host_gets_nothing(port: int, host: str, path: str) -> None:
    named = host.format(port=port)
    answer = request(port, path, [("Host", named)])
    assert answer.status == 403
    assert b"isn't meant to be reached as" in answer.body
    assert handshake(port, [("Host", named)]) == 403
    assert handshake(port, [("Host", named), ("Origin", f"http://{named}")]) == 403


def test_a_host_is_named_once(port: int) -> None:
    own = ("Host", f"127.0.0.1:{port}")
    assert handshake(port, []) in (400, 403)
    assert handshake(port, [own, ("Host", "evil.example")]) in (400, 403)
    assert handshake(port, [("Host", "evil.example"), own]) in (400, 403)
    assert handshake(port, [("Host", "evil.example"), ("X-Forwarded-Host", own[1])]) == 403
    assert request(port, "/", [], version="1.0").status in (400, 403)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "http://127.0.0.1:{port}.evil.example"],
)
def test_a_page_of_another_origin_has_no_websocket_and_changes_nothing(port: int, origin: str) -> None:
    headers = [("Host", f"127.0.0.1:{port}"), ("Origin", origin.format(port=port))]
    assert handshake(port, headers) == 403
    for method in ("PUT", "DELETE"):
        assert request(port, "/_stcore/upload_file/a/b", headers, method=method).status == 403


def test_a_browser_is_told_to_load_nothing_from_elsewhere(port: int) -> None:
    head = request(port, "/", [("Host", f"127.0.0.1:{port}")]).head.lower()
    assert "img-src 'self' data: blob:;" in head
    assert "frame-ancestors 'self'" in head
    assert "x-content-type-options: nosniff" in head


def test_a_session_of_this_machine_is_served(port: int) -> None:
    with session(port) as page:
        kinds = {message.WhichOneof("type") for message in page.run(rerun())}
    assert {"new_session", "navigation", "script_finished"} <= kinds
