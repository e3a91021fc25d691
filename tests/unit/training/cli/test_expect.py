"""Expectations from the shell: pinned by passage id, listed, removed by number or key, and asked of a version."""

from pathlib import Path

import pytest

from search.rerank.cross_encoder import CrossEncoderReranker
from tests.conftest import PASSAGES
from tests.support.versions import make_version
from training.__main__ import main
from training.versions import promoted
from training.versions.expectations import FILE, Expectation, read_expectations

QUERY = "how do bees make honey"


class Shell:
    """`python -m training expect` on a folder of models and the index `small`."""

    def __init__(self, models: Path, root: Path, out: pytest.CaptureFixture[str]) -> None:
        self.models = models
        self._index = ["--index", "small", "--root", str(root)]
        self._out = out

    def __call__(self, action: str, *words: str) -> tuple[int, str, str]:
        """Exit status, what was printed, and the error."""
        index = self._index if action in ("add", "check") else []
        status = main(["expect", action, *words, *index, "--models", str(self.models)])
        shown = self._out.readouterr()
        return status, shown.out, shown.err

    def pin(self, above: str, below: str) -> tuple[int, str, str]:
        return self("add", "--query", QUERY, "--above", above, "--below", below)

    @property
    def kept(self) -> list[Expectation]:
        return read_expectations(self.models / FILE)


@pytest.fixture
def shell(built_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "models", built_root, capsys)


@pytest.fixture
def order(shell: Shell, tiny_cross_encoder: Path) -> tuple[str, str]:
    """Two passages, the better first in the eyes of mine/1; mine/2 says the opposite."""
    for name, sign in (("mine/1", 1.0), ("mine/2", -1.0)):
        make_version(shell.models, name, tiny_cross_encoder, sign=sign)
    logits = CrossEncoderReranker(str(shell.models / "mine/1")).score(QUERY, [PASSAGES["a1"], PASSAGES["d1"]]).logits
    assert logits[0] != logits[1]
    return ("a1", "d1") if logits[0] > logits[1] else ("d1", "a1")


def test_what_is_pinned_is_listed_with_its_number_and_key(shell: Shell) -> None:
    status, out, _ = shell.pin("a1", "d1")
    (one,) = shell.kept
    assert (one.query, one.above.text, one.below.text) == (QUERY, PASSAGES["a1"], PASSAGES["d1"])
    assert (status, out) == (0, f"Pinned as {one.key}: for '{QUERY}', a1 above d1\n")
    shell.pin("a3", "d1")
    lines = shell("list")[1].splitlines()
    assert [line.split()[:3] for line in lines] == [
        [str(number), item.key, item.at[:10]] for number, item in enumerate(shell.kept, start=1)
    ]
    assert lines[1].endswith(f"by {promoted.person()}  for '{QUERY}', a3 above d1")


def test_one_is_removed_by_its_number_or_its_key(shell: Shell) -> None:
    for above in ("a1", "a2", "a3"):
        shell.pin(above, "d1")
    one, two, three = shell.kept
    assert shell("remove", "2")[:2] == (0, f"Unpinned {two.key}: {two.sentence()}\n")
    assert shell.kept == [one, three]
    assert shell("remove", one.key)[0] == 0
    assert shell.kept == [three]


@pytest.mark.parametrize(
    ("which", "told"),
    [("0", "no expectation 0 in"), ("2", "holds 1; find its number with"), ("nokey", "no expectation 'nokey'")],
)
def test_a_number_or_key_that_is_not_there_is_told(shell: Shell, which: str, told: str) -> None:
    shell.pin("a1", "d1")
    status, out, error = shell("remove", which)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert told in error
    assert len(shell.kept) == 1


@pytest.mark.parametrize(
    ("above", "below", "told"),
    [("zz", "d1", "no passage 'zz'"), ("a1", "zz", "no passage 'zz'"), ("a1", "a1", "above itself")],
)
def test_what_can_not_be_pinned_is_told(shell: Shell, above: str, below: str, told: str) -> None:
    status, out, error = shell.pin(above, below)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert told in error
    assert shell.kept == []


def test_each_is_checked_by_the_version_that_is_named(shell: Shell, order: tuple[str, str]) -> None:
    shell.pin(*order)
    status, out, _ = shell("check", "mine/1")
    assert status == 0
    assert out.startswith(f"holds  for '{QUERY}', {order[0]} above {order[1]} (logits ")
    assert out.endswith("\nmine/1: 1 of 1 expectations hold.\n")
    status, out, _ = shell("check", "mine/2")
    assert status == 1
    assert out.startswith("fails  ")
    assert out.endswith("\nmine/2: 0 of 1 expectations hold.\n")


def test_without_a_name_the_promoted_version_is_checked(shell: Shell, order: tuple[str, str]) -> None:
    promoted.set_promoted(
        "mine/2",
        seen=promoted.current_promotion(shell.models),
        verdict={},
        by="ann",
        reason="",
        forced=False,
        models=shell.models,
    )
    shell.pin(*order)
    assert shell("check")[:2][1].endswith("\nmine/2: 0 of 1 expectations hold.\n")


def test_a_version_that_is_not_there_is_not_checked(shell: Shell) -> None:
    shell.pin("a1", "d1")
    status, out, error = shell("check", "mine/7")
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert "no version 'mine/7'" in error


@pytest.mark.usefixtures("order")
def test_where_none_is_pinned_that_is_said(shell: Shell) -> None:
    for words in (("list",), ("check", "mine/1")):
        status, out, _ = shell(*words)
        assert (status, out.count("\n")) == (0, 1)
        assert out.startswith(f"No expectation is pinned in {shell.models / FILE}; pin one with")
