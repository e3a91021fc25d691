"""Each room imports only the rooms it may, and nothing in app/ stands in the way of another module."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

ROOMS: dict[str, set[str]] = {
    "indexing": set(),
    "search": {"indexing"},
    "training": {"indexing", "search"},
    "app": {"indexing", "search", "training"},
}
OURS = {*ROOMS, "benchmarks", "tests"}


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            names.add((node.module or "").split(".")[0])
    return names


def sources(room: str) -> list[Path]:
    return sorted((REPOSITORY / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room: str) -> None:
    assert sources(room)
    wrong = {str(path): imported(path) & OURS - ROOMS[room] - {room} for path in sources(room)}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize("room", ["indexing", "search", "training"])
def test_only_the_app_imports_streamlit(room: str) -> None:
    assert [path for path in sources(room) if {"streamlit", "altair"} & imported(path)] == []


def test_faiss_is_imported_in_one_module() -> None:
    users = [path for room in ROOMS for path in sources(room) if "faiss" in imported(path)]
    assert users == [REPOSITORY / "indexing/dense/faiss_index.py"]


def test_nothing_pickles() -> None:
    assert [path for room in ROOMS for path in sources(room) if {"pickle", "joblib", "dill"} & imported(path)] == []


def dependencies() -> set[str]:
    """Distributions that pyproject.toml asks for, and those that they ask for in turn, as far as installed."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    found: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", waiting.pop(), maxsplit=1)[0]).lower()
        if name not in found:
            found.add(name)
            try:
                waiting += [line for line in metadata.requires(name) or [] if "extra ==" not in line]
            except metadata.PackageNotFoundError:
                continue
    return found


def test_no_file_in_app_has_the_name_of_another_module() -> None:
    # `streamlit run app/main.py` puts app/ first on the path
    wanted = dependencies()
    theirs = {
        module
        for module, distributions in metadata.packages_distributions().items()
        if any(re.sub(r"[-_.]+", "-", name).lower() in wanted for name in distributions)
    }
    assert {"streamlit", "torch", "numpy", "click"} <= theirs
    children = {path.stem for path in (REPOSITORY / "app").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert children & (theirs | set(sys.stdlib_module_names) | OURS) - {"__init__"} == set()


def test_the_app_has_no_folder_that_streamlit_takes_for_pages() -> None:
    assert not (REPOSITORY / "app/pages").exists()
