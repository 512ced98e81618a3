"""`python -m benchmarks` as other people start it: odd paths, copies, interpreters. One cell is run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("asv")

from asv.config import Config
from asv.environment import iter_matrix
from asv_runner.discovery import update_sys_path

ROOT = Path(__file__).parents[2]
update_sys_path(str(ROOT / "benchmarks"))

from benchmarks import __main__ as suite  # noqa: E402
from benchmarks import bench_machine  # noqa: E402

ONE_CELL = r"""
import sys
from benchmarks import __main__ as suite

suite.QUICK, suite.QUICK_ROUNDS = (r"bench_machine\.track_facts",), 1
suite.report.make = lambda results, output, machine: [print(path.read_text()) for path in results.glob("*/*-existing*")]
sys.argv[1:] = []
sys.exit(suite.main())
"""


def git(*arguments, cwd):
    name = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(["git", *name, *arguments], cwd=cwd, check=True, capture_output=True)


def clone(folder):
    """A checkout of its own in a folder, its fastconv a link to the one that is tested."""
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "fastconv").symlink_to(ROOT / "fastconv")
    git("init", "-q", cwd=folder)
    git("add", "benchmarks", cwd=folder)
    git("commit", "-q", "-m", "all", cwd=folder)
    return folder


def measure(folder, program=("-c", ONE_CELL), **variables):
    """What the suite does in a checkout, with a home of its own for the list of machines."""
    environment = {"HOME": str(folder), "PYTHONPATH": "", **variables}
    return subprocess.run(
        [sys.executable, *program],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("variables", [{}, {"PYTHONOPTIMIZE": "2"}], ids=["", "without docstrings"])
def test_a_path_with_a_space_is_measured(tmp_path, variables):
    done = measure(clone(tmp_path / "my bench_a.b code"), **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"\d+/\d+\] about \S+ min left: \w+", done.stdout) == ["1/1] about 0.0 min left: track_facts"]
    assert re.search(r'\\"source\\": \\"commit [0-9a-f]{12}\\"', done.stdout)  # and not unknown


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(
    ("venv", "stamps", "goals"),
    [(".venv", (".bench", ".dev"), ("bench", "lint")), (".doors", (".doors",), ("test-doors",))],
    ids=[".venv", ".doors"],
)
def test_make_makes_the_environment_of_a_copied_clone_anew(tmp_path, copied, venv, stamps, goals):
    folder = tmp_path / "my code"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".doors").mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    stamps = ".venv/.built", ".venv/.test", *(f"{venv}/{stamp}" for stamp in stamps)
    for name in ("pyproject.toml", "setup.py", *stamps):
        (folder / name).touch()
    (folder / venv / ".place").write_text(f"{'/elsewhere' if copied else folder.resolve()}\n")
    done = subprocess.run(["make", "-n", *goals], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.count("rm -rf .venv .doors") == copied
    assert done.stdout.count("pip install --quiet --editable") == copied  # compiled once


MEASURED = r"""
import subprocess, sys
from benchmarks import __main__ as suite

