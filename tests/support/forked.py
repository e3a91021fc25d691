"""Calls a function in a forked child, so that a hang, a crash or a leak ends there: libraries are loaded once."""

import gc
import os
import pickle
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OUTPUT_KEPT = 200_000  # characters of each stream
_forking = threading.Lock()
"""Held from the making of a pipe to its closing here: a child forked in between would keep it open."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a forked call ended."""

    result: Any = None
    """What the call returned, if it did."""
    error: BaseException | None = None
    """What it raised; an exception that can't be pickled comes as a RuntimeError of the same text."""
    trace: str = ""
    """The error's traceback."""
    signal: int = 0
    """The signal that killed the child; 0 for none."""
    hung: bool = False
    """Whether it was still running at the time limit, and was killed."""
    seconds: float = 0.0
    out: str = ""
    err: str = ""


def call_forked(call: Callable[[], Any], *, limit: float) -> Ended:
    """Fork, call, and report how it ended; after `limit` seconds the child and its children are killed."""
    begun = time.perf_counter()
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        _forking.acquire()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _forking.release()
            gc.freeze()  # or a collection would write to, and so copy, all pages that the two share
            os.setsid()
            os.close(reading)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _report(call, writing)
        os.close(writing)
        _forking.release()
        hung, content = _read(reading, limit)
        if hung:
            os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        fields = pickle.loads(content) if content and not hung else {}
        code = os.waitstatus_to_exitcode(status)
        return Ended(
            **fields,
            signal=-code if code < 0 and not hung else 0,
            hung=hung,
            seconds=time.perf_counter() - begun,
            out=_text(out),
            err=_text(err),
        )


def _report(call: Callable[[], Any], writing: int) -> None:
    """In the child: call, and send how that ended through the pipe."""
    fields: dict[str, Any] = {}
    try:
        fields["result"] = call()
    except BaseException as error:  # the parent judges it, whatever it is
        fields = {"error": error, "trace": traceback.format_exc()}
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            content = pickle.dumps(fields)
            pickle.loads(content)
        except Exception:  # an error with arguments of its own
            raised = fields.get("error", "a result that can't be pickled")
            substitute = RuntimeError(f"{type(raised).__name__}: {raised}")
            content = pickle.dumps({"error": substitute, "trace": fields.get("trace", "")})
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)
        os._exit(0)


def _read(reading: int, limit: float) -> tuple[bool, bytes]:
    """Whether the time ran out, and all that came before the pipe closed."""
    until, content = time.perf_counter() + limit, b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.perf_counter()))
            if not ready:
                return True, content
            block = pipe.read(1 << 16)
            if not block:
                return False, content
            content += block


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read(OUTPUT_KEPT).decode(errors="replace"))
