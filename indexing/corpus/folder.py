"""Finds the files that hold a corpus's passages in a folder, and says which files beside them aren't read."""

import errno
import hashlib
import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from indexing.corpus.files import (
    ABOUT,
    ARCHIVES,
    FEW,
    JUDGED,
    JUDGED_FOLDERS,
    LINE_ENDINGS,
    TABLES,
    UNPACK,
    may_hold_passages,
)
from indexing.errors import CorpusError
from indexing.notes import shown

NAMES = (*(table + packed for table in TABLES for packed in ("", ".gz")), *("collection" + end for end in ARCHIVES))
CORPUS_FORMS = "collection.tsv or corpus.jsonl, plain or .gz, collection.tar.gz, *.parquet, or *.txt"
TABLE_ENDINGS = (*LINE_ENDINGS, *(ending + ".gz" for ending in LINE_ENDINGS), *ARCHIVES)
JUDGED_SPLIT = re.compile(r"(queries|qrels)(\.(train|dev|validation|test))?\.\w+")
"""Those of a split, or of all."""
JUDGED_TEXT = re.compile(r"(queries|qrels)(\.\w+)?\.\w+")
"""Queries and qrels among a folder's texts; fewer names than of tables, for any text may be a passage."""
SYSTEM_FOLDERS = {"__MACOSX", "__pycache__"}
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db"}
SPLIT = re.compile(r"([A-Za-z]+)[-.].*")


@dataclass(frozen=True)
class Found:
    """The files of a corpus, in order, and sentences on what beside them isn't read."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What lies in a folder."""

    root: Path
    files: tuple[Path, ...]
    """Regular files, in the order of their paths, without hidden ones and copies that programs make."""
    hidden: tuple[Path, ...]
    """Hidden files and folders, and copies that programs make."""
    special: tuple[Path, ...]
    """Pipes, sockets, devices, links to nothing, and folders that are reached by a link."""

    def ending(self, *endings: str) -> list[Path]:
        """The files with one of these endings, in any case."""
        return [file for file in self.files if file.name.lower().endswith(endings)]


def corpus_files(path: Path) -> list[Path]:
    """The files that hold a corpus's passages, in order. Raises CorpusError if there are none."""
    return list(find_corpus(path).files)


