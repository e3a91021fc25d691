"""Faults in files of training examples: what comes out is what was written, or the line is refused by its number."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from indexing.corpus.same_text import text_key
from tests.faults.fault import Fault, WrongAnswerError, refused, refused_or
from training.data.readers.local import local_examples
from training.example import Example
from training.source import Source

AREA = "training data"
WORDS = ("wolf", "moon", "bread", "salt", "rain", "lamp", "glacier", "honey", "tin", "lark", "mole", "fjord", "comb")
TURNS = 30
A_NUMBER = 3.5
Expected = dict[str, float]
"""Label by passage."""


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def faults(random: Random) -> Iterator[Fault]:
    """Lines of every form, whole and with one thing wrong; files of other kinds; triples with other fields."""
    for turn in range(TURNS):
        for form in FORMS:
            yield Fault(f"{form} {turn}, whole", _whole(form, random.random()))
    for form in FORMS:
        for name, break_it in BREAKS.items():
            for turn in range(2):
                yield Fault(f"{form}, {name} {turn}", _broken(form, break_it, random.random()))
    for name, content in _files(random):
        whole = name.startswith(OF_THE_WHOLE)
        yield Fault(f"a file: {name}", _file(content, place="examples.jsonl " if whole else "examples.jsonl:1: "))
    for turn in range(TURNS):
        yield Fault(f"triples {turn}", _triples(random.random()))
    for turn in range(TURNS):
        yield Fault(f"random bytes in a line {turn}", _bytes(random.random()))


def _text(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.randint(3, 9))) + random.choice((".", "!", " é", " C++", ""))


def _passages(random: Random) -> tuple[list[str], list[str]]:
    texts: dict[str, str] = {}
    while len(texts) < 5:
        text = _text(random)
        texts.setdefault(text_key(text), text)
    every, count = list(texts.values()), random.randint(1, 3)
    return every[:count], every[count:]


def _ours(query: str, pos: list[str], neg: list[str], random: Random) -> list[dict[str, Any]]:
    return [{"query": query, "positives": pos, "negatives": neg, "query_id": random.choice(("7", 7, 7.0, None))}]


def _flag(query: str, pos: list[str], neg: list[str], random: Random) -> list[dict[str, Any]]:
    scores = {"pos_scores": [9.5] * len(pos), "neg_scores": [random.random() for _ in neg]}
    return [{"query": query, "pos": pos, "neg": neg, "pos_id": ["1"], **(scores if random.random() < 0.5 else {})}]


def _n_tuple(query: str, pos: list[str], neg: list[str], _: Random) -> list[dict[str, Any]]:
    return [{"anchor": query, "positive": pos, **{f"negative_{at}": text for at, text in enumerate(neg, start=1)}}]


def _pairs(query: str, pos: list[str], neg: list[str], _: Random) -> list[dict[str, Any]]:
    labeled = [(text, 1) for text in pos] + [(text, 0) for text in neg]
    return [{"sentence1": query, "sentence2": text, "label": label} for text, label in labeled]


def _list(query: str, pos: list[str], neg: list[str], random: Random) -> list[dict[str, Any]]:
    labels = [1] * len(pos) + [0] * len(neg)
    return [{"query": query, random.choice(("passages", "texts", "docs")): pos + neg, "labels": labels}]


def _tevatron(query: str, pos: list[str], neg: list[str], _: Random) -> list[dict[str, Any]]:
    objects = [[{"docid": "1", "title": "", "text": text} for text in texts] for texts in (pos, neg)]
    return [{"query_id": "7", "query": query, "positive_passages": objects[0], "negative_passages": objects[1]}]


def _dpr(query: str, pos: list[str], neg: list[str], _: Random) -> list[dict[str, Any]]:
    objects = [[{"title": "", "text": text} for text in texts] for texts in (pos, neg[:1], neg[1:])]
    names = ("positive_ctxs", "negative_ctxs", "hard_negative_ctxs")
    return [{"question": query, "answers": ["x"], **dict(zip(names, objects, strict=True))}]


FORMS: dict[str, Callable[[str, list[str], list[str], Random], list[dict[str, Any]]]] = {
    "ours": _ours,
    "FlagEmbedding": _flag,
    "n-tuple": _n_tuple,
    "pairs": _pairs,
    "labeled list": _list,
    "Tevatron": _tevatron,
    "DPR": _dpr,
}


def _example(form: str, random: Random) -> tuple[list[dict[str, Any]], Expected]:
    positives, negatives = _passages(random)
    records = FORMS[form](_text(random), positives, negatives, random)
    return records, dict.fromkeys(positives, 1.0) | dict.fromkeys(negatives, 0.0)


def _written(folder: Path, lines: list[str]) -> Path:
    path = folder / "examples.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogatepass")
    return path


def _read(path: Path, form: str = "jsonl") -> list[Example]:
    return list(local_examples(Source(form, str(path))))


def _check(examples: list[Example], expected: list[Expected]) -> bool:
    found = [dict(zip(example.passages, example.labels or (), strict=True)) for example in examples]
    squeezed = [{" ".join(text.split()): label for text, label in labels.items()} for labels in expected]
    return found == squeezed


def _whole(form: str, seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        records, expected = _example(form, random)
        others, more = _example(random.choice(list(FORMS)), random)
        for record in others:
            record.pop("query_id", None)
        text = [json.dumps(record, ensure_ascii=random.random() < 0.5) for record in [*records, *others]]
        blank = random.choice(("", " ", "\r"))
        path = _written(folder, ["\ufeff" + text[0], blank, *text[1:]])
        if random.random() < 0.3:
            packed = path.with_name("examples.jsonl.gz")
            packed.write_bytes(gzip.compress(path.read_bytes()))
            path = packed
        examples = _read(path)
        if not _check(examples, [expected, more]):
            raise WrongAnswerError(f"{examples} in place of {[expected, more]}")

    return run


def _fields(record: dict[str, Any]) -> list[str]:
    """The names whose values a reader must not take for something else."""
    return [name for name in record if name not in ("query_id", "answers", "pos_id")]


def _lists(record: dict[str, Any]) -> list[str]:
    return [name for name in _fields(record) if isinstance(record[name], list)]


def _replace_one(value: object) -> Callable[[dict[str, Any], Random], str]:
    def replace(record: dict[str, Any], random: Random) -> str:
        names = _fields(record)
        if value == A_NUMBER:
            names = [name for name in names if "label" not in name and "score" not in name]
        name = random.choice(names)
        if isinstance(record[name], list):
            record[name] = list(record[name])
            record[name][random.randrange(len(record[name]))] = value
        else:
            record[name] = value
        return json.dumps(record)

    return replace


def _raw(text: str) -> Callable[[dict[str, Any], Random], str]:
    """The record with a further field of this raw JSON."""

    def add(record: dict[str, Any], _: Random) -> str:
        return json.dumps(record)[:-1] + f', "scores": {text}' + "}"

    return add


def _rename(record: dict[str, Any], random: Random) -> str:
    name = random.choice([name for name in _fields(record) if name != "neg_scores"])
    return json.dumps({(f"my_{key}" if key == name else key): value for key, value in record.items()})


def _repeat(record: dict[str, Any], random: Random) -> str:
    name = random.choice(_fields(record))
    return json.dumps(record)[:-1] + f", {json.dumps(name)}: {json.dumps(record[name])}" + "}"


def _shorten(record: dict[str, Any], random: Random) -> str:
    text = json.dumps(record)
    return text[: random.randrange(1, len(text) - 1)]


BREAKS: dict[str, Callable[[dict[str, Any], Random], str]] = {
    "a number for a text": _replace_one(A_NUMBER),
    "true for a text": _replace_one(True),
    "a list in a list": _replace_one(["a"]),
    "an empty text": _replace_one(" \t"),
    "half a surrogate": _replace_one("a\ud800"),
    "a NUL": _replace_one("a\0b"),
    "NaN": _replace_one(float("nan")),
    "a string for a score": _raw('["1", 2, 3, 4, 5]'),
    "NaN for a score": _raw("[NaN, 2, 3, 4, 5]"),
    "a huge score": _raw("[1e39, 2, 3, 4, 5]"),
    "a score of 400 digits": _raw(f"[1{'0' * 400}, 2, 3, 4, 5]"),
    "a number of 5,000 digits": _raw(f"[1{'0' * 5_000}, 2, 3, 4, 5]"),
    "too few scores": _raw("[1]"),
    "too many scores": _raw("[1, 2, 3, 4, 5, 6]"),
    "brackets nested 100,000 deep": _raw("[" * 100_000),
    "a closed nest 20,000 deep": _raw("[" * 20_000 + "]" * 20_000),
    "a name twice": _repeat,
    "a name misspelled": _rename,
    "an end cut off": _shorten,
}


def _broken(form: str, break_it: Callable[[dict[str, Any], Random], str], seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        sound, expected = _example(form, random)
        records, whole = _example(form, random)
        records[0].pop("query_id", None)
        sound_line = json.dumps(records[0])
        line = break_it(records[0], random)
        before = [json.dumps(record) for record in sound]
        path = _written(folder, [*before, line, *(json.dumps(record) for record in records[1:])])
        place = f"{path}:{len(before) + 1}: "
        harmless = line == sound_line or "my_neg" in line or "my_hard_neg" in line
        if not harmless and not ('"scores"' in line and form == "pairs"):
            refused(lambda: _read(path), place)
            return
        # a field that isn't known, such as one that is nobody's, may be ignored; what is known must be right
        refused_or(lambda: _read(path), lambda found: _subset(found, expected, whole), place)

    return run


def _subset(examples: list[Example], *expected: Expected) -> bool:
    """Whether every passage is one that was written, with its label."""
    labels = Counter({text: label for part in expected for text, label in part.items()})
    return all(
        labels.get(text) == label
        for example in examples
        for text, label in zip(example.passages, example.labels or (), strict=True)
    )


OF_THE_WHOLE = ("utf", "a zip", "a gzip")
"""How the names of files begin that are refused as a whole, and not by a line."""


def _files(random: Random) -> Iterator[tuple[str, bytes]]:
    line = json.dumps(_example("ours", random)[0][0], ensure_ascii=False) + "\n"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield encoding, line.encode(encoding)
    yield "Latin-1", line.replace("wolf", "wölf").encode("latin-1") + "ä\n".encode("latin-1")
    yield "an array", f"[{line}]".encode()
    yield "an array over lines", json.dumps([json.loads(line)], indent=1).encode()
    yield "an object over lines", json.dumps(json.loads(line), indent=1).encode()
    yield "a table", b"query\tpositive\tnegative\na\tb\tc\n"
    yield "a zip archive", b"PK\x03\x04\x14\0\0\0"
    yield "a long line", b'{"query": "' + b"x" * 10_000_001 + b'"}\n'
    yield "null", b"null\n"
    yield "a gzip archive that is called .jsonl", gzip.compress(line.encode())


def _file(content: bytes, *, place: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        path = folder / "examples.jsonl"
        path.write_bytes(content)
        refused(lambda: _read(path), f"{folder}/{place}")
        packed = folder / "examples.jsonl.gz"
        whole = gzip.compress(content * 50)
        packed.write_bytes(whole[: len(whole) // 2])
        refused(lambda: _read(packed), str(packed))

    return run


def _triples(seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        positives, negatives = _passages(random)
        query = _text(random)
        rows = [[query, positives[0], negative] for negative in negatives]
        number, wrong = random.randrange(len(rows)), random.choice(WRONG_ROWS)
        lines = ["\t".join(row) for row in rows]
        lines[number] = wrong(rows[number])
        path = folder / "triples.tsv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        refused(lambda: _read(path, "triples"), f"{path}:{number + 1}: ")

    return run


WRONG_ROWS: tuple[Callable[[list[str]], str], ...] = (
    lambda row: "\t".join(row[:2]),
    lambda row: "\t".join([*row, "more"]),
    lambda row: " ".join(row),
    lambda row: ",".join(row),
    lambda row: "\t".join([row[0], " ", row[2]]),
    lambda row: "\t".join([row[0], row[1], "a\0b"]),
    lambda _: "12\t345\t6",
    lambda _: "Query\tPositive passage\tNegative passage",
    lambda _: "qid\tpid\tneg_id",
)


def _bytes(seed: float) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        random = Random(seed)
        records, expected = _example("ours", random)
        line = bytearray(json.dumps(records[0]).encode())
        for _ in range(random.randint(1, 4)):
            line[random.randrange(len(line))] = random.choice((0xFF, 0xC3, 0x80, 0x00, 0x09, 0x22, 0x5C, 0x7B))
        path = folder / "examples.jsonl"
        path.write_bytes(bytes(line) + b"\n")

        def right(found: list[Example]) -> bool:
            """What was read is what the line says now."""
            record = json.loads(line)
            texts = [" ".join(text.split()) for name in ("positives", "negatives") for text in record.get(name, ())]
            return all(set(example.passages) <= set(texts) for example in found) and bool(expected)

        refused_or(lambda: _read(path), right, str(path))

    return run
