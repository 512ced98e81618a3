"""Teams in processes that end, fork, start thousands of threads or cannot start one, by either layer."""

import os
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="reads /proc")

# `plan`, whose results of `x` are `want`, and which has a team of three; what others need.
START = """
    import atexit, contextlib, os, signal, subprocess, sys, threading, time
    import numpy as np, fastconv
    signal.alarm(100)
    weight = np.ones((3, 3, 64, 64), np.float32)
    x, out = np.ones((56, 56, 64), np.float32), np.empty((56, 56, 64), np.float32)
    at_start = {int(task) for task in os.listdir("/proc/self/task")}
    plan = fastconv.Conv2d(weight, padding=1, algorithm="direct", num_threads=3)
    want = fastconv.conv2d(x, weight, padding=1, algorithm="direct", num_threads=1).tobytes()

    def right():
        return plan(x).tobytes() == want

    def tasks():
        return {int(task) for task in os.listdir("/proc/self/task")}

    def for_ever(begun=None):
        while True:
            assert right()
            if begun:
                begun.set()

    def start(daemon=True):
        begun = threading.Event()
        thread = threading.Thread(target=for_ever, args=(begun,), daemon=daemon)
        thread.start()
        begun.wait()
        return thread
"""


def program(code):
    return textwrap.dedent(START) + textwrap.dedent(code)


@pytest.fixture
def run(run_python, threading):
    """Run a program that begins with START, on each layer of threads."""
    environment = {"FASTCONV_THREADING": threading, "OMP_WAIT_POLICY": "passive"}
    return lambda code: run_python("-W", "ignore", "-c", program(code), **environment)


ENDS = {
    "main ends": "start(), start()",
    "sys.exit": "start(); sys.exit()",
    "os._exit": "start(daemon=False); sys.stdout.flush(); os._exit(0)",
    "a thread ends the process": "start(); threading.Timer(0.1, os._exit, (0,)).start(); for_ever()",
    "a thread outlives main": "threading.Thread(target=lambda: [right() for _ in range(5)]).start()",
    "atexit": "start(); atexit.register(lambda: print(right()))",
    "atexit alone": "atexit.register(lambda: print(right()))",
}


@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_ends_while_calls_run(run, end):
    said = run(ENDS[end])
    assert said == ("True\n" if "atexit" in end else "")


def test_thousands_of_threads_leave_none_behind(run):
    """Each calls once; at no time are there more than they and a team for each, at the end none but a team."""
    code = """
        small = fastconv.Conv2d(weight[:1, :1], num_threads=2)
        assert right()
        wrong, before, most = [], len(tasks()), 0  # with a team of three, of which OpenMP lets one go for two threads
        target = small(x).tobytes()

        def left():
            for task in tasks():
                with contextlib.suppress(FileNotFoundError):  # it has just ended
                    yield open(f"/proc/self/task/{task}/stat").read()

        def once():
            wrong.append(small(x).tobytes() != target)

        def settle():
            for _ in range(10_000):  # threads that were joined may still be leaving, more of them on a busy machine
                if len(tasks()) <= before:
                    break
                time.sleep(0.001)
            assert len(tasks()) <= before, (before, *left())

        for _ in range(100):
            threads = [threading.Thread(target=once) for _ in range(20)]
            [thread.start() for thread in threads]
            most = max(most, len(tasks()))
            [thread.join() for thread in threads]
            settle()
        assert not any(wrong) and len(wrong) == 2000
        assert most <= before + 2 * 20
    """
    run(code)


def test_processes_begin_while_a_team_works_in_another_thread(run):
    code = """
        start(), start()
        for i in range(12):
            child = os.fork()
            if not child:
                signal.alarm(60)
                thread = threading.Thread(target=right)
                thread.start()
                same = right()
                thread.join()
                os._exit(not same)
            assert os.waitpid(child, 0)[1] == 0, "the child hung or was wrong"
            if i % 3 == 0:
                assert subprocess.run(["/bin/true"]).returncode == 0
            if i % 3 == 1:
                child = os.fork()
                if not child:
                    os.execv("/bin/true", ["true"])
                assert os.waitpid(child, 0)[1] == 0
            assert right()
    """
    run(code)


def test_more_threads_than_cpus(run):
    code = """
        before = len(tasks())
        for threads in (7, 64, 10**6):
            plan = fastconv.Conv2d(weight, padding=1, algorithm="direct", num_threads=threads)
            assert right() and right()
            assert len(tasks()) < before + max(64, os.cpu_count())
    """
    run(code)


def test_workers_that_the_system_hardly_runs(run):
    """They are moved to one CPU, which another process keeps busy, and come after all others there."""
    code = """
        before = tasks()
        right()
        workers = tasks() - before
        cpu = min(os.sched_getaffinity(0))
        busy = os.fork()
        if not busy:
            signal.alarm(100)
            os.sched_setaffinity(0, {cpu})
            while True:
                pass
        try:
            for worker in workers:
                os.sched_setaffinity(worker, {cpu})
                os.sched_setscheduler(worker, os.SCHED_IDLE, os.sched_param(0))
            assert all([right() for _ in range(20)])
        finally:
            os.kill(busy, signal.SIGKILL)
            os.waitpid(busy, 0)
        assert right()
    """
    run(code)


def test_a_thread_that_cannot_be_made_is_one_fewer(run_python):
    """There is no room for its stack. OpenMP's libraries end the process then."""
    code = """
        import resource, threading

        def room():
            pages = int(open("/proc/self/statm").read().split()[0])
            return pages * resource.getpagesize() + 2 * 2**20

        alone = fastconv.Conv2d(weight, padding=1, algorithm="direct", num_threads=1)
        alone(x, out=out)
        plan.describe(x.shape)
        fastconv.release()
        wide = fastconv.Conv2d(weight[:1, :1], num_threads=3)  # which needs no workspace
        wide_want = fastconv.conv2d(x, weight[:1, :1], num_threads=1).tobytes()
        wide.describe(x.shape)
        before, limits = tasks(), resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (room(), limits[1]))
        wide(x, out=out)
        wide(x, out=out)
        made = tasks() - before
        resource.setrlimit(resource.RLIMIT_AS, limits)
        assert not made, "there was room for a thread"
        assert out.tobytes() == wide_want
        for _ in range(1000):  # after a while
            wide(x, out=out)
            assert out.tobytes() == wide_want
            if len(tasks() - at_start) == 2:  # one was there already, which packed weights
                break
            time.sleep(0.01)
        else:
            raise AssertionError("no thread is made when there is room again")
    """
    run_python("-c", program(code), FASTCONV_THREADING="pool")
