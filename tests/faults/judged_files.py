"""Faults in files of queries, qrels and runs: every harmless way to write them, and every damage, one at a time."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

from indexing.judged.qrels import read_qrels
from indexing.judged.queries import read_queries
from search.trec import read_run
from tests.faults.fault import Fault, WrongAnswerError, refused

AREA = "judged files"
WRITTEN, DAMAGED = 90, 6
"""Random files of each kind that are written harmlessly; and, of each damage, how many files have it."""
IDS = ("q1", "301", "007", "7", "7.0", "é", "e\u0301", "a-b_c", "日本", "Q0x", "doc.1", "x:y", "0x", "None", "1e5")
BLANK_IDS = ("user guide 1", "a b", "über uns", "x\u00a0y")
WORDS = ("where", "is", "the", "'old'", "bridge?", "naïve", "日本", "a,b", "x;y", "#1", "50%", "{}")
GRADES = [
    "1.5",
    "1e3",
    "٣",
    "1_000",
    "+1",
    "one",
    "nan",
    "1" + 30 * "0",
    "0x1",
    "--",
    "7187158",
    "½",
    "True",
    "1,0",
    ".5",
    "-",
]
SCORES = ["nan", "inf", "-inf", "1e400", "1_0", "٣", "0x1p3", "high", "1,5", "--", "1e39", "1.2.3", "None"]


BROKEN_JSON = (
    *("{", "[]", '"x"', '{"_id": "a"}', '{"text": "a"}', '{"_id": "", "text": "a"}', '{"_id": true, "text": "a"}'),
    *('{"_id": "a", "text": null}', '{"_id": "a", "_id": "b", "text": "x"}', '{"_id": NaN, "text": "x"}'),
    *('{"_id": "a", "text": "\\ud800"}', '{"_id": 1.5, "text": "x"}', "[" * 100_000, '{"_id": ' + "9" * 5000 + "}"),
)


def prepare(folder: Path) -> None:
    """Nothing is shared."""


def faults(random: Random) -> Iterator[Fault]:
    """Files that must be read as they were meant, and files that must be refused."""
    for number in range(WRITTEN):
        yield _harmless_qrels(random, number)
        yield _harmless_queries(random, number)
        yield _harmless_run(random, number)
    for number in range(DAMAGED):
        yield from _damaged_qrels(random, number)
        yield from _damaged_queries(random, number)
        yield from _damaged_runs(random, number)
    yield from _other_files(random)


# harmless


def _judgments(random: Random, ids: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {
        query: {passage: random.randint(-2, 4) for passage in random.sample(ids, random.randint(2, 4))}
        for query in random.sample(IDS, random.randint(2, 5))
    }


def _written(random: Random, rows: list[str], *, header: str = "") -> bytes:
    """Lines with what does no harm: comments, empty lines, repeats, marks, line ends, packing."""
    rows = list(rows)
    for _ in range(random.randint(0, 3)):
        place = random.randint(0, len(rows))
        rows.insert(place, random.choice(["", "   ", "\t", "# a note 1", "#301 0 d 1", rows[place - 1]]))
    if header:
        rows.insert(0, header)
    end = random.choice(["\n", "\r\n"])
    text = random.choice(["", "\ufeff"]) + end.join(rows) + random.choice(["", end, end * 2])
    data = text.encode()
    return gzip.compress(data) if random.random() < 0.3 else data


def _harmless_qrels(random: Random, number: int) -> Fault:
    form = random.choice(["trec", "tabs", "beir", "csv", "json", "jsonl", "header"])
    ids = IDS if form == "trec" else IDS + BLANK_IDS
    judged = _judgments(random, ids)
    pairs = [(q, p, g) for q, grades in judged.items() for p, g in grades.items()]
    random.shuffle(pairs)
    unused = random.choice(["0", "Q0"])
    ending = "txt"
    if form == "trec":
        joint = random.choice([" ", "  "])
        data = _written(random, [joint.join((q, unused, p, _grade(random, g))) for q, p, g in pairs])
    elif form == "tabs":
        data = _written(random, [f"{q}\t{unused}\t {p}\t{_grade(random, g)}" for q, p, g in pairs])
    elif form == "beir":
        data = _written(random, [f"{q}\t{p}\t{g}" for q, p, g in pairs], header="query-id\tcorpus-id\tscore")
    elif form == "header":
        data = _written(random, [f"{g}\t{p}\t{q}\tx" for q, p, g in pairs], header="rel\tdocno\ttopic\tassessor")
    elif form == "csv":
        ending, joint = "csv", random.choice(",;")
        rows = [joint.join((f'"{q}"', f'"{p}"', str(g))) for q, p, g in pairs]
        data = ("\n".join([joint.join(("query_id", "doc_id", "rating")), *rows]) + "\n").encode()
    elif form == "json":
        ending, data = "json", json.dumps(judged, indent=random.choice([None, 1])).encode()
    else:
        ending = "jsonl"
        data = "".join(json.dumps({"qid": q, "docid": p, "relevance": g}) + "\n" for q, p, g in pairs).encode()
    return Fault(f"qrels {number} as {form}: {data[:60]!r}", _reading(read_qrels, f"qrels.{ending}", data, judged))


def _grade(random: Random, grade: int) -> str:
    return random.choice([str(grade), f"{grade}.0", str(grade)])


def _texts(random: Random) -> dict[str, str]:
    ids = random.sample(IDS + BLANK_IDS, random.randint(2, 6))
    return {name: " ".join(random.choices(WORDS, k=random.choice([1, 3, 8, 600]))) for name in ids}


def _harmless_queries(random: Random, number: int) -> Fault:
    form = random.choice(["tabs", "header", "quoted", "csv", "json", "jsonl"])
    texts, ending = _texts(random), "tsv"
    quoted = {name: '"' + text.replace('"', '""') + '"' for name, text in texts.items()}
    if form == "tabs":
        data = _written(random, [f"{name}\t{text}" for name, text in texts.items()])
    elif form == "header":
        data = _written(random, [f"{name}\t{text}" for name, text in texts.items()], header="query_id\ttext")
    elif form == "quoted":
        data = _written(random, [f"{name}\t{text}" for name, text in quoted.items()], header="id\tquestion")
    elif form == "csv":
        ending = "csv"
        data = "".join(
            f"{row}\n" for row in ["id,text", *(f'"{name}",{text}' for name, text in quoted.items())]
        ).encode()
    elif form == "json":
        ending, data = "json", json.dumps(texts).encode()
    else:
        ending = "jsonl"
        key = random.choice(["_id", "id", "query_id"])
        data = "".join(
            json.dumps({key: name, "text": text, "metadata": {}}) + "\n" for name, text in texts.items()
        ).encode()

    def read(path: Path) -> dict[str, str]:
        return {str(query.id): query.text for query in read_queries(path)}

    return Fault(f"queries {number} as {form}: {data[:60]!r}", _reading(read, f"queries.{ending}", data, texts))


def _harmless_run(random: Random, number: int) -> Fault:
    """Few scores, so that they tie; ranks that follow them, don't, or are all alike."""
    form, ids = random.choice(["trec", "tabs", "msmarco", "json"]), IDS
    scores = [
        str(random.choice([0.5, 1, "1.0", "1e0", "45.231796", "45.231795", -3, 100000003, 100000002])) for _ in ids
    ]
    lists, orders = {}, {}
    for query in random.sample(IDS, 3):
        passages = random.sample(ids, 6)
        lists[query] = [(passage, random.choice(scores)) for passage in passages]
        orders[query] = _order(lists[query], random, ranked=form in ("trec", "tabs"))
    if form == "msmarco":
        rows = [f"{q}\t{p}\t{rank}" for q, found in lists.items() for rank, (p, _) in enumerate(found, 1)]
        expected = {query: [passage for passage, _ in found] for query, found in lists.items()}
        data = _written(random, rows)
    elif form == "json":
        expected = {query: order for query, (order, _) in orders.items()}
        data = json.dumps({q: {p: float(score) for p, score in found} for q, found in lists.items()}).encode()
    else:
        expected = {query: order for query, (order, _) in orders.items()}
        joint = " " if form == "trec" else "\t"
        rows = [
            joint.join((q, "Q0", p, str(orders[q][1][p]), score, "tag"))
            for q, found in lists.items()
            for p, score in found
        ]
        data = _written(random, rows)

    def read(path: Path) -> dict[str, list[str]]:
        return {str(query): list(map(str, ranking.passage_ids)) for query, ranking in read_run(path).items()}

    return Fault(f"run {number} as {form}: {data[:60]!r}", _reading(read, "run.trec", data, expected))


