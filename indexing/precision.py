"""Measures which number format this machine computes fastest in; bounds the caches of oneDNN's kernels."""

import math
import os
import time

import torch

KERNEL_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
"""Environment variables of oneDNN, torch's engine on a CPU."""
KERNELS = "64"
WORTH_IT = 1.25  # bfloat16 must be this many times as fast as float32 to be chosen on a CPU
_settled: dict[str, torch.dtype] = {}  # by device
HOPELESS = 30  # times float32, in which a first run of bfloat16 ends its measuring: seconds, where no CPU unit helps


def bound_kernel_caches() -> None:
    """Let oneDNN cache KERNELS shapes unless the environment sets a limit: its default, 1,024, takes gigabytes.

    oneDNN reads the variables at its first computation, so this must be called before: when a model is loaded, and
    when the fastest format is measured.
    """
    for name in KERNEL_CACHES:
        os.environ.setdefault(name, KERNELS)


def device() -> str:
    """`cuda` if torch can use a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def settle(on: str, dtype: torch.dtype) -> None:
    """Take a format for the fastest on this device from now on, such as the one that was measured before a stop."""
    _settled[on] = dtype


def fastest_dtype(on: str) -> torch.dtype:
    """The faster of float32 and bfloat16 for a transformer's matrix products on this device.

    A CPU with AMX or AVX512-BF16 is two to four times as fast in bfloat16, any other several times
    slower, so this is measured (about 0.1 s, once per process) rather than assumed.
    """
    if on not in _settled:
        settle(on, _measured(on))
    return _settled[on]


def _measured(on: str) -> torch.dtype:
    if on.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    bound_kernel_caches()
    usual = _matrix_seconds(torch.float32)
    fast = _matrix_seconds(torch.bfloat16, hopeless=HOPELESS * usual)
    if usual > WORTH_IT * fast:  # measured once more, as other work may have slowed the first
        usual = min(usual, _matrix_seconds(torch.float32))
    return torch.bfloat16 if usual > WORTH_IT * fast else torch.float32


def _matrix_seconds(dtype: torch.dtype, *, hopeless: float = math.inf) -> float:
    """The best of four runs; of one, if that takes longer than `hopeless`."""
    left = torch.ones(1024, 384, dtype=dtype)  # (tokens, hidden)
    right = torch.ones(384, 1536, dtype=dtype)  # (hidden, feed-forward)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(4):  # the first run sets up the kernels
            start = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - start)
            if best > hopeless:
                break
    return best


def clock(on: str) -> float:
    """Seconds on a steady clock, once the device has finished its work."""
    if on.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()
