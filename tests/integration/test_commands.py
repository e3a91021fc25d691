"""The commands do what they say: exit status, JSON for programs, and errors in one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from indexing.__main__ import main as indexing
from indexing.index import build_folders, current_build, index_names
from search.__main__ import main as search
from search.trec import read_run
from tests.conftest import QUERIES, REPOSITORY, write_lines

Captured = pytest.CaptureFixture[str]


def refusal(captured: Captured) -> str:
    """What a failed command said: nothing on stdout, and its last line on stderr."""
    said = captured.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.strip().splitlines()[-1]


@pytest.fixture
def build_arguments(tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path) -> list[str]:
    places = ["--corpus", str(small_corpus), "--name", "small", "--root", str(tmp_path / "root")]
    return ["build", *places, "--bi-encoder", str(tiny_bi_encoder)]


def test_build_makes_an_index_and_says_what_of(build_arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    assert indexing(build_arguments) == 0
    build_id = current_build("small", root=tmp_path / "root").name
    assert capsys.readouterr().out == f"Index small: 20 passages, build {build_id}\n"


def test_build_takes_every_setting(build_arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    settings = ["--bm25", "rank-bm25", "--k1", "1.2", "--b", "0.75", "--dense", "hnsw", "--shard-size", "9"]
    assert indexing([*build_arguments, *settings]) == 0
    capsys.readouterr()
    assert indexing(["inspect", "small", "--root", str(tmp_path / "root"), "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["bm25"] == {"backend": "rank-bm25", "k1": 1.2, "b": 0.75}
    assert manifest["dense"] == "hnsw"
    assert "passages/00002.arrow" in manifest["files"]  # 9 + 9 + 2


def test_build_if_absent_leaves_a_sound_index_alone(build_arguments: list[str], tmp_path: Path) -> None:
    assert indexing(build_arguments) == indexing([*build_arguments, "--if-absent"]) == 0
    assert len(build_folders(tmp_path / "root/small")) == 1


def test_build_if_absent_replaces_a_broken_index(build_arguments: list[str], tmp_path: Path) -> None:
    indexing(build_arguments)
    (current_build("small", root=tmp_path / "root") / "dense.faiss").unlink()
    assert indexing([*build_arguments, "--if-absent"]) == 0
    assert len(build_folders(tmp_path / "root/small")) == 2


@pytest.mark.parametrize("damage", ["manifest", "pointer"])
def test_build_if_absent_replaces_an_index_that_is_not_complete(
    build_arguments: list[str], tmp_path: Path, damage: str
) -> None:
    indexing(build_arguments)
    if damage == "manifest":
        (current_build("small", root=tmp_path / "root") / "manifest.json").write_text("{")
    else:
        (tmp_path / "root/small/current").write_text("20990101-000000-abcdef\n")
    assert indexing([*build_arguments, "--if-absent"]) == 0
    assert indexing(["verify", "small", "--root", str(tmp_path / "root")]) == 0


def test_build_leaves_bad_lines_out_where_it_is_asked_to(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", "no tab here"])
    assert indexing([*build_arguments, "--corpus", str(path), "--on-bad-line", "skip"]) == 0
    assert f"left out: {path}:2: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--corpus", "nowhere"], "nowhere"),
        (["--name", "../x"], "../x"),
        (["--k1", "-1"], "-1"),
        (["--b", "2"], "2"),
        (["--shard-size", "0"], "0"),
        (["--dense", "flattest"], "flattest"),
        (["--dense", "IVF64,Flat"], "IVF64,Flat"),
        (["--bi-encoder", "no-such/model"], "no-such/model"),
        (["--corpus", "nano-msmarco"], "nano-msmarco"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_build_says_what_is_wrong_in_one_sentence(
    build_arguments: list[str],
    arguments: list[str],
    what: str,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # data/corpora is looked up here
    assert indexing([*build_arguments, *arguments]) == 2
    assert what.lower().replace("-", "") in refusal(capsys).lower().replace("-", "")
    assert index_names(tmp_path / "root") == []


def test_a_root_that_is_a_file_is_told_in_one_sentence(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "root").write_text("a file")
    assert indexing(build_arguments) == 2
    assert str(tmp_path / "root") in refusal(capsys)


def test_ctrl_c_ends_a_build_with_130_and_nothing_half_made(
    build_arguments: list[str], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexing.__main__.Bars.__call__", stop)
    assert indexing(build_arguments) == 130
    assert "nothing half-made" in refusal(capsys)
    assert list((tmp_path / "root/small").iterdir()) == []


def test_inspect_tells_what_an_index_is(built_root: Path, capsys: Captured) -> None:
    assert indexing(["inspect", "small", "--root", str(built_root)]) == 0
    said = capsys.readouterr().out
    for part in ("20 passages", "bm25s, k1=0.9, b=0.4", "32 dimensions", "FAISS flat", "left out    0 lines"):
        assert part in said


def test_verify_of_a_sound_index_ends_with_zero(built_root: Path, capsys: Captured) -> None:
    assert indexing(["verify", "small", "--root", str(built_root)]) == 0
    assert "as its manifest says" in capsys.readouterr().out


def test_verify_of_a_changed_index_ends_with_one_and_names_the_file(own_root: Path, capsys: Captured) -> None:
    path = current_build("small", root=own_root) / "dense.faiss"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert indexing(["verify", "small", "--root", str(own_root), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], [fault.split()[0] for fault in said["faults"]]) == (False, ["dense.faiss"])


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_an_absent_index_is_told_with_the_command_that_builds_it(
    command: str, built_root: Path, capsys: Captured
) -> None:
    assert indexing([command, "other", "--root", str(built_root)]) == 2
    assert "python -m indexing build --corpus CORPUS --name other" in refusal(capsys)


@pytest.fixture
def place(built_root: Path, tiny_cross_encoder: Path) -> list[str]:
    return ["--index", "small", "--root", str(built_root), "--reranker", str(tiny_cross_encoder)]


def test_query_prints_every_stage(place: list[str], capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--top", "3"]) == 0
    said = capsys.readouterr().out
    titles = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert titles[:4] == ["First stage: bm25", "First stage: dense", "Fused", "Re-ranked by tiny-cross-encoder"]
    assert titles[4].startswith("Time   bm25 ")
    assert said.count("\n    1 ") == 4


def test_query_in_json_agrees_with_itself(place: list[str], capsys: Captured) -> None:
    assert search(["query", "rye bread", *place, "--json", "--depth", "12", "--rerank-depth", "12", "--top", "12"]) == 0
    said = json.loads(capsys.readouterr().out)
    fused = {row["id"]: row["rank"] for row in said["fused"]}
    assert [row["rank"] for row in said["reranked"]] == list(range(1, 13))
    for row in said["reranked"]:
        assert row["first_stage_rank"] == fused[row["id"]]
        assert row["moved"] == fused[row["id"]] - row["rank"]
        assert row["score"] == row["logit"]  # with all weight on the re-ranker
    assert {"bm25", "encode", "faiss", "re-rank"} <= set(said["seconds"])


def test_query_without_a_re_ranker_has_no_re_ranked_list(built_root: Path, capsys: Captured) -> None:
    arguments = ["--index", "small", "--root", str(built_root), "--reranker", "none", "--json"]
    assert search(["query", "rye bread", *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["reranker"], said["reranked"]) == (None, None)
    assert len(said["fused"]) == 10


def test_query_that_matches_nothing_says_so(built_root: Path, capsys: Captured) -> None:
    arguments = ["--index", "small", "--root", str(built_root), "--reranker", "none", "--fusion", "bm25"]
    assert search(["query", "quasar", *arguments]) == 0
    assert "No passage matches" in capsys.readouterr().out


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
    found = [row["id"] for row in json.loads(capsys.readouterr().out)["reranked"]]
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


def test_an_error_of_a_command_is_one_sentence_on_stderr_and_nothing_else(built_root: Path) -> None:
    command = [sys.executable, "-m", "indexing", "inspect", "other", "--root", str(built_root)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no index 'other'")
    assert done.stderr.count("\n") == 1
