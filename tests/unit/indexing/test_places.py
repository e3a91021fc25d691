"""Every place is looked up when it is needed, so that an environment variable set at any time redirects it."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexing import places
from indexing.jobs.build_job import BuildRequest
from search.served import version_id
from tests.conftest import REPOSITORY
from training.cli.train import next_version
from training.jobs.jobs import TrainingJob, next_output
from training.train.request import TrainRequest

ROOMS = ("indexing", "search", "training", "app", "benchmarks")
OWN = {
    places.indexes: "indexes",
    places.corpora: "corpora",
    places.models: "models",
    places.jobs: "jobs",
    places.feedback: "feedback/feedback.sqlite3",
    places.clicks: "clicks",
    places.click_logs: "click-logs",
    places.runs: "runs",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (places.HOME, places.INDEX_ROOT, places.FEEDBACK):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("place", "name"), OWN.items(), ids=OWN.values())
def test_each_place_follows_the_home_that_is_set_after_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[], Path], name: str
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert place() == Path("data") / name  # relative, as sentences and manifests show it
    monkeypatch.chdir(tmp_path)
    assert place() == REPOSITORY / "data" / name
    monkeypatch.setenv(places.HOME, str(tmp_path / "home"))
    assert place() == tmp_path / "home" / name


@pytest.mark.parametrize(("place", "name"), [(places.sample, "sample"), (places.shipped_reranker, "reranker")])
def test_what_is_bundled_is_the_checkouts_unless_the_home_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[], Path], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.HOME, str(tmp_path))
    assert place() == REPOSITORY / "data" / name
    (tmp_path / name).mkdir()
    assert place() == tmp_path / name


def test_indexes_and_feedback_have_variables_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.HOME, str(tmp_path))
    monkeypatch.setenv("SECOND_LOOK_INDEX_ROOT", "elsewhere")
    monkeypatch.setenv("SECOND_LOOK_FEEDBACK", "/grades.sqlite3")
    assert (places.indexes(), places.feedback()) == (Path("elsewhere"), Path("/grades.sqlite3"))
    assert places.models() == tmp_path / "models"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv(places.HOME, "")
    assert places.home() == Path("data")


def test_what_is_made_without_a_path_follows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.HOME, str(tmp_path))
    assert BuildRequest(name="x", corpus="c").root == str(tmp_path / "indexes")
    assert TrainRequest(output=tmp_path, recipe="bce").root == tmp_path / "indexes"
    assert TrainingJob.new_folder().parent == tmp_path / "jobs"
    assert next_output("mine") == next_version("mine") == tmp_path / "models/mine/1"


def test_a_folder_is_a_version_where_it_lies_below_all_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.HOME, str(tmp_path))
    assert version_id(tmp_path / "models/mine/1") == "mine/1"
    assert version_id(tmp_path / "other/mine/1") == ""
    assert version_id(tmp_path / "models/mine") == ""
    assert version_id(tmp_path / "models/mine/.1.training") == ""
    assert version_id(tmp_path / "other/mine/1", models=tmp_path / "other") == "mine/1"
    monkeypatch.chdir(tmp_path)
    assert version_id(Path("models/mine/1")) == "mine/1"  # as a job that was begun in this folder has it


@dataclass(frozen=True)
class Module:
    """One file of the house, parsed."""

    file: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        return ".".join(self.file.with_suffix("").parts).removesuffix(".__init__")

    def constants(self) -> Iterator[tuple[str, ast.expr]]:
        """Names that the module binds, and to what."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from ((ast.unparse(target), node.value) for target in targets)

    def imports(self) -> Iterator[tuple[str, str]]:
        """Names that the module takes from another, and their names there."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)

    def defaults(self) -> Iterator[ast.expr]:
        """What is bound at import: defaults of parameters, and of the fields of classes."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from filter(None, (*node.args.defaults, *node.args.kw_defaults))
            elif isinstance(node, ast.ClassDef):
                yield from (part.value for part in node.body if isinstance(part, ast.AnnAssign) and part.value)


def run_at_import(expression: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression, without the bodies of its lambdas, which run later."""
    if not isinstance(expression, ast.Lambda):
        yield expression
        for part in ast.iter_child_nodes(expression):
            if isinstance(part, ast.keyword):
                part = part.value
            if isinstance(part, ast.expr):
                yield from run_at_import(part)


def makes_path(expression: ast.expr) -> bool:
    calls = (part for part in run_at_import(expression) if isinstance(part, ast.Call))
    return any(re.match(r"Path$|Path\.(cwd|home)$|places\.", ast.unparse(call.func)) for call in calls)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    files = [file for room in ROOMS for file in sorted((REPOSITORY / room).rglob("*.py"))]
    return [Module(file.relative_to(REPOSITORY), ast.parse(file.read_text(encoding="utf-8"))) for file in files]


def test_no_path_is_bound_as_a_default(modules: list[Module]) -> None:
    paths = {f"{module.name}.{name}" for module in modules for name, value in module.constants() if makes_path(value)}
    assert "indexing.places.CHECKOUT" in paths  # the one that nothing moves, so these are seen
    bound = []
    for module in modules:
        own = {name: f"{module.name}.{name}" for name, _ in module.constants()} | dict(module.imports())
        for default in module.defaults():
            names = [part.id for part in run_at_import(default) if isinstance(part, ast.Name)]
            if makes_path(default) or any(own.get(name) in paths for name in names):
                bound.append(f"{module.file}:{default.lineno} {ast.unparse(default)}")
    assert bound == []


def test_no_module_keeps_a_path_of_the_home(modules: list[Module]) -> None:
    kept = [
        f"{module.file}:{value.lineno} {name}"
        for module in modules
        for name, value in module.constants()
        if re.search(r"\bplaces\.\w+\(|Path\('data", ast.unparse(value)) and makes_path(value)
    ]
    assert kept == []
