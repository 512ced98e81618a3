"""Imports that go up the house: of Cython files, and of compiled modules, neither of which import-linter sees. And
imports in a circle, those in functions too; what only types import does not count.

    python tests/floors.py [TREE]

The floors stand in pyproject.toml, as import-linter's layers. A header in csrc/ belongs to the floor of the kernels.
"""

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, for which pytest brings it along
    import tomli as tomllib

ENDS = ".py", ".pyi", ".pyx", ".pxd", ".pxi"
STATEMENT = re.compile(
    r"(?:^|[;:])[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+c?import[ \t]+(?P<names>\([^)]*\)|[^#;\n]*)"
    r"|c?import[ \t]+(?P<modules>[\w., \t]+)"
    r"|(?:include|cdef[ \t]+extern[ \t]+from)[ \t]+[\"'](?P<file>[^\"']+))"
    r"|\b(?:import_module|__import__)\(\s*[\"'](?P<called>[\w.]+)[\"']",
    re.MULTILINE,
)


def upward(tree):
    """(file, what it imports) of every import from a higher floor in the package of a source tree."""
    contract = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    floors = {room: -i for i, layer in enumerate(contract["layers"]) for room in re.split(r"\s*[:|]\s*", layer)}
    package = tree / "fastconv"
    for file in sorted(file for file in package.rglob("*") if file.suffix in ENDS):
        floor = floors.get(file.relative_to(package).with_suffix("").parts[0])
        for imported in imports(file, tree):
            _, *parts = imported.split(".")
            if floor is not None and floors.get(parts[0] if parts else "", floors["functional"]) > floor:
                yield file, imported


def imports(file, tree):
    """What a file imports of the package, as modules or as names in them."""
    package = ".".join(file.relative_to(tree).parts[:-1])
    for match in STATEMENT.finditer(file.read_text("utf-8").replace("\\\n", " ")):
        if match["file"]:
            found = (tree / "fastconv").rglob(Path(match["file"]).name)
            given = [".".join(path.relative_to(tree).with_suffix("").parts) for path in found]
        elif match["module"]:
            module = resolve_name(match["module"], package)
            given = [module]
            if module == "fastconv":
                given = [f"{module}.{name}" for name in re.findall(r"(\w+)(?:[ \t]+as[ \t]+\w+)?", match["names"])]
        else:
            given = [name.split()[0] for name in (match["called"] or match["modules"]).split(",")]
        yield from (name for name in given if name.partition(".")[0] == "fastconv")


def circle(tree):
    """The modules of a circle of imports among Python files, the first at the end again; [] where there is none.

    Without the package itself, whose names each room may read in a call, and `_frozen`, which nothing runs.
    """
    modules = {_module(file, tree): file for file in sorted((tree / "fastconv").rglob("*.py"))}
    modules = {name: file for name, file in modules.items() if name not in ("fastconv", "fastconv._frozen")}
    imported = {name: {*_run(ast.parse(file.read_text("utf-8")), modules)} - {name} for name, file in modules.items()}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def _module(file, tree):
    return ".".join(file.relative_to(tree).with_suffix("").parts).removesuffix(".__init__")


def _run(node, modules):
    """Those of the modules that a run of this code may import."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.ImportFrom):
        whole = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name if name in modules else node.module for name in whole)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    for part in ast.iter_child_nodes(node):
        yield from _run(part, modules)


if __name__ == "__main__":
    root = Path(*sys.argv[1:2] or [Path(__file__).parents[1]])
    lines = [f"{file.relative_to(root)} imports {name}, which stands on a higher floor" for file, name in upward(root)]
    if found := circle(root):
        lines.append(f"imports in a circle: {' → '.join(found)}")
    print(
        "\n".join(lines) or "Imports go down the floors, in Cython files and of compiled modules too, and in no circle"
    )
    sys.exit(bool(lines))
