"""What each room offers to Python programs: the names resolve, `__all__` lists them, and importing a room is light."""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import get_origin

import pytest

from tests.conftest import REPOSITORY

NAMES = {
    "indexing": [
        "BiEncoder",
        "Bm25Settings",
        "BuildSettings",
        "Candidate",
        "Corpus",
        "Estimate",
        "Fields",
        "Index",
        "IndexSummary",
        "JudgedSet",
        "Manifest",
        "Passage",
        "PassageId",
        "Qrels",
        "Query",
        "QueryId",
        "Ranking",
        "Run",
        "SecondLookError",
        "add_passages",
        "build",
        "delete_passages",
        "estimate",
        "index_names",
        "judged_sets",
        "open_index",
        "read_qrels",
        "read_queries",
        "summaries",
    ],
    "search": [
        "CrossEncoderReranker",
        "FirstStage",
        "PipelineSettings",
        "PipelineVersions",
        "Reranker",
        "RetrieveAndRerank",
        "Scores",
        "SearchTrace",
        "StoredTokens",
        "open_pipeline",
        "open_reranker",
        "read_run",
        "write_run",
    ],
    "training": [
        "ColdStart",
        "Comparison",
        "DataSettings",
        "DevSettings",
        "Evaluation",
        "EvaluationRequest",
        "EvaluationSettings",
        "GateSettings",
        "MiningOptions",
        "MiningSettings",
        "RunMeasures",
        "Source",
        "TrainRequest",
        "TrainSettings",
        "VersionComparison",
        "compare_runs",
        "compare_versions",
        "evaluate_stages",
        "measure_run",
        "mine_negatives",
        "promote_version",
        "train_version",
    ],
}
"""A name that goes from here breaks the programs that import it."""
HEAVY = ["torch", "transformers", "sentence_transformers", "sklearn", "datasets", "faiss"]
ALIASES = {"Qrels": Mapping, "Run": Mapping}
"""Names of types that are written out, by what they are."""
PAIRS = [(room, name) for room, names in NAMES.items() for name in names]


@pytest.mark.parametrize("room", NAMES)
def test_all_lists_the_public_names(room: str) -> None:
    assert import_module(room).__all__ == NAMES[room]
    assert set(NAMES[room]) <= set(dir(import_module(room)))


@pytest.mark.parametrize(("room", "name"), PAIRS)
def test_a_public_name_is_what_its_module_defines(room: str, name: str) -> None:
    value = getattr(import_module(room), name)
    if name in ALIASES:
        assert get_origin(value) is ALIASES[name]
        return
    assert value.__name__ == name
    assert value.__module__.startswith(f"{room}.")
    assert value.__doc__


@pytest.mark.parametrize(("room", "name"), PAIRS)
def test_no_public_name_is_that_of_a_module(room: str, name: str) -> None:
    # else `import room.name` would replace it
    assert not (REPOSITORY / room / name).exists()
    assert not (REPOSITORY / room / f"{name}.py").exists()


@pytest.mark.parametrize("room", NAMES)
def test_another_name_is_refused_as_of_any_module(room: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nothing_such'"):
        _ = import_module(room).nothing_such


@pytest.mark.parametrize("room", NAMES)
def test_importing_a_room_loads_no_model_library(room: str) -> None:
    program = f"import json, sys, {room}; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []
