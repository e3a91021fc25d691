"""Judgments that name queries by their texts, as Quepid's and OpenSearch's do: made queries and qrels, and back."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from indexing import atomic
from indexing.errors import CorpusError, SettingsError
from indexing.judged.by_text import write_quepid
from indexing.judged.sets import JudgedSet, read_judged
from indexing.notes import Note, log_note, silent_note
from indexing.records import PassageId, Query
from indexing.whitespace import squeeze
from training.judgments.agreement import by_query, median_grades
from training.judgments.export import query_ids
from training.judgments.feedback import FeedbackStore, Grade
from training.judgments.marked import line_field, qrels_lines, query_lines, text_of

JSON = ".json"
MADE_BY = "Judgments from Second Look"


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
        CorpusError: an id can't stand in a line of fields, where it would be read as a comment, say.
        SettingsError: one of the files exists already; one of queries may, with these same lines.
    """
    paths = {kind: folder / f"{kind}.{judged.split}.tsv" for kind in ("queries", "qrels")}
    grades = qrels_lines(judged.queries, judged.qrels, mark=line_field(judged.source or "0"))
    texts = {"queries": text_of(query_lines(judged.queries)), "qrels": text_of(grades)}
    _check_ids(judged, texts)
    for kind, path in paths.items():
        begun = kind == "queries" and path.is_file() and path.read_bytes() == texts[kind].encode()
        if path.exists() and not begun:  # else it was killed between the two files
            raise SettingsError(f"{path} exists already; give another --output or --split, or move it away.")
    for kind, path in paths.items():
        atomic.write_text(path, texts[kind])


def _check_ids(judged: JudgedSet, texts: Mapping[str, str]) -> None:
    """Raise CorpusError for an id that isn't read as it stands in the lines of these files."""
    with tempfile.TemporaryDirectory(prefix="second-look-judged-") as name:
        paths = {kind: Path(name) / f"{kind}.tsv" for kind in texts}
        for kind, path in paths.items():
            path.write_text(texts[kind], encoding="utf-8")
        try:
            again = read_judged(paths["queries"], paths["qrels"], split=judged.split, note=silent_note).qrels
        except CorpusError:
            again = {}
    for query in judged.queries:
        if again.get(query.id) != judged.qrels[query.id]:
            raise CorpusError(
                f"Query id {str(query.id)[:80]!r}, or the id of one of its passages, would be read differently from "
                "the file that is to hold it; rename it, with neither '#' nor a quotation mark at its beginning."
            )


def export_judgments(judged: JudgedSet, file: Path) -> int:
    """Write a judged set as `query,docid,rating`, or a `.json` as OpenSearch's judgment list; the number of judgments.

    Raises:
        CorpusError: two queries have the same text, which neither can tell apart.
    """
    seen: dict[str, Query] = {}
    for query in judged.queries:
        other = seen.setdefault(squeeze(query.text), query)
        if other is not query:
            raise CorpusError(
                f"Queries {other.id!r} and {query.id!r} have the same text, {query.text[:80]!r}, by which Quepid and "
                "OpenSearch name queries; leave one out."
            )
    if file.suffix == JSON:
        return write_opensearch(file, judged)
    return write_quepid(file, judged.queries, judged.qrels)


def write_opensearch(file: Path, judged: JudgedSet) -> int:
    """Write the request that brings a judgment list into OpenSearch's Search Relevance Workbench; its judgments.

    Source: docs.opensearch.org, "Judgments", the example of `PUT _plugins/_search_relevance/judgments`.
    """
    ratings = [
        {
            "query": squeeze(query.text),
            "ratings": [{"docId": name, "rating": f"{grade:.1f}"} for name, grade in judged.qrels[query.id].items()],
        }
        for query in judged.queries
    ]
    request = {"name": file.stem, "description": MADE_BY, "type": "IMPORT_JUDGMENT", "judgmentRatings": ratings}
    atomic.write_text(file, json.dumps(request, ensure_ascii=False, indent=1) + "\n")
    return sum(len(entry["ratings"]) for entry in ratings)


def judged_in_store(store: FeedbackStore, index: str) -> JudgedSet:
    """The Teach page's grades of an index's passages; where raters differ the median, as in training."""
    grades = store.grades(index)
    ids, texts = query_ids(grades), {grade.normalized: grade.query for grade in grades}
    medians = {
        ids[key]: {PassageId(name): grade for name, grade in median_grades(of, passage=_passage).items()}
        for key, of in by_query(grades).items()
    }
    return JudgedSet("feedback", tuple(Query(ids[key], text) for key, text in texts.items()), medians)


def _passage(grade: Grade) -> PassageId:
    return grade.passage_id
