"""Averages the weights of several versions, so that what one learned last doesn't cost all that another knew.

A model and one that was further trained from it lie so close together that a point between them often does better than
either on data that only one of them was made for (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). So
may the mean of several models trained from one base on different data (Wortsman et al. 2022, "Model soups").
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, dtype

from indexing import atomic, provenance
from indexing.atomic import check_new
from indexing.errors import SettingsError, TrainingError
from indexing.manifest import FILE
from training.versions.manifest import VersionManifest
from training.versions.recording import TrainingOutcome, record, write_manifest
from training.versions.registry import WEIGHTS, Version

RECIPE = "average"
MODEL = f"model{WEIGHTS}"


def average_versions(versions: Sequence[Version], output: Path, *, share: float | None = None, command: str) -> Path:
    """Write a version to `output` whose weights are the mean of the versions', each with an equal share.

    `share` is the last version's share, if not an equal one; the others divide the rest equally. Tokenizer,
    configuration, and the parent in the lineage are the last version's.

    Raises:
        SettingsError: fewer than two versions, one named twice, or the share isn't between 0 and 1.
        TrainingError: the output already exists, or the versions' weights differ in shape or have no common base.
    """
    ids = [version.id for version in versions]
    if len(set(ids)) < max(len(ids), 2):
        raise SettingsError(f"A mean of {', '.join(ids)} is no new version; name two versions or more, each once.")
    if share is not None and not 0 < share < 1:
        raise SettingsError(f"share is {share}; give a number between 0 and 1.")
    _check_related(versions)
    check_new(output)
    last_share = 1 / len(ids) if share is None else share
    shares = [(1 - last_share) / (len(ids) - 1)] * (len(ids) - 1) + [last_share]
    weights, last = _mean(versions, shares), versions[-1]
    with atomic.folder(output) as target:
        shutil.copytree(last.folder, target, ignore=shutil.ignore_patterns(FILE, f"*{WEIGHTS}"), dirs_exist_ok=True)
        save_file(weights, target / MODEL, metadata={"format": "pt"})
        write_manifest(target, _manifest(versions, share=last_share), command=command)
    return output


def _manifest(versions: Sequence[Version], *, share: float) -> VersionManifest:
    last = versions[-1]
    averaged = [version.id for version in versions]
    settings = {"base": str(last.folder), "seed": last.manifest.seed, "averaged": averaged, "share": share}
    builds = dict.fromkeys(build for version in reversed(versions) for build in version.manifest.data)
    manifest = record(RECIPE, settings, TrainingOutcome(), revision=provenance.code_revision(), data=tuple(builds))
    return replace(
        manifest,
        ms_marco=manifest.ms_marco or any(version.manifest.ms_marco for version in versions),
        averaged_lineages=tuple((*version.manifest.lineage, version.id) for version in versions),
    )


def _check_related(versions: Sequence[Version]) -> None:
    """Refuse versions of which two have no model in common that they come from; where none is recorded, they pass."""
    families = {version.id: {*version.manifest.lineage, version.id} for version in versions if version.manifest.lineage}
    for (one, family), (other, others) in combinations(families.items(), 2):
        if not family & others:
            raise TrainingError(
                f"{one} and {other} were trained from no common model, so the mean of their weights is none; average "
                "versions of the same base."
            )


def _mean(versions: Sequence[Version], shares: Sequence[float]) -> dict[str, Tensor]:
    sums: dict[str, Tensor] = {}
    dtypes: dict[str, dtype] = {}
    for version, share in zip(versions, shares, strict=True):
        weights = load_file(version.folder / MODEL)
        if sums and _shapes(weights) != _shapes(sums):
            names = f"{versions[0].id} and {version.id}"
            raise TrainingError(f"The weights of {names} differ in shape; average versions of the same base model.")
        dtypes = {name: values.dtype for name, values in weights.items()}
        sums = {name: sums.get(name, 0) + share * values.float() for name, values in weights.items()}
    return {name: values.to(dtypes[name]) for name, values in sums.items()}


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(values.shape) for name, values in weights.items()}
