"""Set-up of all tests: the hypothesis profile, transforms, teams for tiny layers, and child processes."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
import threadpoolctl

# Before libgomp is loaded: teams of three on two busy cores would mostly spin.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import fastconv
from fastconv import functional
from fastconv._planning import algorithms, choosing, teams

TRANSFORMS = {str(a): a for a in algorithms.ALGORITHMS if a.name == "winograd"}
TESTS = Path(__file__).parent

# The modules that take longest. They begin first: one that began last would keep one of several processes busy alone.
LONG = (
    *("kernels/test_machine_code.py", "kernels/test_isas.py", "house/test_builds.py", "runners/test_thread_pool.py"),
    *("runners/test_signals.py", "planning/test_threads.py", "kernels/test_memory.py", "house/test_frozen.py"),
    *("suite/test_benchmarks_run.py", "faces/test_network_results.py", "runners/test_team_in_processes.py"),
    *("suite/test_busy.py", "faces/test_conv2d.py", "runners/test_winograd.py", "suite/test_report.py"),
    *("doors/test_torch_networks.py", "doors/test_torch_operators.py"),
)

hypothesis.settings.register_profile(
    "fastconv",
    derandomize=True,
    deadline=None,
    max_examples=100,
    # The only fixture used so, the one below, is the same for every example.
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("few", hypothesis.settings.get_profile("fastconv"), max_examples=25)
hypothesis.settings.load_profile("fastconv")


def pytest_collection_modifyitems(items):
    order = {TESTS / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def numpy_on_one_thread():
    """NumPy's BLAS threads in turn with fastconv's team make both many times slower; SciPy's are loaded later."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


def keep_algorithms(monkeypatch, kept):
    """Let there be these algorithms alone, and no choice or plan from before."""
    monkeypatch.setattr(algorithms, "ALGORITHMS", tuple(kept))
    monkeypatch.setattr(choosing, "shape_and_algorithm", choosing.shape_and_algorithm.__wrapped__)
    monkeypatch.setattr(functional, "_kept", functional._kept.__wrapped__)


@pytest.fixture
def exact_algorithms(monkeypatch):
    """Algorithms whose results are exact on whole numbers alone."""
    keep_algorithms(monkeypatch, (one for one in algorithms.ALGORITHMS if one.accuracy == "componentwise"))


@pytest.fixture(params=TRANSFORMS)
def transform(request, monkeypatch):
    """Each transform of Winograd's in turn, in each of its ways: the only one that there is for its kernel."""
    chosen = TRANSFORMS[request.param]
    keep_algorithms(monkeypatch, (one for one in algorithms.ALGORITHMS if one.name != "winograd" or one is chosen))
    return chosen.transform


@pytest.fixture
def teams_for_tiny_layers(monkeypatch):
    """Layers that are too small to share are shared all the same, so that small tests run on real threads."""
    monkeypatch.setattr(teams, "_MACS_PER_THREAD", 1)


@pytest.fixture(params=["pool", *["openmp"] * fastconv.get_config()["openmp"]])
def threading(request):
    """Each layer of threads of this build: what FASTCONV_THREADING may be."""
    return request.param


@pytest.fixture
def run_python():
    """Run a Python program in a process of its own; a crash, a hang or a non-zero exit fails the test."""

    def run(*arguments, timeout=120, **environment):
        path = os.pathsep.join([str(TESTS), *sys.path])
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "FASTCONV_"))}
        done = subprocess.run(
            [sys.executable, "-X", "faulthandler", *map(str, arguments)],
            env={**keep, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    return run
