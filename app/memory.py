"""Keeps the memory of a long-lived server from growing: few arenas, so that what one thread frees another uses."""

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8  # glibc's <malloc.h>
ARENAS = 2


def limit_arenas() -> bool:
    """Hold glibc's allocator to ARENAS arenas, and say whether it was told; other allocators are left as they are.

    By default it makes up to eight for each core, and every session's thread keeps what it once used in one of its own.
    Call it before threads start.
    """
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))
    return False
