"""Promotes and rolls back in forked children, each killed one moment later: `python -m tests.kill_promotions FROM TO`.

FROM is a folder of models, of which every child gets a copy below TO. One line of JSON a child tells what became of it.
See tests.kill_builds for what a moment is.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.kill_builds import Moments
from training import pointer

NEXT = "mine/3"


def promote(models: Path) -> None:
    """Serve NEXT."""
    seen = pointer.current(models)
    pointer.set_promoted(NEXT, seen=seen, verdict={"a": 1}, by="test", reason="", forced=False, models=models)


def rollback(models: Path) -> None:
    """Serve the version before."""
    pointer.rollback(by="test", models=models)


ACTIONS: dict[str, Callable[[Path], None]] = {"promote": promote, "rollback": rollback}


def attempt(action: str, models: Path, *, kill_before: int, power_cut: bool) -> tuple[int, list[str]]:
    """The child's end, and the moments that it lived to see, the last one included."""
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                Moments(models, log.fileno(), kill_before=kill_before, power_cut=power_cut)
                ACTIONS[action](models)
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        log.seek(0)
        moments = [line.removeprefix("moment ") for line in log.read().decode().splitlines()]
        return os.waitstatus_to_exitcode(status), moments


def main() -> None:
    """Kill each action one moment later each time, until it ends by itself."""
    source, target = map(Path, sys.argv[1:])
    for action in ACTIONS:
        for power_cut in (False, True):
            code, number = -1, 0
            while code != 0 and number < 100:
                number += 1
                models = target / f"{action}-{power_cut}-{number}"
                shutil.copytree(source, models, copy_function=copy)
                code, moments = attempt(action, models, kill_before=number, power_cut=power_cut)
                row = {"action": action, "models": str(models), "code": code, "moments": moments}
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()


def copy(source: str, target: str) -> None:
    """Link what is never written again, copy what is."""
    if source.endswith((".json", ".jsonl")):
        shutil.copyfile(source, target)
    else:
        os.link(source, target)


if __name__ == "__main__":
    main()
