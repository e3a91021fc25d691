"""Every file of examples/ runs to its end without a network, in a home of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from indexing.building.build import build
from indexing.building.settings import BuildSettings
from indexing.corpus.corpus import Corpus
from tests.conftest import REPOSITORY
from tests.support.forks import Forks

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))
WORDS = {
    # new's order is p1 first on 5 queries, of 10, and second on the other 5: MRR@10 is (5 * 1 + 5 * 1/2) / 10
    "evaluate_run.py": [
        "MRR@10     0.7500\n",
        "nDCG@10 of new is 0.8348, of old 0.4744, over 10 queries: ",
        ", better\n",
    ],
    "train_from_judgments.py": [
        "re-ranked                            nDCG@10 1.0000"
    ],  # one answer for each, ranked first
    "search_sample.py": ["1 ", "5 "],
    "custom_corpus.py": ["4 passages, 384 dimensions, FAISS Flat", "1 ", "bread"],
    "rerank_own_model.py": ["1 0.60 moved +0 Bees make honey"],  # 3 of the query's 5 words: bees, make, honey
}


ALONE = "search_sample.py"
"""Runs in a process that it starts as users do; the others in a fork of one that has loaded the libraries."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, small_corpus: Path, tiny_bi_encoder: Path) -> Path:
    """A SECOND_LOOK_HOME whose index `sample` is of the small corpus."""
    home = tmp_path_factory.mktemp("home")
    settings = BuildSettings(bi_encoder=str(tiny_bi_encoder), shard_size=7)
    build(Corpus(small_corpus), name="sample", root=home / "indexes", settings=settings)
    return home


def check(path: Path, *, code: int, out: str, err: str) -> None:
    assert (code, err) == (0, "")
    for expected in WORDS.get(path.name, []):
        assert expected in out


def test_an_example_runs_by_itself(home: Path) -> None:
    path = REPOSITORY / "examples" / ALONE
    environment = {**os.environ, "SECOND_LOOK_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(
        [sys.executable, str(path)], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    check(path, code=run.returncode, out=run.stdout, err=run.stderr)


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.name != ALONE], ids=lambda path: path.name)
def test_an_example_runs(path: Path, home: Path, forks: Forks, tmp_path: Path) -> None:
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    forks.begin("script", path=str(path), home=str(home), out=str(out), err=str(err))
    ended = forks.end()
    check(path, code=ended.code, out=out.read_text(encoding="utf-8"), err=err.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_no_name_of_a_room(path: Path) -> None:
    # a script's folder comes first on the path: examples/search.py would import itself
    assert not (REPOSITORY / path.stem).exists()
