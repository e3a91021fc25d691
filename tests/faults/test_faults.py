"""A share of the generated faults; `make faults` runs all of them."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

SHARE = "30"


def test_a_share_of_the_faults_passes(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--share", SHARE, "--json", str(file)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.is_file(), run.stderr
    areas = json.loads(file.read_text(encoding="utf-8"))
    assert areas, "no area was run"
    assert all(area["cases"] for area in areas)
    assert [failure for area in areas for failure in area["failures"]] == []
    assert run.returncode == 0
