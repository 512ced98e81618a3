"""Imports go down the floors of the house: a planted one that goes up is found, whatever kind of file it stands in."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from floors import circle, upward

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path):
    shutil.copytree(ROOT / "fastconv", tmp_path / "fastconv", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(tree, file, line):
    path = tree / "fastconv" / file
    path.write_text(f"{line}\n" + path.read_text("utf-8") if path.exists() else f"{line}\n", "utf-8")


def test_no_import_goes_up():
    assert list(upward(ROOT)) == []


@pytest.mark.parametrize(
    ("file", "line", "imported"),
    [
        ("_checks/arrays.pyx", "from fastconv._planning.teams import now", "_planning.teams"),
        ("_checks/arrays.pyx", "cimport fastconv._runners.partition", "_runners.partition"),
        ("_checks/arrays.pyx", "def f():\n    from fastconv import (\n        conv,\n    )", "conv"),
        ("_checks/arrays.pyx", 'cdef extern from "queue.h" nogil:\n    pass', "_kernels.csrc.queue"),
        ("_checks/arrays.pyx", "import numpy, fastconv.cli as cli", "cli"),
        ("_runners/partition.pxd", "from fastconv._planning.prepared cimport Prepared", "_planning.prepared"),
        ("_runners/partition.pxd", "from .._planning cimport prepared", "_planning"),
        ("_runners/partition.pyi", "from fastconv._graph.graph import Graph", "_graph.graph"),
        (
            "_graph/graph.py",
            "from fastconv._planning.prepared import Prepared",
            "_planning.prepared",
        ),  # which is compiled
        ("_planning/plan.py", "import fastconv", ""),
        ("_checks/arrays.pyx", "import numpy; import fastconv._planning.call", "_planning.call"),
        ("_checks/arrays.pyx", "from numpy import pi; from fastconv._planning.call import call", "_planning.call"),
        ("_checks/arrays.pxd", "if True: from fastconv._planning.call import call", "_planning.call"),
        ("_checks/arrays.pyx", "from fastconv._planning.call \\\n    import call", "_planning.call"),
        ("_checks/arrays.pyx", "import numpy, \\\n    fastconv._planning.call", "_planning.call"),
        ("_checks/arrays.pyx", "x = importlib.import_module('fastconv._planning.call')", "_planning.call"),
        ("_checks/shapes.py", 'f = lambda: __import__(\n    "fastconv.cli")', "cli"),
    ],
)
def test_an_import_that_goes_up_is_found(tree, file, line, imported):
    plant(tree, file, line)
    assert list(upward(tree)) == [(tree / "fastconv" / file, f"fastconv.{imported}".rstrip("."))]


def test_an_included_file_belongs_to_its_floor(tree):
    plant(tree, "_planning/some.pxi", "")
    plant(tree, "_kernels/cpu.pyx", 'include "../_planning/some.pxi"')
    assert [imported for _, imported in upward(tree)] == ["fastconv._planning.some"]


def test_no_imports_go_in_a_circle():
    assert circle(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "from fastconv._planning.graph_plan import GraphPlan",
        "import fastconv._planning.graph_plan",
        "def f():\n    from fastconv._planning import graph_plan",
    ],
)
def test_a_circle_is_found(tree, line):
    plant(tree, "_planning/conv_plan.py", line)
    assert {*circle(tree)} == {"fastconv._planning.conv_plan", "fastconv._planning.graph_plan"}


def test_what_types_import_goes_in_circles(tree):
    plant(tree, "_planning/conv_plan.py", "if TYPE_CHECKING:\n    from fastconv._planning import graph_plan")
    assert circle(tree) == []


def test_import_linter_finds_the_others(tree):
    pytest.importorskip("importlinter")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"]
    for line, code in (("", 0), ("from fastconv._planning import teams", 1)):
        plant(tree, "_graph/graph.py", line)
        assert subprocess.run(command, cwd=tree, capture_output=True, env={"PYTHONPATH": ""}).returncode == code
