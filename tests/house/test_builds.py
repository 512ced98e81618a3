"""Builds keep what fastconv promises whatever flags, compilers and folders they meet, and say what they cannot do.

A small extension stands for all of them: it is built by setup.py, as they are.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import fastconv
from fastconv._kernels import cpu

ROOT = Path(__file__).parents[2]
CC = os.environ.get("CC", "cc")
COMPILERS = [name for name in dict.fromkeys([CC, "clang"]) if shutil.which(name.split()[0])]

RAISED = "-msse4.2" if platform.machine() in ("x86_64", "AMD64") else ""  # above the baseline of x86-64

pytest.importorskip("Cython", reason="builds need Cython, which the extra `test` brings")
pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="the sources are not here"),
    pytest.mark.skipif(not COMPILERS, reason="needs a C compiler"),
]

SMALL = '''
"""Tells how it was built."""

from numpy cimport import_array

cdef extern from *:
    const int FASTCONV_OPENMP

import_array()


def openmp():
    return bool(FASTCONV_OPENMP)


def is_nan(double x):
    return x != x


def sum_of_three(double a, double b, double c):
    return a + b - a + c
'''


@pytest.fixture
def tree(tmp_path):
    """setup.py beside a package of one small extension."""
    (tmp_path / "fastconv" / "_kernels" / "csrc").mkdir(parents=True)
    (tmp_path / "fastconv" / "__init__.py").touch()
    (tmp_path / "fastconv" / "_small.pyx").write_text(SMALL)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "fastconv"\nversion = "0"\n[tool.setuptools]\npackages = ["fastconv"]\n'
    )
    shutil.copy(ROOT / "setup.py", tmp_path)
    return tmp_path


def build(tree, *command, **environment):
    """Build `tree` in place, or with another command of setup.py."""
    names = ("CFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED", "FASTCONV_OPENMP")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "setup.py", *(command or ("build_ext", "--inplace"))],
        cwd=tree,
        env={**kept, "PYTHONPATH": os.pathsep.join([str(tree), *filter(None, sys.path)]), **environment},
        capture_output=True,
        text=True,
    )


def say(tree, expression):
    """What an expression of the small extension comes to in a process of its own."""
    code = f"from fastconv import _small; print({expression})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def compiler(folder, lines=f'exec {CC} "$@" -O0'):
    """A C compiler that is `CC` but for the shell's `lines` before or after it; -O0 takes less time."""
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(lines)}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("name", COMPILERS)
def test_flags_that_break_arithmetic_are_undone(tree, name):
    flags = {"CFLAGS": "-ffast-math", "CPPFLAGS": "-ffinite-math-only", "LDFLAGS": "-ffast-math -Ofast"}
    done = build(tree, CC=f"{name} -Ofast -funsafe-math-optimizations", FASTCONV_OPENMP="off", **flags)
    assert done.returncode == 0, done.stderr
    # The last is subnormal: a library linked with -ffast-math would flush it in the process that has imported it.
    told = "_small.is_nan(float('nan')), _small.sum_of_three(1e16, 1.0, 0.0), float('2.3e-308') / 4 > 0"
    assert say(tree, told) == "True 0.0 True"


def test_flags_that_cannot_be_undone_are_refused(tree, tmp_path):
    done = build(tree, CC=compiler(tmp_path, f'exec {CC} "$@" -ffast-math'))
    assert done.returncode
    assert done.stderr.splitlines()[-1].startswith("error: a flag like -ffast-math is in $CC, $CFLAGS")


def test_nothing_that_was_linked_is_run(tree, tmp_path):
    """A folder for temporary files may forbid it, and a cross compiler's programs are for another machine."""
    lines = f"""
        {CC} "$@" -O0 || exit
        while [ "$1" != -o ]; do shift; done
        chmod a-x "$2"
    """
    done = build(tree, CC=compiler(tmp_path, lines))
    assert done.returncode == 0, done.stderr
    assert say(tree, "_small.openmp()") == str(cpu.compiler()[1])


def test_a_missing_openmp_is_told_or_refused(tree, tmp_path):
    lines = f"""
        case " $* " in *-fopenmp*) exit 1;; esac
        exec {CC} "$@"
    """
    without = compiler(tmp_path, lines)
    done = build(tree, CC=without, FASTCONV_OPENMP="require")
    assert done.returncode
    assert re.fullmatch("error: FASTCONV_OPENMP=require, but the C compiler .* has no OpenMP", last_line(done))
    done = build(tree, CC=without)
    assert done.returncode == 0, done.stderr
    assert "fastconv is being built without OpenMP: the C compiler" in done.stderr
    assert say(tree, "_small.openmp()") == "False"
    done = build(tree, FASTCONV_OPENMP="yes")
    assert last_line(done) == "error: FASTCONV_OPENMP must be auto, require or off, got 'yes'"


