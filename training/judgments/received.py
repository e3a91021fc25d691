"""Files that a user sends, on disk for as long as they are read; sentences name them as the user does."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from indexing import atomic
from indexing.corpus.upload import copy_upload
from indexing.errors import SecondLookError, SettingsError


class SentFile(NamedTuple):
    """A file as it was sent."""

    name: str
    content: IO[bytes]


class SentKind(NamedTuple):
    """What files a user may send for one purpose."""

    noun: str
    """Begins a sentence, as in `A log`."""
    endings: tuple[str, ...]
    """Of their names, in lower case."""
    elsewhere: Path
    """Where larger ones can be put on the server."""


class Received(NamedTuple):
    """The files, each in a folder of its own."""

    paths: tuple[Path, ...]

    def named(self, sentence: str) -> str:
        """A sentence with the user's names of the files in place of their paths."""
        for path in self.paths:
            sentence = sentence.replace(str(path), path.name)
        return sentence


@dataclass(frozen=True)
class ReadFile:
    """A file that was read, as the record of what was made from it names it."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "ReadFile":
        """A file on this disk."""
        return cls(path.name, **atomic.file_row(path))


@contextmanager
def received(files: Sequence[SentFile], kind: SentKind, *, limit: int) -> Iterator[Received]:
    """Hold the files for the block, whose messages then name them as they were called when they were sent.

    Raises:
        SettingsError: a file's name isn't of this kind.
        CorpusError: one has more than `limit` megabytes, or unpacks to much more.
    """
    with tempfile.TemporaryDirectory(prefix="second-look-sent-") as name:
        folder = Path(name)
        held = Received(tuple(folder / str(place) / _name(file, kind) for place, file in enumerate(files)))
        try:
            for path, file in zip(held.paths, files, strict=True):
                path.parent.mkdir()
                file.content.seek(0)
                copy_upload(file.content, path, limit=limit, elsewhere=kind.elsewhere)
            yield held
        except SecondLookError as error:  # the message is to name the user's file, not the copy
            raise type(error)(held.named(str(error))) from error


def _name(file: SentFile, kind: SentKind) -> str:
    name = PurePosixPath(file.name).name
    if name != file.name or "\0" in name or Path(name).suffix.lower() not in kind.endings:
        raise SettingsError(
            f"{kind.noun} called {file.name[:80]!r} isn't taken; give files whose names end in "
            f"{', '.join(kind.endings)}."
        )
    return name
