"""The manifest of a version: what it was made from, how, and what it measures."""

import json
import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic
from indexing.catalogue import current_build
from indexing.errors import SettingsError, TrainingError
from indexing.manifest import FILE, Manifest
from indexing.provenance import library_versions
from training.mining import files as mined_files
from training.source import Source
from training.teachers.teacher import JOINED
from training.versions.card import text

SCHEMA_VERSION = 2
OF_MS_MARCO = re.compile(r"ms-?_?marco|trec-?_?dl", re.IGNORECASE)  # TREC DL judges MS MARCO's passages


def data_rows(indexes: Iterable[str], *, root: Path | None = None) -> list[dict[str, Any]]:
    """Which build of each index was trained on, and what it was built from. Raises IndexingError."""
    rows = []
    for name in sorted(set(indexes)):
        built = Manifest.load(current_build(name, root=root))
        corpus = Path(built.corpus).name  # the folders above it are nobody's business once a model is pushed
        row = {"index": name, "build": built.build, "corpus": corpus, "passages": built.passages}
        rows.append({**row, "corpus_fingerprint": built.corpus_fingerprint})
    return rows


def protect_rows(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Name, size and checksum of each file of queries that must not be trained on.

    Raises SettingsError where one isn't there.
    """
    absent = [path for path in files if not path.is_file()]
    if absent:
        raise SettingsError(f"There is no file {absent[0]} of queries to protect; give one that is there.")
    return [{"file": path.name, **atomic.file_row(path)} for path in files]


def shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a manifest has them: of a file the name, of a model outside of the working folder its folder's name.

    Where a person keeps files is nobody's business once a model is pushed.
    """
    found = {**settings, "base": _shown_model(settings["base"])}
    if "data" in settings:
        data = settings["data"]
        teachers = (one.partition(":") for one in JOINED.split(data["teacher"]))
        teacher = "+".join(kind + colon + (model and _shown_model(model)) for kind, colon, model in teachers)
        found["data"] = {
            **data,
            "sources": [str(Source.parse(text).without_folders()) for text in data["sources"]],
            "teacher": teacher,
        }
    return found


def record(
    name: str,
    settings: Mapping[str, Any],
    *,
    examples: Mapping[str, Mapping[str, int]],
    pairs: int,
    losses: Mapping[str, float],
    minutes: float,
    revision: str,
    data: Sequence[Mapping[str, Any]] = (),
    metrics: Mapping[str, Any] | None = None,
    dropped: Mapping[str, int] | None = None,
    protect: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Everything that decided a training, as plain data.

    `settings` holds `base` and `seed`, `examples` counts by stage and source. `revision` is the code's when it began,
    `data` is what `data_rows` gives, `metrics` figures by name of the set, `protect` what `protect_rows` gives, or
    None where no such files could be named.
    """
    lineage, inherited = _lineage(settings["base"])
    sources = [Source.parse(text) for text in settings.get("data", {}).get("sources", ())]
    named = [settings["base"], *map(str, sources), *(source for counts in examples.values() for source in counts)]
    named += [f"{row['index']} {row['corpus']}" for row in data]
    return {
        "schema_version": SCHEMA_VERSION,
        "recipe": name,
        "settings": shown(settings),
        "seed": settings["seed"],
        "base_model": lineage[0],
        "parent": lineage[-1],
        "lineage": lineage,
        "data": [dict(row) for row in data],
        "examples": {stage: dict(counts) for stage, counts in examples.items()},
        "dropped": dict(dropped or {}),
        **({} if protect is None else {"protect": [dict(row) for row in protect]}),
        "pairs": pairs,
        "final_loss": dict(losses),
        "metrics": dict(metrics or {}),
        "ms_marco": inherited or any(map(OF_MS_MARCO.search, named)) or any(map(_of_ms_marco, sources)),
        "minutes": round(minutes, 1),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_revision": revision,
        "libraries": library_versions(),
    }


def write(folder: Path, values: Mapping[str, Any], *, command: str) -> None:
    """Write README.md and, last of all, manifest.json beside the weights."""
    atomic.write_text(folder / "README.md", text(values, command=command))
    seal(folder, values)


def seal(folder: Path, values: Mapping[str, Any]) -> None:
    """Write manifest.json with the size and checksum of every file that is there."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    rows = {name: atomic.file_row(path) for name, path in files.items() if name != FILE}
    atomic.write_json(folder / FILE, {**values, "schema_version": SCHEMA_VERSION, "files": rows})


def _of_ms_marco(source: Source) -> bool:
    """Whether a source is MS MARCO's by its form, or mined from an index of it; so is a folder that can't be read."""
    if source.form != "mined":
        return source.of_ms_marco
    try:
        index = mined_files.manifest(source.path).get("index", {})
    except TrainingError:
        return True
    return bool(OF_MS_MARCO.search(f"{index.get('name', '')} {index.get('corpus', '')}"))


def _shown_model(name: str) -> str:
    """A hub's name, or a path below the working folder from there; of another path the last part."""
    here = Path.cwd()
    path = Path(os.path.normpath(here / name))
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name


def _lineage(base: str) -> tuple[list[str], bool]:
    """Models from the first base to `base` itself, and whether one of them was trained on MS MARCO."""
    path = Path(base)
    try:
        values = json.loads((path / FILE).read_text(encoding="utf-8"))
        above = values.get("lineage") or [values["settings"]["base"]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return [path.name if path.exists() else base], False
    return [*above, "/".join(path.resolve().parts[-2:])], bool(values.get("ms_marco", True))
