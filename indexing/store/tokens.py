"""A re-ranker's token ids of every passage, on disk: written once by a build; one row is read without the rest."""

import bisect
import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexing.errors import ModelError, SettingsError
from indexing.models.long_text import Beginnings
from indexing.store.arrays import check_rising, map_batches

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TokenIds = NDArray[np.uint16]
"""(tokens,) uint16, without special tokens."""

MAX_INPUT_TOKENS = 512  # the longest pair, special tokens included, for which stored ids are used
MAX_PASSAGE_TOKENS = MAX_INPUT_TOKENS + 1  # one more than fits, so that a cut passage is recognizable
VOCABULARY_LIMIT = 2**16  # ids are stored as uint16
BATCH_ROWS = 10_000
ENCODE_CHUNK = 1_000  # passages tokenized at once; the library holds about 10 KB of each until the chunk is done
SCHEMA = pa.schema([("ids", pa.list_(pa.uint16()))])

log = logging.getLogger(__name__)


def tokenizer_fingerprint(tokenizer: "PreTrainedTokenizerBase") -> str:
    """A fingerprint of all that affects token ids, so not of truncation or padding: SHA-256, first 16 digits."""
    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    settings.update(truncation=None, padding=None, split_special_tokens=bool(tokenizer.split_special_tokens))
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


class PassageTokenizer:
    """A loaded Hugging Face tokenizer that turns passages into what an index stores."""

    def __init__(self, name: str) -> None:
        """Load by hub name or local path.

        Raises:
            HubError: the hub can't be reached or has no such tokenizer.
            ModelError: the folder holds no fast tokenizer.
            SettingsError: the tokenizer has ids that don't fit in uint16.
        """
        tokenizer = _load(name)
        self._backend = tokenizer.backend_tokenizer
        largest = max(self._backend.get_vocab(with_added_tokens=True).values(), default=0)
        if largest >= VOCABULARY_LIMIT:
            raise SettingsError(
                f"Tokenizer {name} has ids up to {largest:,}, an index stores ids below {VOCABULARY_LIMIT:,}; "
                "build the index without --tokenizer."
            )
        self.name = name
        self.fingerprint = tokenizer_fingerprint(tokenizer)
        self._beginnings = Beginnings(self._backend)
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = bool(tokenizer.split_special_tokens)

    def encode(self, texts: Sequence[str]) -> list[TokenIds]:
        """Ids of each text without special tokens, its first MAX_PASSAGE_TOKENS."""
        rows: list[TokenIds] = []
        for start in range(0, len(texts), ENCODE_CHUNK):
            chunk = list(texts[start : start + ENCODE_CHUNK])
            encoded, _ = self._beginnings.encode(
                chunk,
                tokens=MAX_PASSAGE_TOKENS,
                encode=self._encode,
                is_full=lambda ids: len(ids) == MAX_PASSAGE_TOKENS,
            )
            rows += encoded
        return rows

    def _encode(self, _: Sequence[int], texts: list[str]) -> list[TokenIds]:
        encodings = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(encoding.ids[:MAX_PASSAGE_TOKENS], dtype=np.uint16) for encoding in encodings]


def _load(name: str) -> "PreTrainedTokenizerBase":
    # imported here, so that an index with stored ids can be opened without these libraries
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    from indexing.pretrained import loading_error, quiet_loading, reach_hub

    reach_hub(name)
    try:
        with quiet_loading():
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError and its own errors
        raise loading_error("Tokenizer", name, error) from error
    if not tokenizer.is_fast:
        raise ModelError(f"Tokenizer {name} has no fast form (tokenizer.json); save one with it, or choose another.")
    return tokenizer


def write_tokens(path: Path, rows: Sequence[TokenIds]) -> None:
    """Write one shard as an Arrow IPC file, in batches of BATCH_ROWS."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for start in range(0, len(rows), BATCH_ROWS):
            batch = rows[start : start + BATCH_ROWS]
            offsets = np.zeros(len(batch) + 1, dtype=np.int32)  # (rows + 1,) int32
            np.cumsum([len(row) for row in batch], out=offsets[1:])
            column = pa.ListArray.from_arrays(offsets, np.concatenate(batch), type=SCHEMA.field("ids").type)
            writer.write_batch(pa.record_batch([column], schema=SCHEMA))


class TokenStore:
    """Token ids of all passages of one index by row."""

    def __init__(self, folder: Path) -> None:
        """Map every shard of `folder`; nothing is read until it is needed."""
        self._starts: list[int] = []
        self._batches: list[tuple[NDArray[np.int32], TokenIds]] = []
        """For each record batch, (rows + 1,) offsets and (tokens,) ids, both views of the mapped file."""
        self._count = 0
        for path in sorted(folder.glob("*.arrow")):
            for shard in map_batches(path, SCHEMA):
                column = shard.column(0)
                check_rising(path, column.offsets.to_numpy(), end=len(column.values))
                self._starts.append(self._count)
                self._batches.append((column.offsets.to_numpy(), column.values.to_numpy()))
                self._count += len(column)

    def __len__(self) -> int:
        return self._count

    def ids(self, row: int) -> TokenIds:
        """The ids of the passage at a row, a view of the mapped file. Raises IndexError outside of 0..len-1."""
        if not 0 <= row < self._count:
            raise IndexError(f"row {row} of a store of {self._count} passages")
        batch = bisect.bisect_right(self._starts, row) - 1
        offsets, ids = self._batches[batch]
        place = row - self._starts[batch]
        return ids[offsets[place] : offsets[place + 1]]
