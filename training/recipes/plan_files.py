"""Reads plans of stages from JSON files; a faulty file is refused with its name, the line and the reason."""

import json
from collections.abc import Mapping
from dataclasses import replace
from json.decoder import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from indexing.errors import SettingsError
from indexing.typed_json import made
from training.recipes.stages import Ingredient, Stage, StagePlan

FOLDER = Path(__file__).with_name("plans")
SHIPPED_PLANS: Mapping[str, Path] = {path.stem: path for path in sorted(FOLDER.glob("*.json"))}
"""The plans that come with the project, by the recipe's name.

The shipped re-ranker is the mean of the weights of `judges-reranker` and `closing-reranker`; the latter starts from the
mean of `third-reranker` and `judges-reranker`. `two-hour-reranker` learns from much of the same in one training.
"""
Steps = tuple[str | int, ...]
"""The path to a value in a JSON text: field names, and places in lists."""
T = TypeVar("T")


def read_plan(path: Path) -> StagePlan:
    """The plan that a file holds.

    Raises:
        SettingsError: the file can't be read, or a field is unknown, missing, of the wrong type or out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text)
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror}); name a file with a recipe.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no text in UTF-8; save the recipe as UTF-8.") from None
    except JSONDecodeError as error:
        raise SettingsError(f"{path}, line {error.lineno}: no valid JSON here ({error.msg}); mend it.") from None
    return _PlanReader(path, text).plan(values)


class _PlanReader:
    """Turns the values of one file into a plan, and finds the line of a faulty one."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def plan(self, values: object) -> StagePlan:
        """The plan in the values of the whole file."""
        plan = self._parsed(StagePlan, values, (), without="stages")
        stages = tuple(self._stage(entry, ("stages", n)) for n, entry in enumerate(self._list(values, "stages", ())))
        try:
            return replace(plan, stages=stages)
        except SettingsError as error:
            raise self._error(("stages", 0), str(error)) from None

    def _stage(self, values: object, steps: Steps) -> Stage:
        stage = self._parsed(Stage, values, steps, without="ingredients")
        lines = self._list(values, "ingredients", steps)
        ingredients = (self._parsed(Ingredient, entry, (*steps, "ingredients", n)) for n, entry in enumerate(lines))
        return replace(stage, ingredients=tuple(ingredients))

    def _list(self, values: object, name: str, steps: Steps) -> list[object]:
        """The list in a field, which must not be empty."""
        entries = values.get(name) if isinstance(values, dict) else None
        if not isinstance(entries, list) or not entries:
            exists = isinstance(values, dict) and name in values
            raise self._error((*steps, name) if exists else steps, f"{name} must be a list with at least one entry.")
        return entries

    def _parsed(self, kind: type[T], values: object, steps: Steps, *, without: str = "") -> T:
        """Build a dataclass from an object; the field `without` is left empty for the caller to fill."""
        known = {**values, without: []} if without and isinstance(values, dict) else values
        place = "this"
        try:
            return made(kind, known, place)
        except SettingsError as error:
            reason = str(error).removeprefix(f"{place} ")
            names = list(known) if isinstance(known, dict) else []
            starts = {name: (f"{name} ", f"has the unknown field {name!r}") for name in names}
            field = [name for name, begins in starts.items() if reason.startswith(begins)][:1]
            raise self._error((*steps, *field), reason) from None

    def _error(self, steps: Steps, reason: str) -> SettingsError:
        return SettingsError(f"{self._path}, line {line_of(self._text, steps)}: {reason}")


def line_of(text: str, steps: Steps) -> int:
    """The line, from 1, on which a value of a JSON text begins; for a field, the line of its name."""
    at = shown = _next(text, 0)
    for step in steps:
        at, shown = _inside(text, at, step)
    return text.count("\n", 0, shown) + 1


def _inside(text: str, at: int, step: str | int) -> tuple[int, int]:
    """The place of a value inside the one at `at`, and that of its name or, in a list, of the value itself."""
    decode = json.JSONDecoder().raw_decode
    at, number = _next(text, at + 1), 0
    while True:
        begin = at
        key: str | int = number
        if isinstance(step, str):
            key, at = decode(text, at)
            at = _next(text, _next(text, at) + 1)  # beyond the colon
        if key == step:
            return at, begin
        _, at = decode(text, at)
        at, number = _next(text, _next(text, at) + 1), number + 1  # beyond the comma


def _next(text: str, at: int) -> int:
    """The first place at or after `at` that isn't white space."""
    while text[at] in " \t\n\r":
        at += 1
    return at