def _order(found: list[tuple[str, str]], random: Random, *, ranked: bool) -> tuple[list[str], dict[str, int]]:
    """The order that the rule asks for, and the ranks that are written."""
    last_first = sorted(found, key=lambda pair: pair[0].encode(), reverse=True)
    by_score = sorted(last_first, key=lambda pair: -Decimal(pair[1]))
    mode = random.choice(["falling", "alike", "reversed"]) if ranked else "none"
    if mode == "falling":
        shuffled = random.sample(found, len(found))
        order = [passage for passage, _ in sorted(shuffled, key=lambda pair: -Decimal(pair[1]))]
        return order, {passage: rank for rank, passage in enumerate(order)}
    names = [passage for passage, _ in by_score]
    if mode == "reversed" and len({Decimal(score) for _, score in found}) > 1:
        return names, {passage: len(names) - place for place, passage in enumerate(names)}
    return names, dict.fromkeys(names, 1)


def _reading(read: Callable[[Path], object], name: str, data: bytes, expected: object) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        (folder / name).write_bytes(data)
        found = read(folder / name)
        if found != expected:
            raise WrongAnswerError(f"{found} in place of {expected}")

    return run


# damaged

Read = Callable[[Path], object]
Damage = Callable[[Random, list[list[str]], int], object]
"""Changes the fields of the line at a place."""


