"""A manifest is read as it was written, by every program that wrote one so far."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexing.errors import ModelError
from tests.support.versions import make_manifest, make_version
from training.versions.manifest import IndexBuild, MeasuredSet, ProtectedFile, VersionManifest
from training.versions.registry import find_version

OLD: dict[str, Any] = {
    "schema_version": 2,
    "recipe": "average",
    "settings": {"averaged": ["a/1", "b/1"], "base": "data/models/b/1", "seed": 89, "share": 0.5},
    "seed": 89,
    "base_model": "sentence-transformers/all-MiniLM-L6-v2",
    "parent": "b/1",
    "lineage": ["sentence-transformers/all-MiniLM-L6-v2", "b/1"],
    "averaged_lineages": [["sentence-transformers/all-MiniLM-L6-v2", "a/1"], ["b/1"]],
    "data": [{"index": "sample", "build": "b7", "corpus": "sample", "passages": 1406, "corpus_fingerprint": "4ae5"}],
    "examples": {"listnet": {"judged sample": 30}},
    "dropped": {"protected": 2},
    "protect": [{"file": "queries.tsv", "bytes": 7, "sha256": "ab"}],
    "pairs": 240,
    "final_loss": {"listnet": 1},
    "metrics": {"sample dev": {"nDCG@10": 0.66}},
    "ms_marco": False,
    "minutes": 0.0,
    "created": "2026-11-29T02:55:43+00:00",
    "code_revision": "45c57dd",
    "libraries": {"torch": "2.13.0+cpu"},
    "files": {"README.md": {"bytes": 1465, "sha256": "c8"}},
}
"""As versions on disk have it, with every field that was ever written."""


def written(folder: Path, values: object) -> Path:
    (folder / "manifest.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def test_an_old_manifest_is_read_whole(tmp_path: Path) -> None:
    loaded = VersionManifest.load(written(tmp_path, OLD))
    assert loaded.as_json() == OLD
    assert loaded.data == (
        IndexBuild(index="sample", build="b7", corpus="sample", passages=1406, corpus_fingerprint="4ae5"),
    )
    assert loaded.protect == (ProtectedFile(file="queries.tsv", bytes=7, sha256="ab"),)
    assert loaded.averaged_lineages[1] == ("b/1",)
    assert loaded.started_from == "b/1"


def test_the_manifest_of_the_shipped_reranker_is_read() -> None:
    folder = Path(__file__).parents[4] / "data/reranker"
    assert VersionManifest.load(folder).as_json() == json.loads((folder / "manifest.json").read_text())


def test_a_manifest_of_the_first_schema_has_its_base_and_ms_marcos_terms(tmp_path: Path) -> None:
    loaded = VersionManifest.load(written(tmp_path, {"schema_version": 1, "settings": {"base": "a/b"}}))
    assert (loaded.started_from, loaded.ms_marco, loaded.files, loaded.lineage) == ("a/b", True, None, ())


def test_fields_of_a_later_program_are_left_out(tmp_path: Path) -> None:
    assert VersionManifest.load(written(tmp_path, {**OLD, "later": 1})).as_json() == OLD


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ([], "manifest.json is no JSON object"),
        ({**OLD, "pairs": "many"}, "manifest.json pairs is 'many', a whole number is wanted"),
        ({**OLD, "settings": []}, "manifest.json settings is [], an object is wanted"),
        ({**OLD, "metrics": {"dev": {"MAP": "high"}}}, "manifest.json metrics dev MAP is 'high', a number is wanted"),
    ],
)
def test_what_holds_another_type_is_named(tmp_path: Path, values: object, fault: str) -> None:
    with pytest.raises(ModelError) as refused:
        VersionManifest.load(written(tmp_path, values))
    assert str(refused.value) == fault


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"abc")
    measured = {"small dev": MeasuredSet(queries=8, depth=10, build="b1")}
    manifest = make_manifest(metrics={"small dev": {"MAP": 0.5}}, measured_on=measured)
    manifest.save(tmp_path)
    loaded = VersionManifest.load(tmp_path)
    assert loaded.measured_on == measured
    assert loaded.files is not None
    assert set(loaded.files) == {"weights"}
    assert {**loaded.as_json(), "files": 0} == {**manifest.as_json(), "files": 0}


def test_a_version_made_before_is_whole(tmp_path: Path, tiny_cross_encoder: Path) -> None:
    folder = make_version(tmp_path, "old/1", tiny_cross_encoder)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    written(folder, {**OLD, "files": files})
    version = find_version("old/1", tmp_path)
    assert (version.fault, version.manifest.recipe, version.manifest.pairs) == ("", "average", 240)
    shutil.rmtree(folder)
