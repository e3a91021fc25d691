"""Records which version is served: promoted.json, replaced atomically under a lock, and the history of its contents."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.disk import disk_errors
from indexing.errors import ModelError
from search.served import POINTER, SHIPPED, read_pointer
from training.versions.registry import check_id, find_version

HISTORY = "history.jsonl"


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The contents of promoted.json."""

    promoted: str
    """Id of the version that is served."""
    before: str = ""
    """Id of the version that `rollback` serves again; empty if there is none."""
    trail: tuple[str, ...] = ()
    """Ids of the versions before that one, oldest first, for further rollbacks."""
    at: str = ""
    """UTC, ISO 8601."""
    by: str = ""
    reason: str = ""
    action: str = "promote"
    """`promote`, `force` (despite the verdict) or `rollback`."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """The gate's verdict; empty after a rollback."""


NOTHING = Promotion(promoted=SHIPPED)
"""The promotion to assume if nothing was ever promoted."""


def current_promotion(models: Path | None = None) -> Promotion:
    """The current promotion. Raises ModelError if promoted.json is broken."""
    row = read_pointer(models)
    return _promotion(row) if row else NOTHING


def history(models: Path | None = None) -> list[Promotion]:
    """Every promotion and rollback, oldest first. Raises ModelError if promoted.json is broken."""
    rows, last = _lines((models or places.models()) / HISTORY), read_pointer(models)
    if last and rows[-1:] != [last]:  # the process ended after writing promoted.json, before the history
        rows.append(last)
    return [_promotion(row) for row in rows]


def set_promoted(
    version: str, *, seen: Promotion, verdict: Mapping[str, Any], by: str, reason: str, forced: bool, models: Path
) -> Promotion:
    """Serve `version` from now on; `seen` is what was promoted when it was judged.

    Raises:
        BusyError: another process is promoting.
        ModelError: another version has been promoted since then.
    """
    check_id(version)
    with _lock(models):
        before = current_promotion(models)
        if before != seen:
            raise ModelError(
                f"{before.promoted} was promoted by {before.by or 'somebody'} while {version} was judged against "
                f"{seen.promoted}; promote {version} again, so that it is judged against {before.promoted}."
            )
        trail = (*before.trail, before.before) if before.before else ()
        action = "force" if forced else "promote"
        promotion = Promotion(
            promoted=version,
            before=before.promoted,
            trail=trail,
            at=_now(),
            by=by,
            reason=reason,
            action=action,
            verdict=verdict,
        )
        return _write(models, promotion)


def rollback(*, by: str, reason: str = "", models: Path | None = None, shipped: Path | None = None) -> Promotion:
    """Serve the version before the promoted one again; each further call goes one step further back.

    Raises:
        BusyError: another process is promoting.
        ModelError: there is no version before it, or that one is missing or damaged.
    """
    models = models or places.models()
    with _lock(models):
        now = current_promotion(models)
        if not now.before:
            raise ModelError(f"{now.promoted} is served and nothing was promoted before it, so there is no way back.")
        find_version(now.before, models, shipped=shipped)
        *trail, before = now.trail or ("",)
        back = Promotion(
            promoted=now.before,
            before=before,
            trail=tuple(trail),
            at=_now(),
            by=by,
            reason=reason,
            action="rollback",
        )
        return _write(models, back)


def person() -> str:
    """The name of the user who is logged in; `unknown` if the machine has none."""
    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _write(models: Path, new: Promotion) -> Promotion:
    """Replace promoted.json, then append to the history, after adding the entry that a crash may have kept from it."""
    old = read_pointer(models)
    if old:
        _append(models / HISTORY, old)
    row = json.loads(json.dumps(asdict(new)))  # as it is read back: tuples become lists
    atomic.write_json(models / POINTER, row)
    _append(models / HISTORY, row)
    return _promotion(row)


@contextmanager
def _lock(models: Path) -> Iterator[None]:
    models.mkdir(parents=True, exist_ok=True)
    with atomic.hold(models, f"is changing {models}"):
        yield


def _append(path: Path, row: Mapping[str, Any]) -> None:
    """Append a line and sync it to disk, unless it is already the last one."""
    if _lines(path)[-1:] == [row]:
        return
    torn = path.is_file() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with disk_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(("\n" if torn else "") + json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    atomic.fsync_path(path.parent)


def _lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one per line; any other line was cut short by a crash and is skipped."""
    rows = []
    content = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in content.split("\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _promotion(row: Mapping[str, Any]) -> Promotion:
    """The promotion in a row that was written here, or by hand, when only `promoted` is certain to exist."""
    promoted = str(row.get("promoted") or "")
    texts = {name: str(row.get(name) or "") for name in ("at", "by", "reason")}
    trail, verdict = row.get("trail"), row.get("verdict")
    return Promotion(
        promoted=promoted,
        before=str(row.get("before", "" if promoted == SHIPPED else SHIPPED) or ""),
        trail=tuple(str(version) for version in trail) if isinstance(trail, list) else (),
        action=str(row.get("action") or "promote"),
        verdict=verdict if isinstance(verdict, dict) else {},
        **texts,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
