"""A small OpenAI-compatible server on this machine, whose answers a test scripts."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from training.judgments.by_model.chat import ModelAddress


class Asked(NamedTuple):
    """One request."""

    path: str
    key: str | None
    body: dict[str, Any]

    @property
    def content(self) -> str:
        """What the user's turn of the conversation says."""
        return str(self.body["messages"][-1]["content"])


Reply = Callable[[Asked, BaseHTTPRequestHandler], None]


class ModelServer(NamedTuple):
    """A server at work."""

    url: str
    asked: list[Asked]

    def address(self, **options: Any) -> ModelAddress:
        return ModelAddress(url=self.url, model="tiny", **({"timeout": 5.0} | options))


def send(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def say(handler: BaseHTTPRequestHandler, text: str) -> None:
    """Answer as a chat completion does."""
    send(handler, json.dumps({"model": "tiny-q4", "choices": [{"message": {"content": text}}]}).encode())


def saying(answer: Callable[[Asked], str]) -> Reply:
    return lambda asked, handler: say(handler, answer(asked))


@contextmanager
def serving(reply: Reply) -> Iterator[ModelServer]:
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(Asked(self.path, self.headers["Authorization"], body))
            reply(asked[-1], self)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
    try:
        yield ModelServer(f"http://127.0.0.1:{server.server_port}/v1", asked)
    finally:
        server.shutdown()
        server.server_close()
