"""A report's files as they are handed on: report, values by query, TREC runs and qrels, in memory."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from training.evaluation.report import Report, write


def report_files(report: Report) -> dict[str, bytes]:
    """What `report.write` writes, by path. Raises CorpusError for an id that holds white space."""
    with tempfile.TemporaryDirectory(prefix="second-look-report-") as name:
        folder = Path(name)
        write(folder, report)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """One ZIP file of them all; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()
