"""Every case, on an input of its kind made here, gives what must happen."""

import subprocess
import sys

from tests.conftest import REPOSITORY


def test_every_made_case_passes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.cases", "--made"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    lines = run.stdout.splitlines()
    assert lines, run.stderr
    assert [line for line in lines if not line.startswith("passed")] == []
    assert run.returncode == 0
