"""Judgments that were kept from another build of an index are told, since passages may have changed under their ids."""

from pathlib import Path

import pytest

from app.views.teach.kept import OTHER_BUILD, build_notes
from indexing import atomic
from training.judgments.kept import BY_MODEL, IMPORTED, keep


def fill(folder: Path) -> None:
    atomic.write_json(folder / IMPORTED.record, {})


def test_another_build_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_LOOK_HOME", str(tmp_path))
    keep(IMPORTED, "small", fill, build="b1")
    assert build_notes(IMPORTED, "small", build="b1") == ()
    assert build_notes(IMPORTED, "small", build="b2") == (OTHER_BUILD,)
    assert build_notes(BY_MODEL, "small", build="b2") == ()
    keep(IMPORTED, "small", fill, build="")
    assert build_notes(IMPORTED, "small", build="b2") == ()
