"""The house as its imports draw it: rooms, layers, pages, circles; and nothing in app/ hides another module."""

import re
import sys
import tomllib
from importlib import metadata

import pytest

from tests.support import house

OURS = {*house.ROOMS, "benchmarks", "tests"}
EDGES = house.graph()


def imported_anywhere(room: str) -> dict[str, set[str]]:
    """For each file of a room the top-level names of all that it imports."""
    return {
        str(path.relative_to(house.REPOSITORY)): {module.split(".")[0] for module, _, _ in house.imports(path)}
        for path in house.sources(room)
    }


@pytest.mark.parametrize("room", house.ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room: str) -> None:
    imported = imported_anywhere(room)
    assert imported
    wrong = {path: names & OURS - house.ROOMS[room] - {room} for path, names in imported.items()}
    assert {path: names for path, names in wrong.items() if names} == {}


def test_the_layers_of_training_are_kept_and_complete() -> None:
    parts = {path.stem if path.is_file() else path.name for path in (house.REPOSITORY / "training").iterdir()}
    assert parts - {"__pycache__", "__init__", "py"} == set().union(*house.LAYERS)
    assert house.layers_broken(EDGES) == []


def test_a_layer_that_imports_upwards_or_sideways_is_reported() -> None:
    edges = {
        "training.mining.negatives": {"training.train.request": 3, "training.evaluation.measures": 4},
        "training.teachers.teacher": {"training.mining.settings": 5},
    }
    assert house.layers_broken(edges) == [
        "training.mining.negatives imports training.train.request (line 3)",
        "training.teachers.teacher imports training.mining.settings (line 5)",
    ]


def test_pages_import_no_other_pages_files() -> None:
    assert house.across_pages(EDGES) == []
    assert house.across_pages(
        {"app.views.search.view": {"app.views.compare.chart": 7, "app.views.widgets.style": 8}}
    ) == ["app.views.search.view imports app.views.compare.chart (line 7)"]


def test_every_widget_is_used_by_two_pages() -> None:
    assert house.lone_widgets(EDGES) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert house.circles(EDGES) == []
    assert house.circles({"a": {"b": 1}, "b": {"c": 1}, "c": {"a": 1}, "d": {"a": 1}}) == [["a", "b", "c"]]


def test_no_folder_holds_more_modules_than_one_listing_shows() -> None:
    folders = house.modules_per_folder()
    assert {folder: count for folder, count in folders.items() if count > house.MOST_MODULES} == {}


def test_the_tests_mirror_the_folders() -> None:
    folders = {
        path.parent.relative_to(house.REPOSITORY / "tests/unit")
        for path in (house.REPOSITORY / "tests/unit").rglob("test_*.py")
    }
    assert [str(folder) for folder in sorted(folders) if not (house.REPOSITORY / folder).is_dir()] == []


@pytest.mark.parametrize("room", ["indexing", "search", "training"])
def test_only_the_app_imports_streamlit(room: str) -> None:
    assert [path for path, names in imported_anywhere(room).items() if {"streamlit", "altair"} & names] == []


def test_faiss_is_imported_in_one_module() -> None:
    users = [path for room in house.ROOMS for path, names in imported_anywhere(room).items() if "faiss" in names]
    assert users == ["indexing/dense/faiss_index.py"]


def test_nothing_pickles() -> None:
    pickles = {"pickle", "joblib", "dill"}
    assert [path for room in house.ROOMS for path, names in imported_anywhere(room).items() if pickles & names] == []


def dependencies() -> set[str]:
    """Distributions that pyproject.toml asks for, and those that they ask for in turn, as far as installed."""
    project = tomllib.loads((house.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    distributions: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", waiting.pop(), maxsplit=1)[0]).lower()
        if name not in distributions:
            distributions.add(name)
            try:
                waiting += [line for line in metadata.requires(name) or [] if "extra ==" not in line]
            except metadata.PackageNotFoundError:
                continue
    return distributions


def test_no_file_in_app_has_the_name_of_another_module() -> None:
    # `streamlit run app/main.py` puts app/ first on the path
    wanted = dependencies()
    theirs = {
        module
        for module, distributions in metadata.packages_distributions().items()
        if any(re.sub(r"[-_.]+", "-", name).lower() in wanted for name in distributions)
    }
    assert {"streamlit", "torch", "numpy", "click"} <= theirs
    children = {path.stem for path in (house.REPOSITORY / "app").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert children & (theirs | set(sys.stdlib_module_names) | OURS) - {"__init__"} == set()


def test_the_app_has_no_folder_that_streamlit_takes_for_pages() -> None:
    assert not (house.REPOSITORY / "app/pages").exists()