suite.CELL = suite.re.compile("^(?P<benchmark>/.*)(?P<index>)$")
suite.ASV = sys.executable, "-c", "import sys; del sys.path[0]; import fastconv; print(fastconv.__file__)"
suite.Progress.show = lambda self, benchmark, index: print("measured:", benchmark) or setattr(self, "done", 1)
suite.report.make = lambda *_: None
sys.argv[1:] = []
sys.exit(suite.main())
"""


def copied(tmp_path):
    """A copied clone, and the path by which its environment finds the package of the original."""
    original = tmp_path / "original"
    original.mkdir()
    (original / "fastconv").symlink_to(ROOT / "fastconv")
    return clone(tmp_path / "copy"), str(original)


def test_a_copied_clone_measures_itself(tmp_path):
    folder, original = copied(tmp_path)
    done = measure(folder, ("-c", MEASURED), PYTHONPATH=original)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"measured: {folder}/fastconv/__init__.py\n" in done.stdout


def test_what_is_not_of_this_checkout_is_refused(tmp_path):
    folder, original = copied(tmp_path)
    as_before = "suite.this_checkout_first = lambda: suite.os.environ\n"
    program = MEASURED.replace("sys.argv", as_before + "sys.argv")
    done = measure(folder, ("-c", program), PYTHONPATH=original)
    assert done.returncode == 1
    assert (
        done.stderr == f"{original}/fastconv/__init__.py would be measured, which is not of this checkout: {folder}\n"
    )


def test_what_stands_in_the_place_of_a_folder_is_one_line(tmp_path):
    folder = clone(tmp_path / "code")
    (folder / ".asv").touch()
    done = measure(folder, ("-m", "benchmarks"))
    assert done.returncode == 1
    assert re.fullmatch(r"python -m benchmarks: [^\n]*\.asv'\n", done.stderr)


def test_a_run_of_another_fastconv_has_no_commit(tmp_path, monkeypatch):
    """As asv makes one by itself, which does not ask whose package is measured."""
    monkeypatch.delenv("ASV_COMMIT", raising=False)
    assert bench_machine._source() != "unknown: not of this checkout"
    monkeypatch.setattr(bench_machine.fastconv, "__file__", str(tmp_path / "fastconv" / "__init__.py"))
    assert bench_machine._source() == "unknown: not of this checkout"


def test_asv_finds_the_python_of_this_environment_first(tmp_path, monkeypatch):
    """asv makes its environments with the first python3.x on the path: another may stand there, or one of pyenv's."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    other = tmp_path / "shims" / name
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 127\n")
    other.chmod(0o755)
    monkeypatch.setattr(suite, "STATE", tmp_path)
    monkeypatch.setattr(suite, "LOG", tmp_path / "run.log")
    monkeypatch.setattr(suite, "ASV", (sys.executable, "-c", f"import shutil; print(shutil.which('{name}'))"))
    environment = {**os.environ, "PATH": f"{other.parent}:{os.environ['PATH']}"}
    with pytest.raises(SystemExit) as ended:
        suite.run([], suite.Progress(), environment)
    assert str(ended.value).strip() == str(Path(sys.executable).with_name(name))


@pytest.mark.parametrize(
    ("python", "numpy", "scipy"),
    [
        ("3.10", "2.2.6", "1.15.3"),
        *((f"3.{minor}", "2.3.5", "1.16.3") for minor in range(11, 15)),
        ("3.15", "2.5.5", "1.18.1"),
    ],
)
def test_each_python_has_pinned_versions_that_exist_for_it(python, numpy, scipy):
    """The versions are those of which the index has wheels for this Python."""
    (found,) = iter_matrix("virtualenv", [python], Config.load(str(suite.CONFIG)))
    pins = {name: version for (kind, name), version in found.items() if kind == "req"}
    assert (pins["numpy"], pins["scipy"]) == (numpy, scipy)
    assert set(pins) == {"numpy", "scipy", "threadpoolctl", "cython", "setuptools"}


@pytest.mark.parametrize("module", ["", ".peak", ".race", ".cold", ".models", ".winograd_grid"])
def test_programs_start_without_docstrings(run_python, module):
    assert "usage:" in run_python("-OO", "-m", f"benchmarks{module}", "--help", PYTHONPATH=str(ROOT))


def test_the_race_runs_the_fastconv_of_this_checkout(tmp_path):
    program = """
import sys
from benchmarks.race.engine import OURS, Engine

engine = Engine(OURS, 1)
engine.command = sys.executable, "-c", "import json, fastconv; print(json.dumps(fastconv.__file__))"
print("raced:", engine.start())
"""
    folder, original = copied(tmp_path)
    environment = {**os.environ, "PYTHONPATH": original}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert done.stdout == f"raced: {folder}/fastconv/__init__.py\n", done.stderr
