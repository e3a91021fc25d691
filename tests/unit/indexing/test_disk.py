"""A full disk is recognized in every library's words, and told with its place."""

import errno
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexing.disk import check_space, disk_errors, is_full, write_array
from indexing.errors import CorpusError, DiskFullError


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        OSError("16384 requested and 8192 written"),
        RuntimeError("Error in void faiss::fwrite(): write error in /x: 0 != 12 (No space left on device)"),
        RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 576 vs 470"),
        RuntimeError("basic_ios::clear: iostream error"),
        Exception("Error while serializing: I/O error: File too large (os error 27)"),
        ValueError("database or disk is full"),
    ],
)
def test_each_librarys_words_for_a_full_disk_are_known(error: Exception, tmp_path: Path) -> None:
    assert is_full(error)
    with pytest.raises(DiskFullError, match=f"The disk of {tmp_path} is full"), disk_errors(tmp_path):
        raise error


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), ValueError("28 rows"), KeyError(28)])
def test_other_errors_pass(error: Exception, tmp_path: Path) -> None:
    assert not is_full(error)
    with pytest.raises(type(error)), disk_errors(tmp_path):
        raise error


def test_an_error_that_arose_from_a_full_disk_means_one(tmp_path: Path) -> None:
    error = RuntimeError("py err")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskFullError), disk_errors(tmp_path):
        raise error


def test_a_sentence_of_ours_passes(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no id"), disk_errors(tmp_path):
        raise CorpusError("no id")


def test_space_that_is_lacking_is_told_before_anything_is_written(tmp_path: Path) -> None:
    check_space(tmp_path, 0, "An index")
    with pytest.raises(DiskFullError, match=f"takes at least 1,000,000,000,000 MB, and the disk of {tmp_path}"):
        check_space(tmp_path / "not/yet/there", 10**18, "An index")


@pytest.mark.parametrize(
    "array",
    [np.arange(7, dtype=np.uint64), np.ones((2, 3), dtype=np.float16), np.ones((0, 4)), np.arange(6).reshape(2, 3).T],
    ids=lambda array: f"{array.shape}",
)
def test_arrays_are_read_as_they_were_written(array: NDArray[np.generic], tmp_path: Path) -> None:
    write_array(tmp_path / "x.npy", array)
    for mode in (None, "r") if array.size else (None,):
        read = np.load(tmp_path / "x.npy", mmap_mode=mode)
        assert read.dtype == array.dtype
        assert np.array_equal(read, array)
