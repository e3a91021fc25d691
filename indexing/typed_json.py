"""Turns parsed JSON back into frozen dataclasses, and checks those made in Python: a wrong type is refused.

A NamedTuple is a list in JSON.
"""

import numbers
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from indexing.errors import SettingsError

T = TypeVar("T")
WORDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "text"}


def made(kind: type[T], values: object, place: str) -> T:
    """Build the dataclass `kind` from a JSON object; fields that the object lacks take their defaults.

    Raises:
        SettingsError: `values` isn't an object, or a field is unknown, missing or of the wrong type; the message
            starts with `place`. The dataclass's own checks may raise it too.
    """
    if not isinstance(values, dict):
        raise SettingsError(f"{place} is {_shown(values)}, an object is wanted; mend it.")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - hints.keys())
    if unknown:
        raise SettingsError(f"{place} has the unknown field {unknown[0]!r}; its fields are {', '.join(hints)}.")
    needed = [entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING]  # type: ignore[arg-type]  # T is a dataclass
    missing = [name for name in needed if name not in values]
    if missing:
        raise SettingsError(f"{place} lacks {missing[0]!r}; add it.")
    return kind(**{name: _value(hints[name], value, f"{place} {name}") for name, value in values.items()})


def check_types(settings: object) -> None:
    """Check the numbers, texts and flags of a dataclass, and its tuples of them; NumPy's scalars become Python's.

    For `__post_init__`, before values are compared.

    Raises:
        SettingsError: a field has a value of another type, which an annotation alone doesn't prevent.
    """
    for name, hint in _hints(type(settings)).items():  # type: ignore[arg-type]  # a class is hashable
        given: Any = getattr(settings, name)
        if type(given).__module__ == "numpy" and given.ndim == 0:
            given = given.item()
            object.__setattr__(settings, name, given)
        if not _fits(hint, given):
            raise SettingsError(f"{name} is {_shown(given)}, {_wanted(hint)} is wanted; give one.")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _fits(hint: Any, given: object) -> bool:
    """Whether a value has a type of WORDS, or is a tuple of them; any value fits another type."""
    kind, parts = typing.get_origin(hint), typing.get_args(hint)
    if kind in (types.UnionType, typing.Union):
        return any(_fits(part, given) for part in parts)
    if kind is tuple and isinstance(given, tuple):
        every = parts[:1] * len(given) if parts[-1] is ... else parts
        return len(given) == len(every) and all(map(_fits, every, given))
    if kind is tuple or hint in (str, bool, types.NoneType, Path):
        return isinstance(given, kind or hint)
    number = {int: numbers.Integral, float: numbers.Real}.get(hint)
    return number is None or (isinstance(given, number) and not isinstance(given, bool))


def _wanted(hint: Any) -> str:
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return "a tuple of " + (f"{len(parts)} values" if parts[-1] is not ... else "values")
    return " or ".join("None" if part is types.NoneType else _wanted(part) for part in parts) or WORDS[hint]


def _value(hint: Any, given: object, place: str) -> Any:
    kind = typing.get_origin(hint)
    if kind in (types.UnionType, typing.Union):  # all of ours are `X | None`
        return None if given is None else _value(typing.get_args(hint)[0], given, place)
    if kind is tuple:
        return _values(typing.get_args(hint), given, place)
    if kind is Sequence:
        return _values((*typing.get_args(hint), ...), given, place)
    if kind is typing.Literal:
        return _one_of(typing.get_args(hint), given, place)
    if isinstance(hint, typing.NewType):
        return _value(hint.__supertype__, given, place)
    if isinstance(hint, type) and issubclass(hint, tuple):
        return hint(*_values(tuple(typing.get_type_hints(hint).values()), given, place))
    if kind is Mapping:
        return _mapping(typing.get_args(hint)[1], given, place)
    if hint is Any:
        return given
    parse = getattr(hint, "parse", None)  # of a class whose values are single strings in JSON
    if parse is not None and isinstance(given, str):
        return parse(given)
    if is_dataclass(hint) and isinstance(hint, type) and parse is None:
        return made(hint, given, place)
    if kind is dict:  # all of ours have string keys
        if not isinstance(given, dict):
            raise SettingsError(f"{place} is {_shown(given)}, an object is wanted; mend it.")
        return {name: _value(typing.get_args(hint)[1], value, f"{place} {name}") for name, value in given.items()}
    accepted = {float: (int, float), Path: (str,)}.get(hint, (hint,))
    if not isinstance(given, accepted) or (isinstance(given, bool) and hint is not bool):
        raise SettingsError(f"{place} is {_shown(given)}, {WORDS.get(hint, 'text')} is wanted; mend it.")
    return Path(str(given)) if hint is Path else given


def _mapping(kind: Any, given: object, place: str) -> dict[str, Any]:
    """Parse an object whose values all have the type `kind`."""
    if not isinstance(given, dict):
        raise SettingsError(f"{place} is {_shown(given)}, an object is wanted; mend it.")
    if kind in WORDS and all(type(value) is kind for value in given.values()):  # thousands of numbers, by query
        return dict(given)
    return {name: _value(kind, value, f"{place} {name}") for name, value in given.items()}


def _one_of(words: tuple[Any, ...], given: object, place: str) -> Any:
    if given not in words:
        raise SettingsError(f"{place} is {_shown(given)}, one of {', '.join(map(str, words))} is wanted; mend it.")
    return given


def _values(kinds: tuple[Any, ...], given: object, place: str) -> tuple[Any, ...]:
    """Parse a list: either all of one type, or one value for each of `kinds`."""
    if not isinstance(given, list):
        raise SettingsError(f"{place} is {_shown(given)}, a list is wanted; mend it.")
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(given)
    if len(given) != len(kinds):
        raise SettingsError(f"{place} is {_shown(given)}, a list of {len(kinds)} is wanted; mend it.")
    return tuple(_value(kind, value, place) for kind, value in zip(kinds, given, strict=True))


def _shown(value: object) -> str:
    return repr(value)[:60]
