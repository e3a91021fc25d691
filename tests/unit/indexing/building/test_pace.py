"""The time of a build is told by one of the same bi-encoder that did all its work."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from indexing.building.pace import build_pace
from indexing.catalogue import current_build
from indexing.manifest import Manifest


def test_the_pace_is_what_the_largest_build_took(own_root: Path, tiny_bi_encoder: Path) -> None:
    build = current_build("small", root=own_root)
    manifest = replace(Manifest.load(build), seconds={"shards": 30.0, "dense": 10.0})
    manifest.save(build)
    text = sum(path.stat().st_size for path in (build / "passages").iterdir())
    pace = build_pace(str(tiny_bi_encoder), root=own_root)
    assert pace is not None
    assert pace.index == "small"
    assert pace.seconds == pytest.approx(40 / text)
    assert pace.bytes == manifest.bytes / 20


@pytest.mark.parametrize("changes", [{"encoded": 7}, {"token_vectors": "int4"}, {"bi_encoder": "another"}])
def test_a_build_that_took_vectors_over_or_made_others_tells_no_time(
    own_root: Path, tiny_bi_encoder: Path, changes: dict[str, object]
) -> None:
    shutil.copytree(own_root / "small", own_root / "broken")
    (current_build("broken", root=own_root) / "manifest.json").write_text("{")
    build = current_build("small", root=own_root)
    replace(Manifest.load(build), **changes).save(build)  # type: ignore[arg-type]  # fields of other types
    assert build_pace(str(tiny_bi_encoder), root=own_root) is None
