"""What pages and commands load again for every test is loaded once a worker: models, and what is installed."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from indexing.dense.encoder import BiEncoder
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.support.loaded_once import remembered


@pytest.fixture(scope="package", autouse=True)
def loaded_once() -> Iterator[None]:
    """A page would load its models for every test anew, which takes longer than most tests do."""
    with remembered(BiEncoder), remembered(CrossEncoderReranker):
        yield


@pytest.fixture(scope="package", autouse=True)
def components_sought_once() -> Iterator[None]:
    """Streamlit's AppTest looks through every installed package for components, each time it runs a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
