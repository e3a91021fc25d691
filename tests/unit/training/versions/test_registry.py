"""A version is found by name if it is whole, and is named with its fault if it is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexing.errors import ModelError, SettingsError
from tests.support.versions import make_version
from training.versions.registry import find_version, listing, versions


@pytest.fixture
def models(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    make_version(tmp_path / "models", "mine/1", tiny_cross_encoder)
    return tmp_path / "models"


@pytest.fixture
def shipped(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    """As data/reranker is: a manifest of the first schema, which holds no checksums."""
    folder = Path(shutil.copytree(tiny_cross_encoder, tmp_path / "shipped"))
    (folder / "README.md").write_text("# card")
    (folder / "manifest.json").write_text(json.dumps({"schema_version": 1, "settings": {"base": "a/b"}}))
    return folder


def test_a_whole_version_is_found(models: Path, tmp_path: Path) -> None:
    found = find_version("mine/1", models, shipped=tmp_path)
    assert (found.id, found.folder, found.fault) == ("mine/1", models / "mine/1", "")
    assert found.manifest.recipe == "tiny"
    assert found.bytes == sum(path.stat().st_size for path in (models / "mine/1").iterdir())


def test_versions_are_listed_by_name_and_age_after_the_shipped_one(
    models: Path, shipped: Path, tiny_cross_encoder: Path
) -> None:
    for name, created in (("mine/10", "2026-03-01"), ("mine/9", "2026-02-01"), ("a/1", "2026-04-01")):
        path = make_version(models, name, tiny_cross_encoder) / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "created": created}))
    # mine/1 was made just now, after 2026-03-01 however the clock of this machine stands
    found = versions(models, shipped=shipped)
    assert [version.id for version in found if version.id != "mine/1"] == ["shipped", "a/1", "mine/9", "mine/10"]
    assert {version.fault for version in found} == {""}


def test_a_folder_without_a_manifest_is_no_version(models: Path, tmp_path: Path) -> None:
    (models / "mine/1/manifest.json").unlink()
    assert versions(models, shipped=tmp_path) == []
    with pytest.raises(ModelError, match="no version 'mine/1'"):
        find_version("mine/1", models, shipped=tmp_path)


def test_what_a_killed_training_left_is_no_version(models: Path, tmp_path: Path) -> None:
    (models / "mine/1").rename(models / "mine/.1.partial-x")
    assert versions(models, shipped=tmp_path) == []


def test_a_version_that_is_not_there_is_answered_with_those_that_are(models: Path, shipped: Path) -> None:
    with pytest.raises(ModelError, match=r"no version 'mine/2' in .* \(there: mine/1, shipped\)"):
        find_version("mine/2", models, shipped=shipped)


def test_without_a_folder_of_models_nothing_is_listed(tmp_path: Path) -> None:
    assert versions(tmp_path / "none", shipped=tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["", "mine", "mine/", "/1", "../x", "mine/..", "mine/../../x", "mine/1/2", "/etc/x", ".h/1", "mine/1\n", "a b/1"],
)
def test_a_name_that_leads_elsewhere_is_refused(models: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="must be NAME/VERSION"):
        find_version(name, models, shipped=tmp_path)


def flip_a_bit(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def edit_manifest(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def forget_weights(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files["model.safetensors"]
    (folder / "model.safetensors").unlink()
    edit_manifest(folder, files=files)


def link_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is absent"),
    (lambda folder: (folder / "modules.json").unlink(), "modules.json is absent"),
    (lambda folder: (folder / "README.md").unlink(), "README.md is absent"),
    (forget_weights, "no .safetensors weights"),
    (link_weights, "model.safetensors is a link"),
    (lambda folder: (folder / "README.md").write_text("other"), "README.md has 5 bytes"),
    (lambda folder: (folder / "pytorch_model.bin").touch(), "pytorch_model.bin is not in manifest.json"),
    (lambda folder: (folder / ".env").touch(), ".env is not in manifest.json"),
    (lambda folder: (folder / "manifest.json").write_text("{"), "can't be read as JSON"),
    (lambda folder: (folder / "manifest.json").write_bytes(b"\xff"), "can't be read as JSON"),
    (lambda folder: (folder / "manifest.json").write_text("[]"), "no JSON object"),
    (lambda folder: edit_manifest(folder, schema_version=1), "schema 1, this program reads 2"),
    (lambda folder: edit_manifest(folder, files=None), "lacks its files"),
    (lambda folder: edit_manifest(folder, files={"config.json": {}}), "lacks its files"),
    (lambda folder: edit_manifest(folder, files={"../x": {"bytes": 1, "sha256": ""}}), "outside of the folder"),
]


@pytest.mark.parametrize(("damage", "fault"), DAMAGE, ids=[fault for _, fault in DAMAGE])
def test_a_damaged_version_is_listed_with_its_fault_and_not_found(
    models: Path, tmp_path: Path, damage: Callable[[Path], object], fault: str
) -> None:
    damage(models / "mine/1")
    (listed,) = versions(models, shipped=tmp_path)
    assert fault in listed.fault
    with pytest.raises(ModelError) as refused:
        find_version("mine/1", models, shipped=tmp_path)
    assert str(refused.value).startswith("Version mine/1 is damaged: ")
    assert fault in str(refused.value)


def test_other_weights_of_the_same_size_are_noticed_by_their_checksum(models: Path, tmp_path: Path) -> None:
    flip_a_bit(models / "mine/1")
    with pytest.raises(ModelError, match=r"model\.safetensors has another checksum"):
        find_version("mine/1", models, shipped=tmp_path)


def test_a_version_that_is_a_link_out_of_the_folder_is_refused(models: Path, tmp_path: Path) -> None:
    (models / "mine/1").rename(tmp_path / "elsewhere")
    (models / "mine/1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="leads out of"):
        find_version("mine/1", models, shipped=tmp_path)


def test_the_folder_of_all_models_may_be_a_link(models: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(models)
    assert find_version("mine/1", tmp_path / "link", shipped=tmp_path).fault == ""


def test_the_shipped_one_needs_no_checksums(models: Path, shipped: Path) -> None:
    assert find_version("shipped", models, shipped=shipped).folder == shipped


def test_where_the_shipped_one_has_checksums_they_count(models: Path, shipped: Path, tiny_cross_encoder: Path) -> None:
    shutil.rmtree(shipped)
    make_version(shipped.parent, "shipped", tiny_cross_encoder)
    flip_a_bit(shipped)
    with pytest.raises(ModelError, match="shipped is damaged"):
        find_version("shipped", models, shipped=shipped)


def test_the_listing_marks_what_is_served_and_what_is_damaged(models: Path, shipped: Path) -> None:
    (models / "mine/1/README.md").unlink()
    lines = listing(versions(models, shipped=shipped), promoted="mine/1", before="shipped")
    assert lines[1].split()[:2] == ["shipped", "previous"]
    assert lines[2].split()[:3] == ["mine/1", "served", "damaged"]
    assert lines[2].split()[-2] == "tiny/base"
    assert lines[3] == "mine/1 is damaged: README.md is absent."


def test_reading_changes_nothing(models: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in models.rglob("*")}
    find_version("mine/1", models, shipped=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*")} == before


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"created": 3}', '{"files": {"a": 3}}', "1" * 5_000])
def test_one_damaged_version_hides_none_of_the_others(
    content: str, models: Path, shipped: Path, tiny_cross_encoder: Path
) -> None:
    (make_version(models, "mine/2", tiny_cross_encoder) / "manifest.json").write_text(content)
    found = versions(models, shipped=shipped)
    assert {version.id: bool(version.fault) for version in found} == {"shipped": False, "mine/1": False, "mine/2": True}
    assert any(line.startswith("mine/2 is damaged: ") for line in listing(found, promoted="shipped", before=""))
