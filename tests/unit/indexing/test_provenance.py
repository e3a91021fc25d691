"""The revision names the commit of the code and its changes, or the release."""

import subprocess
from pathlib import Path

import pytest

from indexing import provenance


def repository(folder: Path) -> str:
    """A repository with one commit; gives back its id."""
    one = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    (folder / "a.py").write_text("1")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*one, *command], check=True)
    return subprocess.run([*one, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_is_the_commit_of_the_code(tmp_path: Path) -> None:
    assert provenance.code_revision(tmp_path) != (commit := repository(tmp_path))
    assert provenance.code_revision(tmp_path) == commit


def test_a_revision_with_changed_files_says_so(tmp_path: Path) -> None:
    commit = repository(tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert provenance.code_revision(tmp_path) == f"{commit}-dirty"


def test_outside_of_a_checkout_the_revision_is_the_package_s_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path)  # of somebody else, around the code
    (tmp_path / "site-packages").mkdir()
    monkeypatch.setattr(provenance, "package_version", lambda: "7.1")
    assert provenance.code_revision(tmp_path / "site-packages") == "second-look 7.1"
