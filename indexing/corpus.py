"""Reads passages from the forms that corpora come in, and names file and line of what can't be read.

Forms: MS MARCO `collection.tsv` (id TAB text), JSONL (BEIR's `corpus.jsonl`), a folder of `.txt`
files; `.gz` of the first two. Lines may end in CRLF and a file may start with a byte-order mark.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from indexing.errors import CorpusError, SettingsError
from indexing.records import Passage, PassageId

LINE_LIMIT = 10_000_000  # bytes; a longer line is a broken file, not a passage
NAMES = ("collection.tsv", "collection.tsv.gz", "corpus.jsonl", "corpus.jsonl.gz")
TEXT_FIELDS = ("text", "passage", "contents", "body")
SURROGATE = re.compile("[\ud800-\udfff]")
ID_FIELDS = ("_id", "id", "pid", "docid", "passage_id")


@dataclass
class Corpus:
    """Passages of one file or folder, read once and in order, with what was met on the way."""

    path: Path
    skip_bad_lines: bool = False
    skipped: list[str] = field(default_factory=list)
    """One sentence for each line left out, `skip_bad_lines` only."""
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __iter__(self) -> Iterator[Passage]:
        """Each passage once.

        Raises:
            CorpusError: nothing to read at `path`; or, unless `skip_bad_lines`, the first line with a
                field missing or empty, a repeated id, a NUL, bad UTF-8, or over 10 MB.
        """
        seen: set[PassageId] = set()
        for file in corpus_files(self.path):
            for place, parsed in _parsed_lines(file):
                fault = parsed if isinstance(parsed, str) else None
                if isinstance(parsed, Passage) and parsed.id in seen:
                    fault = f"passage id {parsed.id!r} appeared before"
                if fault is not None:
                    self._leave_out(f"{place}: {fault}")
                elif isinstance(parsed, Passage):
                    seen.add(parsed.id)
                    self._digest.update(f"{parsed.id}\0{parsed.title}\0{parsed.text}\0".encode())
                    yield parsed

    @property
    def fingerprint(self) -> str:
        """SHA-256 over ids, titles and texts read so far, first 16 digits."""
        return self._digest.hexdigest()[:16]

    def _leave_out(self, fault: str) -> None:
        if not self.skip_bad_lines:
            raise CorpusError(f"{fault}. Mend the line, or leave such lines out with --on-bad-line skip.")
        self.skipped.append(fault)


def corpus_files(path: Path) -> list[Path]:
    """The files that hold a corpus's passages, in order. Raises CorpusError where there are none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CorpusError(f"Corpus {path} doesn't exist. Give a folder, or one of its files: {', '.join(NAMES)}.")
    for name in NAMES:
        if (path / name).is_file():
            return [path / name]
    texts = sorted(path.rglob("*.txt"))
    if not texts:
        raise CorpusError(f"Folder {path} holds no corpus: none of {', '.join(NAMES)}, and no .txt files.")
    return texts


def source_bytes(path: Path) -> int:
    """Size of what is to be read, for progress before the passages are counted."""
    return sum(file.stat().st_size for file in corpus_files(path))


def _parsed_lines(file: Path) -> Iterator[tuple[str, Passage | str]]:
    """`file:line` and its passage, or what is wrong with the line."""
    name = file.name.removesuffix(".gz")
    if name.endswith(".txt"):
        yield str(file), _parse_text_file(file)
        return
    parsers: dict[str, Callable[[str], Passage | str]] = {".tsv": _parse_tsv, ".jsonl": _parse_json}
    parse = parsers.get(Path(name).suffix)
    if parse is None:
        raise SettingsError(f"Corpus file {file} ends in neither .tsv, .jsonl nor .txt; rename or convert it.")
    try:
        for number, line in enumerate(_lines(file), start=1):
            good, text = _decode(line)
            yield f"{file}:{number}", parse(text) if good else text
    except (OSError, EOFError, zlib.error) as error:  # a .gz that is cut off, or none
        raise CorpusError(f"{file} can't be read ({error}); fetch or pack it again.") from error


def _lines(file: Path) -> Iterator[bytes]:
    """Lines without their ending; a line over the limit comes cut, its rest passed over."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        first = True
        while line := stream.readline(LINE_LIMIT + 1):
            rest = line
            while len(rest) > LINE_LIMIT and not rest.endswith(b"\n"):
                rest = stream.readline(LINE_LIMIT + 1)
            yield (line.removeprefix(b"\xef\xbb\xbf") if first else line).rstrip(b"\r\n")
            first = False


def _decode(line: bytes) -> tuple[bool, str]:
    """True and the text, or False and what is wrong with the bytes."""
    if len(line) > LINE_LIMIT:
        return False, f"the line is longer than {LINE_LIMIT:,} bytes"
    if b"\0" in line:
        return False, "the line holds a NUL byte"
    try:
        return True, line.decode("utf-8")
    except UnicodeDecodeError as error:
        return False, f"byte {error.start + 1} of the line is no UTF-8"


def _parse_tsv(line: str) -> Passage | str:
    fields = line.split("\t")
    if len(fields) not in (2, 3):
        return f"{len(fields)} tab-separated fields, 2 (id, text) or 3 (id, text, title) are wanted"
    return _passage(fields[0], fields[1], fields[2] if len(fields) == 3 else "")


def _parse_json(line: str) -> Passage | str:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg} at character {error.pos + 1})"
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets nested as deep
        return f"not JSON that can be read ({error})"
    if not isinstance(record, dict):
        return "a JSON object is wanted"
    found = [next((record[name] for name in names if name in record), None) for names in (ID_FIELDS, TEXT_FIELDS)]
    if found[0] is None or found[1] is None:
        return f"fields {sorted(record)[:8]} hold no id ({', '.join(ID_FIELDS)}) or no text ({', '.join(TEXT_FIELDS)})"
    return _passage(str(found[0]), str(found[1]), str(record.get("title") or ""))


def _parse_text_file(file: Path) -> Passage | str:
    good, text = _decode(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    return _passage(file.stem, text, "") if good else text


def _passage(passage_id: str, text: str, title: str) -> Passage | str:
    cleaned = " ".join(text.split())
    for part in (passage_id, cleaned, title):
        if "\0" in part or SURROGATE.search(part):
            return "a NUL or half a surrogate pair is escaped in it"
    if not passage_id.strip():
        return "the id is empty"
    if not cleaned:
        return f"passage {passage_id.strip()!r} has no text"
    return Passage(PassageId(passage_id.strip()), cleaned, " ".join(title.split()))
