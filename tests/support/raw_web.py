"""Speaks to the app as an attacker may: HTTP and websocket by hand, with any header."""

import base64
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

SECONDS = 15.0
STREAM = "/_stcore/stream"
BINARY, CLOSE, PING = 0x2, 0x8, 0x9

Header = tuple[str, str]


class Answer(NamedTuple):
    """An HTTP answer; status 0 where the server closed the connection without one."""

    status: int
    head: str
    body: bytes


def request(
    port: int, path: str, headers: Sequence[Header], *, method: str = "GET", body: bytes = b"", version: str = "1.1"
) -> Answer:
    """Send one request with exactly these headers, and read the answer to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(_head(path, (*headers, ("Connection", "close")), method, version))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before the body was read
            connection.sendall(body)
        return _answer(_all_of(connection))


def handshake(port: int, headers: Sequence[Header], *, path: str = STREAM) -> int:
    """The status of a websocket's handshake: 101 where it was accepted."""
    with _connected(port, headers, path) as (_, status):
        return status


class Page:
    """A session of the app over its websocket, which sees what a browser's session is sent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def run(self, message: BackMsg) -> list[ForwardMsg]:
        """Send a message that runs the page's script; all that is sent back until that has ended."""
        self._send(message.SerializeToString())
        messages: list[ForwardMsg] = []
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            messages.append(ForwardMsg.FromString(self._receive()))
        return messages

    def send_raw(self, content: bytes) -> None:
        """Send a frame that may be no message at all."""
        self._send(content)

    def _send(self, content: bytes) -> None:
        size = len(content)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 1 << 16:
            length = struct.pack("!BH", 0x80 | 126, size)
        else:
            length = struct.pack("!BQ", 0x80 | 127, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        self._connection.sendall(bytes([0x80 | BINARY]) + length + mask + masked)

    def _receive(self) -> bytes:
        """The next message's bytes; pings are passed over."""
        while True:
            first, second = _exactly(self._connection, 2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", _exactly(self._connection, 2))
            elif size == 127:
                (size,) = struct.unpack("!Q", _exactly(self._connection, 8))
            content = _exactly(self._connection, size)
            if first & 0xF == BINARY:
                return content
            if first & 0xF == CLOSE:
                raise ConnectionResetError("the server closed the websocket")


@contextmanager
def session(port: int, headers: Sequence[Header] = ()) -> Iterator[Page]:
    """A session of the app. Raises ConnectionRefusedError if its handshake is refused."""
    with _connected(port, headers or (("Host", f"127.0.0.1:{port}"),), STREAM) as (connection, status):
        if status != 101:
            raise ConnectionRefusedError(f"the handshake ended with {status}")
        yield Page(connection)


def rerun(query_string: str = "", *, page: str = "") -> BackMsg:
    """The message with which a browser opens a page by a link."""
    message = BackMsg()
    message.rerun_script.query_string = query_string
    message.rerun_script.page_name = page
    return message


@contextmanager
def _connected(port: int, headers: Sequence[Header], path: str) -> Iterator[tuple[socket.socket, int]]:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "streamlit"),
    )
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(_head(path, (*headers, *upgrade), "GET", "1.1"))
        head = b""
        while b"\r\n\r\n" not in head:
            byte = connection.recv(1)
            if not byte:
                break
            head += byte
        yield connection, _status(head)


def _head(path: str, headers: Sequence[Header], method: str, version: str) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")


def _all_of(connection: socket.socket) -> bytes:
    content = b""
    with suppress(ConnectionResetError):
        while block := connection.recv(1 << 16):
            content += block
    return content


def _answer(content: bytes) -> Answer:
    head, _, body = content.partition(b"\r\n\r\n")
    return Answer(_status(head), head.decode("latin-1"), body)


def _status(head: bytes) -> int:
    words = head.split(b" ", 2)
    return int(words[1]) if head.startswith(b"HTTP/") and words[1].isdigit() else 0


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        block = connection.recv(min(size - len(content), 1 << 20))
        if not block:
            raise ConnectionResetError("the server closed the connection")
        content += block
    return content
