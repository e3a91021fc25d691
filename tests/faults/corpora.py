"""Faults of corpora: passages written in every form that people's files have, whole and damaged."""

import bz2
import csv
import gzip
import io
import json
import os
import socket
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from indexing.corpus.corpus import Corpus
from indexing.corpus.count import count_passages
from indexing.corpus.fields import ID_FIELDS, TEXT_FIELDS
from tests.faults.fault import Fault, WrongAnswerError, refused

AREA = "corpora"
Rows = list[tuple[str, str]]
"""Ids and texts."""
WORDS = (
    "moss",
    "naïve",
    "kite",
    "東京",
    "“late”",
    "ferry",
    "C++",
    "half-way",
    "é",
    "𝄞",
    '"quoted"',
    "'s",
    "a,b",
    "x;y",
)
MAKERS: dict[str, Callable[[Path, Rows, Random], Path]] = {}
"""What writes rows in one form and returns the corpus's path."""
WHOLE, DAMAGED = 14, 5  # cases of each form and of each damage


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def faults(random: Random) -> Iterator[Fault]:
    """Each form with random passages, each damage at random places, and what is no corpus."""
    for form in MAKERS:
        for number in range(WHOLE):
            yield Fault(f"{form} {number}", _reading(form, random.random()))
    for name in DAMAGES:
        for number in range(DAMAGED):
            yield Fault(f"{name} {number}", _damaging(name, random.random()))
    for name in REFUSED:
        yield Fault(name, _refusing(name))
    for name in LEFT_OUT:
        yield Fault(f"beside passages: {name}", _leaving_out(name))
    for value, wanted in NUMBERS:
        yield Fault(f"id {value!r} in JSON", _json_number(value, wanted))
    for kind, values, wanted_ids in COLUMNS:
        yield Fault(f"ids as {kind} in Parquet", _parquet_numbers(kind, values, wanted_ids))


def _rows(random: Random) -> Rows:
    count = random.randint(2, 9)
    ids = random.sample([f"{prefix}{number}" for prefix in ("", "D", "é-", "a b ") for number in range(20)], count)
    texts = [" ".join(random.choices(WORDS, k=random.randint(1, 12))) for _ in ids]
    return list(zip(ids, texts, strict=True))


def _maker(name: str) -> Callable[[Callable[[Path, Rows, Random], Path]], Callable[[Path, Rows, Random], Path]]:
    def keep(make: Callable[[Path, Rows, Random], Path]) -> Callable[[Path, Rows, Random], Path]:
        MAKERS[name] = make
        return make

    return keep


def _written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _plain(rows: Rows, end: str = "\n") -> str:
    """Lines that nobody takes for CSV: the first has a quotation mark in the middle of a text."""
    lines = [f"{key}\t{text}" for key, text in rows]
    return "".join(line + end for line in [*lines, 'plain\ta "mark" within'])


def _jsonl(rows: Rows, id_field: str = "_id", text_field: str = "text") -> str:
    return "".join(json.dumps({id_field: key, text_field: text}) + "\n" for key, text in rows)


def _quoted(rows: Rows, separator: str, quoting: int, header: list[str], end: str = "\n") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]  # one of csv's
    writer.writerows([header, *rows])
    return out.getvalue()


PLAIN = ("plain", 'a "mark" within')


@_maker("tsv")
def _tsv(folder: Path, rows: Rows, random: Random) -> Path:
    mark = random.choice(["", "\ufeff"])
    content = mark + _plain(rows, random.choice(["\n", "\r\n"]))
    rows.append(PLAIN)
    return _written(folder / "collection.tsv", content if random.random() < 0.5 else content.rstrip("\r\n"))


@_maker("tsv with a header row")
def _header(folder: Path, rows: Rows, random: Random) -> Path:
    names = [random.choice(ID_FIELDS), random.choice(TEXT_FIELDS)]
    names = [random.choice([name, name.upper(), f" {name.title()}"]) for name in names]
    rows.append(PLAIN)
    if random.random() < 0.5:
        lines = [f"{key}\t{text}" for key, text in rows]
    else:
        names.reverse()
        lines = [f"{text}\t{key}" for key, text in rows]
    return _written(folder / "x.TSV", "\n".join(["\t".join(names), *lines]))


