"""BM25's settings are checked when they are made."""

import pytest

from indexing.bm25.settings import PRESETS, Bm25Settings
from indexing.errors import SettingsError


def test_presets_are_settings_that_are_taken() -> None:
    assert {name: Bm25Settings(k1=k1, b=b) for name, (k1, b) in PRESETS.items()} == {
        "msmarco-dev": Bm25Settings(0.82, 0.68),  # Pyserini's, tuned on MS MARCO's dev queries
        "trec-dl": Bm25Settings(),
    }


@pytest.mark.parametrize("values", [{"k1": -0.1}, {"k1": 10.1}, {"b": -0.1}, {"b": 1.1}, {"backend": "okapi"}])
def test_settings_out_of_range_are_refused_with_the_value(values: dict[str, float | str]) -> None:
    with pytest.raises(SettingsError, match=str(next(iter(values.values())))):
        Bm25Settings(**values)  # type: ignore[arg-type]  # one field of several types
