"""What trainings in this folder's tests run in."""

from collections.abc import Iterator

import pytest
import torch

from indexing import precision


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All in float32, so that weights can be compared, and with a sample that has no judged queries to protect."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(precision, "fastest_dtype", lambda on: torch.float32)
        home = tmp_path_factory.mktemp("elsewhere")
        (home / "sample").mkdir()
        patched.setenv("SECOND_LOOK_HOME", str(home))
        yield
