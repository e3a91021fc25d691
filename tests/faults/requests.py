"""Faults in requests to the app in read-only mode: hosts, origins, paths, uploads, links, messages."""

import atexit
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from random import Random
from urllib.parse import quote

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.conftest import REPOSITORY
from tests.e2e.serving import free_port, own_environment, served
from tests.faults.fault import Fault, HoleError, WrongAnswerError
from tests.support.pages import BERLIN, BERLIN_QUERY, make_berlin_index
from tests.support.raw_web import Header, handshake, request, rerun, session
from tests.support.tiny_models import make_bi_encoder, make_cross_encoder

AREA = "requests"
PATHS = ("/", "/compare", "/index.html", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/media/x.png")
OWN_HOSTS = ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "localhost.", "[::1]:{port}", "127.0.0.1:9000")
FOREIGN_HOSTS = (
    *("evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.2"),
    *("127.1", "2130706433", "0x7f000001", "0.0.0.0:{port}", "[::]", "[::ffff:127.0.0.1]:{port}", "::1", "", "."),
    *(
        "localhost:99999",
        "localhost:x",
        "user@localhost",
        "localhost/",
        "localhost,evil.example",
        "localhost evil.example",
    ),
    *("http://localhost:{port}", "*", "*.localhost", "localhost\x00", "xn--localhost", "evil.example\tlocalhost"),
)
FOREIGN_ORIGINS = (
    *(
        "http://evil.example",
        "https://127.0.0.1:1",
        "http://localhost:{port}",
        "http://127.0.0.1",
        "null",
        "file://",
        "",
    ),
    *("http://127.0.0.1:{port}.evil.example", "http://evil.example#127.0.0.1:{port}", "http://a@127.0.0.1:{port}@b"),
)
OUTSIDE = (
    *(
        "/../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/\\..\\..\\etc",
    ),
    *(
        "/static/../../../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/app/main.py",
        "/static/..%5c..%5capp",
        "/media/../x",
    ),
    *("/media/%2fetc%2fpasswd", "/component/../../etc/passwd", "/component/x/..%2f..%2fetc%2fpasswd", "/app/static/x"),
    *(
        "/_stcore/bidi-components/../../etc/passwd",
        "/.streamlit/config.toml",
        "/.streamlit/secrets.toml",
        "/.git/config",
    ),
    *("/~root/x", "/file:///etc/passwd", "/C:/x", "/static/\x00", "/%00", "/static/%c0%ae%c0%ae/x", "/" + "a" * 9_000),
)
METHODS = ("PUT", "POST", "DELETE", "PATCH")
OWNERS = ("teach", "train", "models", "evaluate", "indexes")
BIG = 64 << 20
ON_THE_SITE = ("q", "index", "reranker", "fusion", "depth", "rerank", "shown", "k1", "b", "weight", "mix", "bm25")
NAMES = (
    "../x",
    "/etc",
    "/etc/shadow",
    "{home}",
    "{home}/models",
    "tiny/../tiny",
    "%00",
    "org/model",
    "..",
    "~",
    "mine/1",
)
FORGED: tuple[str | float, ...] = ("/etc", "../x", "", 10**18, -1, float("nan"))
VALUES = (*NAMES, "nan", "-1", "1e309", "9" * 400, "١", "", "' OR 1=1", "<script>", "![x](http://e/x.png)", "\u202e")


class Place:
    """The server and its folder, once `prepare` has made them."""

    port = 0
    home = Path()


def prepare(folder: Path) -> None:
    """Start the app once, in read-only mode, with a tiny index; it ends with this process."""
    shutil.copytree(REPOSITORY / ".streamlit", folder / ".streamlit")
    (folder / "data").mkdir()
    make_berlin_index(folder / "data", make_bi_encoder(folder / "bi-encoder"), BERLIN)
    variables = {
        "SECOND_LOOK_INDEX": "tiny",
        "SECOND_LOOK_RERANKER": str(make_cross_encoder(folder / "cross-encoder")),
        "SECOND_LOOK_READ_ONLY": "1",
    }
    stack = ExitStack()
    Place.port, Place.home = free_port(), folder / "data"
    stack.enter_context(served(folder, {**own_environment(), **variables}, folder / "log.txt", port=Place.port))
    atexit.register(stack.close)


def faults(random: Random) -> Iterator[Fault]:
    """Hosts and origins at every kind of endpoint, paths outside, uploads, and links with anything in them."""
    for host, path in product(OWN_HOSTS, ("/", "/_stcore/health")):
        yield Fault(f"GET {path} of {host!r}", _http(path, host, served=True))
    for host in OWN_HOSTS:
        yield Fault(f"websocket of {host!r}", _websocket(host, served=True))
    for host in FOREIGN_HOSTS:
        for path in PATHS:
            yield Fault(f"GET {path} of {host!r}", _http(path, host, served=False))
        yield Fault(f"websocket of {host!r}", _websocket(host, served=False))
    for headers in ((), (("Host", "127.0.0.1"), ("Host", "evil.example")), (("X-Forwarded-Host", "127.0.0.1"),)):
        yield Fault(f"websocket with {headers}", _websocket(None, *headers, served=False))
    for origin in FOREIGN_ORIGINS:
        yield Fault(
            f"websocket of a page of {origin!r}", _websocket("127.0.0.1:{port}", ("Origin", origin), served=False)
        )
    for path in OUTSIDE:
        yield Fault(f"GET {path[:60]!r}", _outside(path))
    for method, size in product(METHODS, (0, 100, BIG)):
        yield Fault(f"{method} of {size} bytes to the uploads", _upload(method, size))
    for page in OWNERS:
        yield Fault(f"page {page}", _link("", page=page))
    for name in ON_THE_SITE:
        for value in random.sample(VALUES, 2):
            yield Fault(f"link {name}={value[:30]!r}", _link(f"{name}={_quoted(value)}"))
        value = random.choice(NAMES)
        yield Fault(f"link a.{name}={value!r}", _link(f"a.{name}={_quoted(value)}", page="compare"))
    for kind, forged in ((kind, forged) for kind in ("selectbox", "number_input", "slider") for forged in FORGED):
        yield Fault(f"every {kind} set to {forged!r} by a forged message", _forged(kind, forged))
    yield Fault("the answers to a folder that is there and to one that isn't", _probing)
    for size in (0, 1, 100, 70_000):
        yield Fault(f"a message of {size} random bytes", _no_message(random.randbytes(size)))


