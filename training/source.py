"""A source of training data: parsed once from what a person writes, and written back the same."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexing.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class SourceForm:
    """What a form of source is read from and with."""

    place: str
    """What stands behind the colon, in words for people: FILE, FOLDER, NAME or INDEX."""
    needs: tuple[str, ...] = ()
    """Options that it can't be read without."""
    may: tuple[str, ...] = ()
    """Options that it may have too."""
    placeless: bool = False
    """Whether it may stand alone, without a place."""
    of_ms_marco: bool = False
    """Whether only MS MARCO's own files come in this form."""

    def usage(self, form: str) -> str:
        """How a source of this form is written."""
        needs = "".join(f",{name}={_kind(name)}" for name in self.needs)
        may = "".join(f"[,{name}={_kind(name)}]" for name in self.may)
        return f"{form}, " * self.placeless + f"{form}:{self.place}{needs}{may}"


SOURCE_FORMS: Mapping[str, SourceForm] = {
    "hub": SourceForm(place="FOLDER", placeless=True),
    "index": SourceForm(place="NAME"),
    "judged": SourceForm(place="INDEX", needs=("queries", "qrels")),
    "jsonl": SourceForm(place="FILE"),
    "triples": SourceForm(place="FILE", of_ms_marco=True),
    "qidpidtriples": SourceForm(place="FILE", needs=("queries",), of_ms_marco=True),
    "top1000": SourceForm(place="FILE", needs=("qrels",), of_ms_marco=True),
    "run": SourceForm(place="FILE", needs=("index",), may=("queries",)),
    "mined": SourceForm(place="FOLDER"),
    "feedback": SourceForm(place="FILE"),
}
"""`hub` is what the recipe has on the Hugging Face hub, or a folder in the hub's layout; `index` the judged train
queries beside an index's corpus; `judged` other judgments of an index's passages; `mined` what `training mine` wrote;
`feedback` an export of the Teach page's grades; the others are files of the field."""


@dataclass(frozen=True)
class Source:
    """Where examples come from, and what they are read with."""

    form: str
    """One of SOURCE_FORMS."""
    place: str = ""
    """A file, a folder or an index's name, by form; empty for what the recipe has on the hub."""
    options: tuple[tuple[str, str], ...] = ()
    """Names and values, in the order in which they were written."""

    def __post_init__(self) -> None:
        form = SOURCE_FORMS.get(self.form)
        if form is None or not (self.place or form.placeless):
            raise SettingsError(f"{str(self)!r} names no training data; give {SOURCE_USAGE}.")
        values = dict(self.options)
        for place, (name, value) in enumerate(self.options):
            earlier = dict(self.options[:place]).get(name)
            if earlier is not None:
                raise SettingsError(f"{str(self)!r} has two {name}; leave {earlier} or {value} out.")
            if name not in (*form.needs, *form.may):
                raise SettingsError(f"{self.form}:{self.place} is read without {name}; leave {value} out.")
        for name in form.needs:
            if not values.get(name):
                raise SettingsError(f"{self.form}:{self.place} is read with {name}; add ,{name}={_kind(name)}.")

    @classmethod
    def parse(cls, text: str) -> "Source":
        """The source that is written as FORM:PLACE, with ,NAME=VALUE behind it for each option of its form.

        What isn't an option of the form belongs to the place, as a path may hold commas.

        Raises:
            SettingsError: it names no form, or lacks its place or an option, or has an option twice.
        """
        name, _, rest = text.partition(":")
        form = SOURCE_FORMS.get(name)
        options = "|".join((*form.needs, *form.may)) if form is not None else ""
        place, *values = re.split(rf",({options})=", rest) if options else [rest]
        if form is None or not (place or form.placeless):
            raise SettingsError(f"{text!r} names no training data; give {SOURCE_USAGE}.")
        return cls(name, place, tuple(zip(values[::2], values[1::2], strict=True)))

    def __str__(self) -> str:
        """What `parse` reads."""
        options = "".join(f",{name}={value}" for name, value in self.options)
        return f"{self.form}:{self.place}{options}" if self.place or options else self.form

    @property
    def path(self) -> Path:
        """The file or folder that it is read from."""
        return Path(self.place)

    @property
    def queries(self) -> Path | None:
        """The file of its queries; None where it brings their texts, or takes those of an index's corpus."""
        return self._optional_file("queries")

    @property
    def qrels(self) -> Path | None:
        """The file of its judgments; None where it brings them."""
        return self._optional_file("qrels")

    @property
    def index(self) -> str:
        """Name of the index whose passages it is about; empty for none."""
        return self.place if self.mines else dict(self.options).get("index", "")

    @property
    def mines(self) -> bool:
        """Whether its examples are filled up with negatives mined from its index."""
        return self.form in ("index", "judged")

    @property
    def from_hub(self) -> bool:
        """Whether it is what a recipe has on the hub, which differs by recipe."""
        return self.form == "hub"

    @property
    def has_corpus_queries(self) -> bool:
        """Whether its queries are those beside the corpus of its index, so that their ids are the corpus's own."""
        return self.form == "index" or (self.form == "run" and self.queries is None)

    @property
    def of_ms_marco(self) -> bool:
        """Whether only MS MARCO's own files come in its form."""
        return SOURCE_FORMS[self.form].of_ms_marco

    def label(self) -> str:
        """How its examples name it: its form and the name of its file."""
        return f"{self.form} {self.path.name}"

    def check_files(self) -> None:
        """Raise SettingsError where a file or folder that it names doesn't exist."""
        kind = SOURCE_FORMS[self.form].place
        if kind in ("FILE", "FOLDER") and self.place:
            exists = self.path.is_file() if kind == "FILE" else self.path.is_dir()
            if not exists:
                raise SettingsError(
                    f"There is no {kind.lower()} {self.path} to read {self.form} from; give one that exists."
                )
        for name, file in self._files():
            if not file.is_file():
                raise SettingsError(f"There is no file {file} of {name}; give one that exists.")

    def without_folders(self) -> "Source":
        """The source with the names of its files and folders alone, as a published manifest has it."""
        place = self.place if self.mines else self.path.name
        files = {name: file.name for name, file in self._files()}
        return replace(self, place=place, options=tuple((name, files.get(name, value)) for name, value in self.options))

    def file(self, name: str) -> Path:
        """The file of an option that its form needs."""
        return Path(dict(self.options)[name])

    def _optional_file(self, name: str) -> Path | None:
        value = dict(self.options).get(name)
        return Path(value) if value else None

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Names and files of its options."""
        return ((name, Path(value)) for name, value in self.options if _kind(name) == "FILE")


def _kind(option: str) -> str:
    return "NAME" if option == "index" else "FILE"


_USAGES = [form.usage(name) for name, form in SOURCE_FORMS.items()]
SOURCE_USAGE = f"{', '.join(_USAGES[:-1])} or {_USAGES[-1]}"
"""How sources of all forms are written, for help and messages."""
