"""Finds the re-ranker that a name stands for; by default the promoted version, or else the shipped one."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from indexing import atomic, places
from indexing.errors import ModelError
from indexing.names import NAME, nearest_first

NO_RERANKER = "none"
DEFAULT_RERANKER = "default"
LATE = "late"
"""Late interaction by the bi-encoder of the index, or by the default one where there is no index; `late:NAME` by
another, a hub name or path."""
POINTER = "promoted.json"
SHIPPED = "shipped"
"""The id in promoted.json of the re-ranker that comes with the program."""
VERSION = re.compile(rf"({NAME.pattern})/({NAME.pattern})")
"""A version's id, NAME/VERSION, which is also its folder's path in the folder of all models."""
NUMBERED = re.compile(rf"{NAME.pattern}/[0-9]+(\.[a-z]+)?")
"""A version's id as `train` assigns it, NAME/NUMBER, or its export's; no hub model has such a name."""
LISTED = 12  # versions that a message names


def version_id(folder: Path, *, models: Path | None = None) -> str:
    """NAME/VERSION if this is a version's folder below the folder of all models, else empty."""
    path, root = folder.absolute(), (models or places.models()).absolute()
    name = "/".join(path.parts[-2:])
    return name if path.parent.parent == root and VERSION.fullmatch(name) else ""


def read_pointer(models: Path | None = None) -> dict[str, Any]:
    """The fields of promoted.json: `promoted`, a version's id or SHIPPED, and the registry's own. Empty without it.

    Raises:
        ModelError: it is broken.
    """
    pointer = (models or places.models()) / POINTER
    try:
        values = json.loads(pointer.read_text(encoding="utf-8"))
        promoted = values["promoted"]
        if promoted == SHIPPED or VERSION.fullmatch(promoted):
            return dict(values)
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        pass
    raise ModelError(f"{pointer} is broken; delete it to serve the shipped re-ranker.")


def promoted_version(models: Path | None = None) -> str:
    """The id of the promoted version; SHIPPED if none is. Raises ModelError if promoted.json is broken."""
    return str(read_pointer(models).get("promoted", SHIPPED))


def version_ids(models: Path | None = None) -> list[str]:
    """Every folder below `models` that can be served, by name: versions and their exports."""
    models = models or places.models()
    ids = (path.parent.relative_to(models).as_posix() for path in models.glob("*/*/config.json"))
    return sorted(name for name in ids if VERSION.fullmatch(name))


def absent_version(name: str, known: Iterable[str], models: Path | None = None) -> ModelError:
    """What to answer to the name of a version that doesn't exist: those that do, near misses first."""
    names = nearest_first(name, known)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = ", ".join(names[:LISTED]) or "none"
    return ModelError(
        f"There is no version {name!r} in {models or places.models()} (there: {listed}{more}); give one of them."
    )


def late_bi_encoder(name: str) -> str | None:
    """The bi-encoder of late interaction by a re-ranker's name: that after `late:`, or empty; None for another kind."""
    kind, _, bi_encoder = name.partition(":")
    return bi_encoder if kind == LATE else None


def reranker_path(name: str = DEFAULT_RERANKER, *, models: Path | None = None, shipped: Path | None = None) -> str:
    """The path or hub name to load: `default` is the promoted version, else the shipped one; `none` is empty.

    Late interaction has no path: `late` and `late:NAME` are returned as they are.
    `shipped` is the shipped re-ranker. NAME/VERSION is a trained version or an export if one exists, and must exist if
    VERSION is a number. Any other name is returned unchanged, as a path or hub name.

    Raises:
        ModelError: promoted.json names a model that doesn't exist, or there is no such version or no shipped one.
    """
    if name == NO_RERANKER:
        return ""
    if late_bi_encoder(name) is not None:
        return name
    models, shipped = models or places.models(), shipped or places.shipped_reranker()
    if VERSION.fullmatch(name) and (models / name).is_dir():
        return str(models / name)
    if NUMBERED.fullmatch(name) and not Path(name).exists():
        raise absent_version(name, [SHIPPED, *version_ids(models)], models)
    if name not in (DEFAULT_RERANKER, SHIPPED):
        return name
    version = promoted_version(models) if name == DEFAULT_RERANKER else SHIPPED
    if version != SHIPPED:
        promoted = models / version
        if not (promoted / "config.json").is_file():
            raise ModelError(
                f"{models / POINTER} names {promoted}, which doesn't exist; "
                "go back with `python -m training rollback`, or delete it to serve the shipped re-ranker."
            )
        return str(promoted)
    if not (shipped / "model.safetensors").is_file():
        raise ModelError(
            f"There is no re-ranker in {shipped}; name one with --reranker, "
            "such as cross-encoder/ms-marco-MiniLM-L6-v2, or search without: --reranker none."
        )
    return str(shipped)


def reranker_fingerprint(path: str) -> str:
    """What changes with the files of a re-ranker, by the path or name that `reranker_path` gives; `none` for none.

    Of a folder: SHA-256 over the names and checksums of its files, first 16 digits. Of a hub name: the name. `late`
    changes with the index's build.
    """
    if not path:
        return NO_RERANKER
    if (bi_encoder := late_bi_encoder(path)) is not None:
        return f"{LATE}:{reranker_fingerprint(bi_encoder)}" if bi_encoder else LATE
    folder = Path(path)
    if not folder.is_dir():
        return path
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(
            f"{file.relative_to(folder).as_posix()} {atomic.sha256(file)}\n".encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()[:16]
