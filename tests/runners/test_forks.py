"""Forked children never hang, whoever ran a team before, and their new threads have teams again."""

import os
import textwrap

import pytest

import fastconv

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
HAS_TEAMS = fastconv.get_config()["openmp"]

# `x`, `plan` and other plans whose results are known, and a team of libgomp that fastconv knows nothing of.
START = """
    import ctypes, os, signal, threading
    import numpy as np, fastconv
    signal.alarm(100)
    x, weight = np.ones((56, 56, 64), np.float32), np.ones((3, 3, 64, 64), np.float32)
    plan = fastconv.Conv2d(weight, padding=1, algorithm="direct", num_threads=3)
    winograd = fastconv.Conv2d(weight, padding=1, algorithm="winograd", num_threads=3)
    matrix = fastconv.Conv2d(weight[:1, :1], algorithm="blas", num_threads=3)
    block = fastconv.Reduced((weight[:1, :1], None), (weight[:1, :1], None), num_threads=3)
    planes = fastconv.Conv2d(weight[0, 0, :, :, None, None].copy(), layout="NCHW", num_threads=3)

    def right():
        inner = (slice(1, -1), slice(1, -1))
        return (
            (plan(x)[inner] == 576).all()
            and (abs(winograd(x)[inner] - 576) < 1e-2).all()
            and (matrix(x) == 64).all()
            and (block(x) == 4096).all()
            and (planes(np.ones((64, 56, 56), np.float32)) == 64).all()
            and (fastconv.avg_pool2d(x, 2, num_threads=3) == 1).all()
        )

    def in_child(work, seconds=60):
        child = os.fork()
        if not child:
            signal.alarm(seconds)  # a hang ends the child, and so fails the test
            os._exit(not work())
        assert os.waitpid(child, 0)[1] == 0, "the child hung or was wrong"

    def other_library(threads=3):
        libgomp = ctypes.CDLL("libgomp.so.1")
        nothing = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p)
        libgomp.GOMP_parallel(nothing, None, threads, 0)
"""


def program(code):
    return textwrap.dedent(START) + textwrap.dedent(code)


def test_a_fork_after_another_library_ran_a_team(run_python):
    code = """
        try:
            other_library()
        except OSError:
            raise SystemExit("no libgomp here") from None
        in_child(right)
        assert right()
        in_child(right)
    """
    run_python("-c", program(code))


@pytest.mark.skipif(not HAS_TEAMS, reason="built without OpenMP")
def test_a_new_thread_of_a_child_has_a_team(run_python):
    code = """
        right()

        def in_thread():
            found = []

            def work():
                found.append((plan.describe(x.shape).threads, plan.num_threads, right()))

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            alone = plan.describe(x.shape).threads, plan.num_threads
            return found == [(3, 3, True)] and alone == (1, 1) and right()

        in_child(in_thread)
        assert plan.describe(x.shape).threads == plan.num_threads == 3
    """
    run_python("-c", program(code))


def test_a_fork_that_python_knows_nothing_of(run_python):
    code = """
        right()
        child = ctypes.PyDLL(None).fork()  # with the interpreter's lock held, so that Python goes on in the child
        if not child:
            signal.alarm(60)
            os._exit(not right())
        assert os.waitpid(child, 0)[1] == 0
        assert right()
    """
    run_python("-c", program(code))


def test_a_fork_in_a_thread_with_a_team_of_its_own(run_python):
    code = """
        def work():
            right()
            in_child(right)

        right()
        threads = [threading.Thread(target=work) for _ in range(3)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert right()
    """
    run_python("-W", "ignore", "-c", program(code))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity masks are Linux's")
def test_a_plan_takes_the_cpus_that_there_are_now(run_python):
    code = """
        cpus = sorted(os.sched_getaffinity(0))
        default = fastconv.Conv2d(weight, padding=1)
        before = default.describe(x.shape).threads
        default(x)
        os.sched_setaffinity(0, cpus[:1])
        assert default.num_threads == default.describe(x.shape).threads == 1
        assert (default(x)[1:-1, 1:-1] == 576).all() or abs(default(x)[1:-1, 1:-1] - 576).max() < 1e-2
        os.sched_setaffinity(0, cpus)
        assert default.describe(x.shape).threads == before

        def with_one_cpu():
            os.sched_setaffinity(0, cpus[:1])
            found = []
            thread = threading.Thread(target=lambda: found.append(default.num_threads))
            thread.start()
            thread.join()
            os.sched_setaffinity(0, cpus)
            thread = threading.Thread(target=lambda: found.append(default.num_threads))
            thread.start()
            thread.join()
            return found == [1, before]

        in_child(with_one_cpu)
    """
    run_python("-c", program(code))
