"""Token vectors of passages, kept in memory for those that come again."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexing.records import Floats


class TokenEncoder(Protocol):
    """The part of a bi-encoder that gives vectors of tokens."""

    def encode_tokens(self, texts: Sequence[str]) -> list[Floats]:
        """The vectors of each text's tokens, (tokens, dim) float32."""


class TokenCache:
    """Encodes passages, and keeps those that were asked for most recently."""

    def __init__(self, encoder: TokenEncoder, *, most_bytes: int) -> None:
        self._encoder = encoder
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, NDArray[np.float16]] = OrderedDict()  # the most recently used is last
        self._bytes = 0

    def vectors(self, texts: Sequence[str]) -> dict[str, Floats]:
        """By text, (tokens, dim) float32, rounded to float16 whether they were kept or not."""
        texts = list(dict.fromkeys(texts))
        new = [text for text in texts if text not in self._kept]
        for text, vectors in zip(new, self._encoder.encode_tokens(new), strict=True):
            self._kept[text] = vectors.astype(np.float16)
            self._bytes += self._kept[text].nbytes
        found = {}
        for text in texts:
            self._kept.move_to_end(text)
            found[text] = self._kept[text].astype(np.float32)
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
        return found
