"""An index's served default is written beside its builds, answers where nothing else is said, and can be undone."""

import argparse
from pathlib import Path

import pytest

from indexing.catalogue import current_build, set_current
from indexing.errors import IndexingError, SettingsError
from search.cli.options import add_pipeline_options, pipeline_settings
from search.load import open_pipeline
from search.served import reranker_fingerprint
from search.served_settings import (
    FILE,
    OWN_DEFAULT,
    ServedSettings,
    forget,
    rollback,
    serve,
    served_settings,
    settings_in_force,
)
from search.settings import PipelineSettings
from tests.support.fakes import WordOverlapReranker

CHOSEN = ServedSettings(
    reranker="late",
    settings=PipelineSettings(rerank_depth=7, rerank_weight=0.4, rerank_mix="dense", rrf_k=3),
    fingerprint="late",
    sentence="Re-rank.",
    figures={"judged": 40},
)


def options(root: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_pipeline_options(parser)
    return parser.parse_args(["--index", "small", "--root", str(root), *words])


def test_what_is_served_is_read_again_with_its_build_and_date(own_root: Path) -> None:
    assert served_settings("small", root=own_root) is None
    written = serve("small", CHOSEN, root=own_root)
    assert served_settings("small", root=own_root) == written
    assert written.build == current_build("small", root=own_root).name
    assert written.at.startswith("20")
    assert (written.settings, written.figures, written.before) == (CHOSEN.settings, {"judged": 40}, None)


def test_rollback_goes_back_one_by_one_to_the_programs_own(own_root: Path) -> None:
    first = serve("small", CHOSEN, root=own_root)
    serve("small", ServedSettings(reranker="none"), root=own_root)
    assert rollback("small", root=own_root) == first == served_settings("small", root=own_root)
    assert rollback("small", root=own_root) is None
    assert served_settings("small", root=own_root) is None
    with pytest.raises(SettingsError, match="no served default of its own; choose one"):
        rollback("small", root=own_root)


def test_a_rebuild_keeps_it_and_says_so(own_root: Path) -> None:
    written = serve("small", CHOSEN, root=own_root)
    assert written.notes("small", root=own_root) == ()
    build = current_build("small", root=own_root)
    build.rename(build.with_name("later"))
    set_current(own_root / "small", "later")
    assert served_settings("small", root=own_root) == written
    (note,) = written.notes("small", root=own_root)
    assert note == (
        f"The served default of small was chosen on build {build.name}, now later; decide again: "
        "python -m training decide small --serve"
    )


def test_another_version_of_the_re_ranker_is_told(own_root: Path, tiny_cross_encoder: Path) -> None:
    fingerprint = reranker_fingerprint(str(tiny_cross_encoder))
    chosen = ServedSettings(reranker=str(tiny_cross_encoder), fingerprint=fingerprint)
    assert serve("small", chosen, root=own_root).notes("small", root=own_root) == ()
    older = ServedSettings(reranker=str(tiny_cross_encoder), fingerprint="older")
    (note,) = serve("small", older, root=own_root).notes("small", root=own_root)
    assert "chosen with another version of its re-ranker" in note


@pytest.mark.parametrize(
    "text", ["", "[]", '{"settings": {"depth": 0}}', '{"settings": {"deep": 3}}', '{"who": 1}', "{"]
)
def test_a_broken_file_is_refused_until_it_is_forgotten(own_root: Path, text: str) -> None:
    (own_root / "small" / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(IndexingError, match=r"served.json can't be read .*python -m training decide small --forget"):
        served_settings("small", root=own_root)
    forget("small", root=own_root)
    assert served_settings("small", root=own_root) is None


def test_without_a_choice_the_served_re_ranker_is_mixed_with_the_cosine(own_root: Path) -> None:
    usual = settings_in_force("small", root=own_root)
    assert (usual.reranker, usual.settings, usual.at) == ("default", OWN_DEFAULT, "")
    assert usual.settings_for("none") == PipelineSettings()


def test_programs_take_it_unless_they_name_a_re_ranker(own_root: Path) -> None:
    serve("small", CHOSEN, root=own_root)
    trace = open_pipeline("small", root=own_root).search("bees make honey")
    assert (trace.settings, trace.versions.reranker) == (CHOSEN.settings, "late")
    other = open_pipeline("small", reranker=WordOverlapReranker(), root=own_root).search("bees make honey")
    assert other.settings == PipelineSettings(rrf_k=3)  # depth and share were chosen for late interaction
    explicit = open_pipeline("small", root=own_root).search("bees", PipelineSettings(rerank_depth=2))
    assert explicit.settings.rerank_depth == 2


def test_commands_take_it_and_options_win(own_root: Path) -> None:
    usual = options(own_root)
    assert pipeline_settings(usual) == OWN_DEFAULT
    assert usual.reranker == "default"
    serve("small", CHOSEN, root=own_root)
    chosen = options(own_root)
    assert pipeline_settings(chosen) == CHOSEN.settings
    assert chosen.reranker == "late"
    part = options(own_root, "--rerank-depth", "9", "--rrf-k", "60")
    expected = PipelineSettings(rerank_depth=9, rerank_weight=0.4, rerank_mix="dense")
    assert pipeline_settings(part) == expected
    other = options(own_root, "--reranker", "none")
    assert pipeline_settings(other) == PipelineSettings(rrf_k=3)


def test_asking_for_re_ranking_brings_a_re_ranker_where_none_is_served(own_root: Path) -> None:
    serve("small", ServedSettings(reranker="none", settings=PipelineSettings(rerank_depth=0)), root=own_root)
    plain = options(own_root)
    assert pipeline_settings(plain).rerank_depth == 0
    assert plain.reranker == "none"
    asked = options(own_root, "--rerank-depth", "5")
    assert pipeline_settings(asked).rerank_depth == 5
    assert asked.reranker == "default"


def test_a_command_says_that_it_was_chosen_on_another_build(own_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve("small", ServedSettings(reranker="none", build="older"), root=own_root)
    pipeline_settings(options(own_root))
    assert "was chosen on build older, now" in capsys.readouterr().err


def test_another_re_ranker_reads_no_deeper_than_the_first_stage_that_was_chosen() -> None:
    served = ServedSettings(settings=PipelineSettings(depth=6, rerank_depth=3))
    assert served.settings_for("late").depth == served.settings_for("late").rerank_depth == 6
