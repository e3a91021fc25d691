"""What is made is never put over what is there."""

from pathlib import Path

from indexing.errors import TrainingError


def check_new(output: Path) -> None:
    """Raise TrainingError where something is there."""
    if output.exists():
        raise TrainingError(f"{output} is there already; give another --output, or move it away.")