def _http(path: str, host: str, *, served: bool) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        answer = request(Place.port, path, (("Host", host.format(port=Place.port)),))
        if served and answer.status != 200:
            raise WrongAnswerError(f"answered {answer.status}")
        if not served and (answer.status not in (400, 403) or len(answer.body) > 400):
            raise HoleError(f"answered {answer.status}: {answer.body[:200]!r}")

    return run


def _websocket(host: str | None, *headers: Header, served: bool) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        named = () if host is None else (("Host", host),)
        sent = [(name, value.replace("{port}", str(Place.port))) for name, value in (*named, *headers)]
        status = handshake(Place.port, sent)
        if served and status != 101:
            raise WrongAnswerError(f"answered {status}")
        if not served and status not in (0, 400, 403):
            raise HoleError(f"answered {status}")

    return run


def _outside(path: str) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        answer = request(Place.port, path, _own())
        if (answer.status == 200 and b"<title>Streamlit</title>" not in answer.body) or b"root:" in answer.body:
            raise HoleError(f"answered {answer.status}: {answer.body[:200]!r}")
        _check_hidden(answer.body.decode(errors="replace"))

    return run


def _upload(method: str, size: int) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        xsrf = "2|00000000|00000000000000000000000000000000|1"
        headers = (*_own(), ("Content-Length", str(size)), ("X-Xsrftoken", xsrf), ("Cookie", f"_streamlit_xsrf={xsrf}"))
        answer = request(Place.port, "/_stcore/upload_file/s/f", headers, method=method, body=bytes(min(size, 1 << 16)))
        if answer.status != 403 or b"read-only" not in answer.body:
            raise HoleError(f"answered {answer.status}: {answer.body[:200]!r}")

    return run


def _link(query_string: str, *, page: str = "") -> Callable[[Path], None]:
    def run(_: Path) -> None:
        link = f"{query_string}&q={_quoted(BERLIN_QUERY)}" if "q=" not in query_string else query_string
        with session(Place.port) as opened:
            messages = opened.run(rerun(link.format(home=Place.home), page=page))
        _check_hidden(_text(messages))
        if any(
            message.WhichOneof("type") == "delta" and message.delta.new_element.HasField("exception")
            for message in messages
        ):
            raise WrongAnswerError("the page failed")
        if page in OWNERS and not any(message.WhichOneof("type") == "page_not_found" for message in messages):
            raise HoleError(f"page {page} was served")

    return run


def _forged(kind: str, value: str | float) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        with session(Place.port) as opened:
            first = opened.run(rerun(f"q={_quoted(BERLIN_QUERY)}"))
            message = rerun(f"q={_quoted(BERLIN_QUERY)}")
            for name in _widgets(first, kind):
                state = message.rerun_script.widget_states.widgets.add(id=name)
                if isinstance(value, str):
                    state.string_value = value
                elif kind == "slider":
                    state.double_array_value.data.append(value)
                else:
                    state.double_value = value
            second = opened.run(message)
        if not message.rerun_script.widget_states.widgets:
            raise WrongAnswerError(f"the page has no {kind}")
        _check_hidden(_text(second))
        shown = _text(second)
        if "sl-card" not in shown and "This page failed" not in shown:
            raise WrongAnswerError("neither an answer nor a refusal was shown")

    return run


def _widgets(messages: Sequence[ForwardMsg], kind: str) -> list[str]:
    """Ids of a page's widgets of this kind."""
    elements = [message.delta.new_element for message in messages if message.WhichOneof("type") == "delta"]
    return [getattr(element, kind).id for element in elements if element.WhichOneof("type") == kind]


def _probing(_: Path) -> None:
    answers = set()
    for name in (str(Place.home), "/nothing/here", "/etc/passwd", "org/none"):
        with session(Place.port) as opened:
            text = _text(opened.run(rerun(f"reranker={_quoted(name)}")))
        answers.add(re.sub(r"“[^”]*”", "“”", text).count("isn't a re-ranker that is offered here"))
    if len(answers) != 1:
        raise HoleError(f"answered differently: {answers}")


def _no_message(content: bytes) -> Callable[[Path], None]:
    def run(_: Path) -> None:
        with session(Place.port) as opened:
            opened.send_raw(content)
        with session(Place.port) as opened:  # the server still serves
            opened.run(rerun())

    return run


def _own() -> tuple[Header, ...]:
    return (("Host", f"127.0.0.1:{Place.port}"),)


def _quoted(value: str) -> str:
    return quote(value, safe="{}")


def _text(messages: Sequence[ForwardMsg]) -> str:
    """All that a page was sent, but for the link itself, which it repeats."""
    return "\n".join(str(message) for message in messages if message.WhichOneof("type") != "page_info_changed")


def _check_hidden(text: str) -> None:
    for path in (str(Place.home), str(REPOSITORY), str(Path.home()), "Traceback"):
        if path in text:
            place = text.index(path)
            raise HoleError(f"showed {text[max(place - 150, 0) : place + 150]}")
