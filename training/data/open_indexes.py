"""Indexes and their bi-encoders, each opened once even if several steps of a training read it."""

from pathlib import Path

from indexing.dense.encoder import BiEncoder
from indexing.index import Index, check_encoder, open_index
from search.pipeline import RetrieveAndRerank
from training.mining.kept_negatives import Keeping


class OpenIndexes:
    """The open indexes of one folder: the first request opens an index, and `close` releases them all."""

    def __init__(self, root: Path | None = None, *, keeping: Keeping | None = None) -> None:
        self.root = root
        self.keeping = keeping
        """Where what is mined from them is kept; None to keep nothing."""
        self._indexes: dict[str, Index] = {}
        self._encoders: dict[str, BiEncoder] = {}

    def index(self, name: str) -> Index:
        """The index of this name. Raises IndexingError if it can't be opened."""
        if name not in self._indexes:
            self._indexes[name] = open_index(name, root=self.root)
        return self._indexes[name]

    def bi_encoder(self, name: str) -> BiEncoder:
        """The bi-encoder that an index was built with; several indexes may share one.

        Raises IndexingError, ModelError or HubError if it can't be loaded or has changed since the build.
        """
        index = self.index(name)
        model = index.manifest.bi_encoder
        if model not in self._encoders:
            self._encoders[model] = BiEncoder(model)
        check_encoder(
            index.folder,
            self._encoders[model],
            manifest=index.manifest,
            passages=index.passages,
            vectors=index.vectors,
        )
        return self._encoders[model]

    def pipeline(self, name: str) -> RetrieveAndRerank:
        """The first stage of an index, without a re-ranker."""
        return RetrieveAndRerank(self.index(name), self.bi_encoder(name), None)

    def close(self) -> None:
        """Release all of them, so that the training can use their memory."""
        self._indexes.clear()
        self._encoders.clear()
