"""How the house stands, read from its own imports and definitions: what `make house` prints and the tests hold.

Nothing of the project is imported here; only `--help` of the three programs is run, each in a process of its own.
"""

import ast
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROOMS: Mapping[str, frozenset[str]] = {
    "indexing": frozenset(),
    "search": frozenset({"indexing"}),
    "training": frozenset({"indexing", "search"}),
    "app": frozenset({"indexing", "search", "training"}),
}
"""The rooms, and the rooms that each may import."""
LAYERS: Sequence[frozenset[str]] = (
    frozenset({"example", "source", "targets"}),
    frozenset({"evaluation", "judgments"}),
    frozenset({"choosing", "mining", "teachers"}),
    frozenset({"recipes"}),
    frozenset({"data", "versions"}),
    frozenset({"fitting"}),
    frozenset({"train"}),
    frozenset({"race", "jobs"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""The layers of training, lowest first: a part imports lower layers only, and none beside it on its own."""
PROGRAMS = ("indexing", "search", "training")
HEAVY = frozenset({"torch", "transformers", "sentence_transformers", "sklearn", "datasets", "faiss", "scipy", "numba"})
"""Libraries that no `--help` loads."""
MOST_MODULES = 20  # in one folder, `__init__` aside
LONG, LONGEST = 40, 60  # lines of a function
MOST_LONG = 5  # functions of over LONG lines

Graph = Mapping[str, Mapping[str, int]]
"""For each module the modules of ours that it imports, with the line of the import."""


@dataclass(frozen=True)
class Function:
    """A function and its length in lines, decorators aside."""

    place: str
    name: str
    lines: int


def sources(room: str) -> list[Path]:
    """The Python files of a room."""
    return sorted((REPOSITORY / room).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def modules() -> dict[str, Path]:
    """Every module of the rooms by its dotted name."""
    return {module_name(path): path for room in ROOMS for path in sources(room)}


def imports(path: Path) -> Iterator[tuple[str, str, int]]:
    """(module, name or "", line) of everything a file imports, inside functions too, but not for type checkers only."""
    typing_only = {
        child
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for child in ast.walk(statement)
    }
    for node in ast.walk(parsed(path)):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno} imports relatively; name the module in full.")
            yield from ((node.module or "", alias.name, node.lineno) for alias in node.names)


def graph() -> Graph:
    """Which module of ours imports which."""
    known = modules()
    edges: dict[str, dict[str, int]] = {}
    for name, path in known.items():
        edges[name] = {}
        for module, imported, line in imports(path):
            target = f"{module}.{imported}" if f"{module}.{imported}" in known else module
            if target in known and target != name:
                edges[name].setdefault(target, line)
    return edges


def modules_per_folder() -> Counter[str]:
    """Python files of each folder, `__init__` aside."""
    return Counter(
        str(path.parent.relative_to(REPOSITORY)) for path in modules().values() if path.name != "__init__.py"
    )


def rooms_broken(edges: Graph) -> list[str]:
    """Imports from a room that may not be imported there."""
    return [
        f"{source} imports {target} (line {line})"
        for source, targets in edges.items()
        for target, line in targets.items()
        if _room(target) not in ROOMS[_room(source)] | {_room(source)}
    ]


def layers_broken(edges: Graph) -> list[str]:
    """Imports within training from a higher layer, or from another part of the same one."""
    height = {f"training.{part}": number for number, layer in enumerate(LAYERS) for part in layer}
    broken = []
    for source, targets in edges.items():
        for target, line in targets.items():
            below, above = _part(target), _part(source)
            if below == above or "training" in (below, above) or _room(source) != "training":
                continue
            if _room(target) == "training" and height[below] >= height[above]:
                broken.append(f"{source} imports {target} (line {line})")
    return broken


def across_pages(edges: Graph) -> list[str]:
    """Imports of one page of the app from another page's folder."""
    return [
        f"{source} imports {target} (line {line})"
        for source, targets in edges.items()
        for target, line in targets.items()
        if (page := _page(source)) and (other := _page(target)) and other not in (page, "widgets")
    ]


def lone_widgets(edges: Graph) -> list[str]:
    """Modules of `app/views/widgets/` that fewer than two pages reach, through other widgets or directly."""
    importers: dict[str, set[str]] = defaultdict(set)
    for source, targets in edges.items():
        for target in targets:
            importers[target].add(source)

    def reached_from(name: str, seen: set[str]) -> set[str]:
        users = set()
        for importer in importers[name] - seen:
            seen.add(importer)
            page = _page(importer)
            users |= reached_from(importer, seen) if page == "widgets" else {page or importer}
        return users

    widgets = [name for name, path in modules().items() if _page(name) == "widgets" and path.name != "__init__.py"]
    users = {name: sorted(reached_from(name, {name})) for name in widgets}
    return [f"{name} is used by {', '.join(pages) or 'nobody'}" for name, pages in users.items() if len(pages) < 2]


def circles(edges: Graph) -> list[list[str]]:
    """Groups of modules that import each other in a circle (Tarjan 1972)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        numbers[name] = lowest[name] = len(numbers)
        stack.append(name)
        for target in edges[name]:
            if target not in numbers:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], numbers[target])
        if lowest[name] == numbers[name]:
            start = stack.index(name)
            if len(stack) - start > 1:
                groups.append(sorted(stack[start:]))
            del stack[start:]

    for name in edges:
        if name not in numbers:
            visit(name)
    return groups


def functions() -> list[Function]:
    """Every function of the rooms, longest first."""
    return sorted(
        (
            Function(
                f"{path.relative_to(REPOSITORY)}:{node.lineno}", node.name, (node.end_lineno or 0) - node.lineno + 1
            )
            for path in modules().values()
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        key=lambda function: -function.lines,
    )


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules that `python -m ARGUMENTS` has loaded when it ends."""
    script = (
        "import atexit, json, runpy, sys\n"
        "atexit.register(lambda: print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules}))))\n"
        f"sys.argv = {['', *arguments[1:]]!r}\n"
        f"runpy.run_module({arguments[0]!r}, run_name='__main__', alter_sys=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"python -m {' '.join(arguments)} ended with {ended.returncode}: {ended.stderr[-500:]}")
    return set(json.loads(ended.stdout.splitlines()[-1]))


def heavy_by(program: str) -> list[str]:
    """Heavy libraries that a program's `--help` loads."""
    return sorted(HEAVY & loaded_by(program, "--help"))


def _room(module: str) -> str:
    return module.partition(".")[0]


def _part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _page(module: str) -> str | None:
    """The folder of `app/views/` that a module lies in."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["app", "views"] and len(parts) > 2 else None


def _line(ok: bool, what: str, value: object, bound: str, details: Iterable[str] = ()) -> bool:
    print(f"{'ok  ' if ok else 'OVER'}  {what:<44} {value!s:<44} {bound}")
    if not ok:
        for detail in details:
            print(f"        {detail}")
    return ok


def main() -> int:
    """Print how the house stands; 1 where a figure is over its bound."""
    edges = graph()
    folders = modules_per_folder()
    largest, count = folders.most_common(1)[0]
    lengths = functions()
    long = [f"{function.place} {function.name}: {function.lines}" for function in lengths if function.lines > LONG]
    longest = [
        f"{function.place} {function.name}: {function.lines}" for function in lengths if function.lines > LONGEST
    ]
    crowded = [f"{folder}: {number}" for folder, number in folders.items() if number > MOST_MODULES]
    sound = [
        _line(not crowded, "modules in the largest folder", f"{count} ({largest})", f"at most {MOST_MODULES}", crowded)
    ]
    for what, broken in (
        ("imports across pages", across_pages(edges)),
        ("widgets with a single user", lone_widgets(edges)),
        ("circles of imports", [" -> ".join(group) for group in circles(edges)]),
        ("rooms broken", rooms_broken(edges)),
        ("layers of training broken", layers_broken(edges)),
    ):
        sound.append(_line(not broken, what, len(broken), "0", broken))
    for program in PROGRAMS:
        heavy = heavy_by(program)
        sound.append(_line(not heavy, f"heavy modules of {program} --help", len(heavy), "0", heavy))
    sound.append(_line(len(long) <= MOST_LONG, f"functions over {LONG} lines", len(long), f"at most {MOST_LONG}", long))
    sound.append(_line(not longest, f"functions over {LONGEST} lines", len(longest), "0", longest))
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
