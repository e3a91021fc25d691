"""The judged splits beside a corpus: queries with a text, and the judgments of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexing.errors import SettingsError
from indexing.judged.by_text import name_queries
from indexing.judged.qrels import read_judgments
from indexing.judged.queries import normalize_query, read_queries
from indexing.notes import Note, counted, log_note, shown, silent_note
from indexing.records import Qrels, Query, QueryId

PLAIN_QRELS = (".tsv", ".txt", ".csv", ".trec", ".qrels", ".json", ".jsonl")
PLAIN_QUERIES = (".tsv", ".jsonl", ".csv", ".json", ".txt")
QRELS_ENDINGS = (*PLAIN_QRELS, *(f"{ending}.gz" for ending in PLAIN_QRELS))
QUERIES_ENDINGS = (*PLAIN_QUERIES, *(f"{ending}.gz" for ending in PLAIN_QUERIES))
SPLITS = {"train": ("train",), "dev": ("dev", "validation"), "test": ("test",)}  # our name: names in files


@dataclass(frozen=True)
class JudgedSet:
    """One split of a collection: the queries that have judgments and a text, and their judgments."""

    split: str
    queries: tuple[Query, ...]
    qrels: Qrels
    """Of these queries alone, so that a mean over them is a mean over judged queries with a text."""
    notes: tuple[str, ...] = field(default=(), kw_only=True, compare=False)
    """What was left out, cut or counted when the files were read, in sentences."""
    without_text: tuple[QueryId, ...] = field(default=(), kw_only=True)
    """Queries that are judged but have no text in the file of queries; they are in neither `queries` nor `qrels`."""
    source: str = field(default="", kw_only=True)
    """Who judged: empty for people, else one of the marks that `indexing.judged.qrels` reads."""

    def find(self, text: str) -> Query | None:
        """The first query that equals `text` apart from case, white space and final punctuation."""
        normalized = normalize_query(text)
        return next((query for query in self.queries if normalize_query(query.text) == normalized), None)


def read_judged(queries: Path | None, qrels: Path, *, split: str, note: Note = log_note) -> JudgedSet:
    """The judged set of a file of queries and a file of their judgments; each note goes to `note` too.

    Judgments that name queries by their texts (Quepid's) need no file of queries.

    Raises:
        CorpusError: a file can't be read as given.
    """
    notes: list[str] = []

    def tell(sentence: str) -> None:
        notes.append(sentence)
        note(sentence)

    texts = [] if queries is None else read_queries(queries, note=tell)
    judgments = read_judgments(qrels, note=tell)
    if judgments.by_text:
        texts, grades = name_queries(judgments, texts, path=qrels, note=tell)
    else:
        grades = {QueryId(query): judged for query, judged in judgments.grades.items()}
    judged_queries = tuple(query for query in texts if query.id in grades)
    known = {query.id for query in judged_queries}
    lost = tuple(query_id for query_id in grades if query_id not in known)
    if lost:
        what = counted(len(lost), "judged query has", "judged queries have")
        are = "is" if len(lost) == 1 else "are"
        tell(f"{qrels}: {what} no text in {queries} and {are} left out: {shown(lost)}.")
    with_text = {query.id: grades[query.id] for query in judged_queries}
    return JudgedSet(split, judged_queries, with_text, notes=tuple(notes), without_text=lost, source=judgments.source)


def judged_sets(folder: Path, *, note: Note = log_note) -> dict[str, JudgedSet]:
    """The judged splits beside a corpus, by train, dev and test; each set holds its notes, and `note` gets them too.

    Reads MS MARCO's and TREC's queries[.SPLIT].tsv with qrels[.SPLIT].tsv or .txt, where qrels without a split are
    the test split's, BEIR's queries.jsonl with qrels/SPLIT.tsv, and Quepid's judgments as qrels.SPLIT.csv; each may be
    gzipped, and have one of the other endings in QRELS_ENDINGS and QUERIES_ENDINGS. A split called validation is dev.
    """
    sets = {}
    root = folder if folder.is_dir() else folder.parent
    unread = _judgments_in(root)
    for split, names in SPLITS.items():
        qrels = split_qrels(root, split)
        if qrels is None:
            continue
        unread.discard(qrels)
        if not qrels.stat().st_size:  # as an export of feedback without grades writes it
            note(f"{qrels} is empty, so that there are no judged {split} queries.")
            continue
        present = _present(root, *(f"{stem}{end}" for stem in _queries_stems(names) for end in QUERIES_ENDINGS))
        queries = present[0] if present else None
        if queries is not None and (same := [path for path in present[1:] if _stem(path) == _stem(queries)]):
            note(f"{queries} is read, and not {', '.join(path.name for path in same)} beside it; keep one of them.")
        if queries is None and not read_judgments(qrels, note=silent_note).by_text:
            note(f"{qrels} isn't read: no file of queries lies beside it, such as queries.{split}.tsv.")
            continue
        sets[split] = read_judged(queries, qrels, split=split, note=note)
    if unread:
        listed = shown(sorted(str(path.relative_to(root)) for path in unread))
        are = "isn't" if len(unread) == 1 else "aren't"
        note(f"{root}: {listed} {are} read as judgments; one file a split is, such as qrels.test.tsv.")
    return sets


def split_qrels(folder: Path, split: str) -> Path | None:
    """The file beside a corpus that holds the judgments of a split, which must be a key of SPLITS; None for none."""
    qrels = _first(folder, *(form for name in SPLITS[split] for form in _qrels_forms(name)))
    if qrels is None and split == "test":
        qrels = _first(folder, *(f"qrels{ending}" for ending in QRELS_ENDINGS))
    return qrels


def pick_split(
    sets: Mapping[str, JudgedSet], split: str, *, index: str, advice: str = "give another --split or --index"
) -> JudgedSet:
    """One of the judged splits beside the corpus of an index.

    Raises:
        SettingsError: there is no split of that name, or none of its queries is judged.
    """
    judged = sets.get(split)
    if judged is None or not judged.queries:
        names = ", ".join(name for name, known in sets.items() if known.queries) or "none"
        if judged is not None and judged.without_text:
            raise SettingsError(
                f"None of the {len(judged.without_text):,} judged {split} queries of index {index} has a text in the "
                f"file of queries ({shown(judged.without_text)}); give queries with these ids."
            )
        raise SettingsError(f"The corpus of index {index} has no judged {split} queries (there: {names}); {advice}.")
    return judged


def _qrels_forms(split: str) -> Iterator[str]:
    """Names of a split's judgments, the usual ones first."""
    yield from (f"qrels.{split}.tsv", f"qrels.{split}.txt", f"qrels/{split}.tsv")
    yield from (f"{stem}{split}{ending}" for stem in ("qrels.", "qrels/") for ending in QRELS_ENDINGS)


def _queries_stems(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*(f"queries.{name}" for name in names), "queries")


def _first(root: Path, *names: str) -> Path | None:
    return next(iter(_present(root, *names)), None)


def _present(root: Path, *names: str) -> list[Path]:
    return [root / name for name in names if (root / name).is_file()]


def _stem(path: Path) -> str:
    """The name without the ending of its form."""
    return path.name.removesuffix(".gz").rpartition(".")[0]


def _judgments_in(root: Path) -> set[Path]:
    """Files of judgments in a corpus's folder, by their names."""
    return {
        path
        for pattern in ("qrels*", "qrels/*")
        for path in root.glob(pattern)
        if path.name.endswith((*QRELS_ENDINGS, ".parquet")) and path.is_file() and not path.name.startswith(".")
    }