def files_digest(path: Path) -> str:
    """A digest of the names, sizes and times of a corpus's files, which changes when one comes, goes or is replaced.

    Raises CorpusError as `find_corpus` does.
    """
    digest = hashlib.sha256()
    for file in corpus_files(path):
        state = file.stat()
        digest.update(repr((str(file.relative_to(path)), state.st_size, state.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]


def find_corpus(path: Path) -> Found:
    """The files of a corpus, and what is worth telling of the others.

    Raises:
        CorpusError: there are none, `path` is neither a file nor a folder, or a folder can't be listed.
    """
    if not str(path).isprintable() and _surrogate(str(path)):
        raise CorpusError(f"The name of corpus {os.fsencode(path)!r} is no UTF-8; rename it.")
    if not path.is_dir():
        return Found((_regular(path),), _packed_judgments(path))
    for name in NAMES:
        if (path / name).is_file():
            return Found((path / name,), _beside(path, name))
    listing = _list(path)
    return _parquet(listing) or _tables_first(listing) or _texts(listing)


def _packed_judgments(file: Path) -> tuple[str, ...]:
    """A sentence on queries and qrels inside of a zip archive, whose passages alone are read."""
    if not file.name.lower().endswith(".zip"):
        return ()
    try:
        with zipfile.ZipFile(file) as archive:
            members = [PurePosixPath(name) for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        return ()  # reading the passages tells it
    judged = [
        member.name
        for member in members
        if JUDGED.fullmatch(member.name) or (member.parent.name in JUDGED_FOLDERS and member.suffix)
    ]
    if not judged:
        return ()
    return (
        f"{file} also holds {', '.join(judged[:FEW])}, which are read from a folder alone: unpack it, and build from "
        "the folder, to evaluate with them.",
    )


def _surrogate(name: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in name)


def _regular(path: Path) -> Path:
    """The path if it is a regular file, else the reason why it can't be read as CorpusError."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not path.is_symlink():
            raise CorpusError(f"Corpus {path} doesn't exist. Give a folder or a file: {CORPUS_FORMS}.") from None
        raise CorpusError(
            f"Corpus {path} can't be read ({error.strerror}); give a folder or a file: {CORPUS_FORMS}."
        ) from None
    if not stat.S_ISREG(mode):
        raise CorpusError(
            f"Corpus {path} is {_kind(mode)}, which can't be read twice as a build must; give a file or a folder."
        )
    return path


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")


def _beside(root: Path, name: str) -> tuple[str, ...]:
    """A sentence on other files in the folder of the one that is read that may hold passages too."""
    others = [
        file
        for file in sorted(root.iterdir())
        if file.name.removesuffix(".gz") != name.removesuffix(".gz")
        and not file.name.startswith(".")
        and (file.name in NAMES or may_hold_passages(file.name))
        and file.is_file()
    ]
    return (
        (f"Of folder {root} {name} is read, and not {_names(others)}: give --corpus FILE for another.",)
        if others
        else ()
    )


def _list(root: Path) -> Listing:
    files: list[Path] = []
    hidden: list[Path] = []
    special: list[Path] = []
    for name, folders, names in os.walk(root, onerror=_raise):
        here = Path(name)
        for folder in list(folders):
            if folder.startswith(".") or folder in SYSTEM_FOLDERS:
                hidden.append(here / folder)
                folders.remove(folder)
            elif (here / folder).is_symlink():
                special.append(here / folder)
        for file in names:
            if _made_by_programs(file, names):
                hidden.append(here / file)
            else:
                (files if (here / file).is_file() else special).append(here / file)
    return Listing(root, tuple(sorted(files)), tuple(sorted(hidden)), tuple(sorted(special)))


def _raise(error: OSError) -> None:
    raise CorpusError(f"Folder {error.filename} can't be listed ({error.strerror}); make it readable.") from error


def _made_by_programs(name: str, names: Sequence[str]) -> bool:
    """Whether a file is hidden, a system's own, an editor's backup, or a notebook's checkpoint of another."""
    if name.startswith((".", "~$", "#")) or name.endswith("~") or name.lower() in SYSTEM_FILES:
        return True
    stem, dot, ending = name.rpartition(".")
    return stem.endswith("-checkpoint") and stem.removesuffix("-checkpoint") + dot + ending in names


def _parquet(listing: Listing) -> Found | None:
    """The Parquet files of the first of the root, `corpus`, `data` or the only other folder that has any."""
    files = [
        file
        for file in listing.ending(".parquet")
        if not JUDGED.fullmatch(file.name) and not JUDGED_FOLDERS & set(file.relative_to(listing.root).parts[:-1])
    ]
    if not files:
        return None
    folders = list(dict.fromkeys(file.parent for file in files))
    known = [folder for folder in (listing.root, listing.root / "corpus", listing.root / "data") if folder in folders]
    if not known and len(folders) > 1:
        names = ", ".join(str(folder) for folder in folders[:FEW])
        raise CorpusError(
            f"Folder {listing.root} has Parquet files in {names}; give one of them: --corpus {folders[0]}."
        )
    chosen = (known or folders)[0]
    files = [file for file in files if file.parent == chosen]
    splits = sorted(
        {match[1] for file in files if (match := SPLIT.fullmatch(file.name))} & {"train", "test", "validation", "dev"}
    )
    notes = []
    if elsewhere := [folder for folder in folders if folder != chosen]:
        notes.append(
            f"Of folder {listing.root} the Parquet files of {chosen} are read, and not those of "
            f"{', '.join(map(str, elsewhere[:FEW]))}; give --corpus FOLDER for another."
        )
    if len(splits) > 1:
        notes.append(f"The splits {', '.join(splits)} of {chosen} are read as one corpus; give --corpus FILE for one.")
    others = [file for file in listing.ending(*TABLE_ENDINGS) if not JUDGED.fullmatch(file.name)]
    others += [file for file in _passage_texts(listing) if not JUDGED.fullmatch(file.name)]
    if others:
        notes.append(f"Of folder {listing.root} the Parquet files are read, and not {_names(others)}.")
    return Found(tuple(files), (*notes, *_left_out(listing)))


def _tables_first(listing: Listing) -> Found | None:
    """Refuse a folder of tables with names of their own, unless texts lie beside them: those are the corpus then."""
    if _passage_texts(listing):
        return None
    root = listing.root
    tables = [
        file
        for file in listing.ending(*TABLE_ENDINGS, *UNPACK)
        if file.parent == root and not JUDGED.fullmatch(file.name)
    ]
    within = [file for file in listing.files if file.name in NAMES]
    if tables:
        names = ", ".join(file.name for file in tables[:FEW])
        advice = f"it does hold {names}: give the file itself, --corpus {tables[0]}"
    elif within:
        advice = f"its folder {within[0].parent} does: give --corpus {within[0].parent}"
    else:
        advice = (
            f"{_names(listing.files)} alone make none: give another folder" if listing.files else "give another folder"
        )
    raise CorpusError(f"Folder {root} holds no corpus, which would be {CORPUS_FORMS}; {advice}.")


def _passage_texts(listing: Listing) -> list[Path]:
    return [file for file in _unjudged(listing) if file.suffix.lower() == ".txt" and not ABOUT.fullmatch(file.name)]


def _unjudged(listing: Listing) -> Iterator[Path]:
    """The files that aren't queries or judgments beside the passages, by their names."""
    return (
        file
        for file in listing.files
        if file.parent != listing.root / "qrels"
        and (file.parent != listing.root or not JUDGED_TEXT.fullmatch(file.name))
    )


def _texts(listing: Listing) -> Found:
    """All texts that may be passages."""
    files = _passage_texts(listing)
    notes = []
    named = [
        file for file in listing.ending(".txt") if file.parent == listing.root and JUDGED_TEXT.fullmatch(file.name)
    ]
    if named := [file for file in named if not JUDGED_SPLIT.fullmatch(file.name)]:
        notes.append(f"Left out: {_names(named)}, by the name queries or judgments; rename it if it is a passage.")
    if about := [file for file in _unjudged(listing) if ABOUT.fullmatch(file.name)]:
        notes.append(f"Left out: {_names(about)}, by the name no passage; rename it if it is one.")
    if others := [file for file in _unjudged(listing) if file.suffix.lower() != ".txt"]:
        counts = Counter(file.suffix or file.name for file in others)
        endings = ", ".join(f"{count:,} {ending}" for ending, count in counts.most_common(FEW))
        notes.append(
            f"Of folder {listing.root} only the .txt files are read; left out: {endings} (such as {others[0].name}). "
            "If they hold passages, convert them to .txt, or give a table of them: --corpus FILE."
        )
    return Found(tuple(files), (*notes, *_left_out(listing)))


def _left_out(listing: Listing) -> tuple[str, ...]:
    told = []
    if listing.hidden:
        told.append(f"Left out as hidden files or programs' own copies: {_names(listing.hidden, listing.root)}.")
    if listing.special:
        told.append(
            f"Left out as pipes, devices, broken links or linked folders: {_names(listing.special, listing.root)}."
        )
    return tuple(told)


def _names(files: Iterable[Path], root: Path | None = None) -> str:
    """The names of a few files, and the number of the others."""
    names = [str(file.relative_to(root)) if root else file.name for file in files]
    return shown([name.encode("utf-8", "backslashreplace").decode() for name in names], most=FEW)
