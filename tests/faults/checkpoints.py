"""Faults in a stopped training's files: it ends with the weights of an undisturbed one, or is refused."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import torch

from indexing.errors import SecondLookError
from tests.faults.fault import Fault, LostError, WrongAnswerError
from tests.support.tiny_models import make_cross_encoder
from tests.support.tiny_training import StoppedError, Weights, equal, resumable, train, weights
from training.fitting.callback import TrainingStep
from training.fitting.checkpoints import checkpoints
from training.recipes.settings import FitSettings

AREA = "checkpoints"
DAMAGES = 40  # random ones
HURT = ("checkpoint-9", "checkpoint-6", "record.json", "settings.json", "plan.json", "rows")

_made: dict[str, Path] = {}
_whole: dict[str, Weights] = {}


def prepare(folder: Path) -> None:
    """A training that was stopped after two checkpoints, another one's, and the weights of an undisturbed one."""
    torch.set_num_threads(1)
    _made["base"] = make_cross_encoder(folder / "base")
    _made["stopped"], _made["other"] = folder / "stopped", folder / "other"
    for name in ("stopped", "other"):
        with suppress(StoppedError):
            train(_made[name], _settings(name), report=_stop)
    _whole["weights"] = weights(train(folder / "whole", _settings("stopped")).model)


def _settings(name: str) -> FitSettings:
    asked = resumable(_made["base"], "listnet")
    return asked if name == "stopped" else type(asked)(**{**vars(asked), "seed": 5})


def _stop(at: TrainingStep) -> None:
    if at.step == 10:
        raise StoppedError


def faults(random: Random) -> Iterator[Fault]:
    """Bits flipped, ends cut off, files removed, emptied or taken from another training, one or several at a time."""
    yield Fault("nothing", _resuming(lambda _: None, notes=0))
    for name in ("checkpoint-9", "checkpoint-9/model.safetensors"):
        yield Fault(f"{name} of another training", _resuming(_swapped(name), notes=1))
    names = sorted(
        path.relative_to(_made["stopped"]).as_posix()
        for part in HURT
        for path in [_made["stopped"] / part, *(_made["stopped"] / part).rglob("*")]
        if path.is_file()
    )
    kinds = list(DAMAGE)
    for number in range(DAMAGES):
        chosen = [names[number % len(names)], *random.sample(names, random.choice((0, 0, 1, 3)))]
        kind = random.choice(kinds)
        seed = random.random()
        yield Fault(f"{kind} {', '.join(chosen)}", _resuming(_damaged(chosen, kind, seed)))


def _flip(path: Path, random: Random) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes()[: random.randrange(path.stat().st_size)])


def _empty(path: Path, _: Random) -> None:
    path.write_bytes(b"")


def _remove(path: Path, _: Random) -> None:
    path.unlink()


def _scramble(path: Path, random: Random) -> None:
    path.write_bytes(random.randbytes(path.stat().st_size))


DAMAGE = {"flip a bit of": _flip, "cut off": _cut, "empty": _empty, "remove": _remove, "scramble": _scramble}


def _damaged(names: list[str], kind: str, seed: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        random = Random(seed)
        for name in dict.fromkeys(names):
            DAMAGE[kind](folder / name, random)

    return damage


def _swapped(name: str) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        source, target = _made["other"] / name, folder / name
        if source.is_dir():
            shutil.rmtree(target)
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)

    return swap


def _resuming(damage: Callable[[Path], None], *, notes: int | None = None) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        torch.set_num_threads(1)
        work = folder / "work"
        shutil.copytree(_made["stopped"], work)
        damage(work)
        before = _content(work)
        told: list[str] = []
        try:
            fitted = train(work, _settings("stopped"), resume=True, note=told.append)
        except SecondLookError as error:
            if "\n" in str(error) or str(work) not in str(error):
                raise WrongAnswerError(f"refused without the place: {error}") from None
            if any(content not in _content(work).values() for content in before.values()):
                raise LostError(f"refused, and a file is gone: {error}") from None
            return
        if not equal(weights(fitted.model), _whole["weights"]):
            raise WrongAnswerError(f"other weights; notes: {told}")
        if notes is not None and len(told) != notes:
            raise WrongAnswerError(f"{len(told)} notes: {told}")
        losses = json.loads((checkpoints(work)[-1] / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
        if [log["step"] for log in losses if "loss" in log] != list(range(1, 13)):
            raise WrongAnswerError(f"losses of {losses}")

    return run


def _content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
