"""Cases about judgments and runs that don't fit the passages, the queries, or each other."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cases.case import Case, Checks, Completed

CHECKS = Checks()
STAGES = ("BM25", "dense", "fused (RRF)", "re-ranked")
Judgment = tuple[str, str, int]


def beir(folder: Path, passages: Mapping[str, str], queries: Mapping[str, str], judged: Sequence[Judgment]) -> None:
    """Write a collection of BEIR's form."""
    rows = [{"_id": name, "title": "", "text": text} for name, text in passages.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"_id": name, "text": text} for name, text in queries.items()]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    (folder / "qrels").mkdir()
    lines = [f"{query}\t{passage}\t{grade}\n" for query, passage, grade in judged]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))


def systems(found: dict[str, Any]) -> dict[str, Any]:
    """The systems of an evaluation's first report, as JSON has them."""
    values: dict[str, Any] = found["reports"][0]["comparison"]["systems"]
    return values


def mean(found: dict[str, Any], system: str, measure: str = "nDCG@10") -> float:
    """One mean of the first report."""
    return float(systems(found)[system]["means"][measure])


def said(found: dict[str, Any], completed: Completed) -> str:
    """All that an evaluation told: on stderr and in the notes of its JSON."""
    return "\n".join([completed.err, *found["reports"][0]["notes"]])


def _long_queries(folder: Path) -> None:
    passages = {
        "pro": "Bells in towers wake a town early.",
        "con": "Silence lets a town sleep longer.",
        "x": "Hay dries.",
    }
    sentence = "Bells should stay because a town that wakes early bakes its bread in time. "
    beir(folder, passages, {"s1": "what lets a town sleep", "s2": sentence * 35}, [("s1", "con", 1), ("s2", "con", 1)])
    (folder / "queries.tsv").write_text(f"s1\twhat lets a town sleep\ns2\t{sentence * 35}\n")


@CHECKS.add("03-arguana-long-query", _long_queries)
def long_queries(case: Case) -> None:
    """A query of thousands of characters is cut and named; the file is answered."""
    case.build()
    output = case.home / "run.trec"
    for name in ("queries.jsonl", "queries.tsv"):
        ended = case.done("search", "run", case.folder / name, output, "--index", "case", "--reranker", "none")
        assert {line.split()[0] for line in output.read_text().splitlines()} == {"s1", "s2"}
        assert "s2" in ended.err, ended.err
        assert "s1" not in ended.err, ended.err
    found, completed = case.evaluation()
    assert found["reports"][0]["queries"] == 2
    assert "s2" in said(found, completed), said(found, completed)


def _identical_ids(folder: Path) -> None:
    passages = {
        "roof-1": "Mending a leaking roof with tar.",
        "roof-2": "A leaking roof is mended with warm tar.",
        "dog-1": "Dogs bark at the moon.",
        "dog-2": "A barking dog looks at the moon.",
        "jam-1": "Plum jam keeps a year.",
        "jam-2": "Jam of plums is kept for a year.",
    }
    queries = {name: text for name, text in passages.items() if name.endswith("1")}
    beir(folder, passages, queries, [(name, f"{name[:-1]}2", 1) for name in queries])


@CHECKS.add("04-identical-ids", _identical_ids)
def identical_ids(case: Case) -> None:
    """A query that is a passage itself doesn't find itself."""
    case.build()
    found, completed = case.evaluation()
    for stage in STAGES:
        assert mean(found, stage) == 1, (stage, mean(found, stage))
        assert mean(found, stage, "MRR@10") == 1, stage
    assert "3 queries are themselves passages" in said(found, completed), said(found, completed)


def _title_before_text(folder: Path) -> None:
    passages = {
        "a-pro": "Bells wake a town. Bells should stay because they wake a town early.",
        "a-con": "Bells should go because a town that sleeps longer is healthier.",
        "b-pro": "Cats keep mice away from the barn and from the grain.",
        "b-con": "Cats kill birds around the barn, and should be kept inside.",
    }
    beir(folder, passages, {name: text for name, text in passages.items() if name.endswith("pro")}, [])
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    for row in rows:
        if row["_id"] == "a-pro":
            row["title"], row["text"] = "Bells wake a town.", "Bells should stay because they wake a town early."
        if row["_id"] == "b-pro":
            row["title"] = "animals farms"
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    queries.append({"_id": "b-con", "text": "what eats grain in a barn"})  # the same id, another text
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    judged = "query-id\tcorpus-id\tscore\na-pro\ta-con\t1\nb-pro\tb-con\t1\nb-con\tb-con\t1\n"
    (folder / "qrels" / "test.tsv").write_text(judged)


@CHECKS.add("own-ids-with-titles", _title_before_text)
def own_passages_with_titles(case: Case) -> None:
    """A title may stand before the text that is the query's; the same id with another text is a result like any."""
    case.build()
    found, completed = case.evaluation()
    assert "2 queries are themselves passages" in said(found, completed), said(found, completed)
    values = systems(found)["BM25"]["per_query"]["R@10"]
    assert values == {"a-pro": 1, "b-pro": 1, "b-con": 1}, values
    assert systems(found)["BM25"]["per_query"]["nDCG@10"]["a-pro"] == 1


def _blanks_in_ids(folder: Path) -> None:
    passages = {
        "manual page 1": "Turn the red valve to drain the tank.",
        "manual page 2": "A bell means low oil.",
        "p": "Call us.",
    }
    queries = {"q1": "how to drain the tank", "q2": "what does the bell mean", "q3": "whom to call"}
    beir(folder, passages, queries, [("q1", "manual page 1", 1), ("q2", "manual page 2", 1), ("q3", "p", 1)])


