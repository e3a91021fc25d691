"""A full disk in one sentence, however the library that met it words it."""

import errno
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexing.errors import DiskFullError, SecondLookError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WORDS = re.compile(
    "no space left on device|disk quota exceeded|file too large|database or disk is full|"
    r"os error (28|27|122)\b|errno (28|27|122)\b|"  # safetensors and tokenizers, pyarrow
    r"\d+ requested and \d+ written|"  # numpy
    "pytorchstreamwriter failed writing|unexpected pos \\d+ vs|iostream error",  # torch
    re.IGNORECASE,
)
"""What the libraries say: faiss, SQLite, safetensors, pyarrow, numpy and torch raise errors of their own."""
RESERVE = 64 << 20  # bytes that are to stay free


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it arose from, says that a disk, a quota or the largest file size is exhausted."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if not isinstance(error, SecondLookError) and WORDS.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk(place: Path) -> DiskFullError:
    """The error for a disk that was full when something below `place` was written."""
    return DiskFullError(
        f"The disk of {place} is full ({_megabytes(_free(place))} free), or a limit on its files is reached; free some "
        "space there, or give a place on another disk. What was there before is unchanged."
    )


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn an error of the block that means a full disk into a sentence that names `place`; others pass.

    Raises:
        DiskFullError: the disk is full.
    """
    try:
        yield
    except SecondLookError:
        raise
    except Exception as error:
        if is_full(error):
            raise full_disk(place) from error
        raise


def check_space(place: Path, needed: int, what: str) -> None:
    """Raise DiskFullError if `needed` bytes, which `what` takes at least, aren't free on the disk of `place`."""
    lacking = needed + RESERVE - _free(place)
    if lacking > 0:
        raise DiskFullError(
            f"{what} takes at least {_megabytes(needed)}, and the disk of {place} has {_megabytes(_free(place))} free: "
            f"{_megabytes(lacking)} more are needed; free them, or give a place on another disk."
        )


def write_array(path: Path, array: "NDArray[Any]") -> None:
    """Write a .npy file. NumPy's own `save` doesn't notice that the last bytes of a file find no space."""
    import numpy as np  # here, so that a command line that only asks whether a disk is full needn't load it

    array = np.ascontiguousarray(array)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    with path.open("wb") as file:
        file.write(header.getvalue())
        file.write(array.reshape(-1).view(np.uint8).data)


def _free(place: Path) -> int:
    existing = next((folder for folder in (place, *place.absolute().parents) if folder.exists()), Path("/"))
    return shutil.disk_usage(existing).free


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
