"""The calibrations of an index, in a file beside its builds: each holds for one pipeline.

What was calibrated before holds again once a promotion, or a served default, is taken back.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from indexing import atomic, places
from indexing.catalogue import current_build
from indexing.errors import IndexingError, SettingsError
from indexing.names import check_name
from indexing.typed_json import made
from search.calibration.curve import CalibratedPipeline, Calibration, effective
from search.settings import PipelineSettings

FILE = "calibrations.json"
KEPT = 20  # calibrations, of which the oldest go first


def calibrations(index: str, *, root: Path | None = None) -> tuple[Calibration, ...]:
    """The calibrations of an index, by the index's name below `root`, oldest first; none where there is no file.

    Raises:
        IndexingError: the file is broken.
    """
    check_name(index)
    return read_calibrations((root or places.indexes()) / index)


def read_calibrations(folder: Path) -> tuple[Calibration, ...]:
    """The calibrations in the folder of an index, beside its builds. Raises IndexingError if the file is broken."""
    path = folder / FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return tuple(made(Calibration, value, str(path)) for value in values["calibrations"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, SettingsError) as error:
        raise IndexingError(
            f"{path} can't be read ({str(error).rstrip('.')}); delete it, then calibrate again: {_again(folder.name)}"
        ) from error


def keep_calibration(index: str, calibration: Calibration, *, root: Path | None = None) -> Calibration:
    """Keep a calibration beside an index's builds, in place of an earlier one of the same pipeline.

    Raises:
        IndexingError: there is no such index, or the file is broken.
    """
    folder = current_build(index, root=root).parent
    kept = replace(calibration, at=datetime.now(UTC).isoformat(timespec="seconds"))
    own = _pipeline(kept)
    others = [known for known in read_calibrations(folder) if known.differs_from(own)]
    listed = [asdict(known) for known in (*others, kept)][-KEPT:]
    atomic.write_json(folder / FILE, {"calibrations": listed})
    return kept


def forget_calibrations(index: str, *, root: Path | None = None) -> None:
    """Remove all calibrations of an index, a broken file too. Raises SettingsError if there are none."""
    folder = current_build(index, root=root).parent
    path = folder / FILE
    if not path.is_file():
        raise SettingsError(f"Index {index} isn't calibrated; calibrate it: {_again(index)}")
    path.unlink()
    atomic.fsync_path(folder)


def fitting(
    known: Sequence[Calibration], pipeline: CalibratedPipeline, *, index: str
) -> tuple[Calibration | None, str]:
    """The calibration that was fitted on this pipeline; if there is none, a sentence on how the latest ones differ.

    The sentence is empty where nothing was calibrated.
    """
    for calibration in reversed(known):
        if not calibration.differs_from(pipeline):
            return calibration, ""
    if not known:
        return None, ""
    near = [one for one in known if effective(PipelineSettings(**one.pipeline)) == effective(pipeline.settings)]
    same = [one for one in near if one.fingerprint == pipeline.fingerprint]
    latest = (same or near or known)[-1]
    return None, (
        f"No probability is shown, as index {index} was calibrated {latest.differs_from(pipeline)}; calibrate what it "
        f"serves: {_again(index)}"
    )


class CalibrationsFile:
    """The calibrations beside an index's builds, read anew once their file has changed."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the index's, which holds its builds."""
        self._folder = folder
        self._state: tuple[int, int, int] | None = None
        self._known: tuple[Calibration, ...] = ()

    def read(self) -> tuple[Calibration, ...]:
        """All of them. Raises IndexingError if the file is broken."""
        try:
            stat = (self._folder / FILE).stat()
        except OSError:
            self._state, self._known = None, ()
            return ()
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if state != self._state:
            self._known = read_calibrations(self._folder)
            self._state = state
        return self._known


def _pipeline(calibration: Calibration) -> CalibratedPipeline:
    return CalibratedPipeline(PipelineSettings(**calibration.pipeline), calibration.fingerprint, calibration.build)


def _again(index: str) -> str:
    return f"python -m training calibrate {index} --serve"
