"""Collections are fetched from the hub whole or not at all, or a sentence says why not; no network is used here."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexing.corpus.hub import fetch
from indexing.corpus.hub_layouts import BATCH
from indexing.corpus.hub_names import HUB_CORPORA, folder_name, is_hub_corpus
from indexing.errors import HubError, SettingsError
from tests.conftest import REPOSITORY, write_lines
from tests.support.fakes import Reports
from tests.unit.indexing.corpus.hub_folders import NANO, repository, texts


@pytest.mark.parametrize("name", ["sentence-transformers/NanoBEIR-en", "sentence-transformers/NanoBEIR-en:"])
def test_nano_beir_without_a_collection_is_told_with_examples(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="NanoBEIR-en:NanoMSMARCO, or NanoNQ") as caught:
        fetch(name, root=tmp_path / "corpora")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "corpora").exists()


def test_a_collection_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    fetch("nano-msmarco", root=tmp_path, repository=repository(tmp_path / "hub", NANO))
    assert fetch("nano-msmarco", root=tmp_path, repository="no-such/repository") == tmp_path / "nano-msmarco"


def test_a_collection_that_another_process_fetched_meanwhile_is_taken(tmp_path: Path) -> None:
    def other_is_first(*_: object) -> None:
        write_lines(tmp_path / "nano-msmarco/collection.tsv", ["1\tfirst"])

    given = repository(tmp_path / "hub", NANO)
    assert texts(fetch("nano-msmarco", root=tmp_path, repository=given, progress=other_is_first)) == ["1 first"]


def test_every_short_name_stands_for_a_repository() -> None:
    assert set(HUB_CORPORA) == {"nano-msmarco", "msmarco"}


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        ("nano-msmarco", True),
        ("msmarco", True),
        ("microsoft/ms_marco", True),
        ("microsoft/ms_marco:v2.1", True),
        ("sentence-transformers/msmarco", True),
        ("sentence-transformers/NanoBEIR-en", True),
        ("sentence-transformers/NanoBEIR-en:NanoNQ", True),
        ("BeIR/scifact", True),
        ("zeta-alpha-ai/NanoMSMARCO", True),
        ("sample", False),
        ("data/sample", False),
        ("BeIR", False),
        ("BeIR/", False),
        ("BeIR/../scifact", False),
        ("BeIR/scifact/corpus.jsonl", False),
        ("/corpora/BeIR/scifact", False),
        ("someone/else", False),
        ("zeta-alpha-ai/other", False),
        ("", False),
    ],
)
def test_names_of_the_hub_are_told_from_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str, expected: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_corpus(corpus) is expected


@pytest.mark.parametrize("corpus", ["msmarco", "BeIR/scifact", "microsoft/ms_marco:v2.1"])
def test_a_path_that_exists_is_no_name_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_corpus(corpus)
    Path(corpus).mkdir(parents=True)
    assert not is_hub_corpus(corpus)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("nano-msmarco", "nano-msmarco"),
        ("BeIR/scifact", "BeIR--scifact"),
        ("microsoft/ms_marco", "microsoft--ms_marco-v1.1"),
        ("microsoft/ms_marco:v2.1", "microsoft--ms_marco-v2.1"),
        ("sentence-transformers/NanoBEIR-en:NanoNQ", "sentence-transformers--NanoBEIR-en-NanoNQ"),
    ],
)
def test_a_collection_lies_in_a_folder_of_a_plain_name(name: str, folder: str) -> None:
    assert folder_name(name) == folder


@pytest.mark.parametrize(
    "name",
    [
        "someone/else",
        "microsoft/ms_marco:v3",
        "BeIR/scifact:test",
        "BeIR/../scifact",
        "sentence-transformers/msmarco:corpus",
        "sentence-transformers/NanoBEIR-en:../x",
        "nano-msmarco:x",
    ],
)
def test_a_name_that_is_not_known_is_told_with_those_that_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="NanoBEIR-en:Nano") as caught:
        fetch(name, root=tmp_path / "corpora")
    assert repr(name) in str(caught.value)
    assert not (tmp_path / "corpora").exists()


def test_progress_counts_the_records(tmp_path: Path) -> None:
    told = Reports()
    tables = NANO | {"corpus": [{"_id": str(number), "text": "text"} for number in range(BATCH + 1)]}
    fetch("nano-msmarco", root=tmp_path, repository=repository(tmp_path / "hub", tables), progress=told)
    assert told.counts == [BATCH, 1, 2, 1]  # passages, queries, judgments


@pytest.mark.parametrize("name", HUB_CORPORA)
def test_a_repository_that_is_absent_is_told_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(HubError, match=HUB_CORPORA[name]) as caught:
        fetch(name, root=tmp_path / "corpora", repository=str(tmp_path / "nowhere"))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "corpora").iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"queries": [{"_id": "q1", "words": "another field"}]}, "have no field 'text', only '_id', 'words'"),
        ({"corpus": [{"_id": None, "text": "text"}, {"_id": "1", "text": "text"}]}, "an id is empty"),
        (
            {
                "qrels": [
                    {"query-id": "q1", "corpus-id": "7", "score": None},
                    {"query-id": "q1", "corpus-id": "8", "score": 1},
                ]
            },
            "NoneType",
        ),
        (
            {"qrels": [{"query-id": "q1", "corpus-id": "7", "score": 1, "label": 3}]},
            "its judgments have both 'score' and 'label'",
        ),
        ({"corpus": [{"_id": "7", "text": ["The cat sat.", "Then it ran."]}]}, "'text' is a list where a text is"),
    ],
    ids=["field", "id", "score", "grades", "texts"],
)
def test_a_data_set_of_another_form_is_told_and_leaves_nothing(tmp_path: Path, broken: Any, told: str) -> None:
    given = repository(tmp_path / "hub", NANO | broken)
    with pytest.raises(HubError, match=f"{told}.*--corpus"):
        fetch("nano-msmarco", root=tmp_path / "corpora", repository=given)
    assert list((tmp_path / "corpora").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from indexing.corpus.hub import fetch

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

fetch("nano-msmarco", root=Path(sys.argv[1]), repository=sys.argv[2], progress=kill)
"""


