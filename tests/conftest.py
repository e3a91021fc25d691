"""Fixtures that every folder of tests shares: tiny models, a small judged corpus, and an index of it.

Nothing here reaches a network: the Hugging Face libraries are set offline, with an empty cache, before they load.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="second-look-hf-")
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # the process that hands out tests to others reads this file too, and needs no model library
    from indexing.dense.encoder import BiEncoder
    from indexing.index import Index
    from search.pipeline import RetrieveAndRerank
    from tests.support.fakes import WordOverlapReranker
    from tests.support.forks import Forks

REPOSITORY = Path(__file__).parent.parent

PASSAGES = {
    "a1": "Bees make honey from the nectar of flowers and store it in wax combs for the winter.",
    "a2": "A beekeeper opens the hive in spring, when worker bees begin to fly, and looks for the queen.",
    "a3": "Honey keeps for years because it holds so little water that nothing can grow in it.",
    "a4": "Wasps build paper nests from chewed wood and hunt other insects to feed their young.",
    "a5": "Bumblebees nest in old mouse holes; each colony dies in autumn and only young queens live on.",
    "b1": "A lighthouse lamp turns so that every ship sees a flash of known length and can tell where it is.",
    "b2": "Fresnel's lens bends the light of a small lamp into one strong beam, with far less glass.",
    "b3": "The keeper of a lighthouse trimmed the wick, wound the clockwork and kept a log of the weather.",
    "b4": "Most lighthouses were automated in the twentieth century and no keeper lives in them today.",
    "b5": "Buoys mark the channel into a harbour; red ones stand to port and green ones to starboard.",
    "c1": "Sourdough bread rises by wild yeast and bacteria that live in a paste of flour and water.",
    "c2": "Kneading lines up the gluten of the flour, so that the dough holds the gas of the yeast.",
    "c3": "A hot stone and steam in the oven give bread a thick crust with a shine.",
    "c4": "Rye flour holds little gluten, so rye bread is dense and keeps fresh for a week.",
    "c5": "Flat bread needs no yeast: the dough of flour and water is baked at once on hot metal.",
    "d1": "Glaciers carve valleys with a round floor and steep walls as they slide down a mountain.",
    "d2": "A moraine is a ridge of stones that a glacier pushed along and left behind when it melted.",
    "d3": "Ice flows because its crystals slip under the weight of the snow above them.",
    "d4": "Crevasses open where a glacier bends over a step in the rock below it.",
    "d5": "Fjords are valleys that glaciers cut below the level of the sea and that the sea then filled.",
}
QUERIES = {
    "train": {"1": "how do bees make honey", "2": "why does bread rise"},
    "dev": {"3": "what is a moraine"},
    "test": {"4": "how does a lighthouse lens work", "5": "flour without gluten"},
}
QRELS = {
    "train": {"1": {"a1": 3, "a3": 1, "a4": 0}, "2": {"c1": 3, "c2": 2, "c5": 0}},
    "dev": {"3": {"d2": 3, "d1": 0}},
    "test": {"4": {"b2": 3, "b1": 1}, "5": {"c4": 2, "c2": 0}},
}


atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file's tests to one worker, and all in a browser: they share apps, and indexes, that are slow to make."""
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    by_file = scheduler._split_scope
    scheduler._split_scope = lambda test: "tests/e2e" if test.startswith("tests/e2e/") else by_file(test)
    return scheduler


@pytest.fixture(scope="module", autouse=True)
def exempt_from_collection() -> None:
    """Exempt what is loaded from garbage collection: each training collects once, half of a small one's time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def main_module_as_before() -> Iterator[None]:
    """A page that a test runs becomes `__main__`, which a process that is spawned later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def tiny_bi_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bi-encoder of 32 dimensions."""
    from tests.support.tiny_models import make_bi_encoder

    return make_bi_encoder(tmp_path_factory.mktemp("models") / "tiny-bi-encoder")


@pytest.fixture(scope="session")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cross-encoder of 32 dimensions."""
    from tests.support.tiny_models import make_cross_encoder

    return make_cross_encoder(tmp_path_factory.mktemp("models") / "tiny-cross-encoder")


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 20 passages on four subjects, with judged queries in three splits."""
    folder = tmp_path_factory.mktemp("small-corpus")
    write_lines(folder / "collection.tsv", [f"{key}\t{text}" for key, text in PASSAGES.items()])
    for split, queries in QUERIES.items():
        write_lines(folder / f"queries.{split}.tsv", [f"{key}\t{text}" for key, text in queries.items()])
        judged = [f"{q} 0 {p} {grade}" for q, grades in QRELS[split].items() for p, grade in grades.items()]
        write_lines(folder / f"qrels.{split}.tsv", judged)
    return folder


@pytest.fixture(scope="session")
def built_root(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, tiny_bi_encoder: Path) -> Path:
    """A folder of indexes that holds one, `small`, in shards of 7 passages. Not to be changed: see `own_root`."""
    from indexing.building.build import build
    from indexing.building.settings import BuildSettings
    from indexing.corpus.corpus import Corpus

    root = tmp_path_factory.mktemp("indexes")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder), shard_size=7)
    build(Corpus(small_corpus), name="small", root=root, settings=settings)
    return root


@pytest.fixture
def own_root(built_root: Path, tmp_path: Path) -> Path:
    """A copy of `built_root` that a test may break."""
    return Path(shutil.copytree(built_root, tmp_path / "own-indexes"))


@pytest.fixture(scope="session")
def small_index(built_root: Path) -> "Index":
    """The index `small`, open."""
    from indexing.index import open_index

    return open_index("small", root=built_root)


@pytest.fixture(scope="session")
def bi_encoder(tiny_bi_encoder: Path) -> "BiEncoder":
    """The tiny bi-encoder, loaded."""
    from indexing.dense.encoder import BiEncoder

    return BiEncoder(str(tiny_bi_encoder))


@pytest.fixture(scope="session")
def forks(tiny_bi_encoder: Path) -> "Iterator[Forks]":
    """Starts processes that are killed, from one whose libraries are loaded."""
    from tests.support.forks import forking

    with forking(tiny_bi_encoder, REPOSITORY) as found:
        yield found


@pytest.fixture
def reranker() -> "WordOverlapReranker":
    """A re-ranker that counts shared terms."""
    from tests.support.fakes import WordOverlapReranker

    return WordOverlapReranker()


@pytest.fixture
def pipeline(small_index: "Index", bi_encoder: "BiEncoder", reranker: "WordOverlapReranker") -> "RetrieveAndRerank":
    """The index `small`, its bi-encoder and the word-overlap re-ranker, wired."""
    from search.pipeline import RetrieveAndRerank

    return RetrieveAndRerank(small_index, bi_encoder, reranker)


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model computes in float32, whatever is fastest here, so that figures can be compared closely."""
    import torch

    from indexing import precision

    monkeypatch.setattr(precision, "fastest_dtype", lambda on: torch.float32)


def write_lines(path: Path, lines: list[str]) -> Path:
    """Write lines with LF endings, making folders on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")
    return path
