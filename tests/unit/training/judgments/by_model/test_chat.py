"""Asking a model: one answer or one sentence, in time, and nothing to anywhere else."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from indexing.errors import ModelError, SettingsError
from tests.unit.training.judgments.by_model.servers import Asked, Reply, say, saying, send, serving
from training.judgments.by_model.chat import KEY, ModelAddress, ask, environment_key

ASKED = [{"role": "user", "content": "wax?"}]


def refused(reply: Reply, *, key: str = "", timeout: float = 5) -> str:
    with serving(reply) as server:
        with pytest.raises(ModelError) as told:
            ask(server.address(timeout=timeout), ASKED, key=key, pause=lambda _: None)
        return str(told.value).replace(server.url, "URL")


def test_one_question_gets_one_answer() -> None:
    with serving(saying(lambda asked: asked.content.upper())) as server:
        answer = ask(server.address(), ASKED, key="secret")
        assert (answer.text, answer.model) == ("WAX?", "tiny-q4")
        asked = server.asked[0]
        assert (asked.path, asked.key) == ("/v1/chat/completions", "Bearer secret")
        assert asked.body == {"model": "tiny", "messages": ASKED, "temperature": 0}
        ask(server.address(), ASKED)
        assert server.asked[1].key is None


def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    waits: list[float] = []

    def reply(_: Asked, handler: BaseHTTPRequestHandler) -> None:
        if len(server.asked) == 1:
            send(handler, b"", status=503)
        elif len(server.asked) == 2:
            send(handler, b"", status=429, Retry_After="7")
        else:
            say(handler, "2")

    with serving(reply) as server:
        assert ask(server.address(), ASKED, pause=waits.append).text == "2"
    assert waits == [1, 7]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b'{"error": {"message": "bad key sk-1"}}', f"URL refuses with status 401 (bad key ***); set {KEY}."),
        (404, b'{"error": "no such model"}', "404 (no such model); check the address and the model's name."),
        (500, b"", "status 500; wait, and run it again: what it has answered is kept."),
        (400, b"<html>\nwhat", "status 400 (<html>); wait"),
    ],
)
def test_a_refusal_is_told_without_the_key(status: int, body: bytes, told: str) -> None:
    assert told in refused(lambda _, handler: send(handler, body, status=status), key="sk-1")


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("before", range(60, 170, 10))
def test_no_part_of_a_key_that_a_server_repeats_is_told(status: int, before: int) -> None:
    """Wherever the sentence about what it said is cut."""
    key = "abcdefghijklmnopqrstuvwxyz" * 2
    body = b"." * before + key.encode()
    assert "abcd" not in refused(lambda _, handler: send(handler, body, status=status), key=key)


def test_a_redirection_is_not_followed() -> None:
    with serving(saying(lambda _: "3")) as other:
        told = refused(
            lambda _, handler: send(handler, b"", status=307, Location=f"{other.url}/chat/completions"), key="secret"
        )
        assert "URL redirects elsewhere (307), which isn't followed" in told
        assert other.asked == []


@pytest.mark.parametrize(
    "body", [b"hello", b"[]", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}']
)
def test_another_form_than_a_chat_completion_is_told(body: bytes) -> None:
    told = refused(lambda _, handler: send(handler, body))
    assert told.startswith("URL/chat/completions answers in another form than a chat completion (")


def test_an_answer_without_an_end_is_not_kept_in_memory() -> None:
    assert "another form" in refused(lambda _, handler: send(handler, b" " * (1 << 20) + b"1"))


@pytest.mark.parametrize("drop", [True, False])
def test_nothing_hangs(drop: bool) -> None:
    """A server that says nothing, and one that says a byte now and then, which no timeout of a single read ends."""
    done = threading.Event()

    def reply(_: Asked, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while not done.wait(10 if drop else 0.05):
            handler.wfile.write(b".")

    start = time.monotonic()
    told = refused(reply, timeout=0.3)
    done.set()
    assert time.monotonic() - start < 5
    assert told.startswith("The model at URL didn't answer within 0.3 seconds; give it longer, or a faster")


def test_what_heeds_a_stop_ends_the_waiting_for_an_answer() -> None:
    done, looks = threading.Event(), iter([None, KeyError("stop")])

    def heed() -> None:
        if error := next(looks):
            raise error

    def reply(*_: object) -> None:
        done.wait(10)

    start = time.monotonic()
    with serving(reply) as server:
        with pytest.raises(KeyError, match="stop"):
            ask(server.address(), ASKED, heed=heed)
        done.set()
    assert time.monotonic() - start < 2


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelError) as told:
        ask(ModelAddress(url=url, model="tiny"), ASKED)
    assert str(told.value) == (
        f"The model at {url} can't be reached ([Errno 111] Connection refused); start its server, or give another "
        "address."
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://models.example/v1", "is another machine without https"),
        ("http://10.0.0.7:8080/v1", "is another machine without https"),
        ("http://127.0.0.1.example/v1", "is another machine without https"),
        ("https://ann:key@models.example/v1", "holds a name or a key; take them out and set SECOND_LOOK_JUDGE_KEY"),
        ("https://ann:key@models.example/v1?x=1", "holds a name or a key; take them out"),
        ("https://exämple..com/v1", "is no address of a model"),
        ("http://127.0.0.1:8080/ü", "is no address of a model"),
        (f"https://{'a' * 64}.example/v1", "is no address of a model"),
        ("http://[::1%2eexample]/v1", "is no address of a model"),
        ("ftp://127.0.0.1/v1", "is no address of a model"),
        ("file:///etc/passwd", "is no address of a model"),
        ("127.0.0.1:8080", "is no address of a model"),
        ("http://127.0.0.1:port/v1", "is no address of a model"),
        ("https://models.example/v1?key=1", "is no address of a model"),
        ("https://models.example/v 1", "is no address of a model"),
    ],
)
def test_addresses_that_would_tell_others_are_refused(url: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        ModelAddress(url=url, model="tiny")


@pytest.mark.parametrize(
    ("url", "anywhere"),
    [
        ("https://models.example/v1", False),
        ("http://localhost:11434/v1", False),
        ("http://[::1]:8080/v1", False),
        ("http://10.0.0.7:8080/v1", True),
    ],
)
def test_addresses_that_may_be_asked(url: str, anywhere: bool) -> None:
    assert ModelAddress(url=f"{url}/chat/completions", model="tiny", anywhere=anywhere).url == url


def test_the_key_is_one_line_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, " sk-1 ")
    assert environment_key() == "sk-1"
    monkeypatch.setenv(KEY, "sk\nX: y")
    with pytest.raises(SettingsError, match=f"{KEY} holds characters that no key has") as told:
        environment_key()
    assert "X: y" not in str(told.value)


@pytest.mark.parametrize("values", [{"model": ""}, {"model": "a b"}, {"timeout": 0.0}, {"timeout": float("nan")}])
def test_settings_out_of_range_are_refused(values: dict[str, float | str]) -> None:
    with pytest.raises(SettingsError):
        ModelAddress(**({"url": "http://127.0.0.1/v1", "model": "tiny"} | values))  # type: ignore[arg-type]  # of several types
