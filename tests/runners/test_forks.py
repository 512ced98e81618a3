"""Forked children never hang, whoever ran a team before, and have teams again: in the thread that went through the fork
too, where teams are the pool's.
"""

import os
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

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


@pytest.fixture
def run(run_python, threading):
    """Run a program on each layer of threads."""

    def run(code, *options):
        run_python(*options, "-c", textwrap.dedent(START) + textwrap.dedent(code), FASTCONV_THREADING=threading)

    return run


def test_a_fork_after_another_library_ran_a_team(run):
    code = """
        try:
            other_library()
        except OSError:
            raise SystemExit("no libgomp here") from None
        in_child(right)
        assert right()
        in_child(right)
    """
    run(code)


def test_a_new_thread_of_a_child_has_a_team(run):
    code = """
        right()

        def in_thread():
            found = []

            def work():
                found.append((plan.describe(x.shape).threads, plan.num_threads, right()))

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            own = plan.describe(x.shape).threads, plan.num_threads
            is_alone = fastconv.get_config()["threading"] == "openmp"
            return found == [(3, 3, True)] and own == ((1, 1) if is_alone else (3, 3)) and right()

        in_child(in_thread)
        assert plan.describe(x.shape).threads == plan.num_threads == 3
    """
    run(code)


def test_a_fork_that_python_knows_nothing_of(run):
    code = """
        right()
        child = ctypes.PyDLL(None).fork()  # with the interpreter's lock held, so that Python goes on in the child
        if not child:
            signal.alarm(60)
            os._exit(not right())
        assert os.waitpid(child, 0)[1] == 0
        assert right()
    """
    run(code)


def test_a_fork_in_a_thread_with_a_team_of_its_own(run):
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
    run(code, "-W", "ignore")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity masks are Linux's")
def test_a_plan_takes_the_cpus_that_there_are_now(run):
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
    run(code)
