"""The judged splits beside a corpus: queries with a text, and the judgments of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from indexing.errors import SettingsError
from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from indexing.notes import Note, counted, log_note, shown
from indexing.records import Qrels, Query, QueryId
from indexing.whitespace import squeeze

SPLITS = {"train": ("train",), "dev": ("dev", "validation"), "test": ("test",)}  # our name: names in files


@dataclass(frozen=True)
class JudgedSet:
    """One split of a collection: the queries that have judgments and a text, and their judgments."""

    split: str
    queries: tuple[Query, ...]
    qrels: Qrels
    """Of these queries alone, so that a mean over them is a mean over judged queries with a text."""
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    """What was left out, cut or counted when the files were read, in sentences."""
    without_text: tuple[QueryId, ...] = field(default=(), kw_only=True)
    """Queries that are judged but have no text in the file of queries; they are in neither `queries` nor `qrels`."""

    def find(self, text: str) -> Query | None:
        """The first query that equals `text` apart from case, white space and final punctuation."""
        normalized = normalize_query(text)
        return next((query for query in self.queries if normalize_query(query.text) == normalized), None)


def read_judged(queries: Path, qrels: Path, *, split: str, note: Note = log_note) -> JudgedSet:
    """The judged set of a file of queries and a file of their judgments; each note goes to `note` too.

    Raises:
        CorpusError: a file can't be read as given.
    """
    notes: list[str] = []

    def tell(sentence: str) -> None:
        notes.append(sentence)
        note(sentence)

    texts = read_queries(queries, note=tell)
    judgments = read_qrels(qrels, note=tell)
    judged = tuple(query for query in texts if query.id in judgments)
    known = {query.id for query in judged}
    lost = tuple(query_id for query_id in judgments if query_id not in known)
    if lost and judged:
        tell(
            f"{counted(len(lost), 'judged query', 'judged queries')} of {qrels} left out, without a text in "
            f"{queries}: {shown(lost)}."
        )
    return JudgedSet(
        split, judged, {query.id: judgments[query.id] for query in judged}, notes=tuple(notes), without_text=lost
    )


def judged_sets(folder: Path, *, note: Note = log_note) -> dict[str, JudgedSet]:
    """The judged splits beside a corpus, by train, dev and test; each set holds its notes, and `note` gets them too.

    Reads MS MARCO's and TREC's queries[.SPLIT].tsv with qrels[.SPLIT].tsv or .txt, where qrels without a split are
    the test split's, and BEIR's queries.jsonl with qrels/SPLIT.tsv. A split called validation is dev.
    """
    sets = {}
    root = folder if folder.is_dir() else folder.parent
    for split, names in SPLITS.items():
        qrels_path = _first(root, *(form for name in names for form in _qrels_forms(name)))
        if qrels_path is None and split == "test":
            qrels_path = _first(root, "qrels.txt", "qrels.tsv")
        queries_path = _first(root, *(f"queries.{name}.tsv" for name in names), "queries.tsv", "queries.jsonl")
        if qrels_path is None or queries_path is None:
            continue
        sets[split] = read_judged(queries_path, qrels_path, split=split, note=note)
    return sets


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
        raise SettingsError(f"The corpus of index {index} has no judged {split} queries (there: {names}); {advice}.")
    return judged


def _qrels_forms(split: str) -> tuple[str, ...]:
    return f"qrels.{split}.tsv", f"qrels.{split}.txt", f"qrels/{split}.tsv"


def _first(root: Path, *names: str) -> Path | None:
    return next((root / name for name in names if (root / name).is_file()), None)


def normalize_query(text: str) -> str:
    """A query in the form used for comparison: lower case, single spaces, no final punctuation."""
    return squeeze(text.lower()).rstrip(" ?.!")
