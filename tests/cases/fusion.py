"""Cases about merging ranked lists."""

from pathlib import Path

import numpy as np

from indexing.records import PassageId, Ranking
from search.fuse import fuse
from search.settings import PipelineSettings
from tests.cases.case import Case, Checks

CHECKS = Checks()


def _nothing(folder: Path) -> None:
    (folder / "expect.md").write_text("Ranks count from 1; a list adds nothing to a passage that it lacks.\n")


@CHECKS.add("32-rrf", _nothing)
def reciprocal_ranks(_: Case) -> None:
    """A passage third in two lists comes before one that is first in a single list."""

    def ranking(*ids: str) -> Ranking:
        return Ranking([PassageId(name) for name in ids], np.arange(len(ids), 0, -1, dtype=np.float32))

    lists = {"bm25": ranking("p", "q", "R"), "dense": ranking("s", "t", "R")}
    fused = fuse(lists, PipelineSettings(), depth=10)
    assert fused.passage_ids == ("R", "p", "s", "q", "t"), fused
