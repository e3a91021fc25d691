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
from training.groups import GroupSettings
from training.mined_files import list_ids, manifest, read_rows
from training.msmarco_files import id_triples, top1000, triples
from training.passage_lists import Entry, PassageList, Skipped, examples
from training.run_data import run_lists
from training.sources import MAY, NEEDS, split_source

FORMS = ("jsonl", "triples", "qidpidtriples", "top1000", "run", "mined", "feedback")
SPELLED = (
    "jsonl:FILE, triples:FILE, qidpidtriples:FILE,queries=FILE, top1000:FILE,qrels=FILE, "
    "run:FILE,index=NAME[,queries=FILE], mined:FOLDER or feedback:FILE"
)


@dataclass(frozen=True)
class LocalSource:
    """A file or folder of judgments, and how it is to be read."""

    form: str
    """One of FORMS."""
    path: Path
    """The file; of `mined` the folder. Files may be packed as .gz, a run may not."""
    queries: Path | None = None
    """Texts of the queries, `id TAB text`: for `qidpidtriples`, and for a `run` of others than the corpus's."""
    qrels: Path | None = None
    """Judgments: for `top1000`."""
    index: str = ""
    """Name of the index that holds the passages of a `run`."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise SettingsError(f"Training data in the form {self.form!r} can't be read; give {SPELLED}.")
        if not (self.path.is_dir() if self.form == "mined" else self.path.is_file()):
            kind = "folder" if self.form == "mined" else "file"
            raise SettingsError(f"There is no {kind} {self.path} to read {self.form} from; give one that is there.")
        needs, may = NEEDS.get(self.form, ()), MAY.get(self.form, ())
        for name, given in (("queries", self.queries), ("qrels", self.qrels), ("index", self.index)):
            if name in needs and not given:
                what = "NAME" if name == "index" else "FILE"
                raise SettingsError(f"{self.form}:{self.path} is read with {name}; add ,{name}={what}.")
            if given and name not in (*needs, *may):
                raise SettingsError(f"{self.form}:{self.path} is read without {name}; leave {given} out.")
            if isinstance(given, Path) and not given.is_file():
                raise SettingsError(f"There is no file {given} of {name}; give one that is there.")

    @property
    def name(self) -> str:
        """What examples say of where they come from."""
        return f"{self.form} {self.path.name}"


def parse_source(text: str) -> LocalSource:
    """The source that is written as FORM:PATH, with what sources.NEEDS and MAY name of its form behind it.

    Raises:
        SettingsError: it is written otherwise, or a file isn't there.
    """
    form, path, options = split_source(text)
    if not path or form not in FORMS:
        raise SettingsError(f"{text!r} names no training data; give {SPELLED}.")
    index = options.pop("index", "")
    return LocalSource(form, Path(path), **{name: Path(file) for name, file in options.items()}, index=index)


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
    out. `index` holds the passages of `qidpidtriples` and of a `run`, whose passages run_data.run_lists draws.

    Raises:
        SettingsError: `per_query` is below 2, or the index is missing.
        CorpusError: while it is read, at the first line that can't be, by file and line.
        TrainingError: while it is read, where a folder holds no mined lists, or a run nothing that is known.
    """
    if per_query < 2:
        raise SettingsError(f"{per_query} passages a query were asked for; give 2 or more.")
    lists = _lists(source, index, GroupSettings(per_query=per_query, seed=seed), skipped)
    return examples(lists, source=source.name, per_query=per_query, seed=seed, skipped=skipped)


def _lists(
    source: LocalSource, index: Index | None, settings: GroupSettings, skipped: Skipped
) -> Iterator[PassageList]:
    match source:
        case LocalSource("triples", path):
            return triples(path, per_query=settings.per_query)
        case LocalSource("qidpidtriples", path, Path() as queries):
            if index is None:
                raise SettingsError(f"{path} holds ids alone; give the index that holds their passages.")
            return id_triples(path, queries=queries, index=index, per_query=settings.per_query, skipped=skipped)
        case LocalSource("run", path, queries):
            if index is None:
                raise SettingsError(f"{path} holds ids alone; give the index that holds their passages.")
            return run_lists(path, index=index, queries=queries, settings=settings, skipped=skipped)
        case LocalSource("top1000", path, qrels=Path() as qrels):
            return top1000(path, qrels=qrels, skipped=skipped)
        case LocalSource("mined", path):
            return _mined(path)
        case LocalSource("feedback", path):
            return feedback_lists(path, skipped=skipped)
    return data_lines(source.path, _json_list)


def _mined(folder: Path) -> Iterator[PassageList]:
    rows = read_rows(folder, "labeled-lists", scores=manifest(folder)["scores"])
    for row, query_id in zip(rows, list_ids(folder), strict=True):
        scores = row.get("scores") or [None] * len(row["passages"])
        entries = [Entry(*values) for values in zip(row["passages"], row["labels"], scores, strict=True)]
        yield PassageList(row["query"], entries, query_id)


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
