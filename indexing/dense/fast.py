"""The bi-encoder as passages are encoded with it, in this process or in one on each of several devices."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from indexing.pretrained import quiet_loading

LENGTH_STEP = 8  # tokens; texts whose lengths round up to the same multiple share batches


class FastModel(SentenceTransformer):
    """A model that a worker's process loads for itself.

    Starting a process writes all that it is given into a pipe. The whole model is more than a pipe holds, so that the
    writer would wait for ever for a process that died before it read.
    """

    origin: tuple[str, str, torch.dtype]
    """Path, the device it was loaded for (`cpu` or `cuda`), and number format."""

    def __reduce__(self) -> tuple[Any, ...]:
        return load_fast, self.origin


def load_fast(path: str, device: str, dtype: torch.dtype) -> FastModel:
    """The weights in this format, with the attention that computes fastest on this kind of device."""
    options: dict[str, object] = {"dtype": dtype, "use_safetensors": True}
    if device == "cpu":
        options["attn_implementation"] = "eager"  # a fifth faster on a CPU than torch's fused attention
    with quiet_loading():
        fast = FastModel(path, device=device, model_kwargs=options)
    if isinstance(fast[0], Transformer):  # a model that averages word vectors needs no padding
        fast[0].processing_kwargs = {"text": {"pad_to_multiple_of": LENGTH_STEP}}
    fast.origin = path, device, dtype
    return fast


def start_pool(model: FastModel, devices: Sequence[str]) -> Any:
    """sentence-transformers' own pool: a process on each device, with its share of the cores."""
    cores = max(1, (os.cpu_count() or 1) // len(devices))
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(cores)  # workers inherit it
    try:
        return model.start_multi_process_pool(list(devices))
    finally:
        os.environ.pop("OMP_NUM_THREADS") if before is None else os.environ.update(OMP_NUM_THREADS=before)


def dead_workers(pool: Any, devices: Sequence[str]) -> list[str]:
    """The workers of a pool whose processes have ended, each by its device and how it ended; none without a pool."""
    if pool is None:
        return []
    codes = zip(devices, (process.exitcode for process in pool["processes"]), strict=True)
    return [f"on {device} ({_ending(code)})" for device, code in codes if code is not None]


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"it ended with exit code {code}"
