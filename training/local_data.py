"""Streams examples from judgments on this disk, in each form that they come in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexing.errors import SettingsError
from indexing.index import Index
from indexing.records import QueryId
from training.data_lines import data_lines, identifier, json_record, numbers, text, texts
from training.examples import Example
from training.feedback_file import feedback_lists
from training.mined_files import manifest, read_rows
from training.msmarco_files import id_triples, top1000, triples
from training.passage_lists import Entry, PassageList, Skipped, examples

FORMS = ("jsonl", "triples", "qidpidtriples", "top1000", "mined", "feedback")
NEEDS = {"qidpidtriples": "queries", "top1000": "qrels"}
"""What a form is read with besides its own file."""
SPELLED = (
    "jsonl:FILE, triples:FILE, qidpidtriples:FILE,queries=FILE, top1000:FILE,qrels=FILE, mined:FOLDER or feedback:FILE"
)


@dataclass(frozen=True)
class LocalSource:
    """A file or folder of judgments, and how it is to be read."""

    form: str
    """One of FORMS."""
    path: Path
    """The file; of `mined` the folder. Files may be packed as .gz."""
    queries: Path | None = None
    """Texts of the queries, `id TAB text`: for `qidpidtriples`."""
    qrels: Path | None = None
    """Judgments: for `top1000`."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise SettingsError(f"Training data in the form {self.form!r} can't be read; give {SPELLED}.")
        if not (self.path.is_dir() if self.form == "mined" else self.path.is_file()):
            kind = "folder" if self.form == "mined" else "file"
            raise SettingsError(f"There is no {kind} {self.path} to read {self.form} from; give one that is there.")
        for name, file in (("queries", self.queries), ("qrels", self.qrels)):
            needed = NEEDS.get(self.form) == name
            if needed and file is None:
                raise SettingsError(f"{self.form}:{self.path} is read with {name}; add ,{name}=FILE.")
            if not needed and file is not None:
                raise SettingsError(f"{self.form}:{self.path} is read without {name}; leave {file} out.")
            if file is not None and not file.is_file():
                raise SettingsError(f"There is no file {file} of {name}; give one that is there.")

    @property
    def name(self) -> str:
        """What examples say of where they come from."""
        return f"{self.form} {self.path.name}"


def parse_source(text: str) -> LocalSource:
    """The source that is written as FORM:PATH, with `,queries=FILE` or `,qrels=FILE` behind it where it needs that.

    Raises:
        SettingsError: it is written otherwise, or a file isn't there.
    """
    form, colon, rest = text.partition(":")
    if not colon or not rest or form not in FORMS:
        raise SettingsError(f"{text!r} names no training data; give {SPELLED}.")
    needed = NEEDS.get(form)
    path, mark, file = rest.rpartition(f",{needed}=") if needed else ("", "", "")
    if needed is None or not mark:
        return LocalSource(form, Path(rest))
    return LocalSource(form, Path(path), **{needed: Path(file)})


def local_examples(
    source: LocalSource,
    *,
    index: Index | None = None,
    per_query: int = 8,
    seed: int = 17,
    skipped: Skipped = lambda _: None,
) -> Iterator[Example]:
    """The examples of a source in its order, read as they are taken, so that the first few cost little.

    An example has `per_query` passages at most, none twice, and at least one positive and one other passage unless it
    has scores; passage_lists.examples says which are kept. `skipped` is called with the reason for whatever is left
    out. `index` holds the passages of `qidpidtriples`.

    Raises:
        SettingsError: `per_query` is below 2, or the index is missing.
        CorpusError: while it is read, at the first line that can't be, by file and line.
        TrainingError: while it is read, where a folder holds no mined lists.
    """
    if per_query < 2:
        raise SettingsError(f"{per_query} passages a query were asked for; give 2 or more.")
    lists = _lists(source, index, per_query, skipped)
    return examples(lists, source=source.name, per_query=per_query, seed=seed, skipped=skipped)


def _lists(source: LocalSource, index: Index | None, per_query: int, skipped: Skipped) -> Iterator[PassageList]:
    match source:
        case LocalSource("triples", path):
            return triples(path, per_query=per_query)
        case LocalSource("qidpidtriples", path, Path() as queries):
            if index is None:
                raise SettingsError(f"{path} holds ids alone; give the index that holds their passages.")
            return id_triples(path, queries=queries, index=index, per_query=per_query, skipped=skipped)
        case LocalSource("top1000", path, qrels=Path() as qrels):
            return top1000(path, qrels=qrels, skipped=skipped)
        case LocalSource("mined", path):
            return _mined(path)
        case LocalSource("feedback", path):
            return feedback_lists(path, skipped=skipped)
    return data_lines(source.path, _json_list)


def _mined(folder: Path) -> Iterator[PassageList]:
    for row in read_rows(folder, "labeled-lists", scores=manifest(folder)["scores"]):
        scores = row.get("scores") or [None] * len(row["passages"])
        entries = [Entry(*values) for values in zip(row["passages"], row["labels"], scores, strict=True)]
        yield PassageList(row["query"], entries)


def _json_list(line: str) -> PassageList:
    record = json_record(line)
    query = text(record.get("query"), "query")
    query_id = identifier(record.get("query_id"), "query_id")
    if record.get("positives") is None and record.get("positive") is None:
        raise ValueError("there are no 'positives'")
    positives, negatives = _either(record, "positives", "positive"), _either(record, "negatives", "negative")
    grades = numbers(record, "grades")
    if grades is None:
        grades = [1.0] * len(positives)
    if len(grades) != len(positives) or not all(grade > 0 for grade in grades):
        raise ValueError(f"'grades' must be {len(positives)} numbers above 0, one for each positive")
    scores = numbers(record, "scores")
    given = [None] * (len(positives) + len(negatives)) if scores is None else scores
    if len(given) != len(positives) + len(negatives):
        raise ValueError(f"{len(given)} scores for {len(positives)} positives and {len(negatives)} negatives")
    labels = [*grades, *[0.0] * len(negatives)]
    entries = [Entry(*values) for values in zip([*positives, *negatives], labels, given, strict=True)]
    return PassageList(query, entries, None if query_id is None else QueryId(query_id))


def _either(record: Mapping[str, Any], many: str, one: str) -> list[str]:
    if record.get(many) is not None and record.get(one) is not None:
        raise ValueError(f"{many!r} and {one!r} are both given; keep one of them")
    return texts(record, many if record.get(one) is None else one)
