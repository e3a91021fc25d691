"""The mean of two versions lies between them, has a card and a lineage, and refuses what cannot be averaged."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from indexing.errors import SettingsError, TrainingError
from search.rerank.cross_encoder import CrossEncoderReranker
from tests.support.versions import make_version
from training.__main__ import main
from training.versions.average import MODEL, average_versions
from training.versions.manifest import VersionManifest
from training.versions.registry import find_version

QUERY, PASSAGES = "how do bees make honey", ["Bees make honey from nectar.", "Bread rises."]
ROWS = [
    {"index": name, "build": "b", "corpus": name, "passages": 2, "corpus_fingerprint": "f"}
    for name in ("small", "msmarco-mini")
]


@pytest.fixture
def models(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    """Two versions of the same shape; the logits of the second are those of the first, with the other sign."""
    for number, sign in ((1, 1.0), (2, -1.0)):
        make_version(tmp_path, f"mine/{number}", tiny_cross_encoder, sign=sign)
    return tmp_path


def logits(folder: Path) -> list[float]:
    logits: list[float] = CrossEncoderReranker(str(folder)).score(QUERY, PASSAGES).logits.tolist()
    return logits


def test_a_share_of_the_second_is_mixed_into_the_first(models: Path) -> None:
    command = ["average", "mine/1", "mine/2", "--share", "0.25", "--models", str(models)]
    assert main([*command, "--output", str(models / "mean/1")]) == 0
    # 0.75 of a head and 0.25 of its opposite leave half of it
    assert logits(models / "mean/1") == pytest.approx([0.5 * value for value in logits(models / "mine/1")], rel=0.02)
    version = find_version("mean/1", models)
    assert version.manifest.lineage == ("tiny/base", "mine/2")
    assert version.manifest.settings["averaged"] == ["mine/1", "mine/2"]
    card = (version.folder / "README.md").read_text()
    assert "the mean of the weights of mine/1 and mine/2, the last one's share 0.25, code" in card
    assert "A cross-encoder started from tiny/base." in card
    assert "- tiny/base → mine/1\n- tiny/base → mine/2\n" in card
    assert "python -m training average mine/1 mine/2 --share 0.25" in card
    assert "| stage |" not in card


def test_several_are_alike_in_the_mean_unless_the_last_one_has_a_share(models: Path, tiny_cross_encoder: Path) -> None:
    make_version(models, "mine/3", tiny_cross_encoder, sign=1.0)
    parts = [find_version(f"mine/{number}", models) for number in (1, 2, 3)]
    own = logits(models / "mine/1")
    for name, share, left in (("alike", None, 1 / 3), ("more", 0.8, 0.8)):  # left of 1/3 - 1/3 + 1/3, 0.1 - 0.1 + 0.8
        made = average_versions(parts, models / f"{name}/1", share=share, command="average")
        assert logits(made) == pytest.approx([left * value for value in own], rel=0.02)
    assert (
        "weights of mine/1, mine/2 and mine/3, the last one's share 0.333,"
        in (models / "alike/1/README.md").read_text()
    )


@pytest.mark.parametrize("numbers", [[1], [1, 1], [1, 2, 1]])
def test_one_alone_or_twice_is_refused(models: Path, numbers: list[int]) -> None:
    with pytest.raises(SettingsError, match="name two versions or more, each once"):
        average_versions(
            [find_version(f"mine/{number}", models) for number in numbers], models / "mean/1", command="average"
        )
    assert not (models / "mean").exists()


def test_what_either_was_trained_on_is_named_once(models: Path) -> None:
    for number, rows in ((1, ROWS), (2, ROWS[:1])):
        path = models / f"mine/{number}/manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "data": rows}))
    first, second = find_version("mine/1", models), find_version("mine/2", models)
    made = average_versions([first, second], models / "mean/1", command="average")
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["data"] == ROWS
    assert manifest["ms_marco"] is True


def test_what_the_first_was_trained_on_binds_too(models: Path) -> None:
    for number, bound in ((1, True), (2, False)):
        path = models / f"mine/{number}/manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "ms_marco": bound}))
    made = average_versions(
        [find_version("mine/1", models), find_version("mine/2", models)], models / "mean/1", command="average"
    )
    assert json.loads((made / "manifest.json").read_text())["ms_marco"] is True


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_out_of_range_is_refused(models: Path, share: float) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        average_versions(
            [find_version("mine/1", models), find_version("mine/2", models)],
            models / "mean/1",
            share=share,
            command="average",
        )
    assert not (models / "mean").exists()


def test_weights_of_another_shape_are_refused(models: Path, tiny_cross_encoder: Path) -> None:
    folder = models / "mine/2"
    weights = load_file(folder / MODEL)
    weights["classifier.weight"] = torch.cat([weights["classifier.weight"]] * 2)
    save_file(weights, folder / MODEL, metadata={"format": "pt"})
    VersionManifest.load(folder).save(folder)
    with pytest.raises(
        TrainingError, match="The weights of mine/1 and mine/2 differ in shape; average versions of the same base model"
    ):
        average_versions(
            [find_version("mine/1", models), find_version("mine/2", models)], models / "mean/1", command="average"
        )


def test_a_place_that_is_taken_is_refused(models: Path) -> None:
    with pytest.raises(TrainingError, match="is there already"):
        average_versions(
            [find_version("mine/1", models), find_version("mine/2", models)], models / "mine/2", command="average"
        )


def test_versions_of_no_common_base_are_refused(models: Path, tiny_cross_encoder: Path) -> None:
    make_version(models, "theirs/1", tiny_cross_encoder, base="other/base")
    with pytest.raises(TrainingError, match=r"mine/1 and theirs/1 were trained from no common model"):
        average_versions(
            [find_version("mine/1", models), find_version("theirs/1", models)], models / "mean/1", command="average"
        )
    assert not (models / "mean").exists()
