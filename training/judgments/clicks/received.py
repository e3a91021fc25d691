"""Click logs that a user sends, as files for as long as they are read; sentences name them as the user does."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from indexing import places
from indexing.corpus.upload import copy_upload
from indexing.errors import SecondLookError, SettingsError

ENDINGS = (".jsonl", ".ndjson", ".json", ".gz")
"""Of files that may hold a log."""


class SentLog(NamedTuple):
    """A file of a log as it was sent."""

    name: str
    content: IO[bytes]


class ReceivedLog(NamedTuple):
    """The files of one log, each in a folder of its own."""

    paths: tuple[Path, ...]

    def named(self, sentence: str) -> str:
        """A sentence with the user's names of the files in place of their paths."""
        for path in self.paths:
            sentence = sentence.replace(str(path), path.name)
        return sentence


@contextmanager
def received(
    files: Sequence[SentLog], *, limit: int, endings: Sequence[str] = ENDINGS, elsewhere: Path | None = None
) -> Iterator[ReceivedLog]:
    """Hold the files for the block, whose messages then name them as they were called when they were sent.

    `elsewhere` is the folder on the server for larger ones, by default that of click logs.

    Raises:
        SettingsError: a file's name isn't that of a log.
        CorpusError: one has more than `limit` megabytes, or unpacks to much more.
    """
    with tempfile.TemporaryDirectory(prefix="second-look-clicks-") as name:
        folder = Path(name)
        log = ReceivedLog(tuple(folder / str(place) / _name(file, endings) for place, file in enumerate(files)))
        try:
            for path, file in zip(log.paths, files, strict=True):
                path.parent.mkdir()
                file.content.seek(0)
                copy_upload(file.content, path, limit=limit, elsewhere=elsewhere or places.click_logs())
            yield log
        except SecondLookError as error:  # the message is to name the user's file, not the copy
            raise type(error)(log.named(str(error))) from error


def logs_here() -> list[Path]:
    """The logs in the folder for those too large to send, except symbolic links, which could point anywhere."""
    found = sorted(places.click_logs().glob("*"))
    return [path for path in found if path.is_file() and not path.is_symlink() and path.suffix.lower() in ENDINGS]


def _name(file: SentLog, endings: Sequence[str]) -> str:
    name = PurePosixPath(file.name).name
    if name != file.name or "\0" in name or Path(name).suffix.lower() not in endings:
        raise SettingsError(
            f"A file called {file.name[:80]!r} isn't taken; give files whose names end in {', '.join(endings)}."
        )
    return name
