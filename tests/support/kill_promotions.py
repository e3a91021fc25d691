"""Promotes and rolls back in forked children, each killed one moment later; see tests.moments for what a moment is."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.moments import Moments
from training.versions import promoted

NEXT = "mine/3"


@dataclass(frozen=True)
class Killed:
    """One process that was killed, and what it left."""

    action: str
    models: Path
    code: int
    """0, or minus the signal that ended it."""
    moments: list[str]

    @property
    def replaced(self) -> bool:
        """Whether promoted.json had its new content: its rename is not the moment that the process never reached."""
        seen = self.moments if self.code == 0 else self.moments[:-1]
        return any(moment.startswith("os.rename") for moment in seen)

    @property
    def expected(self) -> str:
        """The version that must be served."""
        new = NEXT if self.action == "promote" else "mine/1"
        return new if self.replaced else "mine/2"


def promote(models: Path) -> None:
    """Serve NEXT."""
    seen = promoted.current_promotion(models)
    promoted.set_promoted(NEXT, seen=seen, verdict={"a": 1}, by="test", reason="", forced=False, models=models)


def rollback(models: Path) -> None:
    """Serve the version before."""
    promoted.rollback(by="test", models=models)


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


def kill_at_each_moment(source: Path, target: Path) -> Iterator[Killed]:
    """Promotions and rollbacks of copies of `source`, each killed one moment later, until they end by themselves."""
    for action in ACTIONS:
        for power_cut in (False, True):
            code, number = -1, 0
            while code != 0 and number < 100:
                number += 1
                models = target / f"{action}-{power_cut}-{number}"
                shutil.copytree(source, models, copy_function=copy)
                code, moments = attempt(action, models, kill_before=number, power_cut=power_cut)
                yield Killed(action, models, code, moments)


def copy(source: str, target: str) -> None:
    """Link what is never written again, copy what is."""
    if source.endswith((".json", ".jsonl")):
        shutil.copyfile(source, target)
    else:
        os.link(source, target)
