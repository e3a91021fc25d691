"""Judgments that others give by the queries' texts, as Quepid and OpenSearch do: made queries and qrels, and back."""

from pathlib import Path

from indexing import atomic
from indexing.errors import CorpusError, SettingsError
from indexing.judged.by_text import write_quepid
from indexing.judged.sets import JudgedSet, read_judged
from indexing.notes import Note, log_note
from indexing.records import Query
from indexing.whitespace import squeeze


def import_judgments(
    file: Path, folder: Path, *, queries: Path | None = None, split: str = "test", note: Note = log_note
) -> JudgedSet:
    """Write queries.SPLIT.tsv and qrels.SPLIT.tsv into `folder` from Quepid's CSV or OpenSearch's judgment list.

    Queries get the ids of those in `queries` with the same text, others an id made of their text. Files of qrels by
    query id are taken too, with `queries`.

    Raises:
        CorpusError: a file can't be read, or an id can't stand in a line of fields.
        SettingsError: one of the files exists already, or no query is judged.
    """
    judged = read_judged(queries, file, split=split, note=note)
    if not judged.queries:
        raise SettingsError(f"No judged query of {file} has a text; give the file of its queries: --queries.")
    write_judged(judged, folder)
    return judged


def write_judged(judged: JudgedSet, folder: Path) -> None:
    """Write queries.SPLIT.tsv, then qrels.SPLIT.tsv, where a set of that split is found; the mark of who judged stays.

    Raises:
        CorpusError: an id can't stand in a line of fields.
        SettingsError: one of the files exists already; one of queries may, with these same lines.
    """
    paths = {kind: folder / f"{kind}.{judged.split}.tsv" for kind in ("queries", "qrels")}
    queries = [f"{line_field(query.id)}\t{squeeze(query.text)}\n" for query in judged.queries]
    grades = [
        f"{query.id}\t{line_field(judged.source or '0')}\t{line_field(passage)}\t{grade}\n"
        for query in judged.queries
        for passage, grade in judged.qrels[query.id].items()
    ]
    texts = {"queries": "".join(queries), "qrels": "".join(grades)}
    for kind, path in paths.items():
        begun = kind == "queries" and path.is_file() and path.read_bytes() == texts[kind].encode()
        if path.exists() and not begun:  # else it was killed between the two files
            raise SettingsError(f"{path} exists already; give another --output or --split, or move it away.")
    for kind, path in paths.items():
        atomic.write_text(path, texts[kind])


def export_judgments(judged: JudgedSet, file: Path) -> int:
    """Write a judged set as `query,docid,rating`, which Quepid imports; the number of judgments.

    Raises:
        CorpusError: two queries have the same text, which Quepid can't tell apart.
    """
    seen: dict[str, Query] = {}
    for query in judged.queries:
        other = seen.setdefault(squeeze(query.text), query)
        if other is not query:
            raise CorpusError(
                f"Queries {other.id!r} and {query.id!r} have the same text, {query.text[:80]!r}, by which Quepid "
                "names queries; leave one out."
            )
    return write_quepid(file, judged.queries, judged.qrels)


def line_field(name: str) -> str:
    """An id as it stands between tabs. Raises CorpusError if it can't stand there."""
    if len(name.splitlines()) != 1 or "\t" in name:
        raise CorpusError(f"Id {name[:80]!r} has a tab or an end of line, which no file of lines can hold; rename it.")
    return name