@CHECKS.add("05-ids-with-spaces-beir", _blanks_in_ids)
def blanks_in_ids(case: Case) -> None:
    """Ids with blanks are judged as they are; a TREC run refuses them before anything is searched."""
    case.build()
    found, _ = case.evaluation()
    assert found["reports"][0]["queries"] == 3
    assert mean(found, "BM25") == 1
    assert systems(found)["BM25"]["per_query"]["R@10"] == {"q1": 1, "q2": 1, "q3": 1}
    output = case.home / "run.trec"
    arguments = ("search", "run", case.folder / "queries.jsonl", output, "--index", "case")
    ended = case.command(*arguments)
    assert ended.code == 2, ended.said
    assert "white space" in ended.err, ended.err
    assert "search:" not in ended.err, ended.err
    assert not output.exists()


def _missing_texts(folder: Path) -> None:
    passages = {
        "d0": "Plums ripen in August.",
        "d1": "Iron rusts in rain.",
        "d2": "Bats sleep by day.",
        "d3": "Lakes freeze.",
    }
    judged = [("q1", "d0", 1), ("q2", "d1", 1), ("q3", "d2", 1), ("q4", "d3", 1), ("q2", "gone-doc", 1)]
    beir(folder, passages, {"q1": "when do plums ripen", "q2": "what rusts in rain"}, judged)


@CHECKS.add("08-missing-query-text", _missing_texts)
def missing_texts(case: Case) -> None:
    """Judged queries without a text, and judged passages that aren't there, are named and blamed on nobody."""
    case.build()
    found, completed = case.evaluation()
    report = found["reports"][0]
    assert report["queries"] == 2
    assert round(mean(found, "BM25"), 4) == 0.8066  # (1 + 1 / (1 + 0.6309)) / 2
    told = said(found, completed)
    for name in ("q3", "q4", "gone-doc"):
        assert told.count(name) >= 1, (name, told)
    means = report["attribution"]["means"]
    assert abs(means["lost to recall"]) < 1e-9, means
    assert abs(means["lost to absent passages"] - (1 - 1 / 1.6309) / 2) < 1e-4, means
    printed = case.done("training", "evaluate", "--index", "case").said
    assert "no result for" not in printed, printed
    assert "Lost to recall: 0.0000" in printed, printed


def _trec(folder: Path, lines: Sequence[str]) -> None:
    beir(folder, {"d1": "Owls see at night.", "d2": "Reeds grow in ponds.", "d3": "Tin is soft."}, {}, [])
    (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels").rmdir()
    queries = [{"_id": "301", "text": "what sees at night"}, {"_id": "302", "text": "where do reeds grow"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    (folder / "qrels.test.txt").write_text("".join(f"{line}\n" for line in lines))


@CHECKS.add("12f-columns-swapped", lambda folder: _trec(folder, ["301 d1 0 1", "302 d2 0 1"]))
def columns_swapped(case: Case) -> None:
    """Judgments of passages that are all called 0 are refused, not measured as 0."""
    case.build()
    sentence = case.refused("training", "evaluate", "--index", "case")
    assert "'0'" in sentence or "qrels.test.txt:1" in sentence, sentence
    assert "d1" in sentence, sentence


@CHECKS.add("12g-topic-suffix", lambda folder: _trec(folder, ["301.1 0 d1 1", "302.1 0 d2 1"]))
def topic_suffix(case: Case) -> None:
    """Judgments of queries that nobody asks are refused."""
    case.build()
    case.refused("training", "evaluate", "--index", "case", mentions=["301.1"])


@CHECKS.add("passage-prefix", lambda folder: _trec(folder, ["301 0 D1 1", "302 0 D2 1"]))
def passage_prefix(case: Case) -> None:
    """Judgments of passages by other ids are refused with an id of each side."""
    case.build()
    case.refused("training", "evaluate", "--index", "case", mentions=["'D1'", "'d1'", "index case"])


def _foreign_run(folder: Path) -> None:
    _trec(folder, ["301 0 d1 1", "302 0 d2 1"])
    lines = ["301 Q0 d1 1 2 x", "301 Q0 zz 2 1 x", "999 Q0 d2 1 1 x"]
    (folder / "theirs.trec").write_text("".join(f"{line}\n" for line in lines))
    (folder / "elsewhere.trec").write_text("301 Q0 D1 1 2 x\n302 Q0 D2 1 2 x\n")
    (folder / "others.trec").write_text("q301 Q0 d1 1 2 x\n")


@CHECKS.add("foreign-runs", _foreign_run)
def foreign_runs(case: Case) -> None:
    """Holes of another system's run are said once each; one of other queries or passages is refused."""
    case.build()
    found, completed = case.evaluation("--run", f"theirs={case.folder / 'theirs.trec'}")
    assert mean(found, "theirs") == 0.5
    told = said(found, completed)
    for name in ("'302'", "'999'", "'zz'"):
        notes = [note for note in found["reports"][0]["notes"] if name in note]
        assert len(notes) == 1, (name, told)
    evaluate = ("training", "evaluate", "--index", "case", "--run")
    case.refused(*evaluate, f"x={case.folder / 'elsewhere.trec'}", mentions=["'D1'", "'d1'"])
    case.refused(*evaluate, f"x={case.folder / 'others.trec'}", mentions=["'q301'", "'301'"])
