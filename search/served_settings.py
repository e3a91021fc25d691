"""The served default of an index: how its queries are answered where nobody says otherwise, and what chose it.

It is a file beside `current` in the index's folder, so that a rebuild keeps it and a build stays as it was made.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.errors import IndexingError, SettingsError
from indexing.names import check_name
from indexing.typed_json import made
from search.served import DEFAULT_RERANKER, NO_RERANKER, reranker_fingerprint, reranker_path
from search.settings import PipelineSettings

FILE = "served.json"
OWN_DEFAULT = PipelineSettings(rerank_weight=0.4, rerank_mix="dense")
"""What answers with the served re-ranker where nothing was chosen for an index: its score mixed with the cosine."""
FIRST_STAGE = ("depth", "fusion", "rrf_k", "bm25_weight", "k1", "b")
"""The settings that hold whichever re-ranker reads the list."""


@dataclass(frozen=True, kw_only=True)
class ServedSettings:
    """What an index answers with by default. A field's name is its name in the file."""

    reranker: str = DEFAULT_RERANKER
    """A re-ranker's name as `open_reranker` takes it, so that `default` is whichever version is promoted."""
    settings: PipelineSettings = OWN_DEFAULT
    fingerprint: str = ""
    """Of the re-ranker's files when it was chosen."""
    build: str = ""
    """Id of the build that it was chosen on."""
    at: str = ""
    """UTC, ISO 8601."""
    by: str = ""
    sentence: str = ""
    """What chose it, in words."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """What chose it, in numbers."""
    before: Mapping[str, Any] | None = None
    """The served default that this one replaced, as it stood in the file; None if there was none."""

    def settings_for(self, reranker: str | None) -> PipelineSettings:
        """The settings with this re-ranker, None for the chosen one.

        Depth, order and share were chosen for the chosen one: another re-ranker gets the usual ones.
        """
        if reranker in (None, self.reranker):
            return self.settings
        usual = PipelineSettings()
        rerank_depth = min(usual.rerank_depth, self.settings.depth)
        return replace(usual, rerank_depth=rerank_depth, **{name: getattr(self.settings, name) for name in FIRST_STAGE})

    def notes(
        self, index: str, *, root: Path | None = None, fingerprint: Callable[[str], str] = reranker_fingerprint
    ) -> tuple[str, ...]:
        """A sentence for each thing that has changed since it was chosen. Raises IndexingError, ModelError.

        `fingerprint` computes or recalls that of a re-ranker's files, by path or name.
        """
        told = []
        build = current_build(index, root=root).name
        again = f"decide again: python -m training decide {index} --serve"
        if build != self.build:
            told.append(f"The served default of {index} was chosen on build {self.build}, now {build}; {again}")
        if self.reranker != NO_RERANKER and fingerprint(reranker_path(self.reranker)) != self.fingerprint:
            told.append(f"The served default of {index} was chosen with another version of its re-ranker; {again}")
        return tuple(told)


def settings_in_force(index: str, *, root: Path | None = None) -> ServedSettings:
    """What an index answers with: what was chosen for it, or else the program's own default.

    Raises:
        IndexingError: the file that says what was chosen is broken.
    """
    return served_settings(index, root=root) or ServedSettings()


def served_settings(index: str, *, root: Path | None = None) -> ServedSettings | None:
    """The served default of an index, by the index's name below `root`; None where none was chosen.

    Raises:
        IndexingError: the file is broken.
    """
    check_name(index)
    path = _path(index, root)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _broken(path, index, str(error)) from error
    return _parsed(text, path, index)


def serve(index: str, served: ServedSettings, *, root: Path | None = None) -> ServedSettings:
    """Make this the served default of an index, atomically; what was served before is kept in it for `rollback`."""
    before = served_settings(index, root=root)
    kept = replace(
        served,
        build=served.build or current_build(index, root=root).name,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        before=None if before is None else asdict(before),
    )
    atomic.write_json(_path(index, root), asdict(kept))
    return kept


def rollback(index: str, *, root: Path | None = None) -> ServedSettings | None:
    """Serve what was served before; None if that was the program's own default.

    Raises:
        SettingsError: nothing was chosen for this index.
        IndexingError: the file is broken.
    """
    current = _chosen(index, root)
    if current.before is None:
        forget(index, root=root)
        return None
    path = _path(index, root)
    before = _parsed(json.dumps(dict(current.before)), path, index)
    atomic.write_json(path, asdict(before))
    return before


def forget(index: str, *, root: Path | None = None) -> None:
    """Serve the program's own default again, broken file or not. Raises SettingsError if nothing was chosen."""
    path = _path(index, root)
    if not path.is_file():
        raise _nothing(index)
    path.unlink()
    atomic.fsync_path(path.parent)


def _chosen(index: str, root: Path | None) -> ServedSettings:
    found = served_settings(index, root=root)
    if found is None:
        raise _nothing(index)
    return found


def _nothing(index: str) -> SettingsError:
    return SettingsError(
        f"Index {index} has no served default of its own; choose one: python -m training decide {index} --serve"
    )


def _parsed(text: str, path: Path, index: str) -> ServedSettings:
    try:
        return served_from(json.loads(text), str(path))
    except (ValueError, TypeError, AttributeError, SettingsError) as error:
        raise _broken(path, index, str(error)) from error


def served_from(values: Mapping[str, Any], place: str) -> ServedSettings:
    """What a file holds. Raises SettingsError, TypeError or AttributeError for anything else."""
    rest = {name: value for name, value in values.items() if name != "settings"}
    return replace(made(ServedSettings, rest, place), settings=PipelineSettings(**values.get("settings", {})))


def _broken(path: Path, index: str, fault: str) -> IndexingError:
    return IndexingError(
        f"{path} can't be read ({fault.rstrip('.')}); serve the program's own default: "
        f"python -m training decide {index} --forget"
    )


def _path(index: str, root: Path | None) -> Path:
    check_name(index)
    return (root or places.indexes()) / index / FILE
