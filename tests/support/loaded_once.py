"""Loads a model once, where tests would load the same files many times; another model, or other files, load as ever."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

from indexing import precision
from indexing.pretrained import bundled_path

MOST = 8  # models of a kind in memory


def load_once(kind: type, *given: Any, **named: Any) -> Any:
    """`kind(*given, **named)`; whoever constructs one like it from now on gets its parts, such as its weights."""
    construct: Any = kind.__init__  # type: ignore[misc]  # of this class, not of one that is derived
    one = kind(*given, **named)
    wanted = _arguments(construct, one, *given, **named)

    def reuse(self: Any, *given: Any, **named: Any) -> None:
        if type(self) is kind and _arguments(construct, self, *given, **named) == wanted:
            vars(self).update(vars(one))
        else:
            construct(self, *given, **named)

    kind.__init__ = reuse  # type: ignore[misc]
    return one


@contextmanager
def remembered(kind: type) -> Iterator[None]:
    """While the block runs, what is constructed again from the same files gets the parts of the first one."""
    construct: Any = kind.__init__  # type: ignore[misc]  # of this class, not of one that is derived
    kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def reuse(self: Any, *given: Any, **named: Any) -> None:
        values = _arguments(construct, self, *given, **named)
        folder = Path(bundled_path(str(values["name"])))
        key = f"{values} {_state(folder)} {precision.fastest_dtype(precision.device())}"
        if type(self) is kind and folder.is_dir() and key in kept:
            vars(self).update(kept[key])
            return
        construct(self, *given, **named)
        kept[key] = dict(vars(self))
        if len(kept) > MOST:
            kept.popitem(last=False)

    kind.__init__ = reuse  # type: ignore[misc]
    try:
        yield
    finally:
        kind.__init__ = construct  # type: ignore[misc]


def _arguments(construct: Callable[..., None], self: Any, *given: Any, **named: Any) -> dict[str, Any]:
    bound = signature(construct).bind(self, *given, **named)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if value is not self}


def _state(folder: Path) -> list[tuple[str, int, int, int]]:
    """What tells a folder's files from others in their place."""
    found = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found]
