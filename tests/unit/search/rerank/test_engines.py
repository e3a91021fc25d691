"""An export is known by its files, and a library that is absent is named."""

from pathlib import Path

import pytest

from indexing.errors import SettingsError
from search.rerank.engines import FILES, check_libraries, export_format


def test_the_format_is_one_that_is_known() -> None:
    with pytest.raises(SettingsError, match="'tflite' is unknown; choose onnx or openvino"):
        check_libraries("tflite")


def test_a_library_that_is_absent_is_named_with_what_to_type() -> None:
    with pytest.raises(
        SettingsError, match=r"needs no_such_library and nor_this: pip install no_such_library nor_this$"
    ):
        check_libraries("onnx", {"onnx": ("numpy", "no_such_library", "nor_this")})


@pytest.mark.parametrize("form", sorted(FILES))
def test_an_export_is_known_by_its_file(tmp_path: Path, form: str) -> None:
    assert export_format(tmp_path) is None
    assert export_format(Path("cross-encoder/ms-marco-MiniLM-L6-v2")) is None
    file = tmp_path / FILES[form]
    file.parent.mkdir()
    file.touch()
    assert export_format(tmp_path) == form
