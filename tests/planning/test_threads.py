"""How many threads a call uses, and what threads must never disturb: forks, other libraries, the caller's settings."""

import multiprocessing
import os
import textwrap

import numpy as np
import pytest
import threadpoolctl

import fastconv
from fastconv._planning import teams

LINUX = hasattr(os, "sched_setaffinity")
TEAM = "fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1).describe((56, 56, 64)).threads"


@pytest.fixture
def threads_with(run_python):
    """The team of a large layer in a new process with these environment variables."""

    def threads(first="", **environment):
        code = f"import os\n{first}\nimport numpy as np, fastconv\nprint({TEAM}, fastconv.get_config()['threads'])"
        team, default = map(int, run_python("-c", code, **environment).split())
        assert team == default
        return team

    return threads


def usable_cpus():
    return len(os.sched_getaffinity(0)) if LINUX else os.cpu_count()


def test_the_default_is_no_more_than_the_cpus(threads_with):
    assert 1 <= threads_with() <= usable_cpus()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "5,2"}, 5),  # the outermost level of a nested list
        ({"FASTCONV_NUM_THREADS": "3"}, 3),
        ({"FASTCONV_NUM_THREADS": "99999999999"}, max(64, os.cpu_count())),
        ({"FASTCONV_NUM_THREADS": "2", "OMP_NUM_THREADS": "1"}, 2),
    ],
)
def test_the_environment_sets_the_default(threads_with, environment, expected):
    assert threads_with(**environment) == expected


@pytest.mark.parametrize("value", ["", "0", "-2", "many"])
def test_a_senseless_omp_num_threads_is_passed_over(threads_with, value):
    assert 1 <= threads_with(OMP_NUM_THREADS=value) <= usable_cpus()


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "²", "1" * 30])
def test_a_senseless_own_variable_is_an_error(monkeypatch, value):
    monkeypatch.setattr(teams, "_from_environment", teams._from_environment.__wrapped__)  # which remembers
    monkeypatch.setenv("FASTCONV_NUM_THREADS", value)
    with pytest.raises(ValueError, match="FASTCONV_NUM_THREADS must be a positive integer"):
        fastconv.pointwise(np.ones((1, 1, 1)), np.ones((1, 1)))


@pytest.mark.skipif(not LINUX, reason="affinity masks are Linux's")
def test_the_affinity_mask_is_respected(threads_with):
    cpu = min(os.sched_getaffinity(0))
    assert threads_with(first=f"os.sched_setaffinity(0, {{{cpu}}})") == 1


@pytest.mark.parametrize("num_threads", [1, 2, 7, 1000, 2**31 - 1])
def test_no_more_threads_than_asked_for_and_any_number_works(num_threads):
    weight = np.ones((3, 3, 64, 64), np.float32)
    plan = fastconv.Conv2d(weight, padding=1, num_threads=num_threads)
    assert 1 <= plan.describe((56, 56, 64)).threads <= num_threads
    x = np.ones((9, 9, 64), np.float32)
    np.testing.assert_array_equal(plan(x), fastconv.conv2d(x, weight, padding=1, num_threads=1))


@pytest.mark.usefixtures("teams_for_tiny_layers")
@pytest.mark.parametrize("algorithm", ["direct", "blas"])
def test_no_setting_of_the_process_is_changed(algorithm):
    plan = fastconv.Conv2d(np.ones((1, 1, 8, 8), np.float32), algorithm=algorithm, num_threads=3)
    plan(np.ones((1, 1, 8), np.float32))  # loads what it needs
    before = threadpoolctl.threadpool_info(), dict(os.environ), np.geterr()
    plan(np.ones((40, 40, 8), np.float32))
    with pytest.raises(ValueError, match="x"):
        plan(np.ones((40, 40, 7), np.float32))
    assert (threadpoolctl.threadpool_info(), dict(os.environ), np.geterr()) == before


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_the_process_keeps_its_affinity(run_python, threading):
    code = f"""
        import os
        before = os.sched_getaffinity(0)
        import numpy as np, fastconv
        plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1, num_threads=3)
        plan(np.ones((56, 56, 64), np.float32))
        tasks = os.listdir("/proc/self/task")  # before another team, in which a thread of this one may end
        assert os.sched_getaffinity(0) == before
        # On a busy machine the pool's own workers keep off their caller's CPU.
        assert all(set() < os.sched_getaffinity(int(task)) <= before for task in tasks)
        assert {TEAM} < 2 or len(tasks) > 1, "no team was there"
    """
    run_python("-c", textwrap.dedent(code), FASTCONV_THREADING=threading)


@pytest.mark.skipif(not LINUX, reason="reads /proc")
@pytest.mark.parametrize("num_threads", [1, 3])
def test_a_team_has_the_threads_that_the_description_says(run_python, threading, num_threads):
    code = f"""
        import os, numpy as np, fastconv
        plan = fastconv.Conv2d(np.ones((3, 3, 64, 64), np.float32), padding=1, num_threads={num_threads})
        before = len(os.listdir("/proc/self/task"))
        plan(np.ones((56, 56, 64), np.float32))
        print(len(os.listdir("/proc/self/task")) - before + 1, plan.describe((56, 56, 64)).threads)
    """
    real, described = run_python("-c", textwrap.dedent(code), FASTCONV_THREADING=threading).split()
    assert real == described == str(num_threads)


