"""Indexes and their bi-encoders, opened once however many steps of a training read them."""

from pathlib import Path

from indexing.dense.encoder import BiEncoder
from indexing.index import Index, check_encoder, open_index
from search.pipeline import RetrieveAndRerank


class OpenIndexes:
    """What is open of the indexes in one folder; a first request opens it, `close` lets go of all."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self._indexes: dict[str, Index] = {}
        self._encoders: dict[str, BiEncoder] = {}

    def index(self, name: str) -> Index:
        """The index of this name. Raises IndexingError where it can't be opened."""
        if name not in self._indexes:
            self._indexes[name] = open_index(name, root=self.root)
        return self._indexes[name]

    def bi_encoder(self, name: str) -> BiEncoder:
        """The bi-encoder that an index was built with; several indexes may share one.

        Raises IndexingError, ModelError or HubError where it can't be loaded, or is another one by now.
        """
        index = self.index(name)
        model = index.manifest.bi_encoder
        if model not in self._encoders:
            self._encoders[model] = BiEncoder(model)
        check_encoder(index.folder, index.manifest, self._encoders[model])
        return self._encoders[model]

    def pipeline(self, name: str) -> RetrieveAndRerank:
        """The first stage of an index, without a re-ranker."""
        return RetrieveAndRerank(self.index(name), self.bi_encoder(name), None)

    def close(self) -> None:
        """Forget all of them, so that a training has their memory."""
        self._indexes.clear()
        self._encoders.clear()