@_maker("tsv in quotation marks")
def _marked(folder: Path, rows: Rows, random: Random) -> Path:
    quoting = random.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    header = random.choice([["id", "text"], ["pid", "passage"]])
    return _written(folder / "x.tsv", _quoted(rows, "\t", quoting, header, random.choice(["\n", "\r\n"])))


@_maker("dpr")
def _dpr(folder: Path, rows: Rows, _: Random) -> Path:
    lines = ['{}\t"{}"\tThe {}'.format(key, text.replace('"', '""'), "mill") for key, text in rows]
    return _written(folder / "psgs_w100.tsv", "\n".join(["id\ttext\ttitle", *lines]))


@_maker("csv")
def _csv(folder: Path, rows: Rows, random: Random) -> Path:
    separator, end = random.choice([",", ";", "\t"]), random.choice(["\n", "\r\n"])
    content = _quoted(rows, separator, random.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), ["id", "text"], end)
    return _written(folder / "x.csv", random.choice(["", "\ufeff"]) + content)


@_maker("csv over several lines")
def _long_csv(folder: Path, rows: Rows, _: Random) -> Path:
    broken = [(key, text.replace(" ", "\n")) for key, text in rows]
    return _written(folder / "x.csv", _quoted(broken, ",", csv.QUOTE_ALL, ["id", "text"]))


@_maker("jsonl")
def _json_lines(folder: Path, rows: Rows, random: Random) -> Path:
    content = _jsonl(rows, random.choice(ID_FIELDS), random.choice(TEXT_FIELDS))
    name = random.choice(["x.jsonl", "x.ndjson", "x.JSONL"])
    return _written(folder / name, content.replace("\n", random.choice(["\n", "\r\n"])))


@_maker("packed")
def _packed(folder: Path, rows: Rows, random: Random) -> Path:
    return _written(folder / "x.jsonl.gz", gzip.compress(_jsonl(rows).encode(), compresslevel=random.randint(0, 9)))