def last_line(done):
    return done.stderr.splitlines()[-1]


def test_what_is_out_of_date_is_built_again_and_nothing_else(tree):
    """Other flags and other versions of what the generated C includes make it so; the C is not in the package."""

    def built(**environment):
        done = build(tree, **environment)
        assert done.returncode == 0, done.stderr
        (library,) = tree.glob("build/lib*/fastconv/_small.*")
        return library.stat().st_mtime_ns

    first = built()
    assert not list(tree.glob("fastconv/*.c"))
    assert b".debug_info" not in next(tree.glob("fastconv/_small*.so")).read_bytes()
    assert built() == first
    serial = built(FASTCONV_OPENMP="off")
    assert serial > first
    assert say(tree, "_small.openmp()") == "False"
    debugged = built(FASTCONV_OPENMP="off", CFLAGS="-g")
    assert debugged > serial
    assert b".debug_info" in next(tree.glob("fastconv/_small*.so")).read_bytes()
    metadata = tree / "numpy-0.1.dist-info" / "METADATA"  # found before that of the real one
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    assert built(FASTCONV_OPENMP="off", CFLAGS="-g") > debugged
    assert len({path.parent for path in tree.glob("build/**/_small.c")}) == 2


def test_a_wheel_has_no_module_that_is_no_more(tree):
    old, quick = tree / "fastconv" / "old.py", compiler(tree)
    old.touch()
    assert build(tree, "build", CC=quick).returncode == 0
    assert list(tree.glob("build/lib*/fastconv/old.py"))
    old.unlink()
    done = build(tree, "build", CC=quick)
    assert done.returncode == 0, done.stderr
    assert {path.name.partition(".")[0] for path in tree.glob("build/lib*/fastconv/*")} == {"__init__", "_small"}


@pytest.fixture(scope="module")
def without_openmp(tmp_path_factory):
    """fastconv without OpenMP and for the baseline, with flags that ask for other arithmetic.

    What has no part in it is taken from the build that is tested; -O1 takes less time.
    """
    tree = tmp_path_factory.mktemp("without_openmp")
    package = tree / "fastconv"
    shutil.copytree(Path(fastconv.__file__).parent, package, ignore=shutil.ignore_patterns("*.c", "__pycache__"))
    shutil.copytree(ROOT / "fastconv" / "_kernels" / "csrc", package / "_kernels" / "csrc", dirs_exist_ok=True)
    for source in package.rglob("*.pyx"):
        if source.stem == "cpu" or "cython.parallel" in source.read_text():
            for library in source.parent.glob(f"{source.stem}.*.so"):
                library.unlink()
        else:
            source.unlink()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    lines = f"""
        case " $* " in *" -mavx"* | *" -fopenmp "*) exit 1;; esac
        exec {CC} "$@" -O1
    """
    done = build(tree, CC=compiler(tree, lines), CFLAGS=f"-ffast-math {RAISED}")
    assert done.returncode == 0, done.stderr
    return tree


@pytest.fixture
def run_without(without_openmp, run_python):
    def run(code):
        begin = f"import sys; sys.path.insert(0, {str(without_openmp)!r})\nimport numpy as np, fastconv\n"
        return run_python("-c", begin + textwrap.dedent(code), FASTCONV_NUM_THREADS="3")

    return run


def test_a_build_without_openmp_has_the_threads_of_the_pool(run_without):
    code = """
        config = fastconv.get_config()
        plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), num_threads=3)
        described = plan.describe((56, 56, 64)).threads
        alone = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), num_threads=1)
        x = np.random.default_rng(0).standard_normal((56, 56, 64), np.float32)
        assert (plan(x) == alone(x)).all()
        print(config["openmp"], config["threads"], fastconv.peak().threads, plan.num_threads, described)
        fastconv.show_config()
    """
    first, *rest = run_without(code).splitlines()
    assert first == "False 3 3 3 3"
    assert {"openmp         no", "threading      pool"} <= {*rest}


@pytest.mark.skipif(not RAISED, reason="the flag is x86-64's")
def test_a_baseline_that_flags_raised_is_told(run_without):
    assert run_without("print(fastconv.get_config()['baseline'])") == "sse4.2\n"


def test_a_build_with_fast_math_keeps_nan_and_subnormals(run_without):
    code = """
        tiny = np.full(8, 1e-40, np.float32)
        assert (tiny * np.float32(0.5)).all(), "the import has changed the arithmetic of the process"
        x = np.ones((16, 16, 32), np.float32)
        x[4, 4] = np.nan
        assert np.isnan(fastconv.max_pool2d(x, 2)).sum() == 32
        y = fastconv.conv2d(x, np.ones((3, 3, 32, 32), np.float32), padding=1, algorithm="winograd")
        assert np.isnan(y).sum() == 9 * 32
    """
    run_without(code)
