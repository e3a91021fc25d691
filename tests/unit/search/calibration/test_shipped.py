"""The calibration that comes with the program holds for every build of the same content, and for nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing import places
from indexing.dense.encoder import BiEncoder
from indexing.errors import IndexingError
from indexing.index import Index, open_index
from search.calibration.curve import Calibration, Knot
from search.calibration.served import is_calibrated
from search.calibration.shipped import index_content, ship_calibration, shipped_calibration
from search.calibration.stored import keep_calibration
from search.pipeline import RetrieveAndRerank
from search.served_settings import ServedSettings, serve
from search.settings import PipelineSettings
from search.trace import NOTHING_ANSWERS

SETTINGS = PipelineSettings(fusion="dense", rerank_depth=0)
KNOTS = (
    Knot(score=-1.0, probability=0.0, low=0.0, high=0.1, passages=9, relevant=0),
    Knot(score=1.0, probability=1.0, low=0.9, high=1.0, passages=9, relevant=9),
)


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calibration:
    """A calibration of the dense list on another build; what comes with the program lies in a folder of the test's."""
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    (tmp_path / "calibration").mkdir()
    pipeline = {"fusion": "dense", "rerank_depth": 0}
    return Calibration(
        weights={"cosine": 1.0}, knots=KNOTS, cut=0.4, pipeline=pipeline, fingerprint="none", build="another"
    )


def test_it_holds_for_another_build_of_the_same_content(
    fitted: Calibration, small_index: Index, bi_encoder: BiEncoder
) -> None:
    assert shipped_calibration(small_index.manifest) is None
    ship_calibration(fitted, small_index.manifest)
    pipeline = RetrieveAndRerank(small_index, bi_encoder, None, settings=SETTINGS)
    found = pipeline.search("honey").calibration
    assert found is not None
    assert (found.build, found.weights) == (small_index.manifest.build, {"cosine": 1.0})
    other = pipeline.search("honey", replace(SETTINGS, fusion="bm25"))
    assert (other.calibration, other.uncalibrated) == (None, "")  # as if there were none


@pytest.mark.parametrize("field", ["corpus_fingerprint", "analyzer_fingerprint", "bi_encoder_fingerprint", "bm25"])
def test_it_holds_for_no_other_content(fitted: Calibration, small_index: Index, field: str) -> None:
    manifest = small_index.manifest
    ship_calibration(fitted, manifest)
    changed: Any = replace(manifest.bm25, k1=0.1) if field == "bm25" else "f" * 64
    other = replace(manifest, **{field: changed})
    assert index_content(other) != index_content(manifest)
    assert shipped_calibration(other) is None


def test_what_was_calibrated_here_goes_first(fitted: Calibration, own_root: Path, bi_encoder: BiEncoder) -> None:
    index = open_index("small", root=own_root)
    serve("small", ServedSettings(reranker="none", settings=SETTINGS), root=own_root)
    assert not is_calibrated("small", root=own_root)
    ship_calibration(replace(fitted, cut=0.999), index.manifest)
    assert is_calibrated("small", root=own_root)
    pipeline = RetrieveAndRerank(index, bi_encoder, None, settings=SETTINGS)
    assert pipeline.search("honey").told[0] == NOTHING_ANSWERS
    keep_calibration("small", replace(fitted, build=index.manifest.build, cut=0.0), root=own_root)
    assert pipeline.search("honey").answers


def test_a_broken_file_is_told_and_every_search_is_answered(
    fitted: Calibration, small_index: Index, bi_encoder: BiEncoder
) -> None:
    ship_calibration(fitted, small_index.manifest)
    places.shipped_calibration().write_text("{}", encoding="utf-8")
    with pytest.raises(IndexingError, match=r"lacks 'calibration'.* make shipped-calibration"):
        shipped_calibration(small_index.manifest)
    trace = RetrieveAndRerank(small_index, bi_encoder, None).search("honey", SETTINGS)
    assert "make shipped-calibration" in trace.told[-1]
    assert len(trace.final)
