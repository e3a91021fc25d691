"""How many passages a corpus holds, counted without parsing them."""

from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.files import READ_ERRORS, parts
from indexing.corpus.folder import corpus_files
from indexing.errors import CorpusError, first_line


def count_passages(path: Path, *, chunk_bytes: int = 1 << 20) -> int:
    """About how many passages a corpus holds: its lines, rows or text files, counted without parsing them.

    Lines are counted in chunks of `chunk_bytes`.

    Raises CorpusError if there is no corpus, or a compressed file is broken.
    """
    files = corpus_files(path)
    if files[0].name.lower().endswith(".txt"):
        return len(files)
    try:
        if files[0].name.lower().endswith(".parquet"):
            return sum(pq.read_metadata(file).num_rows for file in files)
        return sum(_lines(stream, chunk_bytes) for file in files for _, stream in parts(file))
    except (*READ_ERRORS, pa.ArrowException) as error:
        raise CorpusError(f"Corpus {path} can't be read ({first_line(error)}); fetch or pack it again.") from error


def _lines(stream: IO[bytes], chunk_bytes: int) -> int:
    """Number of lines in a stream, a last one without a line ending included."""
    count, last = 0, b"\n"
    while chunk := stream.read(chunk_bytes):
        count += chunk.count(b"\n")
        last = chunk
    return count + (not last.endswith(b"\n"))
