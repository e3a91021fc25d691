"""The app in a process of its own, and a browser: what every journey begins with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from indexing.errors import IndexingError
from indexing.index import open_index
from indexing.jobs.build_job import BuildJob
from tests.conftest import REPOSITORY
from tests.e2e.browsing import chromium
from tests.e2e.serving import lay_out, own_environment, served
from tests.support.tiny_models import make_cross_encoder
from tests.support.versions import make_version
from training.jobs.jobs import TrainingJob

DEV_QUERIES = 30


@dataclass(frozen=True)
class Workshop:
    """An app whose users change things, in a folder of its own."""

    folder: Path
    address: str


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of indexes with that of the sample: the checkout's, built here where there is none that can be read."""
    root = REPOSITORY / "data/indexes"
    try:
        open_index("sample", root=root)
    except IndexingError:  # absent, or of an older program
        root = tmp_path_factory.mktemp("indexes")
        corpus = Corpus(REPOSITORY / "data/sample")
        build(corpus, name="sample", root=root, settings=BuildSettings())
    return root


@pytest.fixture(scope="session")
def address(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The checkout's app with the index of the sample, and a random re-ranker where none is shipped."""
    variables = {**own_environment(), "SECOND_LOOK_INDEX_ROOT": str(sample_root)}
    if not (REPOSITORY / "data/reranker/model.safetensors").is_file():
        variables["SECOND_LOOK_RERANKER"] = str(make_cross_encoder(tmp_path_factory.mktemp("model") / "random"))
    with served(REPOSITORY, variables, tmp_path_factory.mktemp("streamlit") / "log.txt") as found:
        yield found


@pytest.fixture(scope="session")
def tiny_sample_root(tiny_bi_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of indexes with one of the sample by a random bi-encoder of 32 dimensions, built within seconds."""
    root = tmp_path_factory.mktemp("tiny-indexes")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder))
    build(Corpus(REPOSITORY / "data/sample"), name="sample", root=root, settings=settings)
    return root


@pytest.fixture(scope="session")
def shared_workshop(
    tiny_sample_root: Path, tiny_cross_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    """An app with random models and few dev queries: all is built, trained and judged soon."""
    folder = lay_out(tmp_path_factory.mktemp("workshop"), index=tiny_sample_root / "sample", dev_queries=DEV_QUERIES)
    make_version(folder / "data", "reranker", tiny_cross_encoder, sign=-1.0)
    with served(folder, own_environment(), folder / "log.txt") as found:
        yield Workshop(folder, found)


@pytest.fixture
def workshop(shared_workshop: Workshop) -> Iterator[Workshop]:
    """That app; whatever was begun in it ends with the test."""
    yield shared_workshop
    for _ in range(2):  # the first time it is asked to stop
        for training in TrainingJob.all(shared_workshop.folder / "data/jobs"):
            training.stop()
        for building in BuildJob.all(shared_workshop.folder / "data/jobs"):
            building.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    """A fresh Chromium."""
    with chromium(tmp_path / "profile") as session:
        yield session
