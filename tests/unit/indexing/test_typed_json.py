"""Settings made in Python have the types that their annotations say."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from indexing.building.settings import BuildSettings
from indexing.errors import SettingsError
from indexing.typed_json import check_types
from search.settings import PipelineSettings
from training.mining.settings import MiningSettings
from training.recipes.settings import TrainSettings


@dataclass(frozen=True)
class _Settings:
    count: int = 1
    share: float | None = None
    name: str = ""
    on: bool = False
    ranks: tuple[int, int] = (1, 2)
    words: tuple[str, ...] = ()
    other: object = None

    def __post_init__(self) -> None:
        check_types(self)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"count": 7.5}, "count is 7.5, a whole number is wanted; give one."),
        ({"count": "10"}, "count is '10', a whole number is wanted; give one."),
        ({"count": True}, "count is True, a whole number is wanted; give one."),
        ({"count": np.array([1, 2])}, r"count is array\(\[1, 2\]\), a whole number is wanted; give one."),
        ({"count": None}, "count is None, a whole number is wanted; give one."),
        ({"share": "half"}, "share is 'half', a number or None is wanted; give one."),
        ({"share": True}, "share is True, a number or None is wanted; give one."),
        ({"name": 3}, "name is 3, text is wanted; give one."),
        ({"on": "no"}, "on is 'no', true or false is wanted; give one."),
        ({"ranks": (1, 2, 3)}, r"ranks is \(1, 2, 3\), a tuple of 2 values is wanted; give one."),
        ({"ranks": (1, 2.5)}, r"ranks is \(1, 2.5\), a tuple of 2 values is wanted; give one."),
        ({"words": "abc"}, "words is 'abc', a tuple of values is wanted; give one."),
    ],
)
def test_a_value_of_another_type_is_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError, match=f"^{fault}$"):
        _Settings(**given)


def test_numpys_scalars_become_pythons() -> None:
    made: Any = _Settings
    found = made(count=np.int64(3), share=np.float32(0.5), on=np.bool_(True), words=("a", "b"), other=[])
    assert (found.count, found.share, found.on) == (3, 0.5, True)
    assert [type(value) for value in (found.count, found.share, found.on)] == [int, float, bool]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (PipelineSettings, {"depth": 7.5}),
        (PipelineSettings, {"depth": True, "rerank_depth": 0}),
        (PipelineSettings, {"rerank_depth": "10"}),
        (PipelineSettings, {"rerank_weight": "1"}),
        (BuildSettings, {"shard_size": 0.5}),
        (BuildSettings, {"bi_encoder": 3}),
        (MiningSettings, {"per_query": 2.5}),
        (MiningSettings, {"ranks": [1, 100]}),
        (TrainSettings, {"steps": 2.5}),
        (TrainSettings, {"learning_rate": "1e-4"}),
    ],
)
def test_settings_are_checked(kind: Any, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="is wanted; give one"):
        kind(**given)