@_maker("zip")
def _zip(folder: Path, rows: Rows, random: Random) -> Path:
    with zipfile.ZipFile(folder / "x.zip", "w", random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as packed:
        packed.writestr("nfcorpus/qrels/test.tsv", "query-id\tcorpus-id\tscore\n")
        packed.writestr("nfcorpus/queries.jsonl", _jsonl([("q", "no passage")]))
        packed.writestr("nfcorpus/corpus.jsonl", _jsonl(rows))
        packed.writestr("__MACOSX/nfcorpus/._corpus.jsonl", b"\0\5\x16\7")
    return folder / "x.zip"


@_maker("tar.gz")
def _tar(folder: Path, rows: Rows, _: Random) -> Path:
    with tarfile.open(folder / "x.tar.gz", "w:gz") as packed:
        content = _jsonl(rows).encode()
        entry = tarfile.TarInfo("scifact/corpus.jsonl")
        entry.size = len(content)
        packed.addfile(entry, io.BytesIO(content))
    return folder / "x.tar.gz"


@_maker("parquet")
def _parquet(folder: Path, rows: Rows, random: Random) -> Path:
    folder = folder / random.choice(["", "data", "corpus", "default"])
    folder.mkdir(exist_ok=True)
    ids, texts = zip(*rows, strict=True)
    kind = random.choice([pa.string(), pa.large_string(), pa.binary()])
    encoded = [text.encode() for text in texts] if kind == pa.binary() else list(texts)
    table = pa.table({"docid": pa.array(ids).dictionary_encode(), "contents": pa.array(encoded, kind)})
    half = len(rows) // 2
    pq.write_table(table.slice(0, half), folder / "train-00000-of-00002.parquet")
    pq.write_table(table.slice(half), folder / "train-00001-of-00002.parquet")
    return folder if folder.name == "corpus" else next(place for place in (folder, *folder.parents) if place.is_dir())


@_maker("texts")
def _texts(folder: Path, rows: Rows, random: Random) -> Path:
    folder = folder / "text files (é)"
    rows[:] = sorted((key.replace("/", "-"), text) for key, text in rows)
    for key, text in rows:
        _written(folder / f"{key}{random.choice(['.txt', '.TXT'])}", random.choice(["", "\ufeff"]) + text)
    return folder


def _reading(form: str, seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        rows = _rows(random)
        _check(MAKERS[form](folder, rows, random), rows)

    return run


def _check(path: Path, rows: Rows, *, skip: bool = False) -> Corpus:
    """Raise WrongAnswerError unless the corpus holds just these passages."""
    corpus = Corpus(path, skip_bad_lines=skip)
    given = sorted((passage.id, passage.text) for passage in corpus)
    if given != sorted(rows):
        raise WrongAnswerError(f"{given} in place of {sorted(rows)}")
    if count_passages(path) < len(rows):
        raise WrongAnswerError(f"counted {count_passages(path)} of {len(rows)} passages")
    return corpus


DAMAGES: dict[str, tuple[str, bytes, str]] = {
    "tsv, no tab": ("x.tsv", b"no tab here", "1 tab-separated"),
    "tsv, four fields": ("x.tsv", b"k\ta\tb\tc", "4 tab-separated"),
    "tsv, no id": ("x.tsv", b" \ttext", "the id is empty"),
    "tsv, a byte-order mark for an id": ("x.tsv", b"\xef\xbb\xbf\ttext", "the id is empty"),
    "tsv, no text": ("x.tsv", b"k\t \xc2\xa0 ", "no text"),
    "tsv, a NUL": ("x.tsv", b"k\ta\0b", "NUL"),
    "tsv, Windows-1252": ("x.tsv", b"k\tcaf\xe9", "no UTF-8"),
    "tsv, half a character": ("x.tsv", b"k\t\xe6\x9d", "no UTF-8"),
    "tsv, a surrogate": ("x.tsv", b"k\t\xed\xa0\x80", "no UTF-8"),
    "tsv, a line too long": ("x.tsv", b"k\t" + b"x " * 5_100_000, "longer than"),
    "tsv, a carriage return alone": ("x.tsv", b"k\ta\rl\tb", "carriage return"),
    "tsv, an id like a text": ("x.tsv", b"text " * 300 + b"\tk", "the most"),
    "jsonl, no JSON": ("x.jsonl", b"{not", "not JSON"),
    "jsonl, an array": ("x.jsonl", b'[{"_id": "k", "text": "a"}]', "jq -c"),
    "jsonl, single quotes": ("x.jsonl", b"{'_id': 'k', 'text': 'a'}", "not JSON"),
    "jsonl, an object for a text": ("x.jsonl", b'{"_id": "k", "text": {"a": "b"}}', "holds an object"),
    "jsonl, null": ("x.jsonl", b'{"_id": null, "text": "a"}', "holds null"),
    "jsonl, true": ("x.jsonl", b'{"_id": true, "text": "a"}', "true or false"),
    "jsonl, a list": ("x.jsonl", b'{"_id": "k", "text": ["a"]}', "holds a list"),
    "jsonl, half a pair in the id": ("x.jsonl", b'{"_id": "\\ud800", "text": "a"}', "surrogate"),
    "jsonl, half a pair in the text": ("x.jsonl", b'{"_id": "k", "text": "\\udc00 a"}', "surrogate"),
    "jsonl, half a pair in the title": ("x.jsonl", b'{"_id": "k", "title": "\\ud800", "text": "a"}', "surrogate"),
    "jsonl, an escaped NUL": ("x.jsonl", b'{"_id": "k", "text": "a\\u0000"}', "NUL"),
    "jsonl, nested deep": ("x.jsonl", b'{"_id": "k", "text": ' + b"[" * 100_000, "not JSON"),
    "jsonl, nested deep and closed": ("x.jsonl", b'{"_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
    "jsonl, 5,000 digits": ("x.jsonl", b'{"_id": ' + b"7" * 5_000 + b', "text": "a"}', "not JSON"),
    "jsonl, two texts": ("x.jsonl", b'{"_id": "k", "text": "a", "text": "b"}', "twice"),
    "jsonl, two ids": ("x.jsonl", b'{"_id": "k", "text": "a", "_id": "l"}', "twice"),
    "jsonl, two objects": ("x.jsonl", b'{"_id": "k", "text": "a"} {"_id": "l", "text": "b"}', "not JSON"),
    "jsonl, no id": ("x.jsonl", b'{"text": "a"}', "no id"),
    "jsonl, no text": ("x.jsonl", b'{"_id": "k"}', "no text"),
    "csv, a value too few": ("x.csv", b"k", "1 values"),
    "csv, a value too many": ("x.csv", b"k,a,b", "3 values"),
    "csv, an empty line": ("x.csv", b"", "empty"),
    "csv, Windows-1252": ("x.csv", b"k,caf\xe9", "no UTF-8"),
}
"""The file's name, a bad line, and what is said of it."""


def _damaging(name: str, seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        file, bad, told = DAMAGES[name]
        rows = _rows(random)
        path = folder / file
        form = {".tsv": _plain(rows), ".jsonl": _jsonl(rows)}
        content = form.get(path.suffix) or _quoted(rows, ",", csv.QUOTE_ALL, ["id", "text"])
        lines = content.encode().split(b"\n")[:-1]
        place = random.randint(1 if path.suffix == ".csv" else 0, len(lines))
        path.write_bytes(b"\n".join([*lines[:place], bad, *lines[place:]]) + b"\n")
        refused(lambda: list(Corpus(path)), f"{path}:{place + 1}", told)
        corpus = _check(path, rows + ([PLAIN] if path.suffix == ".tsv" else []), skip=True)
        if corpus.skipped_count != 1:
            raise WrongAnswerError(f"{corpus.skipped_count} lines left out in place of 1")

    return run


def _tree(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        _written(folder / name, content)
    return folder


def _socket(path: Path) -> Path:
    os.chdir(path.parent)  # a socket's path may have 107 bytes
    socket.socket(socket.AF_UNIX).bind(path.name)
    return path


def _made(make: Callable[[Path], object]) -> Callable[[Path], Path]:
    def corpus(path: Path) -> Path:
        make(path)
        return path

    return corpus


TSV = b"1\tMoss grows on stones.\n2\tThe kite rises in wind.\n"
PASSAGES = [("1", "Moss grows on stones."), ("2", "The kite rises in wind.")]
REFUSED: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "nothing there": (lambda folder: folder / "none", ("doesn't exist",)),
    "an empty folder": (lambda folder: folder, ("holds no corpus",)),
    "hidden files only": (lambda folder: _tree(folder, **{".a.txt": b"a", ".git/b.txt": b"b"}), ("holds no corpus",)),
    "a licence only": (lambda folder: _tree(folder, **{"LICENSE.txt": b"a"}), ("holds no corpus", "LICENSE.txt")),
    "a readme beside a table": (lambda folder: _tree(folder, **{"README.txt": b"a", "my.tsv": TSV}), ("my.tsv",)),
    "a folder in a folder": (lambda folder: _tree(folder, **{"a/collection.tsv": TSV, "x.md": b"x"}), ("--corpus",)),
    "a pipe": (lambda folder: _made(os.mkfifo)(folder / "x.tsv"), ("x.tsv", "named pipe")),
    "a socket": (lambda folder: _socket(folder / "x.tsv"), ("x.tsv", "socket")),
    "a device": (lambda _: Path("/dev/zero"), ("/dev/zero", "device")),
    "a link to nothing": (lambda folder: _made(lambda path: path.symlink_to("none"))(folder / "x"), ("can't be read",)),
    "a link to itself": (lambda folder: _made(lambda path: path.symlink_to(path))(folder / "x"), ("can't be read",)),
    "a file within a file": (lambda folder: _written(folder / "x.tsv", TSV) / "y", ("doesn't exist",)),
    "UTF-16": (lambda folder: _written(folder / "x.tsv", TSV.decode().encode("utf-16")), ("UTF-16", "iconv")),
    "UTF-16, big-endian": (lambda f: _written(f / "x.tsv", TSV.decode().encode("utf-16-be")), ("UTF-16BE", "iconv")),
    "UTF-16, a JSON line": (
        lambda folder: _written(folder / "x.jsonl", '{"_id": "1", "text": "a"}'.encode("utf-16-le")),
        ("UTF-16LE", "iconv"),
    ),
    "UTF-32": (lambda folder: _written(folder / "x.tsv", TSV.decode().encode("utf-32")), ("UTF-32", "iconv")),
    "UTF-16, a text": (lambda folder: _written(folder / "x.txt", "moss".encode("utf-16")).parent, ("x.txt", "UTF-16")),
    "gzip by another name": (lambda folder: _written(folder / "x.tsv", gzip.compress(TSV)), ("gzip", ".gz")),
    "a zip by another name": (lambda folder: _written(folder / "x.tsv", b"PK\x03\x04 and so on"), ("zip",)),
    "Parquet by another name": (lambda folder: _written(folder / "x.jsonl", b"PAR1 and so on"), (".parquet",)),
    "a PDF": (lambda folder: _written(folder / "x.txt", b"%PDF-1.7\n"), ("PDF",)),
    "bzip2": (lambda folder: _written(folder / "x.tsv.bz2", bz2.compress(TSV)), ("bunzip2",)),
    "7z": (lambda folder: _written(folder / "x.7z", b"7z"), ("7z x",)),
    "rar": (lambda folder: _written(folder / "x.rar", b"Rar!"), ("unrar x",)),
    "zstd": (lambda folder: _written(folder / "x.jsonl.zst", b"\x28\xb5\x2f\xfd"), ("zstd -d",)),
    "a JSON array": (lambda folder: _written(folder / "x.json", b'[{"_id": "1"}]'), ("jq -c",)),
    "a zip that is none": (lambda folder: _written(folder / "x.zip", TSV), ("x.zip", "can't be read")),
    "gzip that is none": (lambda folder: _written(folder / "x.tsv.gz", b"x"), ("x.tsv.gz", "can't be read")),
    "gzip cut off": (lambda folder: _written(folder / "x.tsv.gz", gzip.compress(TSV)[:-9]), ("can't be read",)),
    "Parquet cut off": (lambda folder: _written(folder / "x.parquet", b"PAR1"), ("x.parquet", "can't be read")),
    "line ends of old systems": (lambda f: _written(f / "x.tsv", TSV.replace(b"\n", b"\r")), ("x.tsv:1", "tr ")),
    "a header without a text": (lambda folder: _written(folder / "x.tsv", b"id\tinhalt\n" + TSV), ("--text-field",)),
    "a header with a text twice": (lambda f: _written(f / "x.tsv", b"id\ttext\ttext\n1\ta\tb\n"), ("'text'", "twice")),
    "csv without a header row": (lambda folder: _written(folder / "x.csv", b"1,moss\n2,kite\n"), ("x.csv:1", "header")),
    "csv with an open quotation mark": (lambda f: _written(f / "x.csv", b'id,text\n1,"moss\n2,kite\n'), ("not CSV",)),
    "a spreadsheet": (lambda folder: _written(folder / "x.xlsx", b"PK\x03\x04"), ("x.xlsx",)),
    "two folders of Parquet": (
        lambda folder: _tree(folder, **{"a/x.parquet": b"PAR1", "b/x.parquet": b"PAR1"}),
        ("--corpus",),
    ),
    "a repeat": (lambda folder: _written(folder / "x.tsv", TSV + b" 1 \tother\n"), ("x.tsv:3", "appeared before")),
    "a name that is no UTF-8": (
        lambda folder: _made(lambda path: path.write_bytes(b"moss"))(folder / os.fsdecode(b"caf\xe9.txt")).parent,
        ("no UTF-8",),
    ),
}
"""What is no corpus: what makes it, and what the refusal says."""


def _refusing(name: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        make, mentions = REFUSED[name]
        path = make(folder)
        refused(lambda: list(Corpus(path)), *mentions)

    return run


LEFT_OUT: dict[str, Callable[[Path], object]] = {
    "a notebook's copies": lambda folder: _written(folder / ".ipynb_checkpoints/1-checkpoint.txt", "old"),
    "a copy beside its file": lambda folder: _written(folder / "1-checkpoint.txt", "old"),
    "a repository": lambda folder: _written(folder / ".git/description.txt", "a"),
    "macOS's folder": lambda folder: _written(folder / "__MACOSX/3.txt", "a"),
    "macOS's file": lambda folder: _written(folder / "._1.txt", b"\0\5\x16\7"),
    "an office program's lock": lambda folder: _written(folder / "~$1.txt", b"\5"),
    "an editor's backup": lambda folder: _written(folder / "1.txt~", "old"),
    "an editor's lock": lambda folder: (folder / ".#1.txt").symlink_to("me@host.1"),
    "Windows's pictures": lambda folder: _written(folder / "Thumbs.db", b"\0"),
    "a licence": lambda folder: _written(folder / "LICENSE.txt", "a"),
    "a licence by another name": lambda folder: _written(folder / "licence-MIT.txt", "a"),
    "a readme": lambda folder: _written(folder / "ReadMe.txt", "a"),
    "a pipe": lambda folder: os.mkfifo(folder / "3.txt"),
    "a socket": lambda folder: _socket(folder / "3.txt"),
    "a link to nothing": lambda folder: (folder / "3.txt").symlink_to("none"),
    "a link to itself": lambda folder: (folder / "3.txt").symlink_to(folder / "3.txt"),
    "a link to the folder above": lambda folder: (folder / "above").symlink_to(folder.parent),
    "another form": lambda folder: _written(folder / "3.pdf", b"%PDF"),
}
"""What lies beside two texts and is no passage."""


def _leaving_out(name: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        folder = _tree(folder / "texts", **{"1.txt": PASSAGES[0][1].encode(), "2.txt": PASSAGES[1][1].encode()})
        LEFT_OUT[name](folder)
        corpus = _check(folder, PASSAGES)
        if not corpus.notes:
            raise WrongAnswerError("left something out without a word")

    return run


NUMBERS = (
    ("101", "101"), ("101.0", "101"), ("-7", "-7"), ("0", "0"), ("1e3", "1000"),
    ("9007199254740991.0", "9007199254740991"),
    ("9007199254740993", "9007199254740993"), ("1" * 400, "1" * 400), ("18446744073709551616", "18446744073709551616"),
    ("1.5", ""), ("1e16", ""), ("1e308", ""), ("1e400", ""), ("NaN", ""), ("Infinity", ""), ("true", ""), ("[1]", ""),
)  # fmt: skip
"""A number as JSON has it, and the id that it is; empty where it must be refused."""


def _json_number(value: str, wanted: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        path = _written(folder / "x.jsonl", f'{{"id": {value}, "text": "moss"}}\n')
        if wanted:
            _check(path, [(wanted, "moss")])
        else:
            refused(lambda: list(Corpus(path)), f"{path}:1", "'id'")

    return run


COLUMNS: tuple[tuple[pa.DataType, list[object], list[str]], ...] = (
    (pa.int8(), [1, -2], ["1", "-2"]),
    (pa.int64(), [2**62, 2], [str(2**62), "2"]),
    (pa.uint64(), [2**64 - 1, 2], [str(2**64 - 1), "2"]),
    (pa.float64(), [101.0, 2.0], ["101", "2"]),
    (pa.float64(), [101.0, None], []),
    (pa.float64(), [101.0, float("nan")], []),
    (pa.float64(), [1e16, 2.0], []),
    (pa.float32(), [101.0, 2.0], ["101", "2"]),
    (pa.float32(), [16777216.0, 2.0], []),
    (pa.float16(), [2048.0, 2.0], []),
    (pa.decimal128(20, 2), [101, 2], ["101", "2"]),
    (pa.bool_(), [True, False], []),
    (pa.string(), ["a", None], []),
    (pa.date32(), [1, 2], []),
    (pa.list_(pa.string()), [["a"], ["b"]], []),
)
"""A column's type, its values, and the ids that they are; none where they must be refused."""


def _parquet_numbers(kind: pa.DataType, values: list[object], wanted: list[str]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        array = pa.array(values, kind) if kind != pa.float16() else pa.array(values, pa.float32()).cast(kind)
        pq.write_table(pa.table({"id": array, "text": ["moss", "kite"]}), folder / "x.parquet")
        if wanted:
            _check(folder / "x.parquet", list(zip(wanted, ["moss", "kite"], strict=True)))
        else:
            refused(lambda: list(Corpus(folder / "x.parquet")), "x.parquet", "'id'")

    return run
