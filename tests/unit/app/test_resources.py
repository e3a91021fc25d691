"""What a page has loaded stays out of garbage collections; what was loaded is known by its files."""

import gc
import os
import weakref
from pathlib import Path

from app import resources


class Knot:
    """Holds itself, so that only a collection ends it."""

    def __init__(self) -> None:
        self.itself = self


def test_only_what_comes_after_a_page_was_drawn_is_collected() -> None:
    resources.settle.clear()
    before = Knot()
    old = weakref.ref(before)
    try:
        resources.settle("search")
        del before
        new = weakref.ref(Knot())
        gc.collect()
        assert new() is None
        assert old() is not None  # left alone: nothing walks it
        gc.unfreeze()
        gc.collect()
        assert old() is None
    finally:
        gc.unfreeze()


def test_a_file_of_the_same_size_and_time_in_a_folder_is_another(tmp_path: Path) -> None:
    inner = tmp_path / "1_Pooling"
    inner.mkdir()
    weights = inner / "model.safetensors"
    weights.write_bytes(b"one")
    before, stat = resources._files(tmp_path), weights.stat()
    weights.with_name("new").write_bytes(b"two")
    weights.with_name("new").replace(weights)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (weights.stat().st_size, weights.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert resources._files(tmp_path) != before


def test_a_name_of_the_hub_stands_for_itself() -> None:
    assert resources._files(Path("no-such/model")) == "no-such/model"
