"""Collections come from the hub into MS MARCO's layout, or a sentence says why not; no network is used here."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexing.corpus import Corpus
from indexing.errors import HubError
from indexing.hub import HUB_CORPORA, fetch
from search.trec import judged_sets, read_queries
from tests.conftest import REPOSITORY

Tables = dict[str, list[dict[str, object]]]
NANO: Tables = {
    "corpus": [{"_id": "7", "text": "The cat\tsat\non a mat."}, {"_id": "8", "text": "The dog ran."}],
    "queries": [{"_id": "q1", "text": "where is  the cat"}, {"_id": "q2", "text": "not judged"}],
    "qrels": [{"query-id": "q1", "corpus-id": "7"}],
}
MSMARCO: Tables = {
    "corpus": [{"passage_id": "0", "passage": "The cat sat."}, {"passage_id": "1", "passage": "The dog ran."}],
    "queries": [{"query_id": "5", "query": "where is the cat"}],
}


def repository(folder: Path, tables: Tables) -> str:
    """A folder as the hub lays a data set out: one parquet file a configuration, named in README.md."""
    lines = ["---", "configs:"]
    for name, records in tables.items():
        (folder / name).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(records), folder / name / "train-00000-of-00001.parquet")
        lines += [f"- config_name: {name}", "  data_files:", "  - split: train", f"    path: {name}/train-*"]
    (folder / "README.md").write_text("\n".join([*lines, "---", "# A data set", ""]))
    return str(folder)


@pytest.mark.parametrize(
    ("name", "tables", "passages"),
    [
        ("nano-msmarco", NANO, ["7 The cat sat on a mat.", "8 The dog ran."]),
        ("msmarco", MSMARCO, ["0 The cat sat.", "1 The dog ran."]),
    ],
)
def test_passages_are_written_one_a_line(tmp_path: Path, name: str, tables: Tables, passages: list[str]) -> None:
    folder = fetch(name, root=tmp_path / "corpora", repository=repository(tmp_path / "hub", tables))
    assert folder == tmp_path / "corpora" / name
    assert [f"{passage.id} {passage.text}" for passage in Corpus(folder)] == passages


@pytest.mark.parametrize(
    ("name", "tables", "queries"),
    [
        ("nano-msmarco", NANO, ["q1 where is the cat", "q2 not judged"]),
        ("msmarco", MSMARCO, ["5 where is the cat"]),
    ],
)
def test_queries_are_written_one_a_line(tmp_path: Path, name: str, tables: Tables, queries: list[str]) -> None:
    folder = fetch(name, root=tmp_path / "corpora", repository=repository(tmp_path / "hub", tables))
    assert [f"{query.id} {query.text}" for query in read_queries(folder / "queries.test.tsv")] == queries


def test_judgments_are_written_as_qrels(tmp_path: Path) -> None:
    folder = fetch("nano-msmarco", root=tmp_path / "corpora", repository=repository(tmp_path / "hub", NANO))
    assert judged_sets(folder)["test"].qrels == {"q1": {"7": 1}}


def test_a_collection_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    fetch("nano-msmarco", root=tmp_path, repository=repository(tmp_path / "hub", NANO))
    assert fetch("nano-msmarco", root=tmp_path, repository="no-such/repository") == tmp_path / "nano-msmarco"


def test_every_collection_has_the_fields_that_are_read() -> None:
    assert set(HUB_CORPORA) == {"nano-msmarco", "msmarco"}


@pytest.mark.parametrize("name", HUB_CORPORA)
def test_a_repository_that_is_absent_is_told_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(HubError, match=HUB_CORPORA[name].repository) as caught:
        fetch(name, root=tmp_path / "corpora", repository=str(tmp_path / "nowhere"))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "corpora").iterdir()) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"queries": [{"_id": "q1", "words": "another field"}]},
        {
            "qrels": [
                {"query-id": "q1", "corpus-id": "7", "score": None},
                {"query-id": "q1", "corpus-id": "8", "score": 1},
            ]
        },
    ],
    ids=["field", "score"],
)
def test_a_data_set_of_another_form_is_told_and_leaves_nothing(tmp_path: Path, broken: Tables) -> None:
    given = repository(tmp_path / "hub", NANO | broken)
    with pytest.raises(HubError, match="--corpus"):
        fetch("nano-msmarco", root=tmp_path / "corpora", repository=given)
    assert list((tmp_path / "corpora").iterdir()) == []


UNREACHED = """
import sys, time
from pathlib import Path
from indexing.encoder import BiEncoder
from indexing.errors import HubError
from indexing.hub import fetch

for ask in (lambda: fetch("nano-msmarco", root=Path(sys.argv[1])), lambda: BiEncoder("no-such/model")):
    start = time.monotonic()
    try:
        ask()
    except HubError:
        print(time.monotonic() - start)
"""


def test_a_hub_that_is_not_reached_is_told_within_seconds(tmp_path: Path) -> None:
    # nothing listens at port 9 of this machine; offline mode is off, so that it is really tried
    hub = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-c", UNREACHED, str(tmp_path / "corpora")]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | hub, capture_output=True, text=True, check=True)
    collection, model = (float(line) for line in done.stdout.split())
    assert collection < 15
    assert model < 15
