"""Two versions are compared from the shell by nDCG@10 on the same lists."""

from math import log2
from pathlib import Path

import pytest

from indexing.judged.sets import judged_sets
from search.pipeline import RetrieveAndRerank
from search.rerank.cross_encoder import CrossEncoderReranker
from search.rerank.late_interaction import LateInteractionReranker
from tests.support.versions import make_version
from training.__main__ import main
from training.evaluation.candidates import first_stage_lists, reranked

pytestmark = pytest.mark.usefixtures("in_float32")


@pytest.fixture
def models(tmp_path: Path, tiny_cross_encoder: Path) -> Path:
    """A folder of models in which mine/2 scores the opposite of mine/1."""
    for name, sign in (("mine/1", 1.0), ("mine/2", -1.0)):
        make_version(tmp_path / "models", name, tiny_cross_encoder, sign=sign)
    return tmp_path / "models"


def ndcg_of_the_only_relevant(passage_ids: tuple[str, ...], relevant: str) -> float:
    """1 / log2(rank + 1) where it is among the first ten, as the best that there could be is 1."""
    rank = passage_ids.index(relevant) + 1
    return 1 / log2(rank + 1) if rank <= 10 else 0.0


def test_both_are_measured_on_the_same_lists(
    models: Path,
    built_root: Path,
    small_corpus: Path,
    pipeline: RetrieveAndRerank,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # the dev split has one query, with d2 alone relevant
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["dev"], depth=8)
    values = []
    for name in ("mine/1", "mine/2"):
        run = reranked(lists, CrossEncoderReranker(str(models / name)))
        values.append(ndcg_of_the_only_relevant(run[lists.queries[0].id].passage_ids, "d2"))
    one, two = values
    assert one != two
    command = ["compare", "mine/1", "mine/2", "--models", str(models), "--index", "small", "--root", str(built_root)]
    # its old names: those of the version list may stand before `compare` or after
    renamed = "models compare is now called compare; the old name will go in a later version.\n"
    depth = "--depth is now called --rerank-depth; the old name will go in a later version.\n"
    for words, notices in (
        ([*command, "--rerank-depth", "8", "--html", str(tmp_path / "made" / "report.html")], ""),
        ([*command, "--depth", "8"], depth),
        (["models", *command[3:5], *command[:3], *command[5:], "--rerank-depth", "8"], renamed),
        (["models", *command, "--depth", "8"], renamed + depth),
    ):
        assert main(words) == 0
        out, err = capsys.readouterr()
        assert err.startswith(notices)
        assert ("is now called" in err) == bool(notices)
        assert out.startswith(
            f"nDCG@10 of mine/1 is {one:.4f}, of mine/2 {two:.4f}, over 1 queries: {one - two:+.4f} (95 %: "
        )
        assert out.endswith("too few queries to tell.\n")
    report = (tmp_path / "made" / "report.html").read_text(encoding="utf-8")
    assert f"1 query of dev · 8 candidates re-ranked · index small, build {pipeline.index.folder.name}" in report


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mine/1", "mine/1"], "Both are mine/1; name two versions that differ."),
        (["mine/1", "mine/7"], "no version 'mine/7'"),
        (["mine/1", "mine/2", "--split", "other"], "no judged other queries"),
        (["mine/1", "mine/2", "--rerank-depth", "0"], "--rerank-depth is 0; give 1 passage or more."),
        (["mine/1", "mine/2", "--index", "other"], "other"),
    ],
)
def test_what_can_not_be_compared_is_told(
    models: Path, built_root: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "--index", "small", "--root", str(built_root), "--models", str(models)]
    assert main([*command, *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err.splitlines()[-1]


def test_a_version_can_be_compared_with_late_interaction(
    models: Path, built_root: Path, small_corpus: Path, pipeline: RetrieveAndRerank, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = first_stage_lists(pipeline, judged_sets(small_corpus)["dev"], depth=8)
    run = reranked(lists, LateInteractionReranker(pipeline.encoder))
    value = ndcg_of_the_only_relevant(run[lists.queries[0].id].passage_ids, "d2")
    command = ["compare", "late", "mine/1", "--models", str(models), "--index", "small", "--root", str(built_root)]
    assert main([*command, "--rerank-depth", "8"]) == 0
    assert capsys.readouterr().out.startswith(f"nDCG@10 of late is {value:.4f}, of mine/1 ")