FORK = """
    import os, signal, numpy as np, fastconv
    x, weight = np.ones((56, 56, 64), np.float32), np.ones((3, 3, 64, 64), np.float32)
    plan = fastconv.Conv2d(weight, padding=1, algorithm="direct", num_threads=3)
    matrix = fastconv.Conv2d(weight[:1, :1], algorithm="blas", num_threads=3)
    block = fastconv.Reduced((weight[:1, :1], None), (weight[:1, :1], None), num_threads=3)
    want = {before}
    for _ in range(3):
        child = os.fork()
        if not child:
            signal.alarm(60)  # a hang ends the child, and so fails the test
            same = (plan(x) == 576.0)[1:-1, 1:-1].all() and (matrix(x) == 64.0).all() and (block(x) == 4096.0).all()
            inner = os.fork()  # a grandchild too
            if not inner:
                signal.alarm(60)
                os._exit(not (plan(x) == 576.0)[1:-1, 1:-1].all())
            os._exit(not same or os.waitpid(inner, 0)[1] != 0)
        assert os.waitpid(child, 0)[1] == 0, "the child hung or was wrong"
        assert (plan(x) == 576.0)[1:-1, 1:-1].all(), "the parent was disturbed"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("before", ["plan(x)", "matrix(x)", "block(x)", "plan(x), matrix(x)", "None"])
def test_forked_children_work(run_python, threading, before):
    run_python("-c", textwrap.dedent(FORK.format(before=before)), FASTCONV_THREADING=threading)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_processes_works_on_pickled_plans(run_python, threading, tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        import multiprocessing
        import numpy as np, fastconv

        def apply(plan, x):
            return plan(x)

        if __name__ == "__main__":
            rng = np.random.default_rng(0)
            plan = fastconv.Conv2d(rng.standard_normal((3, 3, 64, 64), np.float32), padding=1, num_threads=2)
            images = rng.standard_normal((3, 40, 40, 64), np.float32)
            want = plan(images)
            with multiprocessing.get_context("{method}").Pool(2) as pool:
                got = pool.starmap_async(apply, [(plan, image) for image in images]).get(60)
            assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True))
        """)
    )
    run_python(program, FASTCONV_THREADING=threading)


FORK_AMONG_THREADS = """
    import os, signal, threading, numpy as np, fastconv
    signal.alarm(40)  # a hang of the parent ends it, and one of a child, below, the child
    x, weight = np.ones((64, 64, 64), np.float32), np.ones((1, 1, 64, 64), np.float32)
    plan = fastconv.Conv2d(weight, algorithm="{algorithm}", num_threads=2)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            plan(x)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    [thread.start() for thread in threads]
    for _ in range(20):
        child = os.fork()
        if not child:
            signal.alarm(10)
            fresh = fastconv.Conv2d(weight, algorithm="{algorithm}", num_threads=2)
            os._exit(not ((plan(x) == 64).all() and (fresh(x) == 64).all()))
        status = os.waitpid(child, 0)[1]
        if status:
            break
    stop.set()
    assert status == 0, f"the child ended with {{status}}"
    [thread.join() for thread in threads]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("algorithm", ["direct", "blas"])
def test_a_fork_while_other_threads_compute(run_python, threading, algorithm):
    code = textwrap.dedent(FORK_AMONG_THREADS.format(algorithm=algorithm))
    run_python("-W", "ignore", "-c", code, FASTCONV_THREADING=threading)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("delay", [0, 0.001, 0.004, 0.016, 0.064])
@pytest.mark.parametrize("name", ["conv2d", "Graph", "networks"])
def test_a_fork_while_another_thread_imports(run_python, name, delay):
    """The child would find the lock of a module that nobody imports any more."""
    code = f"""
        import os, threading, time, fastconv
        thread = threading.Thread(target=lambda: fastconv.{name})
        thread.start()
        time.sleep({delay})
        child = os.fork()
        if not child:
            fastconv.{name}
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread.join()
    """
    run_python("-W", "ignore", "-c", textwrap.dedent(code), timeout=30)


@pytest.mark.parametrize("late", ["", "fastconv.conv2d", "g = fastconv.Graph(); g.gelu(g.x); g.plan()"])
def test_imports_stay_light(run_python, late):
    code = f"import sys, fastconv; {late}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    loaded = set(run_python("-c", code).split())
    assert "numpy" in loaded
    assert not loaded & {"scipy", "threadpoolctl", "torch", "matplotlib", "jinja2", "asv", "hypothesis"}


def test_a_graph_of_many_small_layers_lets_other_python_threads_run(run_python):
    """Each layer by itself is too short for that. No thread is made to let others run: one does where it says so."""
    code = """
        import sys, threading, time
        import numpy as np, fastconv
        g = fastconv.Graph()
        y = g.x
        for _ in range(100):
            y = g.conv2d(y, np.zeros((3, 3, 16, 16), np.float32), padding=1)
        plan, x, turns, is_over = g.plan(y), np.ones((12, 12, 16), np.float32), 0, False
        assert {step.threads for step in plan.profile(x).steps} == {1}

        def take_turns():
            global turns
            while not is_over:
                turns += 1
                time.sleep(0)

        sys.setswitchinterval(1000)
        thread = threading.Thread(target=take_turns)
        thread.start()
        for _ in range(1000):
            before = turns
            plan(x)
            if turns != before:
                break
        is_over = True
        thread.join()
        assert turns != before
    """
    run_python("-c", textwrap.dedent(code))
