"""The bi-encoder, which turns texts into unit vectors: any sentence-transformers model; the default works offline."""

import logging
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from indexing import precision
from indexing.dense.fast import LENGTH_STEP, FastModel, dead_workers, load_fast, start_pool
from indexing.errors import ModelError, SettingsError
from indexing.models.folder import check_folder, check_recorded
from indexing.models.loaded import (
    HEADED,
    POOLER,
    WITHOUT_LIMIT,
    absent_weights,
    check_tokenizer,
    check_weights,
    readable_tokens,
    refuse_absent,
    transformer_of,
)
from indexing.models.long_text import Beginnings, Cut, was_cut
from indexing.names import DEFAULT_BI_ENCODER
from indexing.pretrained import (
    bundled_path,
    loading_error,
    quiet_loading,
    reach_hub,
    weights_fingerprint,
)
from indexing.progress import Progress, silent
from indexing.records import Floats

TOKEN_BUDGET = {"cpu": 2048, "cuda": 65_536}  # tokens in one batch, padding included
COUNTED_TOGETHER = 512  # texts whose tokens are counted in one call
BATCHES = 8  # encoded per progress report
ROLE = "Bi-encoder"
log = logging.getLogger(__name__)


class BiEncoder:
    """A loaded sentence-transformers model."""

    def __init__(self, name: str = DEFAULT_BI_ENCODER, *, workers: Sequence[str] = ()) -> None:
        """Load by hub name or local path.

        With two or more `workers` (torch devices, such as `cuda:0` and `cuda:1`, or `cpu` twice), passages are
        encoded by one process on each, in sentence-transformers' own pool; `close` ends them.

        Raises:
            HubError: the hub can't be reached or has no such model.
            ModelError: the folder holds no usable model.
        """
        for worker in workers:
            if worker.startswith("cuda") and int(worker.partition(":")[2] or 0) >= torch.cuda.device_count():
                raise SettingsError(
                    f"--workers names {worker}, torch can use {torch.cuda.device_count()} CUDA devices here; "
                    "give those that there are, or cpu:2."
                )
        path = bundled_path(name)
        reach_hub(path)
        folder, recorded = Path(path), False
        if folder.is_dir():
            recorded = check_recorded(ROLE, folder)
            folder = check_folder(ROLE, folder)
        self.name = name
        self._device = precision.device()
        try:
            with quiet_loading():
                self._model = SentenceTransformer(
                    path, device=self._device, model_kwargs={"dtype": torch.float32, "use_safetensors": True}
                )
        except Exception as error:  # transformers raises OSError, ValueError, RuntimeError and its own errors
            raise loading_error(ROLE, name, error) from error
        self._check(str(folder) if folder.is_dir() else path, recorded=recorded)
        self.fingerprint = weights_fingerprint(list(self._model.named_parameters()))
        self._workers = tuple(workers)
        self._fast: FastModel | None = None
        self._pool: Any = None

    def _check(self, folder: str, *, recorded: bool) -> None:
        """Raise ModelError unless every weight came from a file, all are finite, and the tokenizer is the model's."""
        inner = transformer_of(self._model)
        if inner is not None:
            if any(str(kind).endswith(HEADED) for kind in inner.config.architectures or ()):
                raise ModelError(f"{ROLE} {self.name} is a cross-encoder, which gives no vectors. Choose another.")
            if not recorded:
                try:
                    absent = absent_weights(ROLE, self.name, folder, inner)
                except (OSError, RuntimeError, ValueError) as error:
                    raise loading_error(ROLE, self.name, error) from error
                refuse_absent(ROLE, self.name, [key for key in absent if POOLER not in key])
            check_tokenizer(ROLE, self.name, self._model.tokenizer, inner)
            limit = readable_tokens(ROLE, self.name, self._model.max_seq_length, self._model)
            if limit is not None:
                self._model.max_seq_length = limit
        check_weights(ROLE, self.name, self._model)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def precision(self) -> str:
        """Number format in which passages are encoded, such as `bfloat16`."""
        return str(precision.fastest_dtype(self._device)).removeprefix("torch.")

    def encode_query(self, text: str) -> Floats:
        """One query's vector, (dim,) float32, unit length, always computed in float32."""
        return np.asarray(self.encode_queries([text])[0])

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """The queries' vectors, (queries, dim) float32, unit length, always computed in float32."""
        texts = self._beginnings(texts)
        return self._unit(self._model.encode_query(texts, show_progress_bar=False), texts)

    def encode_passage(self, text: str) -> Floats:
        """One passage's vector, (dim,) float32, unit length, always computed in float32."""
        texts = self._beginnings([text])
        return np.asarray(self._unit(self._model.encode_document(texts, show_progress_bar=False), texts)[0])

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Floats:
        """The texts' vectors, (texts, dim) float32, unit length, computed in this machine's fastest number format.

        A batch holds texts of similar length, so there is little padding, and batches have about equally many tokens.
        Long and short batches are mixed, so that the speed at the start is that of the whole. Lengths are padded to a
        multiple of LENGTH_STEP, because oneDNN keeps memory for every shape it sees.
        """
        texts = self._beginnings(texts)
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)  # (texts, dim) float32
        for rows, size in self._batches(texts):
            content = [texts[row] for row in rows]
            vectors[rows] = self._unit(self._encoded(content, size), content)
            progress("encode", len(rows), len(texts))
        return vectors

    def _encoded(self, texts: Sequence[str], size: int) -> object:
        pool = self._started_pool()
        share = None if pool is None else math.ceil(len(texts) / len(self._workers))  # of one worker at a time
        try:
            return self._fast_model().encode_document(
                texts, batch_size=size, show_progress_bar=False, pool=pool, chunk_size=share
            )
        except BaseException as error:
            dead = dead_workers(pool, self._workers)
            self.close()  # or a later call would take what a worker still gives for an answer of its own
            if not dead:
                raise
            raise ModelError(
                f"{ROLE} {self.name} lost the worker {' and the worker '.join(dead)}; give fewer --workers if memory "
                'is short, and in a script of your own begin below `if __name__ == "__main__":`.'
            ) from error

    @property
    def has_tokens(self) -> bool:
        """Whether the model is a transformer, and so has vectors of tokens in context."""
        return isinstance(self._model[0], Transformer)

    def check_tokens(self) -> None:
        """Raise ModelError if the model has no vectors of tokens."""
        if not self.has_tokens:
            raise ModelError(
                f"Bi-encoder {self.name} is no transformer, so it gives no vectors of tokens for late interaction; "
                "choose another bi-encoder, teacher or re-ranker."
            )

    def encode_tokens(self, texts: Sequence[str]) -> list[Floats]:
        """For each passage the vectors of its tokens, [CLS] and [SEP] included: (tokens, dim) float32, unit length.

        Raises:
            ModelError: the model isn't a transformer.
        """
        self.check_tokens()
        texts = self._beginnings(texts)
        tokens: list[Floats] = [np.empty((0, self.dim), dtype=np.float32)] * len(texts)
        for rows, size in self._batches(texts):
            content = [texts[row] for row in rows]
            encoded: Any = self._fast_model().encode_document(
                content, batch_size=size, show_progress_bar=False, output_value="token_embeddings"
            )
            for row, vectors in zip(rows, self._unit_tokens(encoded, content), strict=True):
                tokens[row] = vectors
        return tokens

    def encode_query_tokens(self, texts: Sequence[str]) -> list[Floats]:
        """As `encode_tokens`, for queries; always computed in float32.

        Raises:
            ModelError: the model isn't a transformer.
        """
        self.check_tokens()
        texts = self._beginnings(texts)
        encoded: Any = self._model.encode_query(texts, show_progress_bar=False, output_value="token_embeddings")
        return self._unit_tokens(encoded, texts)

    def cuts(self, texts: Sequence[str]) -> list[bool]:
        """Whether the model reads only the beginning of each text."""
        most = self._model.max_seq_length
        if not isinstance(most, int) or most > WITHOUT_LIMIT:
            return [False] * len(texts)
        beginnings = self._beginnings(texts)
        cut = [was_cut(text, part, tokens=most) for text, part in zip(texts, beginnings, strict=True)]
        for row in np.flatnonzero(self._token_counts(beginnings) >= most):  # full, or cut
            ids = self._model.tokenizer(beginnings[row], truncation=False, verbose=False)["input_ids"]
            cut[row] = cut[row] or len(ids) > most
        return cut

    def query_cut(self, text: str) -> Cut | None:
        """How much of a query is read, with a prompt that the model has for queries before it; None if all of it is."""
        most = self._model.max_seq_length
        if not self.has_tokens or not isinstance(most, int) or most > WITHOUT_LIMIT:
            return None
        prompts = self._model.prompts or {}
        prompt = prompts.get("query", prompts.get(self._model.default_prompt_name or "")) or ""
        ids = self._model.tokenizer([prompt + text, prompt], truncation=False, verbose=False)["input_ids"]
        whole, others = map(len, ids)  # the others are special tokens and the prompt's
        return Cut(most - others, whole - others) if whole > most else None

    def _unit_tokens(self, encoded: Sequence[torch.Tensor], texts: Sequence[str]) -> list[Floats]:
        """Unit vectors of each text's tokens, on the CPU."""
        pairs = zip(encoded, texts, strict=True)
        return [self._unit(vectors.float().cpu(), [text] * len(vectors)) for vectors, text in pairs]

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], int]]:
        """Groups of rows of similarly long texts, in random order, each with the batch size for the token budget."""
        steps = -(-self._token_counts(texts) // LENGTH_STEP)  # (texts,) int64
        order = np.argsort(steps, kind="stable")
        ends = np.searchsorted(steps[order], np.unique(steps), side="right")  # of the texts of each length
        batches, start = [], 0
        for end in ends:
            size = max(1, TOKEN_BUDGET[self._device] // (LENGTH_STEP * int(max(steps[order[start]], 1))))
            together = BATCHES * size
            batches += [(order[first : min(end, first + together)], size) for first in range(start, end, together)]
            start = end
        random.Random(0).shuffle(batches)
        yield from batches

    def close(self) -> None:
        """End the workers' processes, if any."""
        if self._pool is not None:
            SentenceTransformer.stop_multi_process_pool(self._pool)
            self._pool = None

    def _beginnings(self, texts: Sequence[str]) -> list[str]:
        """The beginning of each text, which has all the tokens that the model reads."""
        most = self._model.max_seq_length
        if not isinstance(most, int) or most > WITHOUT_LIMIT:
            return list(texts)
        _, beginnings = Beginnings(self._model.tokenizer).encode(
            texts,
            tokens=most,
            encode=lambda rows, parts: [0] * len(rows) if parts == list(texts) else self._token_counts(parts).tolist(),
            is_full=lambda count: count >= most,
        )
        return beginnings

    def _token_counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many tokens of each text the model reads, (texts,); characters instead if it has no fast tokenizer."""
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            return np.array([len(text) for text in texts], dtype=np.int64)
        most = self._model.max_seq_length or TOKEN_BUDGET["cpu"]
        counts: list[int] = []
        for start in range(0, len(texts), COUNTED_TOGETHER):
            encodings = backend.encode_batch_fast(list(texts[start : start + COUNTED_TOGETHER]))
            counts += [min(sum(encoding.attention_mask), most) for encoding in encodings]
        return np.array(counts, dtype=np.int64)

    def _started_pool(self) -> Any:
        if self._pool is None and len(self._workers) > 1:
            self._pool = start_pool(self._fast_model(), self._workers)
        return self._pool

    def _fast_model(self) -> FastModel:
        """The same weights in the format and with the attention that compute fastest on this device."""
        if self._fast is None:
            dtype = precision.fastest_dtype(self._device)
            self._fast = load_fast(bundled_path(self.name), self._device, dtype)
        return self._fast

    def _unit(self, vectors: object, texts: Sequence[str]) -> Floats:
        values = np.asarray(vectors, dtype=np.float32)  # (texts, dim) float32
        lengths = np.linalg.norm(values, axis=1, keepdims=True)  # (texts, 1)
        for row in np.flatnonzero(~np.isfinite(lengths[:, 0]) | (lengths[:, 0] == 0)):
            raise ModelError(
                f"Bi-encoder {self.name} gave a vector of length {lengths[row, 0]} for {texts[int(row)][:60]!r}; "
                "its weights are broken, choose another with --bi-encoder."
            )
        return np.asarray(values / lengths, dtype=np.float32)
