"""Plain data, as JSON holds it, becomes a frozen dataclass again: every field is known and of its type, or refused."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from indexing.errors import SettingsError

T = TypeVar("T")
WORDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "text"}


def made(kind: type[T], values: object, place: str) -> T:
    """The dataclass `kind` of a JSON object; what the object lacks is as by default.

    Raises:
        SettingsError: it is no object, a field is unknown, missing or of another type; `place` says where. Or as the
            dataclass itself says.
    """
    if not isinstance(values, dict):
        raise SettingsError(f"{place} is {_shown(values)}, an object is wanted; mend it.")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - hints.keys())
    if unknown:
        raise SettingsError(f"{place} has the unknown field {unknown[0]!r}; its fields are {', '.join(hints)}.")
    needed = [item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING]  # type: ignore[arg-type]  # it is a dataclass
    missing = [name for name in needed if name not in values]
    if missing:
        raise SettingsError(f"{place} lacks {missing[0]!r}; add it.")
    return kind(**{name: _value(hints[name], value, f"{place} {name}") for name, value in values.items()})


def _value(hint: Any, given: object, place: str) -> Any:
    kind = typing.get_origin(hint)
    if kind in (types.UnionType, typing.Union):  # every one of ours is `something or None`
        return None if given is None else _value(typing.get_args(hint)[0], given, place)
    if kind is tuple:
        return _values(typing.get_args(hint), given, place)
    if kind is Mapping:
        return _mapping(typing.get_args(hint)[1], given, place)
    if hint is Any:
        return given
    parse = getattr(hint, "parse", None)  # of a class whose values are one text in JSON
    if parse is not None and isinstance(given, str):
        return parse(given)
    if is_dataclass(hint) and isinstance(hint, type) and parse is None:
        return made(hint, given, place)
    if kind is dict:  # every one of ours is of names
        if not isinstance(given, dict):
            raise SettingsError(f"{place} is {_shown(given)}, an object is wanted; mend it.")
        return {name: _value(typing.get_args(hint)[1], value, f"{place} {name}") for name, value in given.items()}
    accepted = {float: (int, float), Path: (str,)}.get(hint, (hint,))
    if not isinstance(given, accepted) or (isinstance(given, bool) and hint is not bool):
        raise SettingsError(f"{place} is {_shown(given)}, {WORDS.get(hint, 'text')} is wanted; mend it.")
    return Path(str(given)) if hint is Path else given


def _mapping(kind: Any, given: object, place: str) -> dict[str, Any]:
    """An object whose values are all of one kind."""
    if not isinstance(given, dict):
        raise SettingsError(f"{place} is {_shown(given)}, an object is wanted; mend it.")
    return {name: _value(kind, value, f"{place} {name}") for name, value in given.items()}


def _values(kinds: tuple[Any, ...], given: object, place: str) -> tuple[Any, ...]:
    """A list, of one kind throughout or of as many values as there are kinds."""
    if not isinstance(given, list):
        raise SettingsError(f"{place} is {_shown(given)}, a list is wanted; mend it.")
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(given)
    if len(given) != len(kinds):
        raise SettingsError(f"{place} is {_shown(given)}, a list of {len(kinds)} is wanted; mend it.")
    return tuple(_value(kind, value, place) for kind, value in zip(kinds, given, strict=True))


def _shown(value: object) -> str:
    return repr(value)[:60]
