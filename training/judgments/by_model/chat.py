"""Asks a model behind an OpenAI-compatible address for one answer: nothing hangs, and nothing goes anywhere else."""

import http.client
import ipaddress
import json
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from indexing.errors import ModelError, SettingsError, first_line

KEY = "SECOND_LOOK_JUDGE_KEY"
"""The environment variable of the key; it is read nowhere else, and never written."""
PATH = "/chat/completions"
LARGEST = 1 << 20  # bytes of an answer
OK = 200
BUSY = (429, 500, 502, 503, 504)  # statuses after which the same request may succeed
WAITS = (1.0, 5.0)  # seconds before the second and the third try
LONGEST_WAIT = 60.0  # seconds that a server may ask for
HEED = 0.2  # seconds between two looks at whether to go on waiting


@dataclass(frozen=True, kw_only=True)
class ModelAddress:
    """Where a model is, as the user named it."""

    url: str
    """Without `/chat/completions`, such as http://127.0.0.1:8080/v1."""
    model: str
    timeout: float = 60.0
    """Seconds for a whole answer."""
    anywhere: bool = False
    """Whether plain http may go to other machines: queries and passages can then be read on the way."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", self.url.strip().rstrip("/").removesuffix(PATH))
        if not self.model.strip() or not self.model.isprintable() or len(self.model.split()) != 1:
            raise SettingsError(
                f"The model is called {self.model[:80]!r}; give its name on the server, without blanks."
            )
        if not 0 < self.timeout <= 3600:
            raise SettingsError(f"The timeout is {self.timeout:g} seconds; give a number above 0, at most 3,600.")
        _check_url(self.url, anywhere=self.anywhere)

    @property
    def loopback(self) -> bool:
        """Whether the address is this machine's own."""
        return _is_loopback(urlsplit(self.url).hostname or "")


@dataclass(frozen=True)
class Answer:
    """What a model said."""

    text: str
    model: str
    """The model's name in the answer; empty where the server doesn't tell."""


def go_on() -> None:
    """Go on waiting."""


def ask(
    address: ModelAddress,
    messages: Sequence[Mapping[str, str]],
    *,
    key: str = "",
    pause: Callable[[float], None] = time.sleep,
    heed: Callable[[], None] = go_on,
) -> Answer:
    """One answer, at temperature 0; a server that is busy is asked up to three times.

    While an answer is awaited, `heed` is called every HEED seconds; what it raises ends the waiting.

    Raises:
        ModelError: it isn't reached, doesn't answer in time, or answers in another form.
    """
    body = json.dumps({"model": address.model, "messages": list(messages), "temperature": 0}).encode()
    reply = _within(address, lambda: _post(address, body, key), heed)
    for wait in WAITS:
        if reply.status not in BUSY:
            break
        pause(_wait(reply.retry_after, wait))
        reply = _within(address, lambda: _post(address, body, key), heed)
    if reply.status != OK:
        raise ModelError(_refusal(address, reply, key))
    return _answer(address, reply.content, key)


def environment_key() -> str:
    """The key from the environment; empty for none. Raises SettingsError if it can't stand in a header."""
    key = os.environ.get(KEY, "").strip()
    if not key.isascii() or not key.isprintable():
        raise SettingsError(f"{KEY} holds characters that no key has; set it again.")
    return key


def _check_url(url: str, *, anywhere: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(f"The address of the model holds a name or a key; take them out and set {KEY}.")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or not _is_plain(url, host):
        raise SettingsError(f"{url[:80]!r} is no address of a model; give one such as http://127.0.0.1:8080/v1.")
    if parts.scheme == "http" and not anywhere and not _is_loopback(host):
        raise SettingsError(
            f"{url[:80]} is another machine without https, so that anyone on the way could read queries and passages; "
            "give an https address, or, on the command line, --any-address."
        )


def _is_plain(url: str, host: str) -> bool:
    """Whether an address can be sent as it is, and its host be looked up."""
    labels = host.removesuffix(".").split(".")
    return url.isascii() and url.split() == [url] and "%" not in host and all(0 < len(label) < 64 for label in labels)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection unfollowed: it could carry passages and the key to another machine."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request, so that urllib raises the status."""


class _Reply(NamedTuple):
    """What a server sent back."""

    status: int
    content: bytes
    retry_after: str | None


def _post(address: ModelAddress, body: bytes, key: str) -> _Reply:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if address.loopback:
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address.url + PATH, data=body, headers=headers, method="POST")
    try:
        response = urllib.request.build_opener(*handlers).open(request, timeout=address.timeout)
    except urllib.error.HTTPError as error:
        response = error  # which is a response too
    with response:
        return _Reply(response.status, response.read(LARGEST + 1), response.headers.get("Retry-After"))


