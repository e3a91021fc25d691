"""Refuses requests that no user of this server can have meant: for other hosts, from other pages, from other machines.

A page of a stranger may name this machine by a host of its own (DNS rebinding): its requests then come from this very
browser, and only the Host header tells. Streamlit compares it for the websocket alone, and only with a configured list.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app.environment import read_only
from app.login import login_configured

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names by which this machine is reached where `server.allowedHosts` names none."""
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{0,5}))?", re.IGNORECASE)
HERE = Path(__file__).resolve().parent
READING = ("GET", "HEAD", "OPTIONS")
UPLOADS = "/_stcore/upload_file"
HELD = 2  # times the largest upload: what all that are in memory may have
MEGABYTE = 1 << 20
POLICY_VIOLATION = 1008  # a websocket's code
SHOWN = 60  # characters of a refused header
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; frame-ancestors {ancestors}"
)
"""A browser loads nothing from elsewhere, whatever a passage holds, and shows the app in no page of somebody else."""


class Gate:
    """ASGI middleware before everything that the server serves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, and hand any other on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        reason = refusal(scope)
        if not reason:
            await self._app(scope, receive, _with_policy(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        else:
            await PlainTextResponse(reason + "\n", status_code=403)(scope, receive, send)


def refusal(scope: Scope) -> str:
    """Why a request isn't served, in a sentence; empty for one that is."""
    headers = Headers(scope=scope)
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        return f"The request names {len(hosts)} hosts; name one."
    if not is_allowed(hosts[0], allowed_hosts()):
        return (
            f"This server isn't meant to be reached as {_shown(hosts[0])}; whoever runs it can allow that name with "
            "--server.allowedHosts (docs/app.md)."
        )
    if not _is_near(scope):
        return "This server answers its own machine alone; whoever runs it can open it with --server.address."
    origins = headers.getlist("origin")
    reads = scope["type"] == "http" and scope["method"] in READING
    if not reads and not all(_is_own(origin, hosts[0]) for origin in origins):
        return f"A page of {_shown(origins[0])} may not use this server; --server.corsAllowedOrigins can allow it."
    return "" if reads or UPLOADS not in scope["path"] else _refused_upload(headers, HTTPConnection(scope).cookies)


def _refused_upload(headers: Headers, cookies: Mapping[str, str]) -> str:
    """Why a file isn't taken: Streamlit would hold it in memory for anyone who opened a page, even the login's."""
    if read_only():
        return "This server is in read-only mode and takes no files."
    if login_configured():
        signed = decode_signed_value(get_cookie_secret(), USER_COOKIE_NAME, cookies.get(USER_COOKIE_NAME, ""))
        if signed is None:
            return "Files are taken from those who are logged in; log in first."
    size, most = headers.get("content-length", ""), HELD * config.get_option("server.maxUploadSize") * MEGABYTE
    if size.isdecimal() and int(size[:18]) + _held() > most:
        return f"All uploads together may have {most // MEGABYTE:,} MB; save or remove those that are open first."
    return ""


def _held() -> int:
    """Bytes of all uploads in memory, of every session."""
    manager = Runtime.instance().uploaded_file_mgr if Runtime.exists() else None
    sessions = list(getattr(manager, "file_storage", {}).values())
    return sum(len(file.data) for files in sessions for file in list(files.values()))


def allowed_hosts() -> tuple[str, ...]:
    """The names that requests may be addressed to: Streamlit's option `server.allowedHosts`, else this machine's."""
    return tuple(config.get_option("server.allowedHosts")) or LOOPBACK


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether a Host header is one of these names, on any port, which a tunnel may change.

    As in Streamlit's option, `*.example.org` allows what lies below that domain, and `*` allows everything.
    """
    match = HOST.fullmatch(host)
    if match is None or int(match["port"] or 0) > 65_535:
        return False
    name = _plain_name(match["name"])
    return any(
        pattern == "*" or (name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern)
        for pattern in map(_plain_name, allowed)
    )


def _plain_name(name: str) -> str:
    return name.strip().lower().removesuffix(".").removeprefix("[").removesuffix("]")


def _is_near(scope: Scope) -> bool:
    """Whether the sender is this machine, unless an address to listen at is configured.

    Started from another folder, the server doesn't see this checkout's `.streamlit/config.toml` and listens everywhere.
    """
    if config.get_option("server.address") or scope.get("client") is None:
        return True
    try:
        sender = ip_address(scope["client"][0])
    except ValueError:
        return True  # a Unix socket
    mapped = getattr(sender, "ipv4_mapped", None)
    return bool((mapped or sender).is_loopback)


def _is_own(origin: str, host: str) -> bool:
    """Whether an Origin header is this server's own page, or a configured one. `null` is neither."""
    if origin in config.get_option("server.corsAllowedOrigins"):
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _shown(header: str) -> str:
    return repr(header[:SHOWN] + "…" * (len(header) > SHOWN))


def without_path(content: bytes) -> bytes:
    """A message of the websocket; of the script's path, which Streamlit begins each session with, the name alone."""
    if bytes(HERE) not in content:
        return content
    message = ForwardMsg.FromString(content)
    if message.WhichOneof("type") == "new_session":
        message.new_session.main_script_path = Path(message.new_session.main_script_path).name
    named: bytes = message.SerializeToString()
    return named


def _with_policy(send: Send) -> Send:
    """Add to each answer what a browser must keep to, and take from each message what is nobody's business."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.send" and message.get("bytes"):
            message = {**message, "bytes": without_path(message["bytes"])}
        if message["type"] == "http.response.start":
            origins = " ".join(["'self'", *config.get_option("server.corsAllowedOrigins")])
            headers = MutableHeaders(scope=message)
            headers.setdefault("Content-Security-Policy", POLICY.format(ancestors=origins))
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return sending
