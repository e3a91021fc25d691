"""Records a training in a manifest and a model card."""

import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.catalogue import current_build
from indexing.errors import ModelError, SettingsError, TrainingError
from indexing.manifest import FILE, Manifest
from indexing.provenance import library_versions
from search.served import SHIPPED, VERSION, reranker_path
from training.mining import files as mined_files
from training.source import Source
from training.teachers.names import JOINED
from training.versions.card import model_card
from training.versions.manifest import IndexBuild, MeasuredSet, ProtectedFile, VersionManifest

OF_MS_MARCO = re.compile(r"ms-?_?marco|trec-?_?dl", re.IGNORECASE)  # TREC DL judges MS MARCO's passages


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """The results of a training."""

    examples: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Examples by stage and source."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Examples that were left out, by reason."""
    pairs: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    """The last losses, by stage."""
    minutes: float = 0.0
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By judged set, then by measure."""
    measured_on: Mapping[str, MeasuredSet] = field(default_factory=dict)
    """By judged set, what its figures are of."""


def index_builds(indexes: Iterable[str], *, root: Path | None = None) -> tuple[IndexBuild, ...]:
    """The current build of each index. Raises IndexingError."""
    builds = []
    for name in sorted(set(indexes)):
        manifest = Manifest.load(current_build(name, root=root))
        builds.append(
            IndexBuild(
                index=name,
                build=manifest.build,
                corpus=Path(manifest.corpus).name,  # the folders above it stay private when a model is pushed
                passages=manifest.passages,
                corpus_fingerprint=manifest.corpus_fingerprint,
            )
        )
    return tuple(builds)


def protected_files(files: Sequence[Path]) -> tuple[ProtectedFile, ...]:
    """Name, size and checksum of each file of queries that must not be trained on.

    Raises:
        SettingsError: a file doesn't exist.
    """
    absent = [path for path in files if not path.is_file()]
    if absent:
        raise SettingsError(f"There is no file {absent[0]} of queries to protect; give one that exists.")
    return tuple(ProtectedFile(file=path.name, **atomic.file_row(path)) for path in files)


def public_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a manifest stores them: a file's name, or the folder's name of a model outside the working folder.

    So the place where a person keeps files stays private when a model is pushed.
    """
    public = {**settings, "base": _public_model(settings["base"])}
    if "data" in settings:
        data = settings["data"]
        teachers = (name.partition(":") for name in JOINED.split(data["teacher"]))
        teacher = "+".join(kind + colon + (model and _public_model(model)) for kind, colon, model in teachers)
        sources = [str(Source.parse(text).without_folders()) for text in data["sources"]]
        public["data"] = {**data, "sources": sources, "teacher": teacher}
    return public


def record(
    recipe: str,
    settings: Mapping[str, Any],
    outcome: TrainingOutcome,
    *,
    revision: str,
    data: Sequence[IndexBuild] = (),
    protect: Sequence[ProtectedFile] | None = None,
) -> VersionManifest:
    """The manifest of a training; its files are added when it is saved.

    `settings` holds `base` and `seed`; `revision` is the code's revision when the training began; `protect` is None if
    no such files could be named.
    """
    lineage, inherited = _lineage(settings["base"])
    sources = [Source.parse(text) for text in settings.get("data", {}).get("sources", ())]
    names = [settings["base"], *map(str, sources), *(source for by in outcome.examples.values() for source in by)]
    names += [f"{build.index} {build.corpus}" for build in data]
    return VersionManifest(
        recipe=recipe,
        settings=public_settings(settings),
        seed=settings["seed"],
        base_model=lineage[0],
        parent=lineage[-1],
        lineage=lineage,
        data=tuple(data),
        examples={stage: dict(counts) for stage, counts in outcome.examples.items()},
        dropped=dict(outcome.dropped),
        protect=None if protect is None else tuple(protect),
        pairs=outcome.pairs,
        final_loss=dict(outcome.losses),
        metrics={name: dict(figures) for name, figures in outcome.metrics.items()},
        measured_on=dict(outcome.measured_on),
        ms_marco=inherited or any(map(OF_MS_MARCO.search, names)) or any(map(_of_ms_marco, sources)),
        minutes=round(outcome.minutes, 1),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        code_revision=revision,
        libraries=library_versions(),
    )


def write_manifest(folder: Path, manifest: VersionManifest, *, command: str) -> None:
    """Write README.md and, last of all, manifest.json next to the weights."""
    atomic.write_text(folder / "README.md", model_card(manifest, command=command))
    manifest.save(folder)


def _of_ms_marco(source: Source) -> bool:
    """Whether a source is MS MARCO's by its form, lists in a folder of its name, or mined from an index of it.

    So is an unreadable mined folder.
    """
    if source.form == "lists":
        return bool(OF_MS_MARCO.search(str(source.path.resolve())))
    if source.form != "mined":
        return source.of_ms_marco
    try:
        index = mined_files.manifest(source.path).get("index", {})
    except TrainingError:
        return True
    return bool(OF_MS_MARCO.search(f"{index.get('name', '')} {index.get('corpus', '')}"))


def _public_model(name: str) -> str:
    """A hub name unchanged; a path below the working folder, relative to it; of any other path, the last part."""
    here = Path.cwd()
    path = Path(os.path.normpath(here / name))
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name


def _lineage(base: str) -> tuple[tuple[str, ...], bool]:
    """Models from the first base to `base` itself, and whether one of them was trained on MS MARCO."""
    path = _folder(base)
    if not (path / FILE).is_file():
        return (path.name if path.exists() else base,), False
    try:
        manifest = VersionManifest.load(path)
    except ModelError:
        return (path.name,), False
    above = manifest.lineage or ((manifest.started_from,) if manifest.started_from else ())
    if not above:
        return (path.name,), False
    name = SHIPPED if base == SHIPPED else "/".join(path.resolve().parts[-2:])
    return (*above, name), manifest.ms_marco


def _folder(base: str) -> Path:
    """Where a base lies: the shipped one or a version by its id, anything else by its path."""
    if base == SHIPPED or VERSION.fullmatch(base):
        with suppress(ModelError):  # it was deleted while it was trained from
            return Path(reranker_path(base))
    return Path(base)
