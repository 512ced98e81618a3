"""Imports that go up the house: of Cython files, and of compiled modules, neither of which import-linter sees.

    python tests/floors.py [TREE]

The floors stand in pyproject.toml, as import-linter's layers. A header in csrc/ belongs to the floor of the kernels.
"""

import re
import sys
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


if __name__ == "__main__":
    root = Path(*sys.argv[1:2] or [Path(__file__).parents[1]])
    lines = [f"{file.relative_to(root)} imports {name}, which stands on a higher floor" for file, name in upward(root)]
    print("\n".join(lines) or "Imports go down the floors, in Cython files and of compiled modules too")
    sys.exit(bool(lines))
