"""How a source of training data is written: FORM:PLACE, and behind it ,NAME=VALUE for what it is read with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexing.errors import SettingsError

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


NEEDS: Mapping[str, tuple[str, ...]] = {
    "qidpidtriples": ("queries",),
    "top1000": ("qrels",),
    "run": ("index",),
    "judged": ("queries", "qrels"),
}
"""What a form is read with besides its own place."""
MAY: Mapping[str, tuple[str, ...]] = {"run": ("queries",)}
"""What it is read with where that is given."""


def split_source(source: str) -> tuple[str, str, dict[str, str]]:
    """Form, place and options by name; the place is empty where there is none.

    What isn't an option of the form belongs to the place, as a path may hold commas.

    Raises:
        SettingsError: an option is given twice.
    """
    form, _, rest = source.partition(":")
    names = [*NEEDS.get(form, ()), *MAY.get(form, ())]
    if not names:
        return form, rest, {}
    place, *found = re.split(rf",({'|'.join(names)})=", rest)
    options: dict[str, str] = {}
    for name, value in zip(found[::2], found[1::2], strict=True):
        if name in options:
            raise SettingsError(f"{source!r} has two {name}; leave {options[name]} or {value} out.")
        options[name] = value
    return form, place, options


def index_of(source: str) -> str:
    """Name of the index that a source is read with; empty for none."""
    form, place, options = split_source(source)
    return place if form in ("index", "judged") else options.get("index", "")