def _refusing(read: Callable[[Path], object], name: str, data: bytes, *mentions: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        (folder / name).write_bytes(data)
        refused(lambda: read(folder / name), name, *mentions)

    return run


def _damage(
    random: Random,
    what: str,
    read: Callable[[Path], object],
    rows: list[list[str]],
    joint: str,
    change: Damage,
    *,
    at: int,
) -> Fault:
    rows = [list(fields) for fields in rows]
    change(random, rows, at)
    data = "".join(joint.join(fields) + "\n" for fields in rows).encode()
    mention = f":{at + 1}"
    return Fault(f"{what} in line {at + 1}: {data[:80]!r}", _refusing(read, "file.txt", data, mention))


def _put(place: int, values: list[str]) -> Damage:
    def change(random: Random, rows: list[list[str]], at: int) -> None:
        rows[at][place] = random.choice(values)

    return change


def _lack(random: Random, rows: list[list[str]], at: int) -> None:
    del rows[at][random.randrange(len(rows[at]))]


def _add(random: Random, rows: list[list[str]], at: int) -> None:
    rows[at].insert(random.randrange(len(rows[at])), "more")


def _damaged_qrels(random: Random, number: int) -> Iterator[Fault]:
    rows = [[f"q{place}", "0", f"d{place}", str(random.randint(0, 3))] for place in range(6)]

    def contradict(_: Random, rows: list[list[str]], at: int) -> None:
        rows[at][:3] = rows[at - 1][:3]
        rows[at][3] = str(int(rows[at - 1][3]) + 1)

    changes: dict[str, Damage] = {
        "a grade": _put(3, GRADES),
        "a field lacks": _lack,
        "a field too many": _add,
        "another grade": contradict,
        "a header": lambda _, rows, at: rows.__setitem__(at, ["query-id", "0", "corpus-id", "score"]),
        "a line of a run": lambda _, rows, at: rows.__setitem__(at, ["q9", "Q0", "d9", "1", "2.5", "tag"]),
        "prels": lambda _, rows, at: rows.__setitem__(at, ["q9", "d9", "1", "1", "0.5"]),
    }
    for what, change in changes.items():
        for joint in (" ", "\t"):
            at = random.randrange(1, len(rows))
            yield _damage(random, f"qrels {number}: {what}", read_qrels, rows, joint, change, at=at)
    swapped = "".join(f"q{place} d{place} {random.choice(['0', 'Q0'])} 1\n" for place in range(4))
    yield Fault(f"qrels {number}: swapped columns {swapped!r}", _refusing(read_qrels, "s.txt", swapped.encode(), ":1"))


def _damaged_queries(random: Random, number: int) -> Iterator[Fault]:
    rows = [[f"q{place}", " ".join(random.choices(WORDS, k=4))] for place in range(6)]

    def again(_: Random, rows: list[list[str]], at: int) -> None:
        rows[at] = [rows[at - 1][0], rows[at - 1][1] + " more"]

    changes: dict[str, Damage] = {
        "no text": lambda _, rows, at: rows[at].pop(),
        "an empty text": _put(1, ["", "  ", "\r"]),
        "an empty id": _put(0, ["", " "]),
        "a field too many": lambda _, rows, at: rows[at].append("more"),
        "another text": again,
    }
    for what, change in changes.items():
        at = random.randrange(1, len(rows))
        yield _damage(random, f"queries {number}: {what}", read_queries, rows, "\t", change, at=at)
    line = random.choice(BROKEN_JSON)
    data = f'{{"_id": "q", "text": "x"}}\n{line}\n'.encode()
    yield Fault(f"queries {number}: JSON line {line[:60]}", _refusing(read_queries, "q.jsonl", data, ":2"))


def _damaged_runs(random: Random, number: int) -> Iterator[Fault]:
    rows = [[f"q{place // 3}", "Q0", f"d{place}", str(place % 3 + 1), str(9 - place), "tag"] for place in range(9)]

    def again(_: Random, rows: list[list[str]], at: int) -> None:
        rows[at][2], rows[at][0] = rows[at - 1][2], rows[at - 1][0]

    changes: dict[str, Damage] = {
        "a score": _put(4, SCORES),
        "a rank": _put(3, ["1.5", "first", "٣", "1_0", "nan"]),
        "a field lacks": _lack,
        "a field too many": _add,
        "a passage again": again,
        "a judgment": lambda _, rows, at: rows.__setitem__(at, ["q9", "0", "d9", "1"]),
    }
    for what, change in changes.items():
        for joint in (" ", "\t"):
            at = random.randrange(1, len(rows))
            yield _damage(random, f"run {number}: {what}", read_run, rows, joint, change, at=at)
    ranks = [["q1", "d1", "3"], ["q1", "d2", random.choice(["0", "-1", "0.5", "3", "x"])], ["q1", "d3", "4"]]
    data = "".join(" ".join(fields) + "\n" for fields in ranks).encode()
    yield Fault(f"run {number}: MS MARCO's {data!r}", _refusing(read_run, "run.tsv", data, ":2"))


# files that are something else


def _other_files(random: Random) -> Iterator[Fault]:
    readers: dict[str, tuple[Callable[[Path], object], str]] = {
        "qrels": (read_qrels, "q1 0 d1 1\nq2 0 d2 1\n"),
        "queries": (read_queries, "q1\twhere is it\nq2\twho is it\n"),
        "run": (read_run, "q1 Q0 d1 1 2.5 t\nq1 Q0 d2 2 1.5 t\n"),
    }
    for kind, (read, text) in readers.items():
        packed = gzip.compress((text * 500).encode())
        others = {
            "UTF-16 with a mark": (text.encode("utf-16"), "UTF-16"),
            "UTF-16 without a mark": (text.encode("utf-16-le"), "UTF-16"),
            "UTF-16, big end first": (text.encode("utf-16-be"), "UTF-16"),
            "UTF-32": (text.encode("utf-32"), "UTF-32"),
            "Latin-1": ((text.replace("2", "\u00e9")).encode("latin-1"), "Latin-1"),
            "a NUL": (
                text.replace("q2", "q\0").encode() if kind != "run" else text.replace("d2", "d\0").encode(),
                ":2",
            ),
            "nothing": (b"", "empty"),
            "blank lines": (b"\n \n\t\n", "empty"),
            "a mark alone": (b"\xef\xbb\xbf", "empty"),
            "comments": (b"# a\n# b\n", "comments"),
            "CR alone": (text.replace("\n", "\r").encode(), "CR"),
            "a cut .gz": (packed[: random.randrange(20, len(packed) - 9)], "gz"),
            "a zip": (b"PK\x03\x04" + bytes(50), "zip"),
            "Parquet": (b"PAR1" + bytes(50), "Parquet"),
            "XML": (b"<top>\n<num> Number: 301\n</top>\n", ":1"),
            "JSON of another form": (b'[1, [2, {"a": "b"}]]', "JSON"),
            "deep JSON": (b"[" * 200_000, "deep"),
            "a line without end": (b"x" * 11_000_000, "longer"),
        }
        for what, (data, mention) in others.items():
            yield Fault(f"{kind}: {what}", _refusing(read, "file.txt", data, mention))
        for what, make in {"a folder": os.mkdir, "a pipe": os.mkfifo}.items():
            yield Fault(f"{kind}: {what}", _refusing_path(read, make), limit=5.0)


def _refusing_path(read: Read, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        make(folder / "file.txt")
        refused(lambda: read(folder / "file.txt"), "file.txt")

    return run
