"""Programs frozen with fastconv start: what compiled code imports is written in Python too, where tools look for it."""

import ast
import pkgutil
import re
import subprocess
import sys
from importlib.util import find_spec, resolve_name
from pathlib import Path

import pytest
import scipy

import fastconv

PACKAGE = Path(fastconv.__file__).parent
PROGRAM = """
import numpy as np, fastconv
x = np.ones((5, 5, 3), np.float32)
print(fastconv.conv2d(x, np.ones((3, 3, 3, 4), np.float32)).shape)
"""
MORE = """
print(fastconv.pointwise(x, np.ones((3, 2), np.float32), algorithm="blas").shape)
print(fastconv.Fire(*[(np.ones(s, np.float32), None) for s in ((1, 1, 3, 2), (1, 1, 2, 4), (3, 3, 2, 4))])(x).shape)
print(fastconv.max_pool2d(x, 2).shape, fastconv.get_config()["fastconv"], fastconv.networks.nin().classes)
print(fastconv.reference.pointwise(x, np.ones((3, 2), np.float32)).shape, fastconv.peak().threads > 0)
"""


def python_file(name):
    """The file of a module of the package, unless that is compiled."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def imports(name, file):
    """The modules that a Python file imports, in functions too, which is where tools look."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            if module.partition(".")[0] == "fastconv":  # its names may be modules
                yield from (f"{module}.{alias.name}" for alias in node.names)


def seen(*start):
    """All modules that a tool sees, which opens the package's Python files and no others."""
    found, todo = set(), list(start)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        file = python_file(name) if name.partition(".")[0] == "fastconv" else None
        if file:
            todo += imports(name, file)
    return found


def imported_by_compiled_code():
    """The modules that Cython files import; a cimport is one too, unless it declares C alone."""
    for file in PACKAGE.rglob("*.p[yx][xd]"):
        for name in re.findall(r"^ *(?:from|c?import) +([\w.]+)", file.read_text(), re.MULTILINE):
            if name.partition(".")[0] not in ("cython", "libc", "cpython") and name != "fastconv._runners.queue":
                yield name


@pytest.mark.skipif(not list(PACKAGE.rglob("*.pyx")), reason="the sources are not here")
def test_what_compiled_code_imports_or_comes_late_is_seen():
    compiled = {".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in PACKAGE.rglob("*.pyx")}
    assert len(compiled) >= 14
    late = {f"fastconv.{name}" for name in fastconv._LATE.values()}
    assert compiled | late | set(imported_by_compiled_code()) <= seen("fastconv")


def test_the_list_is_true_and_not_loaded(run_python):
    run_python("-c", "import sys, fastconv; assert 'fastconv._frozen' not in sys.modules; import fastconv._frozen")


@pytest.mark.skipif(not find_spec("PyInstaller"), reason="needs PyInstaller, which the extra `test` brings")
def test_a_frozen_program_starts(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + MORE)
    freeze = [sys.executable, "-m", "PyInstaller", "--log-level=ERROR", f"--paths={PACKAGE.parent}", program.name]
    # For its time without what the tool finds behind the imports of NumPy and SciPy, and this program does not use.
    packages = {module.name for module in pkgutil.iter_modules(scipy.__path__) if module.ispkg} - {"linalg", "_lib"}
    unused = {"matplotlib", "pytest", "IPython", "tkinter", "PIL", "setuptools", "Cython", "hypothesis"}
    unused |= {f"scipy.{name}" for name in packages}
    freeze += [f"--exclude-module={name}" for name in sorted(unused)]
    done = subprocess.run(freeze, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    done = subprocess.run([tmp_path / "dist" / "program" / "program"], cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stdout.startswith("(3, 3, 4)\n(5, 5, 2)\n(5, 5, 8)\n")
