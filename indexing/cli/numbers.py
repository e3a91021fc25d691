"""Numbers of a command line: read strictly and held to their range while arguments are parsed, before any import.

`int` and `float` take what nobody means on a command line: `1_000`, `nan`, `inf`, digits of other scripts.
"""

import argparse
import math
import re
from collections.abc import Callable

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
SHOWN = 40  # characters of a refused value that its sentence repeats


def whole(least: int | None = None, most: int | None = None) -> Callable[[str], int]:
    """The `type` of an option that takes a whole number from `least` to `most`, both included; None for no bound.

    Its refusal reads as `--depth is -5; give a whole number from 1 to 10,000.`
    """

    def read(text: str) -> int:
        if WHOLE.fullmatch(text) and _within(int(text), least, most):
            return int(text)
        raise _refusal(text, "a whole number", least, most)

    return read


def real(
    least: float | None = None, most: float | None = None, *, above: float | None = None
) -> Callable[[str], float]:
    """The `type` of an option that takes a finite number from `least` to `most`, both included; None for no bound.

    `above` is a bound that is itself excluded: `real(above=0)` for what must be positive.
    """

    def read(text: str) -> float:
        if REAL.fullmatch(text):
            value = float(text)
            if math.isfinite(value) and _within(value, least, most) and (above is None or value > above):
                return value
        raise _refusal(text, "a number" if above is None else f"a number above {above:,}", least, most)

    return read


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or least <= value) and (most is None or value <= most)


def _refusal(text: str, kind: str, least: float | None, most: float | None) -> argparse.ArgumentTypeError:
    shown = text if REAL.fullmatch(text) and len(text) <= SHOWN else repr(text[:SHOWN] + "…" * (len(text) > SHOWN))
    if least is not None and most is not None:
        wanted = f"{kind} from {least:,} to {most:,}"
    elif least is not None:
        wanted = f"{kind}, {least:,} or more"
    elif most is not None:
        wanted = f"{kind}, at most {most:,}"
    else:
        wanted = kind
    return argparse.ArgumentTypeError(f"is {shown}; give {wanted}.")
