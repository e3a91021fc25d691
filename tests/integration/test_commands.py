"""The commands do what they say: exit status, JSON for programs, and errors in one sentence."""

import json
import os
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch

from indexing.__main__ import main as indexing
from indexing.catalogue import build_folders, current_build, index_names
from indexing.index import open_index
from indexing.manifest import Manifest
from indexing.records import PassageId
from tests.conftest import PASSAGES, REPOSITORY, write_lines

Captured = pytest.CaptureFixture[str]


def refusal(captured: Captured) -> str:
    """What a failed command said: nothing on stdout, and its last line on stderr."""
    said = captured.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.strip().splitlines()[-1]


@pytest.fixture
def build_arguments(tmp_path: Path, small_corpus: Path, tiny_bi_encoder: Path) -> list[str]:
    places = ["--corpus", str(small_corpus), "--index", "small", "--root", str(tmp_path / "root")]
    return ["build", *places, "--bi-encoder", str(tiny_bi_encoder)]


def test_build_makes_an_index_and_says_what_of(build_arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    assert indexing(build_arguments) == 0
    build_id = current_build("small", root=tmp_path / "root").name
    first, language, dense = capsys.readouterr().out.splitlines()
    assert first == f"Index small: 20 passages, build {build_id}, 20 encoded"
    assert language.startswith("language: english, by 20 sampled passages: ")
    assert dense.startswith("dense: FAISS Flat, recall@100 1.0000 of exact search's on 1 train queries of ")


def test_build_takes_every_setting(
    build_arguments: list[str], tmp_path: Path, tiny_cross_encoder: Path, capsys: Captured
) -> None:
    settings = ["--bm25", "rank-bm25", "--k1", "1.2", "--b", "0.75", "--dense", "hnsw", "--shard-size", "9"]
    assert indexing([*build_arguments, *settings, "--tokenizer", str(tiny_cross_encoder), "--workers", "cpu:1"]) == 0
    capsys.readouterr()
    assert indexing(["inspect", "small", "--root", str(tmp_path / "root"), "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["bm25"] == {"backend": "rank-bm25", "k1": 1.2, "b": 0.75}
    assert (manifest["dense"]["preset"], manifest["dense"]["kind"]) == ("hnsw", "HNSW32,Flat")
    assert "passages/00002.arrow" in manifest["files"]  # 9 + 9 + 2
    assert manifest["tokenizer"] == str(tiny_cross_encoder)


@pytest.mark.parametrize(
    ("options", "k1", "b"),
    [
        ([], 0.9, 0.4),
        (["--bm25-preset", "trec-dl"], 0.9, 0.4),
        (["--bm25-preset", "msmarco-dev"], 0.82, 0.68),
        (["--bm25-preset", "msmarco-dev", "--b", "0"], 0.82, 0),
    ],
)
def test_build_takes_k1_and_b_from_a_preset_and_then_as_given(
    build_arguments: list[str], options: list[str], k1: float, b: float, tmp_path: Path
) -> None:
    assert indexing([*build_arguments, *options]) == 0
    settings = Manifest.load(current_build("small", root=tmp_path / "root")).bm25
    assert (settings.k1, settings.b) == (k1, b)


def test_build_again_encodes_nothing(build_arguments: list[str], capsys: Captured) -> None:
    indexing(build_arguments)
    capsys.readouterr()
    assert indexing([*build_arguments, "--k1", "1.2"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(", 0 encoded")


def test_estimate_says_what_a_build_will_take_and_builds_nothing(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    assert indexing([*build_arguments, "--estimate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "20 passages, from a sample of 20; FAISS Flat"
    assert lines[1].startswith("  auto chose it: 20 vectors")
    assert [line.split()[0] for line in lines[2:]] == ["disk", "memory", "time"]
    assert re.fullmatch(r"disk    0\.0 MB: passages 0\.0 MB, vectors 0\.0 MB, .*dense 0\.0 MB", lines[2])
    assert re.fullmatch(r"memory  [\d.]+ [MG]B at the peak, in phase \w+", lines[3])
    assert re.fullmatch(r"time    \d+ s: read \d+ s, encode \d+ s, bm25 \d+ s, .*", lines[4])
    assert not (tmp_path / "root").exists()


def test_build_if_absent_leaves_a_sound_index_alone(build_arguments: list[str], tmp_path: Path) -> None:
    assert indexing(build_arguments) == indexing([*build_arguments, "--if-absent"]) == 0
    assert len(build_folders(tmp_path / "root/small")) == 1


def test_build_if_absent_replaces_a_broken_index(build_arguments: list[str], tmp_path: Path) -> None:
    indexing(build_arguments)
    (current_build("small", root=tmp_path / "root") / "dense.faiss").unlink()
    assert indexing([*build_arguments, "--if-absent"]) == 0
    assert len(build_folders(tmp_path / "root/small")) == 2


def test_build_if_absent_sees_texts_that_went_away_and_files_replaced_by_older_ones(
    tmp_path: Path, tiny_bi_encoder: Path
) -> None:
    texts = tmp_path / "texts"
    for name in ("cats", "salaries", "dogs"):
        write_lines(texts / f"{name}.txt", [f"{name} of the house"])
    places = ["--corpus", str(texts), "--index", "texts", "--root", str(tmp_path / "root")]
    command = ["build", *places, "--bi-encoder", str(tiny_bi_encoder), "--if-absent"]
    folder = tmp_path / "root/texts"
    assert indexing(command) == indexing(command) == 0
    assert len(build_folders(folder)) == 1
    (texts / "salaries.txt").unlink()
    assert indexing(command) == 0
    assert Manifest.load(current_build("texts", root=tmp_path / "root")).passages == 2
    write_lines(tmp_path / "older.txt", ["dogs of the yard"])
    os.utime(tmp_path / "older.txt", (1e9, 1e9))
    (tmp_path / "older.txt").replace(texts / "dogs.txt")
    assert indexing(command) == 0
    assert open_index("texts", root=tmp_path / "root").passages.by_id(PassageId("dogs")).text == "dogs of the yard"


def test_build_if_absent_tells_what_the_index_was_not_built_with(build_arguments: list[str], capsys: Captured) -> None:
    assert indexing(build_arguments) == 0
    capsys.readouterr()
    assert indexing([*build_arguments, "--if-absent", "--language", "german", "--k1", "5", "--b", "0.4"]) == 0
    assert capsys.readouterr().err == (
        "Index small was built with BM25's k1 0.9 (asked for: 5.0), language english (asked for: german); leave "
        "--if-absent out to change that.\n"
    )


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


def test_build_counts_the_lines_left_out_that_it_does_not_print(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat.", *["no tab here"] * 23])
    assert indexing([*build_arguments, "--corpus", str(path), "--on-bad-line", "skip"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(f"left out: {path}:") for line in lines) == 20
    assert lines[20] == "left out: 3 more lines"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--corpus", "nowhere"], "nowhere"),
        (["--index", "../x"], "../x"),
        (["--k1", "-1"], "-1"),
        (["--b", "2"], "2"),
        (["--shard-size", "0"], "0"),
        (["--dense", "flattest"], "flattest"),
        (["--dense", "IVF64,Flat"], "IVF64,Flat"),
        (["--bi-encoder", "no-such/model"], "no-such/model"),
        (["--tokenizer", "no-such/model"], "no-such/model"),
        (["--workers", "gpu:2"], "gpu:2"),
        (["--workers", "cpu:two"], "cpu:two"),
        (["--workers", "cuda:"], "cuda:"),
        (["--text-field", "body"], "--text-field"),
        (["--estimate", "--corpus", "nowhere"], "nowhere"),
        (["--estimate", "--dense", "flattest"], "flattest"),
        (["--estimate", "--shard-size", "0"], "0"),
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
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    assert indexing([*build_arguments, *arguments]) == 2
    assert what.lower().replace("-", "") in refusal(capsys).lower().replace("-", "")
    assert index_names(tmp_path / "root") == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
def test_workers_on_a_device_that_is_not_there_are_told_in_one_sentence(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    assert indexing([*build_arguments, "--workers", "cuda:0,cuda:1"]) == 2
    assert "cuda:0" in refusal(capsys)
    assert index_names(tmp_path / "root") == []


@pytest.mark.parametrize("name", ["c.tsv.gz", "c.tar.gz", "c.parquet"])
def test_a_packed_corpus_that_is_broken_is_told_in_one_sentence(
    build_arguments: list[str], name: str, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08 no such thing")
    assert indexing([*build_arguments, "--corpus", str(tmp_path / name)]) == 2
    assert name in refusal(capsys)


def test_a_root_that_is_a_file_is_told_in_one_sentence(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "root").write_text("a file")
    assert indexing(build_arguments) == 2
    assert str(tmp_path / "root") in refusal(capsys)


def test_ctrl_c_ends_a_build_with_130_and_says_what_is_kept(
    build_arguments: list[str], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexing.progress.Bars.__call__", stop)
    assert indexing(build_arguments) == 130
    assert refusal(capsys) == (
        "Stopped before the first shard of 20,000 passages was finished, so nothing is stored; smaller shards "
        "(--shard-size) are stored sooner. The index in use is unchanged."
    )
    assert not (tmp_path / "root/small").exists()


def test_ctrl_c_after_a_shard_says_how_many_passages_are_stored(
    build_arguments: list[str], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object, phase: str, *counts: int) -> None:
        if phase == "ids":
            raise KeyboardInterrupt

    monkeypatch.setattr("indexing.progress.Bars.__call__", stop)
    assert indexing([*build_arguments, "--shard-size", "9"]) == 130
    assert refusal(capsys) == (
        "Stopped. 20 passages in 3 finished shards are stored; the same command resumes after them. "
        "The index in use is unchanged."
    )


def test_build_still_takes_the_index_by_its_former_option(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    assert indexing(["--name" if word == "--index" else word for word in build_arguments]) == 0
    assert index_names(tmp_path / "root") == ["small"]
    assert "--name is now called --index" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["build", "exists", "estimate"])
def test_build_gives_json(build_arguments: list[str], tmp_path: Path, mode: str, capsys: Captured) -> None:
    if mode == "exists":
        indexing(build_arguments)
        capsys.readouterr()
    more = {"build": [], "exists": ["--if-absent"], "estimate": ["--estimate"]}[mode]
    assert indexing([*build_arguments, "--json", *more]) == 0
    values = json.loads(capsys.readouterr().out)
    if mode == "estimate":
        assert (values["passages"], values["kind"]) == (20, "Flat")
    else:
        assert values["folder"] == str(current_build("small", root=tmp_path / "root"))
        assert values["encoded"] == (20 if mode == "build" else 0)


def test_list_shows_every_index_with_its_figures(build_arguments: list[str], own_root: Path, capsys: Captured) -> None:
    (own_root / "broken").mkdir()
    (own_root / "broken/current").write_text("20990101-000000-abcdef\n")
    assert command(own_root, "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("broken  ")
    assert "names build '20990101-000000-abcdef', which doesn't exist" in first
    manifest = Manifest.load(current_build("small", root=own_root))
    assert second.split("  ")[0] == "small"
    assert "20 passages" in second
    assert "1 build " in second
    assert second.endswith(f"{manifest.created[:16]}  current {manifest.build}")


def test_list_gives_json(built_root: Path, capsys: Captured) -> None:
    assert command(built_root, "list", "--json") == 0
    manifest = Manifest.load(current_build("small", root=built_root))
    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "small",
            "build": manifest.build,
            "builds": 1,
            "passages": 20,
            "bytes": manifest.bytes,
            "created": manifest.created,
            "fault": "",
        }
    ]


def test_list_of_no_index_says_how_to_build_one(tmp_path: Path, capsys: Captured) -> None:
    assert command(tmp_path, "list") == 0
    assert "python -m indexing build --corpus CORPUS --index NAME" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["small"], ["--index", "small"], ["small", "--index", "small"]])
def test_an_index_is_named_by_position_or_option(built_root: Path, words: list[str], capsys: Captured) -> None:
    assert command(built_root, "inspect", *words) == 0
    assert capsys.readouterr().out.startswith("index       small, build ")


def test_two_names_of_an_index_are_refused(built_root: Path, capsys: Captured) -> None:
    assert command(built_root, "inspect", "small", "--index", "other") == 2
    assert "Two indexes are named, 'other' and 'small'; give one" in refusal(capsys)


def test_inspect_tells_what_an_index_is(built_root: Path, capsys: Captured) -> None:
    assert indexing(["inspect", "small", "--root", str(built_root)]) == 0
    said = capsys.readouterr().out
    for part in (
        "20 passages",
        "bm25s, k1=0.9, b=0.4",
        "32 dimensions",
        "tokens      not stored",
        "left out    0 lines",
    ):
        assert part in said
    build_id = current_build("small", root=built_root).name
    assert f"builds      {build_id}\n" in said
    assert "change" not in said


def test_inspect_tells_what_the_dense_index_is_worth_and_costs(built_root: Path, capsys: Captured) -> None:
    assert indexing(["inspect", "small", "--root", str(built_root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (place,) = (number for number, line in enumerate(lines) if line.startswith("dense"))
    pattern = r"dense       FAISS Flat, recall@100 1\.0000 of exact search's on 1 train queries of \S+, "
    assert re.fullmatch(pattern + r"\d+\.\d\d ms a query, \d+ bytes a vector", lines[place])
    assert lines[place + 1].startswith("            auto: 20 vectors")
    assert re.search(r"^size        \d+\.\d MB in \d+ files, [\d,]+ bytes a passage$", "\n".join(lines), re.MULTILINE)


def command(root: Path, *arguments: str) -> int:
    """A command on the indexes below `root`."""
    return indexing([*arguments, "--root", str(root)])


def test_add_makes_a_build_with_the_new_passages(own_root: Path, tmp_path: Path, capsys: Captured) -> None:
    path = write_lines(tmp_path / "more.tsv", ["n1\tA new passage.", f"a1\t{PASSAGES['a1']}"])
    before = current_build("small", root=own_root).name
    assert command(own_root, "add", "small", "--corpus", str(path)) == 0
    build_id = current_build("small", root=own_root).name
    assert capsys.readouterr().out.splitlines()[0] == f"Index small: 21 passages, build {build_id}, 1 encoded"
    command(own_root, "inspect", "small")
    said = capsys.readouterr().out
    assert f"change      1 added from {path}; before: build {before}\n" in said
    assert f"builds      {', '.join(sorted([before, build_id]))}\n" in said  # by name, which tells the second


@pytest.mark.parametrize(("choice", "text"), [("skip", PASSAGES["a1"]), ("replace", "Another text.")])
def test_add_leaves_or_replaces_another_text_as_it_is_told(
    own_root: Path, tmp_path: Path, choice: str, text: str
) -> None:
    path = write_lines(tmp_path / "more.tsv", ["n1\tA new passage.", "a1\tAnother text."])
    assert command(own_root, "add", "small", "--corpus", str(path), "--on-existing", choice) == 0
    passages = open_index("small", root=own_root).passages
    assert passages[passages.row_of(PassageId("a1"))].text == text


def test_add_leaves_bad_lines_out_where_it_is_asked_to(own_root: Path, tmp_path: Path, capsys: Captured) -> None:
    path = write_lines(tmp_path / "more.tsv", ["n1\tA new passage.", "no tab here"])
    assert command(own_root, "add", "small", "--corpus", str(path), "--on-bad-line", "skip") == 0
    assert f"left out: {path}:2: " in capsys.readouterr().out
    assert command(own_root, "delete", "small", "a1") == 0
    assert "left out" not in capsys.readouterr().out  # nothing now, but of the index it is still known
    assert command(own_root, "inspect", "small") == 0
    assert "left out    1 lines of the corpus and of what was added" in capsys.readouterr().out


def test_delete_makes_a_build_without_the_passages(own_root: Path, tmp_path: Path, capsys: Captured) -> None:
    path = write_lines(tmp_path / "gone.txt", ["b1", "", " b2 ", "a1"])
    assert command(own_root, "delete", "small", "a1", "a2", "--file", str(path)) == 0
    build_id = current_build("small", root=own_root).name
    said = capsys.readouterr().out.splitlines()[0]
    assert said == f"Index small: 16 passages, build {build_id}, 0 encoded"  # 20 less a1, a2, b1, b2


def test_delete_takes_the_index_as_an_option_and_gives_json(own_root: Path, capsys: Captured) -> None:
    assert command(own_root, "delete", "--index", "small", "a1", "a2", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["index"], values["passages"], values["encoded"]) == ("small", 18, 0)
    assert values["change"].startswith("2 deleted; before: build ")


def test_delete_reads_a_file_with_a_byte_order_mark_and_crlf(own_root: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.txt").write_bytes(b"\xef\xbb\xbfa1\r\na2\r\n")
    assert command(own_root, "delete", "small", "--file", str(tmp_path / "gone.txt")) == 0
    assert len(open_index("small", root=own_root).passages) == 18


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["add", "small", "--corpus", "nowhere"], "nowhere"),
        (["add", "small", "--corpus", "same.tsv"], "same.tsv holds no passage that index small doesn't hold"),
        (["add", "small", "--corpus", "other.tsv"], "'a1' of other.tsv is in index small with another text"),
        (["add", "other", "--corpus", "same.tsv"], "no index 'other'"),
        (["add", "../small", "--corpus", "same.tsv"], "../small"),
        (["delete", "small"], "No passage is named"),
        (["delete", "small", "zz"], "no passage 'zz'"),
        (["delete", "small", *PASSAGES], "would be empty"),
        (["delete", "small", "--file", "nowhere.txt"], "nowhere.txt"),
        (["delete", "small", "--file", "empty.txt"], "No passage is named"),
        (["delete", "small", "--file", "binary"], "binary"),
        (["delete", "other", "a1"], "no index 'other'"),
        (["gc", "small", "--keep", "0"], "--keep is 0"),
        (["gc", "other"], "no index 'other'"),
        (["tune", "other"], "no index 'other'"),
        (["tune", "small", "--queries", "nowhere.tsv", "--qrels", "nowhere.qrels"], "nowhere"),
        (["tune", "small", "--queries", "queries.tsv"], "--qrels"),
        (["tune", "small", "--qrels", "qrels.tsv"], "--queries"),
        (["tune", "small", "--queries", "queries.tsv", "--qrels", "one.tsv"], "1 judged queries are too few"),
        (["tune", "small", "--minimum-grade", "9"], "No query of the train set has a passage of grade 9 or more"),
        (["tune", "small", "--depth", "0"], "--depth is 0"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_changes_say_what_is_wrong_in_one_sentence(
    own_root: Path, tmp_path: Path, arguments: list[str], what: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "same.tsv", [f"a1\t{PASSAGES['a1']}"])
    write_lines(tmp_path / "other.tsv", ["a1\tAnother text."])
    write_lines(tmp_path / "queries.tsv", ["1\tbees", "2\tbread"])
    write_lines(tmp_path / "qrels.tsv", ["1 0 a1 1", "2 0 c1 1"])
    write_lines(tmp_path / "one.tsv", ["1 0 a1 1"])
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00a1")
    before = current_build("small", root=own_root)
    assert command(own_root, *arguments) == 2
    assert what in refusal(capsys)
    assert list(build_folders(own_root / "small").values()) == [before]


@pytest.fixture
def cluttered(own_root: Path) -> Path:
    """Indexes of which `small` has three builds, the newest in use, and an unfinished one."""
    folder = current_build("small", root=own_root)
    for name in ("20200101-000000-abcdef", "20200102-000000-abcdef"):
        shutil.copytree(folder, own_root / "small" / name)
    (own_root / "small/.unfinished-0123").mkdir()
    return own_root


def test_remove_takes_an_index_once_it_is_confirmed(
    own_root: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    assert command(own_root, "remove", "small") == 2
    assert refusal(capsys) == "Nobody can be asked whether index small is to be removed; give --yes to remove it."
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: "\n", raising=False)
    assert command(own_root, "remove", "small") == 0
    said = capsys.readouterr()
    assert said.out == "Nothing was removed\n"
    assert re.fullmatch(r"Remove index small: 1 build, 0\.0 MB in \S+/small\? Its corpus stays\. \[y/N\] ", said.err)
    assert index_names(own_root) == ["small"]
    assert command(own_root, "remove", "small", "--yes", "--json") == 0
    removed = json.loads(capsys.readouterr().out)
    assert (removed["index"], removed["removed"], removed["builds"]) == ("small", True, 1)
    assert list(own_root.iterdir()) == []
    assert command(own_root, "remove", "small", "--yes") == 2
    assert refusal(capsys).startswith("There is no index 'small' in ")


def test_gc_lists_what_it_would_remove(cluttered: Path, capsys: Captured) -> None:
    assert command(cluttered, "gc", "small", "--dry-run") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], Path(row[3]).name) for row in rows] == [
        ("current", current_build("small", root=cluttered).name),
        ("kept", "20200102-000000-abcdef"),
        ("old", "20200101-000000-abcdef"),
        ("unfinished", ".unfinished-0123"),
    ]
    assert [row[2] for row in rows] == ["MB"] * 4
    assert all(Path(row[3]).is_dir() for row in rows)


@pytest.mark.parametrize(("options", "removed", "kept"), [([], 2, 2), (["--keep", "1"], 3, 1), (["--keep", "5"], 1, 3)])
def test_gc_removes_old_and_unfinished_builds(
    cluttered: Path, options: list[str], removed: int, kept: int, capsys: Captured
) -> None:
    assert command(cluttered, "gc", "small", *options) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{removed} removed, {kept} kept"
    assert len(build_folders(cluttered / "small")) == kept
    assert not (cluttered / "small/.unfinished-0123").exists()
    assert command(cluttered, "verify", "small") == 0


def test_gc_gives_json(cluttered: Path, capsys: Captured) -> None:
    assert command(cluttered, "gc", "small", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert [build["state"] for build in values["builds"]] == ["current", "kept", "old", "unfinished"]
    assert [Path(folder).name for folder in values["removed"]] == ["20200101-000000-abcdef", ".unfinished-0123"]


def test_tune_prints_what_chose_and_what_is_held_out(built_root: Path, capsys: Captured) -> None:
    assert command(built_root, "tune", "small") == 0
    lines = capsys.readouterr().out.splitlines()
    # of `why does bread rise` one of two relevant passages shares no term: (1 + 1/2) / 2; of the others all do
    assert lines == [
        "recall@1000 of grades from 2, on 2 queries that chose, and on 1 held-out ones",
        "  chosen       k1=0.9   b=0.4   0.7500   1.0000",
        "  this index   k1=0.9   b=0.4   0.7500   1.0000",
        "  msmarco-dev  k1=0.82  b=0.68  0.7500   1.0000",
        "  trec-dl      k1=0.9   b=0.4   0.7500   1.0000",
    ]


def test_tune_says_how_to_use_what_it_chose(build_arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    # at depth 1 the short passage is first where b is above 0.611, as computed in unit/indexing/test_tune.py
    lines = ["short\tbee", "long\tbee bee bee lamp ship lens glass wood snow rock"]
    corpus = write_lines(tmp_path / "bees/collection.tsv", lines)
    write_lines(tmp_path / "bees/queries.tsv", ["1\tbee", "2\tbee"])
    write_lines(tmp_path / "bees/qrels.train.tsv", ["1 0 short 1", "2 0 short 1"])
    indexing([*build_arguments, "--corpus", str(corpus)])
    capsys.readouterr()
    assert command(tmp_path / "root", "tune", "small", "--depth", "1") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "  chosen       k1=0.5   b=0.68  1.0000   1.0000"
    assert said[2] == "  this index   k1=0.9   b=0.4   0.0000   0.0000"
    use = f"python -m indexing build --corpus {corpus} --index small --k1 0.5 --b 0.68"
    assert said[-1] == f"Use it: {use} (vectors are reused)"
    settings = ["--root", str(tmp_path / "root"), *build_arguments[-2:]]
    assert indexing([*use.split()[3:], *settings]) == 0
    assert Manifest.load(current_build("small", root=tmp_path / "root")).bm25.b == 0.68


def test_tune_takes_queries_and_qrels_and_gives_json(built_root: Path, tmp_path: Path, capsys: Captured) -> None:
    queries = write_lines(tmp_path / "q.tsv", ["1\tbees", "2\tbread", "3\tno judgment"])
    qrels = write_lines(tmp_path / "qrels.tsv", ["1 0 a1 1", "2 0 c1 1"])
    assert command(built_root, "tune", "small", "--queries", str(queries), "--qrels", str(qrels), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["queries"], said["held_out_queries"]) == (1, 1)
    assert said["chosen"] == said["current"]
    assert set(said["presets"]) == {"msmarco-dev", "trec-dl"}


def test_tune_without_judgments_beside_the_corpus_says_what_to_give(
    build_arguments: list[str], tmp_path: Path, capsys: Captured
) -> None:
    path = write_lines(tmp_path / "c.tsv", ["1\tThe cat sat."])
    indexing([*build_arguments, "--corpus", str(path)])
    capsys.readouterr()
    assert command(tmp_path / "root", "tune", "small") == 2
    assert "give --queries queries.tsv and --qrels qrels.tsv" in refusal(capsys)


def test_verify_of_a_sound_index_ends_with_zero(built_root: Path, capsys: Captured) -> None:
    assert indexing(["verify", "small", "--root", str(built_root)]) == 0
    assert capsys.readouterr().out.endswith(": every file matches its manifest.\n")


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
    assert "python -m indexing build --corpus CORPUS --index other" in refusal(capsys)


def test_an_error_of_a_command_is_one_sentence_on_stderr_and_nothing_else(
    built_root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["indexing", "inspect", "other", "--root", str(built_root)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPOSITORY / "indexing/__main__.py"), run_name="__main__")
    assert ended.value.code == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("There is no index 'other'")
    assert said.err.count("\n") == 1
