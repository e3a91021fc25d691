"""The calibration that comes with the program: of the bundled collection, as it is answered unless chosen otherwise.

It was fitted on another build of the same content, whose scores are the same, and is left out for any other index.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from indexing import atomic, places
from indexing.errors import IndexingError, SettingsError
from indexing.manifest import Manifest
from indexing.typed_json import made
from search.calibration.curve import Calibration

AGAIN = "make it again: make shipped-calibration"


@dataclass(frozen=True, kw_only=True)
class ShippedCalibration:
    """A calibration, and the index that it was fitted on. A field's name is its name in the file."""

    calibration: Calibration
    index: Mapping[str, Any] = field(default_factory=dict)
    """What `index_content` says of the index."""


def index_content(manifest: Manifest) -> dict[str, Any]:
    """What determines the scores of an index's passages, whichever build of it: content, analyzer and models."""
    return {
        "corpus": manifest.corpus_fingerprint,
        "analyzer": manifest.analyzer_fingerprint,
        "bm25": asdict(manifest.bm25),
        "bi_encoder": manifest.bi_encoder_fingerprint,
        "dense": manifest.dense.kind,
    }


def shipped_calibration(manifest: Manifest) -> Calibration | None:
    """The one that comes with the program, for this build; None for an index of anything else, or if there is none.

    Raises:
        IndexingError: the file is broken.
    """
    path = places.shipped_calibration()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = made(ShippedCalibration, values, str(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, SettingsError) as error:
        raise IndexingError(f"{path} can't be read ({str(error).rstrip('.')}); {AGAIN}") from error
    fits = dict(found.index) == index_content(manifest)
    return replace(found.calibration, build=manifest.build) if fits else None


def ship_calibration(calibration: Calibration, manifest: Manifest) -> None:
    """Write the calibration that comes with the program, in place of the one before."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    shipped = ShippedCalibration(calibration=replace(calibration, at=at), index=index_content(manifest))
    path = places.shipped_calibration()
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_json(path, asdict(shipped))