def _within(address: ModelAddress, call: Callable[[], _Reply], heed: Callable[[], None]) -> _Reply:
    """The result of a call within the timeout, which urllib holds to for each read alone."""
    results: queue.SimpleQueue[_Reply | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(call())
        except Exception as error:
            results.put(error)

    threading.Thread(target=run, name="ask-model", daemon=True).start()
    result = _awaited(results, address, heed)
    if isinstance(result, _Reply):
        return result
    cause = getattr(result, "reason", result)
    if isinstance(cause, TimeoutError):
        raise ModelError(_late(address)) from None
    if not isinstance(result, OSError | http.client.HTTPException):
        raise result
    why = first_line(cause) if isinstance(cause, BaseException) else str(cause)[:160]
    raise ModelError(
        f"The model at {address.url} can't be reached ({why}); start its server, or give another address."
    ) from None


def _awaited(
    results: "queue.SimpleQueue[_Reply | Exception]", address: ModelAddress, heed: Callable[[], None]
) -> _Reply | Exception:
    """What comes first. Raises ModelError where nothing comes in time, and what `heed` raises."""
    end = time.monotonic() + address.timeout
    while (left := end - time.monotonic()) > 0:
        heed()
        try:
            return results.get(timeout=min(left, HEED))
        except queue.Empty:
            continue
    raise ModelError(_late(address))


def _late(address: ModelAddress) -> str:
    return (
        f"The model at {address.url} didn't answer within {address.timeout:g} seconds; give it longer, or a faster "
        "model, and run it again: what it has answered is kept."
    )


def _refusal(address: ModelAddress, reply: _Reply, key: str) -> str:
    if 300 <= reply.status < 400:
        return (
            f"{address.url} redirects elsewhere ({reply.status}), which isn't followed; give the address it leads to."
        )
    advice = {401: f"set {KEY}", 403: f"set {KEY} to a key that may", 404: "check the address and the model's name"}
    said = _said(without_key(reply.content.decode("utf-8", "replace"), key))
    act = advice.get(reply.status, "wait, and run it again: what it has answered is kept")
    return f"The model at {address.url} refuses with status {reply.status}{f' ({said})' if said else ''}; {act}."


def without_key(text: str, key: str) -> str:
    """What a server said, without the key that it may repeat."""
    return text.replace(key, "***") if key else text


def _said(text: str) -> str:
    """What a refusal says, in one line; empty for nothing."""
    try:
        told = json.loads(text)["error"]
        text = str(told["message"] if isinstance(told, dict) else told)
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return first_line(ValueError(text)) if text.strip() else ""


def _wait(asked: str | None, usual: float) -> float:
    """Seconds to wait: what the server asks for in whole seconds, up to LONGEST_WAIT, else the usual ones."""
    return min(float(asked), LONGEST_WAIT) if asked is not None and asked.isascii() and asked.isdecimal() else usual


def _answer(address: ModelAddress, content: bytes, key: str) -> Answer:
    text = model = None
    try:
        answer: Any = json.loads(content) if len(content) <= LARGEST else {}
        text, model = answer["choices"][0]["message"]["content"], answer.get("model")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    if not isinstance(text, str):
        begins = without_key(content.decode("utf-8", "replace"), key)[:80]
        raise ModelError(
            f"{address.url}{PATH} answers in another form than a chat completion ({begins!r}); give the address of an "
            "OpenAI-compatible server, usually one that ends with /v1."
        )
    return Answer(text, model if isinstance(model, str) else "")
