"""Loads a model once, for this process and all that it forks; what is loaded otherwise is loaded as ever."""

from inspect import signature
from typing import Any


def load_once(kind: type, *given: Any, **named: Any) -> Any:
    """`kind(*given, **named)`; whoever constructs one like it from now on gets its parts, such as its weights."""
    construct: Any = kind.__init__  # type: ignore[misc]  # of this class, not of one that is derived
    one = kind(*given, **named)

    def arguments(self: Any, *given: Any, **named: Any) -> dict[str, Any]:
        bound = signature(construct).bind(self, *given, **named)
        bound.apply_defaults()
        return {name: value for name, value in bound.arguments.items() if value is not self}

    wanted = arguments(one, *given, **named)

    def reuse(self: Any, *given: Any, **named: Any) -> None:
        if type(self) is kind and arguments(self, *given, **named) == wanted:
            vars(self).update(vars(one))
        else:
            construct(self, *given, **named)

    kind.__init__ = reuse  # type: ignore[misc]
    return one
