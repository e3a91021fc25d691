"""Each non-empty line of a file of queries, qrels or a run, parsed or refused with its place."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from indexing.errors import CorpusError

T = TypeVar("T")


def parsed_lines(path: Path, parse: Callable[[str], T | str]) -> Iterator[T]:
    """Each non-empty line, parsed. Raises CorpusError with file and line for the first that can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CorpusError(f"{path} doesn't exist; give a file that does.") from None
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}); give a file that you may read.") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} isn't UTF-8 text ({error}); save it as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            parsed = parse(line.rstrip("\r"))
            if isinstance(parsed, str):
                raise CorpusError(f"{path}:{number}: {parsed}: {line[:80]!r}.")
            yield parsed
