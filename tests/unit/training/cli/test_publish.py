"""Handing a version on from the shell: an export says how near it comes, a push where it lies; both say why not."""

import json
from pathlib import Path
from unittest.mock import Mock, create_autospec

import pytest
from huggingface_hub import constants
from sentence_transformers import CrossEncoder

from search.rerank import engines
from search.rerank.engines import LIBRARIES, SERVING
from tests.support.versions import make_version
from training.__main__ import main
from training.versions.export.export import RECORD, WRITERS
from training.versions.export.original import load_exact, torch_engine

COMMIT = "https://huggingface.co/ann/reranker/commit/1"
pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture
def models(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    """A folder of models that holds mine/1."""
    make_version(tmp_path / "models", "mine/1", tiny_cross_encoder)
    return tmp_path / "models"


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    """A format whose file holds nothing and whose engine computes the version itself."""

    def write(model: CrossEncoder, path: Path) -> None:
        path.write_text("nothing")

    engine = torch_engine(load_exact(models / "mine/1"))
    for libraries in (LIBRARIES, SERVING):
        monkeypatch.setitem(libraries, "onnx", ())
    monkeypatch.setitem(WRITERS, "onnx", write)
    monkeypatch.setitem(engines.ENGINES, "onnx", lambda path: engine)


@pytest.fixture
def export(models: Path, built_root: Path) -> list[str]:
    """The command but for the version, with queries that the index `small` has."""
    given = ["--format", "onnx", "--index", "small", "--root", str(built_root), "--models", str(models)]
    return ["export", *given, "--split", "train"]


@pytest.mark.usefixtures("stand_in")
def test_an_export_is_written_beside_its_version_and_its_parity_printed(
    export: list[str], models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*export, "mine/1", "--rerank-depth", "5"]) == 0
    out, bars = capsys.readouterr()
    assert "compare: 4 of 4 queries" in bars  # 2 queries by the original, 2 by the export
    assert out.startswith("Kendall's tau 1.0000 (least 1.0000), nDCG@10 ")
    assert " +0.0000, " in out
    assert f"over 2 queries and 10 pairs.\nExport: {models / 'mine/1.onnx'}\n" in out  # 2 queries * 5 passages
    record = json.loads((models / "mine/1.onnx" / RECORD).read_text())
    assert (record["version"], record["format"], record["parity"]["pairs"]) == ("mine/1", "onnx", 10)


@pytest.mark.usefixtures("stand_in")
def test_the_queries_and_the_folder_can_be_chosen(
    export: list[str], models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "elsewhere"
    command = [*export, "mine/1", "--dev-queries", "1", "--rerank-depth", "5", "--output", str(target)]
    assert main(command) == 0
    assert "over 1 queries and 5 pairs" in capsys.readouterr().out
    assert (target / RECORD).is_file()
    assert not (models / "mine/1.onnx").exists()
    assert main(command) == 2
    assert f"{target} is there already" in capsys.readouterr().err


def test_a_library_that_is_absent_is_named_with_what_to_type(
    export: list[str], models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(LIBRARIES, "onnx", ("no_such_library",))
    assert main([*export, "mine/1"]) == 2
    error = capsys.readouterr().err
    assert error == (
        "The onnx format needs no_such_library: pip install no_such_library, or all that exports need: "
        'pip install -e ".[export]"\n'
    )
    assert not (models / "mine/1.onnx").exists()


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mine/7"], "no version 'mine/7'"),
        (["mine/1", "--dev-queries", "0"], "--dev-queries is 0; give 1 query or more."),
        (["mine/1", "--rerank-depth", "0"], "--rerank-depth is 0; give 1 passage or more."),
        (["mine/1", "--split", "other"], "no judged other queries (there: train, dev, test); give another --split"),
    ],
)
def test_what_can_not_be_exported_is_told(
    export: list[str], models: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*export, *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err.splitlines()[-1]
    assert [path.name for path in (models / "mine").iterdir()] == ["1"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A hub that takes what is pushed; a token is there."""
    pushed: Mock = create_autospec(CrossEncoder.push_to_hub, return_value=COMMIT)
    monkeypatch.setattr(CrossEncoder, "push_to_hub", pushed)
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    return pushed


@pytest.mark.parametrize(("words", "private"), [([], True), (["--private"], True), (["--no-private"], False)])
def test_a_push_prints_where_it_lies_and_is_public_only_on_demand(
    models: Path, hub: Mock, words: list[str], private: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push-to-hub", "mine/1", "ann/reranker", *words, "--models", str(models)]) == 0
    assert capsys.readouterr().out == f"{COMMIT}\n"
    assert hub.call_args.args[1:] == ("ann/reranker",)
    assert hub.call_args.kwargs["private"] is private
    assert hub.call_args.kwargs["local_model_path"] == str(models / "mine/1")


@pytest.mark.parametrize(
    ("version", "repository", "told"),
    [("mine/7", "ann/reranker", "no version 'mine/7'"), ("mine/1", "reranker", "must be OWNER/NAME")],
)
def test_what_can_not_be_pushed_is_told(
    models: Path, hub: Mock, version: str, repository: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push-to-hub", version, repository, "--models", str(models)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    hub.assert_not_called()


def test_a_hub_that_is_not_reached_is_one_sentence(
    models: Path, hub: Mock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # nothing listens at port 9 of this machine; offline mode is off, so that it is really tried
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert main(["push-to-hub", "mine/1", "ann/reranker", "--models", str(models)]) == 2
    error = capsys.readouterr().err
    assert "can't be reached at http://127.0.0.1:9, so mine/1 was not pushed" in error
    assert error.count("\n") == 1
    hub.assert_not_called()


def test_without_a_token_nothing_is_pushed(
    models: Path, hub: Mock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    assert main(["push-to-hub", "mine/1", "ann/reranker", "--models", str(models)]) == 2
    assert "log in with `hf auth login`" in capsys.readouterr().err
    hub.assert_not_called()