def test_a_fetch_that_is_killed_leaves_nothing_that_is_taken_for_whole(tmp_path: Path) -> None:
    given, root = repository(tmp_path / "hub", NANO), tmp_path / "corpora"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(root), given], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name.startswith(".nano-msmarco.partial-") for path in root.iterdir()] == [True]
    assert texts(fetch("nano-msmarco", root=root, repository=given)) == ["7 The cat sat on a mat.", "8 The dog ran."]


UNREACHED = """
import sys, time
from pathlib import Path
from indexing.dense.encoder import BiEncoder
from indexing.errors import HubError
from indexing.corpus.hub import fetch

names = ("nano-msmarco", "BeIR/scifact", "microsoft/ms_marco:v2.1", "sentence-transformers/NanoBEIR-en:NanoNQ")
fetches = [lambda name=name: fetch(name, root=Path(sys.argv[1])) for name in names]
for ask in [*fetches, lambda: BiEncoder("no-such/model")]:
    start = time.monotonic()
    try:
        ask()
    except HubError as error:
        print(time.monotonic() - start, str(error).count("\\n"))
"""


def test_a_hub_that_is_not_reached_is_told_within_seconds(tmp_path: Path) -> None:
    # nothing listens at port 9 of this machine; offline mode is off, so that it is really tried
    hub = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-c", UNREACHED, str(tmp_path / "corpora")]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | hub, capture_output=True, text=True, check=True)
    told = [line.split() for line in done.stdout.splitlines()]
    assert len(told) == 5
    assert [seconds for seconds, line_ends in told if float(seconds) > 15 or line_ends != "0"] == []
