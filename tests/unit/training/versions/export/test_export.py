"""An export is kept if it ranks as its version does; where a library is absent, one sentence says what to install."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from indexing.errors import ModelError, TrainingError
from indexing.judged.sets import judged_sets
from search.load import open_reranker
from search.pipeline import RetrieveAndRerank
from search.rerank import engines
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.engines import FILES, LIBRARIES, SERVING, Engine
from search.rerank.exported import EngineReranker, open_exported
from tests.conftest import PASSAGES
from tests.support.versions import make_version
from training.evaluation.candidates import Candidates, first_stage_lists
from training.versions.export.export import RECORD, WRITERS, export, export_folder
from training.versions.export.original import load_exact, torch_engine
from training.versions.registry import Version, find_version, versions

TEXTS = [*PASSAGES.values(), "word " * 600]
pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture
def version(tmp_path: Path, tiny_cross_encoder: Path) -> Version:
    make_version(tmp_path / "models", "mine/1", tiny_cross_encoder)
    return find_version("mine/1", tmp_path / "models", shipped=tmp_path)


@pytest.fixture
def candidates(pipeline: RetrieveAndRerank, small_corpus: Path) -> Candidates:
    return first_stage_lists(pipeline, judged_sets(small_corpus)["test"], depth=10)


def test_what_is_compared_with_is_what_serving_computes(tiny_cross_encoder: Path) -> None:
    model = load_exact(tiny_cross_encoder)
    exact = EngineReranker("x", model.tokenizer, torch_engine(model)).score("how do bees make honey", TEXTS)
    served = CrossEncoderReranker(str(tiny_cross_encoder)).score("how do bees make honey", TEXTS)
    assert exact.logits == pytest.approx(served.logits, abs=1e-5)
    assert exact.truncated == served.truncated == (*[False] * 20, True)


def test_an_export_lies_beside_its_version(version: Version) -> None:
    assert export_folder(version, "onnx", models=Path("m")) == Path("m/mine/1.onnx")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, version: Version) -> None:
    """A format whose file holds nothing and whose engine computes the version itself."""

    def write(model: CrossEncoder, path: Path) -> None:
        path.write_text("nothing")

    for libraries in (LIBRARIES, SERVING):
        monkeypatch.setitem(libraries, "onnx", ())
    monkeypatch.setitem(WRITERS, "onnx", write)
    serve(monkeypatch, torch_engine(load_exact(version.folder)))


def serve(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setitem(engines.ENGINES, "onnx", lambda path: engine)


@pytest.mark.usefixtures("stand_in")
def test_an_export_holds_all_but_the_weights_and_says_how_near_it_comes(
    version: Version, candidates: Candidates, tmp_path: Path
) -> None:
    target = tmp_path / "models/mine/1.onnx"
    found = export(version, "onnx", target, candidates)
    assert (found.tau, found.ndcg_difference, found.pairs) == (1, 0, 20)
    kept = {path.name for path in version.folder.iterdir()} - {"model.safetensors", "manifest.json"}
    assert {path.name for path in target.iterdir()} == kept | {"onnx", RECORD}
    record = json.loads((target / RECORD).read_text())
    assert (record["version"], record["format"], record["parity"]["tau"]) == ("mine/1", "onnx", 1)
    assert set(record["files"]) == kept | {"onnx/model.onnx"}
    assert [version.id for version in versions(tmp_path / "models", shipped=tmp_path)] == ["mine/1"]  # it is no version


@pytest.mark.usefixtures("stand_in")
def test_an_export_that_is_there_is_left_alone(version: Version, candidates: Candidates, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is there already"):
        export(version, "onnx", tmp_path, candidates)


@pytest.mark.usefixtures("stand_in")
def test_an_export_that_ranks_otherwise_is_not_kept(
    version: Version, candidates: Candidates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = torch_engine(load_exact(version.folder))

    def opposite(features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return -original(features)

    serve(monkeypatch, opposite)
    with pytest.raises(ModelError, match=r"doesn't rank as the original does: Kendall's tau -1\.0000"):
        export(version, "onnx", tmp_path / "out/x", candidates)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.usefixtures("stand_in")
def test_what_an_exporter_says_becomes_one_sentence(
    version: Version, candidates: Candidates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: CrossEncoder, path: Path) -> None:
        raise RuntimeError("no such operator\nand a page of graph")

    monkeypatch.setitem(WRITERS, "onnx", fail)
    with pytest.raises(ModelError, match=r"mine/1 can't be exported to onnx: no such operator$"):
        export(version, "onnx", tmp_path / "out/x", candidates)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("form", sorted(FILES))
@pytest.mark.filterwarnings("ignore")  # the exporters' own
def test_a_real_export_ranks_as_the_original(
    version: Version, candidates: Candidates, tmp_path: Path, form: str
) -> None:
    for name in LIBRARIES[form]:
        pytest.importorskip(name, reason=f"the extra `export` isn't installed: {name}")
    found = export(version, form, tmp_path / form, candidates)
    assert found.tau > 0.99
    assert abs(found.ndcg_difference) < 1e-3
    exported = open_exported(tmp_path / form).score("how do bees make honey", TEXTS)
    served = CrossEncoderReranker(str(version.folder)).score("how do bees make honey", TEXTS)
    assert exported.logits == pytest.approx(served.logits, abs=0.05)  # OpenVINO may compute in bfloat16
    assert exported.truncated == served.truncated
    opened = open_reranker(str(tmp_path / form))
    assert opened is not None
    assert opened.score("how do bees make honey", TEXTS).logits == pytest.approx(exported.logits)
