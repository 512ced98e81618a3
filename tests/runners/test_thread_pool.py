"""The pool of threads in every interleaving, and under ThreadSanitizer; planted faults show that both would see one.

`interleavings/search.h` says what is walked. What it takes for granted of the memory, stores in order and late, is
x86's; ThreadSanitizer knows what C promises, in the interleavings that happen.
"""

import os
import platform
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "fastconv/_kernels/csrc"
PROGRAMS = Path(__file__).parent / "interleavings"
COMPILER = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
SCENARIOS = ["queue", "stalls", "ticks", "meets", "callers", "no threads", "fork"]

# {name: (scenario that sees it, flag)}: of the operations.
WRONG_OPERATIONS = {
    "stores come late": ("meets", "-DFAULT_STORES_LATER"),
    "a task is not taken in one step": ("queue", "-DFAULT_NOT_ATOMIC"),
    "a job is not left in one step": ("stalls", "-DFAULT_NOT_ATOMIC"),
    "a worker enters whatever the word is": ("stalls", "-DFAULT_NOT_COMPARED"),
    "a thread sleeps whatever the word is": ("callers", "-DFAULT_SLEEPS_ANYWAY"),
    "nobody is woken": ("stalls", "-DFAULT_NEVER_WAKES"),
}

# {name: (scenario, lines of thread_pool.h, what stands there instead)}
WRONG_LINES = {
    "a worker sleeps without another look at the job": (
        "meets",
        "if (!fc_may_enter(__atomic_load_n(&fc_pool.job, __ATOMIC_SEQ_CST), self->thread, last_generation))\n",
        "\n",
    ),
    "a worker enters a job twice": ("stalls", " && (job & FC_GENERATION) != last_generation", " && last_generation"),
    "a worker comes again although no task is left": ("stalls", "        if (!is_unfinished) continue;\n", ""),
    "a child counts its parent's workers": ("fork", "    fc_pool.workers = 0;\n", ""),
    "a child finds the pool taken": (
        "fork",
        "    fc_pool.workers = 0;\n    fc_pool.is_taken = 0;\n",
        "    fc_pool.workers = 0;\n",
    ),
    "the caller does not wait": ("stalls", "    if (!(job & FC_INSIDE)) return;\n", "    return;\n"),
    "no worker is woken": ("meets", "fc_wake(is_asleep);", ";"),
}


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def compiled(folder, source, *flags):
    """A program of `source`, with the headers in `folder` before the project's; None where it does not compile."""
    program = folder / " ".join([Path(source).stem, *flags])
    if program.exists():
        return program
    include = [f"-I{folder}", f"-I{CSRC}", f"-I{PROGRAMS}"]
    command = [*COMPILER, "-std=gnu11", "-g", "-w", *flags, *include, str(PROGRAMS / source), "-o", str(program)]
    try:
        done = run([*command, "-pthread"])
    except FileNotFoundError:
        pytest.skip(f"no compiler {shlex.join(COMPILER)} here")
    return program if done.returncode == 0 else None


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Where programs are that several tests run."""
    return tmp_path_factory.mktemp("programs")


def explore(folder, scenario, *flags):
    """What the explorer says of a scenario, with its exit code: 1 where it found something wrong."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the coroutines of the explorer are x86-64's")
    # Not inlined, functions leave fewer dead values on the stacks, which would pass for states of their own.
    program = compiled(folder, "explore.c", "-O2", "-fno-inline", *flags)
    assert program, "the explorer does not compile"
    return run([program, scenario])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_interleaving_is_right(programs, scenario):
    done = explore(programs, scenario)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[0]) > 1000


@pytest.mark.parametrize("fault", WRONG_OPERATIONS)
def test_a_wrong_operation_is_seen(programs, fault):
    scenario, flag = WRONG_OPERATIONS[fault]
    done = explore(programs, scenario, flag)
    assert done.returncode == 1, done.stdout
    assert "the last steps were" in done.stdout


@pytest.mark.parametrize("fault", WRONG_LINES)
def test_a_wrong_line_is_seen(tmp_path, fault):
    scenario, right, wrong = WRONG_LINES[fault]
    text = (CSRC / "thread_pool.h").read_text()
    assert text.count(right) == 1, "the header has changed: plant the fault anew"
    (tmp_path / "thread_pool.h").write_text(text.replace(right, wrong))
    done = explore(tmp_path, scenario)
    assert done.returncode == 1, done.stdout
    assert "the last steps were" in done.stdout


def test_a_thread_that_was_refused_is_asked_for_again_after_a_while(programs):
    """Not by each call; one time for the first of two workers, for both where they are given, and anew in a child."""
    assert run([compiled(programs, "refused.c")]).stdout == "1 0 1 2 1\n"


def test_a_worker_takes_no_task_that_a_tick_would_cut_off(programs):
    """The caller does, and where it left tasks the worker may come again; 0 0 would be the end of all tasks."""
    said = dict(line.rsplit(": ", 1) for line in run([compiled(programs, "ticks.c")]).stdout.splitlines())
    left = {name for name, found in said.items() if found == "0 1"}
    assert left == {"just before a tick", "less than 900 before a tick"}
    assert said.pop("a quiet machine") == "1 0"  # nobody asks there
    assert all(found == "1 1" for name, found in said.items() if name not in left)


def test_a_thread_spins_longer_while_the_caller_has_a_cpu(programs):
    """It has where it has opened a job since the last tick; a thread that sleeps then may come back much later."""
    said = dict(line.rsplit(": ", 1) for line in run([compiled(programs, "spins.c")]).stdout.splitlines())
    quiet, caller_runs, put_off, long_ago = map(int, said.values())
    assert quiet >= caller_runs > put_off == long_ago > 0


@pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="reads /proc")
def test_runnable_threads_are_counted(programs):
    """Other processes begin and end meanwhile: so many threads that these hardly count."""
    before, spinning = map(int, run([compiled(programs, "runnable.c")]).stdout.split())
    assert 0 < before < 1000
    assert spinning >= max(20, before + 10)


@pytest.fixture
def sanitize(programs):
    """What ThreadSanitizer says of calls on the pool."""
    (programs / "nothing.c").write_text("int main(void) { return 0; }\n")
    nothing = compiled(programs, programs / "nothing.c", "-fsanitize=thread")
    if not nothing or run([nothing]).returncode:
        pytest.skip("no ThreadSanitizer here")

    def sanitize(*flags):
        program = compiled(programs, "sanitize.c", "-O1", "-fsanitize=thread", *flags)
        assert program, "the calls do not compile"
        return run([program])

    return sanitize


@pytest.mark.parametrize("sleeping", ["futex", "condition"])
def test_no_data_race(sanitize, sleeping):
    done = sanitize(*["-DFC_NO_FUTEX"] * (sleeping == "condition"))
    assert done.stdout == "done\n", done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("order", ["ACQUIRE", "ACQ_REL", "RELEASE", "SEQ_CST"])
def test_an_order_that_is_missing_is_seen(sanitize, order):
    """With any of the memory orders relaxed there are data races."""
    done = sanitize(f"-U__ATOMIC_{order}", f"-D__ATOMIC_{order}=__ATOMIC_RELAXED")
    assert "data race" in done.stderr
