"""The re-ranker that is served is the promoted one, else the shipped one, or a sentence says what is wrong."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexing import places
from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError, ModelError, SettingsError
from search.load import open_pipeline, open_reranker
from search.rerank.late_interaction import LateInteractionReranker
from search.served import LATE, NO_RERANKER, SHIPPED, reranker_fingerprint, reranker_path
from search.settings import PipelineSettings
from tests.support.fakes import WordOverlapReranker


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "reranker"
    folder.mkdir()
    (folder / "model.safetensors").touch()
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    (folder / "mine/v2").mkdir(parents=True)
    (folder / "mine/v2/config.json").write_text("{}")
    return folder


def test_the_promoted_model_is_the_default(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/v2", "previous": None}))
    assert reranker_path(models=models, shipped=shipped) == str(models / "mine/v2")


def test_without_a_promoted_model_the_shipped_one_is_the_default(models: Path, shipped: Path) -> None:
    assert reranker_path(models=models, shipped=shipped) == str(shipped)


def test_without_any_model_it_says_what_to_give(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--reranker none"):
        reranker_path(models=models, shipped=tmp_path / "nowhere")


def test_a_promoted_model_that_is_gone_is_named(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/v9"}))
    with pytest.raises(ModelError, match="mine/v9"):
        reranker_path(models=models, shipped=shipped)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b'"mine/v2"', b"\xff\xfe"])
def test_a_broken_pointer_is_named(models: Path, shipped: Path, content: bytes) -> None:
    (models / "promoted.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"promoted\.json is broken"):
        reranker_path(models=models, shipped=shipped)


def test_a_name_given_is_taken_as_it_is(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/v2"}))
    assert reranker_path("cross-encoder/other", models=models, shipped=shipped) == "cross-encoder/other"


def test_a_version_s_id_is_its_folder(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/v1"}))
    assert reranker_path("mine/v2", models=models, shipped=shipped) == str(models / "mine/v2")
    assert reranker_path("mine/v3", models=models, shipped=shipped) == "mine/v3"  # the hub may have it
    assert reranker_path("../models/mine", models=models, shipped=shipped) == "../models/mine"


@pytest.mark.parametrize(
    ("name", "nearest"), [("lambda/9", "lambda/1, "), ("LAMBDA/1", "lambda/1, "), ("mine/4.onnx", "mine/3.onnx, ")]
)
def test_a_numbered_version_that_does_not_exist_is_answered_with_those_that_do(
    models: Path, shipped: Path, name: str, nearest: str
) -> None:
    for version in ("mine/3.onnx", "lambda/1"):
        (models / version).mkdir(parents=True)
        (models / version / "config.json").write_text("{}")
    with pytest.raises(ModelError) as refused:
        reranker_path(name, models=models, shipped=shipped)
    assert str(refused.value).startswith(f"There is no version {name!r} in {models} (there: {nearest}")
    assert all(other in str(refused.value) for other in ("shipped", "mine/v2", "mine/3.onnx", "lambda/1"))


def test_of_many_versions_the_nearest_are_named(models: Path, shipped: Path) -> None:
    for number in range(20):
        (models / f"other/{number}").mkdir(parents=True)
        (models / f"other/{number}/config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"\(there: mine/v2, .* and 10 more\)"):  # 22 with the shipped one, 12 named
        reranker_path("mine/2", models=models, shipped=shipped)


def test_a_folder_of_such_a_name_is_taken_as_it_is(
    models: Path, shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/7").mkdir(parents=True)
    assert reranker_path("runs/7", models=models, shipped=shipped) == "runs/7"


def test_the_shipped_one_has_a_name_whatever_is_promoted(models: Path, shipped: Path, tmp_path: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": "mine/v2"}))
    assert reranker_path(SHIPPED, models=models, shipped=shipped) == str(shipped)
    with pytest.raises(ModelError, match=r"There is no re-ranker in .*nowhere"):
        reranker_path(SHIPPED, models=models, shipped=tmp_path / "nowhere")


def test_none_is_no_re_ranker() -> None:
    assert open_reranker(NO_RERANKER) is None


def test_late_interaction_is_opened_by_name(tiny_bi_encoder: Path) -> None:
    opened = open_reranker(LATE)
    assert isinstance(opened, LateInteractionReranker)
    assert (opened.name, opened.fingerprint) == ("late", BiEncoder().fingerprint)
    other = open_reranker(f"late:{tiny_bi_encoder}")
    assert isinstance(other, LateInteractionReranker)
    assert (other.name, other.fingerprint) == ("late:tiny-bi-encoder", BiEncoder(str(tiny_bi_encoder)).fingerprint)


def test_late_interaction_shares_the_pipeline_s_bi_encoder(built_root: Path) -> None:
    pipeline = open_pipeline("small", reranker=LATE, root=built_root)
    assert isinstance(pipeline.reranker, LateInteractionReranker)
    assert pipeline.reranker.encoder is pipeline.encoder
    assert pipeline.search("rye bread").versions.reranker == "late"


def test_the_fingerprint_of_late_interaction_is_its_name_or_its_bi_encoder_s_files(tmp_path: Path) -> None:
    assert reranker_fingerprint(reranker_path("late")) == "late"
    assert reranker_fingerprint(reranker_path("late:some/model")) == "late:some/model"
    (tmp_path / "a").write_text("1")
    before = reranker_fingerprint(f"late:{tmp_path}")
    (tmp_path / "a").write_text("2")
    assert re.fullmatch("late:[0-9a-f]{16}", before)
    assert reranker_fingerprint(f"late:{tmp_path}") != before


def test_a_pipeline_opens_by_name_with_the_re_ranker_given(built_root: Path, tiny_cross_encoder: Path) -> None:
    pipeline = open_pipeline("small", reranker=str(tiny_cross_encoder), root=built_root)
    trace = pipeline.search("bread", PipelineSettings(depth=10, rerank_depth=10))
    assert pipeline.reranker is not None
    assert pipeline.reranker.name == "tiny-cross-encoder"
    assert len(trace.logits) == 10


def test_a_pipeline_opens_by_an_index_s_folder(built_root: Path) -> None:
    for folder in (built_root / "small", str(built_root / "small")):
        pipeline = open_pipeline(folder, reranker=None)
        assert pipeline.index.manifest.name == "small"
        assert pipeline.reranker is None


def test_a_folder_without_an_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=f"There is no index 'small' in {tmp_path}"):
        open_pipeline(tmp_path / "small")


def test_a_pipeline_opens_with_an_own_re_ranker_and_the_usual_settings(built_root: Path) -> None:
    reranker = WordOverlapReranker()
    pipeline = open_pipeline("small", reranker=reranker, root=built_root)
    trace = pipeline.search("rye bread")
    assert pipeline.reranker is reranker
    assert trace.settings == PipelineSettings()
    assert trace.versions.reranker == "word overlap"
    assert trace.final.passage_ids[0] == "c4"  # the one passage with both words
    other: Any = 3
    with pytest.raises(SettingsError, match="An object of type int is no re-ranker"):
        open_pipeline("small", reranker=other, root=built_root)


def test_the_shipped_re_ranker_is_called_shipped() -> None:
    opened = open_reranker(SHIPPED)
    assert opened is not None
    assert opened.name == "shipped"


def test_a_version_is_called_by_its_id(
    tmp_path: Path, tiny_cross_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    opened = open_reranker(str(shutil.copytree(tiny_cross_encoder, places.models() / "mine/1")))
    assert opened is not None
    assert opened.name == "mine/1"


def test_where_the_shipped_model_is_promoted_again_it_is_the_default(models: Path, shipped: Path) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": SHIPPED, "before": ""}))
    assert reranker_path(models=models, shipped=shipped) == str(shipped)


@pytest.mark.parametrize("name", ["../elsewhere/v1", "/etc/passwd", "mine", "mine/..", "mine/v2/../v2", ""])
def test_a_pointer_that_leads_out_of_the_folder_is_broken(models: Path, shipped: Path, name: str) -> None:
    (models / "promoted.json").write_text(json.dumps({"promoted": name}))
    with pytest.raises(ModelError, match=r"promoted\.json is broken"):
        reranker_path(models=models, shipped=shipped)
