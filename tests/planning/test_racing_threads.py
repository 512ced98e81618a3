"""Plans raced by many threads have the bits that one thread gives, also where Python has no lock."""

import gc
import pickle
import sys
import sysconfig
import textwrap
import threading

import numpy as np
import pytest

import fastconv
from fastconv._planning import plan as planning
from fastconv._planning.steps.conv import PreparedConv

THREADS = 6
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


def pair(*shape):
    return normal(*shape), normal(shape[-1])


ONE, THREE = pair(1, 1, 24, 16), pair(3, 3, 16, 24)
PLANES = np.ascontiguousarray(THREE[0].transpose(3, 2, 0, 1))

# Each makes a plan that has never been called, of x with 24 channels, or 16 where it says so.
PLANS = {
    "direct": (24, lambda: fastconv.Conv2d(*ONE, num_threads=2)),
    "winograd": (16, lambda: fastconv.Conv2d(*THREE, padding=1, algorithm="winograd", num_threads=2)),
    "fip": (24, lambda: fastconv.Conv2d(*ONE, algorithm="fip", num_threads=2)),
    "blas": (24, lambda: fastconv.Conv2d(*ONE, algorithm="blas", num_threads=2)),
    "depthwise": (16, lambda: fastconv.Conv2d(normal(3, 3, 1, 16) * 0 + 0.5, padding=1, groups=16, num_threads=2)),
    "converted": (16, lambda: fastconv.Conv2d(PLANES, THREE[1], padding=1, layout="NCHW", num_threads=2)),
    "block": (24, lambda: fastconv.Fire(ONE, pair_of(ONE), THREE, num_threads=2)),
    "pool": (16, lambda: fastconv.MaxPool2d(3, stride=2, num_threads=2)),
}


def pair_of(weights):
    weight, bias = weights
    return np.ascontiguousarray(weight.transpose(0, 1, 3, 2)), np.zeros(weight.shape[2], bias.dtype)


def inputs_of(name, sizes):
    channels, _ = PLANS[name]
    return [normal(channels, n, n) if name == "converted" else normal(n, n, channels) for n in sizes]


def race(work, threads=THREADS):
    """Let threads do `work(number)` at the same moment; the results in order, or the first error."""
    begin, results, errors = threading.Barrier(threads), [None] * threads, []

    def run(number):
        begin.wait()
        try:
            results[number] = work(number)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    if errors:
        raise errors[0]
    return results


@pytest.fixture(autouse=True)
def _switching_often():
    """Where there is a lock, it changes hands in the middle of things."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("teams_for_tiny_layers")
@pytest.mark.parametrize("name", PLANS)
def test_first_calls_of_one_plan_at_once(name):
    """Threads pack, bind and make runners of the same plan together; then each shape is known to some alone."""
    _, new = PLANS[name]
    xs = inputs_of(name, range(7, 12))
    plan = new()
    want = [plan(x).tobytes() for x in xs]
    for _ in range(10):
        plan = new()

        def work(number, plan=plan):
            order = [*range(number % len(xs), len(xs)), *range(number % len(xs))]
            return all(plan(xs[i]).tobytes() == want[i] for i in order for _ in range(2))

        assert race(work) == [True] * THREADS


def test_threads_that_bind_at_once_keep_the_first_runner(monkeypatch):
    """One that was replaced could end while another thread, in a Python without its lock, takes it."""
    bind, both = PreparedConv._bind, threading.Barrier(2)

    def bind_with_another(prepared, threads):
        both.wait()
        return bind(prepared, threads)

    monkeypatch.setattr(PreparedConv, "_bind", bind_with_another)
    prepared, _ = fastconv.Conv2d(*ONE, num_threads=2)._bind(((9, 9, 24),))
    first, second = race(lambda number: prepared.runner_for(2), threads=2)
    assert first is second is prepared.runner_for(2)


@pytest.mark.usefixtures("teams_for_tiny_layers")
def test_more_shapes_than_a_plan_keeps(monkeypatch):
    """One thread forgets what the others are running."""
    monkeypatch.setattr(planning, "MAX_PREPARED_SHAPES", 2)
    for name in ("winograd", "converted", "block"):
        plan, xs = PLANS[name][1](), inputs_of(name, range(5, 12))
        want = [plan(x).tobytes() for x in xs]

        def work(number, plan=plan, xs=xs, want=want):
            return all(plan(xs[i % 7]).tobytes() == want[i % 7] for i in range(number, number + 60))

        assert race(work) == [True] * THREADS


@pytest.mark.usefixtures("teams_for_tiny_layers")
def test_different_plans_functions_and_release_at_once():
    xs = {name: inputs_of(name, [9])[0] for name in PLANS}
    plans = {name: new() for name, (_, new) in PLANS.items()}
    want = {name: plans[name](xs[name]).tobytes() for name in PLANS}
    whole = fastconv.conv2d(xs["winograd"], *THREE, padding=1, num_threads=1).tobytes()
    pooled = fastconv.avg_pool2d(xs["pool"], 2, num_threads=1).tobytes()
    names = list(PLANS)

    def work(number):
        same = []
        for i in range(40):
            name = names[(number + i) % len(names)]
            same.append(plans[name](xs[name]).tobytes() == want[name])
            if number == 0:
                fastconv.release()
            if number == 1:
                same.append(fastconv.conv2d(xs["winograd"], *THREE, padding=1, num_threads=2).tobytes() == whole)
            if number == 2:
                same.append(fastconv.avg_pool2d(xs["pool"], 2, num_threads=2).tobytes() == pooled)
        return all(same)

    assert race(work) == [True] * THREADS


@pytest.mark.usefixtures("teams_for_tiny_layers")
@pytest.mark.parametrize("name", ["winograd", "blas", "block"])
def test_copies_and_descriptions_of_a_plan_in_its_first_calls(name):
    _, new = PLANS[name]
    x = inputs_of(name, [10])[0]
    plan = new()
    want, told = plan(x).tobytes(), plan.describe(x.shape)
    for _ in range(5):
        plan = new()

        def work(number, plan=plan):
            if number % 3 == 0:
                plan = pickle.loads(pickle.dumps(plan))
            if number % 3 == 1 and plan.describe(x.shape) != told:
                return False
            return plan(x).tobytes() == want

        assert race(work) == [True] * THREADS


def test_plans_end_in_any_thread():
    """The last reference to a plan, its packed weights and its arrays goes in a thread that did not make it."""
    x = inputs_of("block", [8])[0]
    want = PLANS["block"][1]()(x).tobytes()
    shared = [PLANS["block"][1]() for _ in range(40)]

    def work(number):
        same = []
        while True:
            try:
                plan = shared.pop()
            except IndexError:
                return all(same)
            same.append(plan(x).tobytes() == want)
            del plan
            if number == 0:
                gc.collect()

    assert race(work) == [True] * THREADS


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has its lock")
def test_the_import_leaves_python_without_its_lock(run_python):
    code = """
        import importlib, pkgutil, sys, warnings
        warnings.simplefilter("error")  # what Python says where a module makes it take the lock again
        import fastconv
        for module in pkgutil.walk_packages(fastconv.__path__, "fastconv."):
            if module.name != "fastconv.__main__":
                importlib.import_module(module.name)
        assert not sys._is_gil_enabled()
    """
    run_python("-c", textwrap.dedent(code), PYTHON_GIL="")
