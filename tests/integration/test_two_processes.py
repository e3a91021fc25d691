"""`torchrun -m training train` makes one version in two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY, write_lines
from training.versions import registry

LIMIT = 180  # seconds; both load their libraries on a machine that may be busy


def test_a_version_is_made_in_two_processes(built_root: Path, tiny_cross_encoder: Path, tmp_path: Path) -> None:
    judged = {"query": "bees", "positives": ["honey"], "negatives": ["paper", "wood"]}
    source = write_lines(tmp_path / "judged.jsonl", [json.dumps(judged)] * 4)  # 12 pairs, too few for two batches
    output = tmp_path / "models" / "mine" / "1"
    start = (
        "-m torch.distributed.run --standalone --nproc-per-node 2 -m training train --recipe bce --steps 4 --batch 8"
    )
    places = f"--data jsonl:{source} --base {tiny_cross_encoder} --output {output} --root {built_root} --save-every 2"
    ended = subprocess.run(
        [sys.executable, *start.split(), *places.split()],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("Re-ranker: ") == 1  # said by one of them
    values = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert values["pairs"] == 4 * 8 * 2  # steps, pairs a step, processes
    assert values["final_loss"]["bce"] > 0
    assert registry.find_version("mine/1", models=output.parent.parent).fault == ""
    assert [path.name for path in output.parent.iterdir()] == ["1"]
