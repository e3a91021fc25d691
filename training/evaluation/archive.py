"""A report's files in memory, ready to download: the report, values by query, TREC runs and qrels."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from training.evaluation.report import EvaluationReport, write_report


def report_files(report: EvaluationReport) -> dict[str, bytes]:
    """The files that `report.write` writes, by path. Raises CorpusError if an id contains white space."""
    with tempfile.TemporaryDirectory(prefix="second-look-report-") as name:
        folder = Path(name)
        write_report(folder, report)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Pack all the files into one ZIP archive; the same files always yield the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
