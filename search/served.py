"""Which re-ranker is served: the promoted version, or the one that is shipped."""

import json
import re
from pathlib import Path
from typing import Any

from indexing import places
from indexing.errors import ModelError
from indexing.names import NAME

POINTER = "promoted.json"
SHIPPED = "shipped"
"""What stands in promoted.json for the re-ranker that comes with the program."""
VERSION = re.compile(rf"({NAME.pattern})/({NAME.pattern})")
"""A version's id, NAME/VERSION: its folder below that of all models."""


def version_id(folder: Path, *, models: Path | None = None) -> str:
    """NAME/VERSION where this is a version's folder below that of all models, else empty."""
    path, root = folder.absolute(), (models or places.models()).absolute()
    name = "/".join(path.parts[-2:])
    return name if path.parent.parent == root and VERSION.fullmatch(name) else ""


def read_pointer(models: Path | None = None) -> dict[str, Any]:
    """What promoted.json holds; `promoted` is a version's id or SHIPPED, the rest is the registry's. Empty without it.

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
    """The id of the promoted version; SHIPPED where none is. Raises ModelError where promoted.json is broken."""
    return str(read_pointer(models).get("promoted", SHIPPED))
