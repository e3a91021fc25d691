"""The memory that a training needs, estimated from its model and batches."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification

from indexing import precision
from indexing.pretrained import loading_error
from training.fitting.model import model_config
from training.fitting.plan import in_bf16
from training.recipes.losses import CACHED_PAIRS
from training.recipes.settings import FitSettings

BYTES_A_PARAMETER = 16  # weights, gradients and AdamW's two moments, float32 each
LIBRARIES = 1.1e9  # bytes of a process with torch and an index loaded, kernels' workspaces included
FLOAT32, AUTOCAST = (
    2.0,
    1.25,
)  # multiples of the memory in 16 bits; autocast keeps norms and softmaxes in float32 (measured)


@dataclass(frozen=True)
class Shape:
    """The figures of a model that its memory depends on."""

    parameters: int
    layers: int
    hidden: int
    heads: int


def memory_bytes(settings: FitSettings, shape: Shape, *, pairs_a_row: float, lengths: Sequence[int]) -> float:
    """Bytes that a training takes: 16 per parameter, and the activations of all pairs whose graph is in memory.

    In 16 bits a layer stores tokens * (34 hidden + 5 heads * tokens) bytes per pair (Korthikanti et al. 2022); more in
    float32 and under autocast, and only its input with gradient checkpointing.
    """
    rows = min(settings.micro_batch or settings.rows_a_step, settings.rows_a_step)
    pairs = rows * pairs_a_row
    if settings.loss_recipe.whole_batch:
        pairs = min(pairs, CACHED_PAIRS)
    bytes_a_pair = [
        2 * shape.hidden * tokens
        if settings.gradient_checkpointing
        else tokens * (34 * shape.hidden + 5 * shape.heads * tokens)
        for tokens in lengths
    ]
    width = AUTOCAST if in_bf16(settings) else FLOAT32
    activations = pairs * shape.layers * width * sum(bytes_a_pair) / len(bytes_a_pair)
    return shape.parameters * BYTES_A_PARAMETER + activations + (LIBRARIES if precision.device() == "cpu" else 0)


def model_shape(base: str) -> Shape:
    """Read a model's configuration, not its weights. Raises HubError or ModelError if it can't be loaded."""
    config = model_config(base)
    config.num_labels = 1
    try:
        with torch.device("meta"):
            model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]  # untyped in transformers
        parameters = sum(parameter.numel() for parameter in model.parameters())
        return Shape(parameters, config.num_hidden_layers, config.hidden_size, config.num_attention_heads)
    except Exception as error:  # transformers raises ValueError, AttributeError and its own errors
        raise loading_error("Re-ranker", base, error) from error


def free_bytes() -> float:
    """Bytes of memory available on the device that trains."""
    if precision.device() == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text(encoding="ascii").splitlines() if meminfo.is_file() else []
    sizes = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines)}
    if "MemAvailable" in sizes:
        return float(sizes["MemAvailable"]) * 1024
    return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
