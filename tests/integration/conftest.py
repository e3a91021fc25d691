"""Models that pages and commands load are loaded once a worker."""

from collections.abc import Iterator

import pytest

from indexing.dense.encoder import BiEncoder
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.support.loaded_once import remembered


@pytest.fixture(scope="package", autouse=True)
def loaded_once() -> Iterator[None]:
    """A page would load its models for every test anew, which takes longer than most tests do."""
    with remembered(BiEncoder), remembered(CrossEncoderReranker):
        yield
