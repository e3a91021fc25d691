"""A source of training data, parsed from the text that names it; `str` turns it back into the same text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexing.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class SourceForm:
    """One form of source: what it is read from, and its options."""

    place: str
    """What follows the colon, as help and messages show it: FILE, FOLDER, NAME or INDEX."""
    needs: tuple[str, ...] = ()
    """Required options."""
    may: tuple[str, ...] = ()
    """Further options that are allowed."""
    placeless: bool = False
    """Whether the form may be used alone, without a place."""
    of_ms_marco: bool = False
    """Whether only MS MARCO's own files come in this form."""

    def usage(self, form: str) -> str:
        """The syntax of a source of this form."""
        needs = "".join(f",{name}={_kind(name)}" for name in self.needs)
        may = "".join(f"[,{name}={_kind(name)}]" for name in self.may)
        return f"{form}, " * self.placeless + f"{form}:{self.place}{needs}{may}"


SOURCE_FORMS: Mapping[str, SourceForm] = {
    "hub": SourceForm(place="FOLDER", placeless=True),
    "index": SourceForm(place="NAME"),
    "judged": SourceForm(place="INDEX", needs=("queries", "qrels")),
    "jsonl": SourceForm(place="FILE"),
    "lists": SourceForm(place="FILE", may=("teacher",)),
    "triples": SourceForm(place="FILE", of_ms_marco=True),
    "qidpidtriples": SourceForm(place="FILE", needs=("queries",), of_ms_marco=True),
    "top1000": SourceForm(place="FILE", needs=("qrels",), of_ms_marco=True),
    "run": SourceForm(place="FILE", needs=("index",), may=("queries",)),
    "mined": SourceForm(place="FOLDER"),
    "feedback": SourceForm(place="FILE"),
}
"""`hub` is the recipe's data on the Hugging Face hub, or a folder in the hub's layout; `index` the judged train
queries beside an index's corpus; `judged` other judgments of an index's passages; `lists` lists of graded or scored
candidates, perhaps with teachers' scores in other files (FILE, or FILE+FILE); `mined` the output of `training
mine`; `feedback` an export of the Teach page's grades; the others are common file formats of the field."""


@dataclass(frozen=True)
class Source:
    """Where examples come from, and the options that they are read with."""

    form: str
    """One of SOURCE_FORMS."""
    place: str = ""
    """A file, a folder or an index's name, depending on the form; empty for the recipe's data on the hub."""
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
                raise SettingsError(f"{str(self)!r} has {name} twice; remove {earlier} or {value}.")
            if name not in (*form.needs, *form.may):
                raise SettingsError(f"{self.form}:{self.place} takes no {name}; remove {value}.")
        for name in form.needs:
            if not values.get(name):
                raise SettingsError(f"{self.form}:{self.place} needs {name}; add ,{name}={_kind(name)}.")

    @classmethod
    def parse(cls, text: str) -> "Source":
        """The source that is written as FORM:PLACE, followed by ,NAME=VALUE for each option.

        Text that isn't an option of the form belongs to the place, because a path may contain commas.

        Raises:
            SettingsError: the form is unknown, its place or an option is missing, or an option appears twice.
        """
        name, _, rest = text.partition(":")
        form = SOURCE_FORMS.get(name)
        options = "|".join((*form.needs, *form.may)) if form is not None else ""
        place, *values = re.split(rf",({options})=", rest) if options else [rest]
        if form is None or not (place or form.placeless):
            raise SettingsError(f"{text!r} names no training data; give {SOURCE_USAGE}.")
        return cls(name, place, tuple(zip(values[::2], values[1::2], strict=True)))

    def __str__(self) -> str:
        """The text that `parse` reads."""
        options = "".join(f",{name}={value}" for name, value in self.options)
        return f"{self.form}:{self.place}{options}" if self.place or options else self.form

    @property
    def path(self) -> Path:
        """The file or folder that it is read from."""
        return Path(self.place)

    @property
    def queries(self) -> Path | None:
        """The file of its queries; None if the source includes their texts or uses those of an index's corpus."""
        return self._optional_file("queries")

    @property
    def qrels(self) -> Path | None:
        """The file of its judgments; None if the source includes them."""
        return self._optional_file("qrels")

    @property
    def teachers(self) -> tuple[Path, ...]:
        """The files of teachers' scores of its lists; empty if it names none."""
        value = dict(self.options).get("teacher", "")
        return (Path(value),) if Path(value).is_file() else tuple(map(Path, filter(None, value.split("+"))))

    @property
    def index(self) -> str:
        """Name of the index that holds its passages; empty for none."""
        return self.place if self.mines else dict(self.options).get("index", "")

    @property
    def mines(self) -> bool:
        """Whether its examples are filled up with negatives mined from its index."""
        return self.form in ("index", "judged")

    @property
    def from_hub(self) -> bool:
        """Whether it is the recipe's data on the hub, which differs by recipe."""
        return self.form == "hub"

    @property
    def has_corpus_queries(self) -> bool:
        """Whether its queries, and so their ids, are those of its index's corpus."""
        return self.form == "index" or (self.form == "run" and self.queries is None)

    @property
    def of_ms_marco(self) -> bool:
        """Whether only MS MARCO's own files come in its form."""
        return SOURCE_FORMS[self.form].of_ms_marco

    def label(self) -> str:
        """The name that its examples carry: its form and the name of its file, of lists that of their folder."""
        return f"{self.form} {self.path.resolve().parent.name if self.form == 'lists' else self.path.name}"

    def check_files(self) -> None:
        """Raise SettingsError if a file or folder that it names doesn't exist."""
        kind = SOURCE_FORMS[self.form].place
        if kind in ("FILE", "FOLDER") and self.place:
            exists = self.path.is_file() if kind == "FILE" else self.path.is_dir()
            if not exists:
                raise SettingsError(
                    f"The {kind.lower()} {self.path} of source {self.form} doesn't exist; give one that does."
                )
        for name, file in self._files():
            if not file.is_file():
                raise SettingsError(f"The {name} file {file} doesn't exist; give one that does.")

    def without_folders(self) -> "Source":
        """The source with bare file and folder names in place of paths, as published manifests store it."""
        place = self.place if self.mines else self.path.name
        files: dict[str, str] = {}
        for name, file in self._files():
            files[name] = f"{files[name]}+{file.name}" if name in files else file.name
        return replace(self, place=place, options=tuple((name, files.get(name, value)) for name, value in self.options))

    def file(self, name: str) -> Path:
        """The file that a required option names."""
        return Path(dict(self.options)[name])

    def _optional_file(self, name: str) -> Path | None:
        value = dict(self.options).get(name)
        return Path(value) if value else None

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Name and file of each option that names a file."""
        for name, value in self.options:
            if name == "teacher":
                yield from ((name, path) for path in self.teachers)
            elif _kind(name) == "FILE":
                yield name, Path(value)


def _kind(option: str) -> str:
    return "NAME" if option == "index" else "FILE"


_USAGES = [form.usage(name) for name, form in SOURCE_FORMS.items()]
SOURCE_USAGE = f"{', '.join(_USAGES[:-1])} or {_USAGES[-1]}"
"""The syntax of every form, for help and messages."""
