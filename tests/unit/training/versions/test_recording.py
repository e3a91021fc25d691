"""A manifest and a model card say what a re-ranker was made of, and warn of MS MARCO's terms where they apply."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexing import atomic
from indexing.errors import SettingsError
from indexing.manifest import Manifest
from tests.conftest import write_lines
from tests.support.versions import REVISION, make_manifest
from training.versions import card, recording
from training.versions.manifest import IndexBuild, ProtectedFile, VersionManifest
from training.versions.recording import TrainingOutcome, record


def front_matter(text: str) -> list[str]:
    return text.split("---")[1].split("\n")


def test_the_manifest_holds_what_decided_a_training() -> None:
    found = make_manifest()
    assert found.seed == found.settings["seed"] == 23
    assert (found.recipe, found.code_revision, found.minutes) == ("tiny", REVISION, 1.3)
    assert found.examples == {"learn": {"judged small": 3}}
    assert found.pairs == 6
    assert found.lineage == (found.base_model,) == ("tiny/base",)


def test_the_manifest_names_the_builds_of_the_indexes(built_root: Path, small_corpus: Path) -> None:
    built = Manifest.load(built_root / "small" / (built_root / "small/current").read_text().strip())
    (row,) = recording.index_builds(["small", "small"], root=built_root)
    assert (row.index, row.build, row.passages) == ("small", built.build, 20)
    assert row.corpus_fingerprint == built.corpus_fingerprint
    assert row.corpus == small_corpus.name  # and not its path


def test_every_file_but_the_manifest_has_its_size_and_checksum(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/weights").write_bytes(b"abc")
    recording.write_manifest(tmp_path, make_manifest(), command="train")
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert set(files) == {"README.md", "sub/weights"}
    assert files["sub/weights"] == {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}


def test_the_card_tells_people_what_the_manifest_holds() -> None:
    rows = [IndexBuild(index="small", build="b7", corpus="x", passages=1400, corpus_fingerprint="f")]
    text = card.model_card(
        make_manifest(data=rows, metrics={"small, dev": {"nDCG@10": 0.61234}}), command="the command"
    )
    expected = (
        "`the command`",
        "seed 23",
        REVISION,
        "6 pairs",
        "| learn | judged small | 3 |",
        "| small | b7 | 1,400 |",
    )
    for part in (*expected, "| measured on | nDCG@10 |", "| small, dev | 0.6123 |"):
        assert part in text
    assert "base_model: tiny/base" in front_matter(text)


def test_without_ms_marco_there_is_no_notice() -> None:
    found = make_manifest()
    assert not found.ms_marco
    assert card.NOTICE not in card.model_card(found, command="")
    assert "license: other" not in card.model_card(found, command="")


@pytest.mark.parametrize(
    "source", ["judged msmarco-mini", "microsoft/ms_marco v1.1", "distill trec-dl-2021", "MSMARCO"]
)
def test_what_was_trained_on_ms_marco_has_its_notice(source: str) -> None:
    settings = {"base": "tiny/base", "seed": 1}
    found = record("r", settings, TrainingOutcome(examples={"learn": {source: 1}}, pairs=2), revision="")
    text = card.model_card(found, command="")
    assert card.NOTICE in text
    assert "license: other" in front_matter(text)


def test_a_corpus_of_ms_marco_under_another_name_has_its_notice() -> None:
    row = IndexBuild(index="mine", build="b", corpus="msmarco-passages", passages=2, corpus_fingerprint="f")
    assert make_manifest(data=[row]).ms_marco


def trained_on(source: str, **settings: Any) -> VersionManifest:
    """A manifest of a training on one source."""
    data = {"sources": [source], "teacher": "", **settings.pop("data", {})}
    asked = {"base": "tiny/base", "seed": 1, **settings, "data": data}
    return record("r", asked, TrainingOutcome(examples={"r": {"x": 1}}, pairs=2), revision="")


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("triples:/home/me/x.tsv", True),
        ("qidpidtriples:x.tsv,queries=y.tsv", True),
        ("top1000:x.tsv,qrels=y.tsv", True),
        ("jsonl:/home/me/msmarco.jsonl", True),
        ("run:x.trec,index=msmarco-mini", True),
        ("lists:/data/msmarco-graded/lists.jsonl.gz", True),
        ("lists:/data/mine/lists.jsonl.gz", False),
        ("jsonl:triples.jsonl", False),
        ("feedback:x.jsonl", False),
        ("index:small", False),
    ],
)
def test_ms_marco_s_own_forms_have_its_notice(source: str, bound: bool) -> None:
    assert trained_on(source).ms_marco is bound


@pytest.mark.parametrize(
    ("index", "bound"),
    [({"name": "msmarco-mini"}, True), ({"name": "mine", "corpus": "trec-dl-2021"}, True), ({"name": "small"}, False)],
)
def test_what_was_mined_from_an_index_of_ms_marco_has_its_notice(
    tmp_path: Path, index: dict[str, str], bound: bool
) -> None:
    files = {"mined.jsonl": {"bytes": 0, "sha256": "0" * 64}}
    made = {"files": files, "forms": [], "rows": {}, "scores": False, "settings": {"per_query": 1}, "index": index}
    made |= {"source": "rrf", "reranker": None}
    atomic.write_json(tmp_path / "manifest.json", made)
    assert trained_on(f"mined:{tmp_path}").ms_marco is bound


def test_mined_negatives_that_cannot_be_asked_have_the_notice(tmp_path: Path) -> None:
    assert trained_on(f"mined:{tmp_path}").ms_marco


@pytest.mark.parametrize("bound", [True, False])
def test_the_notice_of_a_base_is_inherited_whatever_its_name(tmp_path: Path, bound: bool) -> None:
    recording.write_manifest(tmp_path / "mine/1", replace(make_manifest(), ms_marco=bound), command="")
    assert trained_on("index:small", base=str(tmp_path / "mine/1")).ms_marco is bound


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("triples:/home/me/x/triples.tsv", "triples:triples.tsv"),
        ("qidpidtriples:/a/t.tsv,queries=/b/q.tsv", "qidpidtriples:t.tsv,queries=q.tsv"),
        ("top1000:a/t.tsv,qrels=b/q.tsv", "top1000:t.tsv,qrels=q.tsv"),
        ("run:/a/r.trec,index=small,queries=/b/q.tsv", "run:r.trec,index=small,queries=q.tsv"),
        ("mined:/home/me/negatives/", "mined:negatives"),
        ("hub:/home/me/folder", "hub:folder"),
        ("hub", "hub"),
        ("index:small", "index:small"),
    ],
)
def test_the_manifest_has_the_names_of_files_and_not_their_folders(source: str, expected: str) -> None:
    assert trained_on(source).settings["data"]["sources"] == [expected]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tiny/base", "tiny/base"),
        ("data/models/mine/1", "data/models/mine/1"),
        ("{here}/data/models/mine/1", "data/models/mine/1"),
        ("/home/me/model", "model"),
        ("../model", "model"),
    ],
)
def test_the_manifest_has_no_path_of_a_model_elsewhere(name: str, expected: str) -> None:
    name = name.format(here=Path.cwd())
    data = {"teacher": f"given+reranker:{name}+first-stage"}
    settings = trained_on("index:small", base=name, data=data).settings
    assert settings["base"] == expected
    assert settings["data"]["teacher"] == f"given+reranker:{expected}+first-stage"


def test_the_manifest_says_which_files_protected(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "secret.tsv", ["1\tbees"])
    found = make_manifest(protect=recording.protected_files([path]))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.protect == (ProtectedFile(file="secret.tsv", bytes=len("1\tbees\n"), sha256=sha256),)
    assert str(tmp_path) not in json.dumps(found.as_json())
    with pytest.raises(SettingsError, match=r"There is no file .*other\.tsv of queries to protect"):
        recording.protected_files([path, tmp_path / "other.tsv"])


def test_one_line_tells_what_was_used_and_left_out() -> None:
    found = make_manifest(dropped={"protected": 1200, "no positive": 1})
    assert card.summary(found) == "Gathered 3 examples, trained on 6 pairs; left out: 1,200 protected, 1 no positive."
    assert card.summary(make_manifest()) == "Gathered 3 examples, trained on 6 pairs; left out: none."


def test_a_base_trained_on_ms_marco_has_its_notice() -> None:
    assert make_manifest("cross-encoder/ms-marco-MiniLM-L6-v2").ms_marco


def test_what_goes_on_from_a_version_has_its_lineage_and_its_notice(tmp_path: Path) -> None:
    first = tmp_path / "mine/1"
    recording.write_manifest(first, make_manifest("cross-encoder/ms-marco-x"), command="")
    second = tmp_path / "mine/2"
    recording.write_manifest(second, make_manifest(str(first)), command="")
    third = make_manifest(str(second))
    assert third.lineage == ("cross-encoder/ms-marco-x", "mine/1", "mine/2")
    assert (third.base_model, third.parent) == ("cross-encoder/ms-marco-x", "mine/2")
    assert third.ms_marco
    assert "Lineage: cross-encoder/ms-marco-x → mine/1 → mine/2." in card.model_card(third, command="")


def test_what_goes_on_from_what_ships_or_from_a_version_by_its_id_has_the_whole_lineage_and_the_notice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = make_manifest("shipped")
    assert (shipped.base_model, shipped.parent) == ("sentence-transformers/all-MiniLM-L6-v2", "shipped")
    assert shipped.ms_marco
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    recording.write_manifest(tmp_path / "models/mine/1", shipped, command="")
    second = make_manifest("mine/1")
    assert second.lineage == (*shipped.lineage, "mine/1")
    assert second.ms_marco
    assert make_manifest("mine/2").lineage == ("mine/2",)  # it was deleted meanwhile


def test_a_local_base_without_a_manifest_is_named_and_its_path_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    found = make_manifest(str(folder))
    assert found.base_model == "somewhere"
    # the hub takes a card only if its base model is OWNER/NAME
    assert not [line for line in front_matter(card.model_card(found, command="")) if line.startswith("base_model")]
