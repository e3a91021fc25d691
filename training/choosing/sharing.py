"""How models are shared with what else runs in this process: a server's searches go on while it decides."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass


@dataclass(frozen=True)
class Sharing:
    """What is held during each use of a model, and how much is read in one."""

    turn: Callable[[], AbstractContextManager[None]] = nullcontext
    pairs: int = 512
    """Pairs, of several queries where a re-ranker can read these together, that are read in one turn."""


ALONE = Sharing()
