"""What a page has loaded stays out of garbage collections, and what comes later doesn't."""

import gc
import weakref

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
