"""`calibrate` prints how good probabilities are on held-out queries, serves them, and forgets them."""

import json
from pathlib import Path

import pytest

from search.calibration.stored import calibrations
from search.load import open_pipeline
from search.served_settings import ServedSettings, serve
from search.settings import PipelineSettings
from search.trace import NOTHING_ANSWERS
from tests.conftest import PASSAGES
from training.__main__ import main


@pytest.fixture
def words(own_root: Path, tmp_path: Path) -> list[str]:
    """The command for an index that serves its dense list, and twenty queries that are its passages' texts."""
    settings = PipelineSettings(fusion="dense", rerank_depth=0)
    serve("small", ServedSettings(reranker="none", settings=settings), root=own_root)
    queries, qrels = tmp_path / "queries.tsv", tmp_path / "qrels.txt"
    queries.write_text("".join(f"q-{name}\t{text}\n" for name, text in PASSAGES.items()), encoding="utf-8")
    qrels.write_text("".join(f"q-{name} 0 {name} 1\n" for name in PASSAGES), encoding="utf-8")
    return ["calibrate", "small", "--root", str(own_root), "--queries", str(queries), "--qrels", str(qrels)]


def test_what_is_served_is_calibrated_shown_and_forgotten(
    words: list[str], own_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "Held out: Expected calibration error 0.0" in printed
    assert "180 of 200 passages shown have no grade" in printed
    assert calibrations("small", root=own_root) == ()
    assert main([*words, "--serve", "--if-absent"]) == 0
    assert "shows its probabilities from now on" in capsys.readouterr().out
    assert main([*words, "--serve", "--if-absent"]) == 0
    assert capsys.readouterr().out == "Index small is calibrated already.\n"
    found = open_pipeline("small", root=own_root).search(PASSAGES["a1"])
    assert found.answers
    assert found.best is not None
    assert found.best > 0.8
    other = open_pipeline("small", root=own_root).search("🦄")
    assert other.told[0] == NOTHING_ANSWERS
    assert main([*words, "--forget"]) == 0
    assert open_pipeline("small", root=own_root).search("rye bread").answers is None


def test_programs_get_the_calibration(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["calibration"]["weights"] == {"cosine": 1.0}
    assert values["held_out"]["queries"] == 20
    assert values["checked"] is None


def test_too_few_queries_and_half_of_the_judgments_are_refused(
    own_root: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    serve("small", ServedSettings(reranker="none", settings=PipelineSettings(rerank_depth=0)), root=own_root)
    assert main(words[:-2]) == 2
    assert "give both --queries and --qrels" in capsys.readouterr().err
    assert main(words[:4]) == 2
    assert "rrf ranks without a re-ranker" in capsys.readouterr().err
    serve("small", ServedSettings(reranker="late"), root=own_root)
    assert main(words[:4]) == 2
    assert "No probability can be shown: there are" in capsys.readouterr().err
