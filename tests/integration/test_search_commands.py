"""The commands of `python -m search`: lists, moves and times, JSON for programs, errors in one sentence."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from search.__main__ import main as search
from search.trec import read_run
from tests.conftest import PASSAGES, QUERIES, REPOSITORY, write_lines

Captured = pytest.CaptureFixture[str]
WARM_UP = "(this process's first search, which includes warm-up)"


def refusal(captured: Captured) -> str:
    """What a failed command printed: nothing on stdout, and its last line on stderr."""
    printed = captured.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err.strip().splitlines()[-1]


@pytest.fixture
def place(built_root: Path, tiny_cross_encoder: Path) -> list[str]:
    return ["--index", "small", "--root", str(built_root), "--reranker", str(tiny_cross_encoder)]


def test_query_prints_every_stage(place: list[str], capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--top", "3"]) == 0
    said = capsys.readouterr().out
    titles = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert titles[:4] == ["First stage: bm25", "First stage: dense", "Fused", "Re-ranked by tiny-cross-encoder"]
    assert titles[4].startswith("Time   bm25 ")
    assert titles[4].endswith(f"   {WARM_UP}")
    assert said.count("\n    1 ") == 4


def test_query_in_json_agrees_with_itself(place: list[str], capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--json", "--depth", "12", "--rerank-depth", "12", "--top", "12"]) == 0
    said = json.loads(capsys.readouterr().out)
    ranks = {name: {row["id"]: row["rank"] for row in places} for name, places in said["stages"].items()}
    assert list(ranks) == ["bm25", "dense", "fused", "reranked"]
    assert [row["rank"] for row in said["final"]] == list(range(1, 13))
    for row in said["final"]:
        assert row["ranks"] == {name: places.get(row["id"]) for name, places in ranks.items()}
        assert row["moved"] == ranks["fused"][row["id"]] - row["rank"]
        assert row["score"] == row["logit"]  # with all weight on the re-ranker
        assert row["text"] == said["passages"][row["id"]]["text"] == PASSAGES[row["id"]]
    assert said["schema"] == 1
    assert said["settings"]["depth"] == said["settings"]["rerank_depth"] == 12
    assert (said["versions"]["index"], said["versions"]["reranker"]) == ("small", "tiny-cross-encoder")
    assert {"bm25", "encode", "faiss", "re-rank"} <= set(said["seconds"])


def test_query_without_a_re_ranker_has_no_re_ranked_list(built_root: Path, capsys: Captured) -> None:
    arguments = ["--index", "small", "--root", str(built_root), "--reranker", "none", "--json"]
    assert search(["query", "rye bread", *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["versions"]["reranker"] is None
    assert list(said["stages"]) == ["bm25", "dense", "fused"]
    assert [row["id"] for row in said["final"]] == [row["id"] for row in said["stages"]["fused"]]
    assert [row["text"] for row in said["final"]] == [PASSAGES[row["id"]] for row in said["final"]]
    assert len(said["final"]) == 10


def test_query_takes_k1_and_b(built_root: Path, capsys: Captured) -> None:
    arguments = ["--index", "small", "--root", str(built_root), "--reranker", "none", "--json", "--fusion", "bm25"]
    scores = []
    for pair in ([], ["--k1", "0.9", "--b", "0.4"], ["--k1", "2"]):  # none, the index's own, another
        assert search(["query", "rye bread", *arguments, *pair]) == 0
        scores.append([row["score"] for row in json.loads(capsys.readouterr().out)["final"]])
    assert scores[0] == scores[1]
    assert scores[2][0] < scores[0][0]
    assert search(["query", "rye bread", *arguments, "--b", "1.1"]) == 2
    assert "--b is 1.1" in capsys.readouterr().err


def test_query_that_matches_nothing_says_so(built_root: Path, capsys: Captured) -> None:
    arguments = ["--index", "small", "--root", str(built_root), "--reranker", "none", "--fusion", "bm25"]
    assert search(["query", "quasar", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["First stage: bm25", "  no passage has a word of the query", ""]
    assert lines[3] == (
        "No passage has any of the query's words: quasar; try other words, or the fusion rrf or dense, which finds "
        "passages by their meaning."
    )


def test_a_list_without_a_passage_says_so_under_its_heading(built_root: Path, capsys: Captured) -> None:
    assert search(["query", "quasar", "--index", "small", "--root", str(built_root), "--reranker", "none"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ["First stage: bm25", "  no passage has a word of the query", "", "First stage: dense"]
    assert any("No passage has any of the query's words: quasar" in line for line in lines)


@pytest.fixture
def plain(built_root: Path) -> list[str]:
    """Options of a search without a re-ranker."""
    return ["--index", "small", "--root", str(built_root), "--reranker", "none"]


def test_a_dash_answers_each_line_of_stdin(plain: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("rye bread\n\n  honey  \n"))
    assert search(["query", "-", *plain, "--top", "1"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [line for line in lines if line.startswith("Query: ")] == ["Query: rye bread", "Query: honey"]
    assert [line.endswith(WARM_UP) for line in lines if line.startswith("Time ")] == [True, False]
    assert printed.err == ""


def test_a_dash_with_json_gives_one_line_for_each_query_even_where_one_is_refused(
    plain: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 2001
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"rye bread\n{long}\nhoney\n"))
    assert search(["query", "-", *plain, "--json"]) == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["query"] for row in rows] == ["rye bread", long, "honey"]
    assert [row["schema"] for row in rows] == [1, 1, 1]
    assert rows[1] == {
        "schema": 1,
        "query": long,
        "error": "The query has 2,001 characters; at most 2,000 are searched.",
    }
    assert rows[2]["final"][0]["text"] == PASSAGES[rows[2]["final"][0]["id"]]


def test_a_line_that_cannot_be_searched_is_reported_and_the_next_is_answered(
    plain: list[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x" * 2001 + "\nhoney\n"))
    assert search(["query", "-", *plain, "--top", "1"]) == 2
    printed = capsys.readouterr()
    assert printed.err == "The query has 2,001 characters; at most 2,000 are searched.\n"
    assert printed.out.startswith("Query: honey\n")


@pytest.mark.parametrize("option", ["--rerank-depth", "--rerank-k"])
def test_a_rerank_depth_beyond_the_depth_is_said(place: list[str], option: str, capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--depth", "7", option, "500", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["settings"]["rerank_depth"] == 7
    notes = printed.err.splitlines()
    assert notes[-1] == (
        "--rerank-depth is 500, but the first stage keeps 7 candidates, so 7 are re-ranked; give --depth 500 for all."
    )
    assert notes[:-1] == (
        ["--rerank-k is now called --rerank-depth; the old name will go in a later version."]
        if option == "--rerank-k"
        else []
    )


def test_the_usual_rerank_depth_follows_a_smaller_depth_without_a_note(place: list[str], capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--depth", "7", "--json"]) == 0
    printed = capsys.readouterr()
    assert (json.loads(printed.out)["settings"]["rerank_depth"], printed.err) == (7, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], "usage: python -m search"),
        (["query", "--help"], "usage: python -m search query"),
        (["query", "x", "--depth", "-5"], "--depth is -5; give a whole number from 1 to 10,000."),
        (["query", "x", "--top", "0"], "--top is 0; give a whole number, 1 or more."),
        (["query", " "], "The query is empty; type some words."),
        (["query", "x", "--index", "nosuch"], "There is no index 'nosuch' in "),
        (["run", "nowhere.tsv", "out.trec"], "nowhere.tsv"),
    ],
    ids=" ".join,
)
def test_help_and_faulty_arguments_are_answered_before_any_model_library_is_loaded(
    plain: list[str], arguments: list[str], expected: str
) -> None:
    heavy = ["torch", "transformers", "sentence_transformers", "sklearn", "datasets", "faiss"]
    given = arguments if "--help" in arguments else [*arguments[:1], *plain, *arguments[1:]]
    program = (
        "import sys\nfrom search.__main__ import main\n"
        f"try:\n    status = main({given})\nexcept SystemExit as ended:\n    status = ended.code\n"
        f"print(status, [name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert expected in run.stdout + run.stderr
    assert run.stdout.splitlines()[-1] == ("0 []" if "--help" in arguments else "2 []")


def test_vv_prints_the_traceback_before_the_sentence(plain: list[str], capsys: Captured) -> None:
    assert search(["query", "x", *plain, "--index", "nosuch", "-vv"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1].startswith("There is no index 'nosuch' in ")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["query", " "], "empty"),
        (["query", "x" * 2001], "2,001"),
        (["query", "x", "--index", "other"], "other"),
        (["query", "x", "--index", "../small"], "../small"),
        (["query", "x", "--depth", "0"], "0"),
        (["query", "x", "--rrf-k", "-1"], "-1"),
        (["query", "x", "--bm25-weight", "2"], "2"),
        (["query", "x", "--rerank-weight", "-1"], "-1"),
        (["query", "x", "--reranker", "no-such/model"], "no-such/model"),
        (["query", "x", "--top", "-1"], "-1"),
        (["run", "nowhere.tsv", "run.trec"], "nowhere.tsv"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_search_says_what_is_wrong_in_one_sentence(
    place: list[str], arguments: list[str], what: str, capsys: Captured
) -> None:
    given = [*arguments[:1], *place, *arguments[1:]]
    assert search(given) == 2
    assert what in refusal(capsys)


def test_run_answers_every_query_of_a_file(place: list[str], tmp_path: Path, capsys: Captured) -> None:
    queries = QUERIES["train"] | QUERIES["test"]
    path = write_lines(tmp_path / "q.tsv", [f"{key}\t{text}" for key, text in queries.items()])
    assert search(["run", str(path), str(tmp_path / "run.trec"), *place, "--depth", "7"]) == 0
    assert "4 queries" in capsys.readouterr().out
    assert {query: len(ranking) for query, ranking in read_run(tmp_path / "run.trec").items()} == dict.fromkeys(
        queries, 7
    )


def test_run_gives_what_query_gives(place: list[str], tmp_path: Path, capsys: Captured) -> None:
    path = write_lines(tmp_path / "q.tsv", ["1\trye bread"])
    search(["run", str(path), str(tmp_path / "run.trec"), *place])
    capsys.readouterr()
    search(["query", "rye bread", *place, "--json", "--top", "20"])
    found = [row["id"] for row in json.loads(capsys.readouterr().out)["final"]]
    (ranking,) = read_run(tmp_path / "run.trec").values()
    assert list(ranking.passage_ids) == found


def test_an_output_that_cannot_be_written_is_told_in_one_sentence(
    place: list[str], tmp_path: Path, capsys: Captured
) -> None:
    path = write_lines(tmp_path / "q.tsv", ["1\trye bread"])
    (tmp_path / "folder").mkdir()
    assert search(["run", str(path), str(tmp_path / "folder"), *place]) == 2
    assert str(tmp_path / "folder") in refusal(capsys)


def test_an_unknown_option_ends_with_two(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        search(["query", "x", "--dept", "5", "--no-such-option"])
    assert ended.value.code == 2


def test_commands_run_as_modules_and_print_nothing_but_json(place: list[str]) -> None:
    command = [sys.executable, "-m", "search", "query", "rye bread", *place, "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["query"] == "rye bread"


def test_another_engines_run_is_re_ranked_with_an_index_and_with_a_corpus(
    place: list[str], tmp_path: Path, capsys: Captured
) -> None:
    queries = write_lines(tmp_path / "q.tsv", ["1\thow do bees make honey", "2\trye bread"])
    names = list(PASSAGES)
    lines = [f"{q} Q0 {name} {rank} {99 - rank} bm" for q in "12" for rank, name in enumerate(names, start=1)]
    run = write_lines(tmp_path / "their.trec", lines)
    corpus = write_lines(tmp_path / "corpus/collection.tsv", [f"{name}\t{text}" for name, text in PASSAGES.items()])
    files = ["--run", str(run), "--queries", str(queries), "--rerank-depth", "5", "--rerank-weight", "1"]
    by_index, by_corpus = tmp_path / "index.trec", tmp_path / "corpus.trec"
    assert search(["rerank", *files, *place, "--output", str(by_index)]) == 0
    assert "2 queries in" in capsys.readouterr().out
    assert search(["rerank", *files, "--corpus", str(corpus.parent), *place[-2:], "--output", str(by_corpus)]) == 0
    first, second = read_run(by_index), read_run(by_corpus)
    for query, ranking in first.items():
        assert ranking.passage_ids == second[query].passage_ids
        assert set(ranking.passage_ids[:5]) == set(names[:5])
        assert list(ranking.passage_ids[5:]) == names[5:]
    assert any(list(ranking.passage_ids[:5]) != names[:5] for ranking in first.values())


def test_a_run_that_cant_be_re_ranked_is_refused_in_one_sentence(
    place: list[str], tmp_path: Path, capsys: Captured
) -> None:
    queries = write_lines(tmp_path / "q.tsv", ["1\thoney"])
    run = write_lines(tmp_path / "their.trec", ["1 Q0 elsewhere 1 1 x"])
    files = ["--run", str(run), "--queries", str(queries), *place]
    assert search(["rerank", *files, "--output", str(run)]) == 2
    assert "is the run to re-rank itself" in refusal(capsys)
    assert search(["rerank", *files, "--output", str(tmp_path / "o.trec"), "--rerank-depth", "0"]) == 2
    assert "Nothing would be re-ranked" in refusal(capsys)
    assert search(["rerank", *files, "--output", str(tmp_path / "o.trec")]) == 2
    assert "index small holds no passage of" in refusal(capsys)
    assert not (tmp_path / "o.trec").exists()
