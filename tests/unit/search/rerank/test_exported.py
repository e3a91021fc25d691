"""An exported folder is opened wherever a re-ranker is, and scores as the engine computes."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexing import places
from indexing.errors import ModelError, SettingsError
from search.load import open_pipeline, open_reranker
from search.rerank import engines
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.engines import SERVING
from search.rerank.exported import EngineReranker, open_exported
from search.settings import PipelineSettings
from tests.support.tiny_models import small_tokenizer

PASSAGES = ["Bees make honey.", "Bread rises overnight in a bowl.", "Sand"]


def tokens(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
    """An engine whose logit is the number of a pair's tokens."""
    return np.asarray(features["attention_mask"].sum(axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def export(tmp_path: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The version mine/1 as an export, without weights, computed by `tokens`."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    ignored = shutil.ignore_patterns("*.safetensors")
    folder = Path(shutil.copytree(tiny_cross_encoder, places.models() / "mine/1.onnx", ignore=ignored))
    (folder / "onnx").mkdir()
    (folder / "onnx/model.onnx").write_text("nothing")
    monkeypatch.setitem(SERVING, "onnx", ())
    monkeypatch.setitem(engines.ENGINES, "onnx", lambda path: tokens)
    return folder


def test_an_export_is_opened_by_its_id_and_by_its_folder(export: Path) -> None:
    for name in ("mine/1.onnx", str(export)):
        opened = open_reranker(name)
        assert isinstance(opened, EngineReranker)
        assert opened.name == "mine/1.onnx"
    # [CLS] sea [SEP] passage [SEP]: 4 tokens beside the passage's
    passages = [len(small_tokenizer()(text, add_special_tokens=False)["input_ids"]) for text in PASSAGES]
    assert open_exported(export).score("sea", PASSAGES).logits.tolist() == [4 + count for count in passages]
    assert open_exported(export).score_pairs(["sea", "sea"], PASSAGES[:2]).tolist() == [
        4 + count for count in passages[:2]
    ]


def test_an_index_is_searched_with_an_export(export: Path, built_root: Path) -> None:
    trace = open_pipeline("small", reranker="mine/1.onnx", root=built_root).search("bees", PipelineSettings())
    assert len(trace.logits) == 20
    assert trace.final.scores[0] == max(trace.logits.values())


def test_stored_token_ids_score_as_the_text_does(export: Path) -> None:
    reranker = open_exported(export)
    assert reranker.tokenizer_fingerprint != ""
    ids = [
        np.array(small_tokenizer()(text, add_special_tokens=False)["input_ids"], dtype=np.uint16) for text in PASSAGES
    ]
    by_text = reranker.score("bees", PASSAGES)
    assert reranker.score_stored("bees", ids).logits.tolist() == by_text.logits.tolist()


def test_what_computes_an_export_is_named_where_it_is_absent(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVING, "onnx", ("no_such_library",))
    with pytest.raises(SettingsError, match=r"The onnx format needs no_such_library: pip install no_such_library$"):
        open_reranker("mine/1.onnx")


def test_an_export_is_no_model_to_train_or_export(export: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"mine/1\.onnx holds an export to onnx, which serves only for searching; give the version that it was",
    ):
        CrossEncoderReranker(str(export))


def test_an_engine_whose_score_is_not_finite_is_refused() -> None:
    def broken(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return np.full((len(features["input_ids"]), 1), np.nan, dtype=np.float32)

    with pytest.raises(ModelError, match="Re-ranker x gave a score that isn't a finite number; choose another"):
        EngineReranker("x", small_tokenizer(), broken).score("q", ["p"])


def test_a_folder_that_is_no_export_is_refused(tiny_cross_encoder: Path) -> None:
    with pytest.raises(ModelError, match="holds none of onnx/"):
        open_exported(tiny_cross_encoder)
