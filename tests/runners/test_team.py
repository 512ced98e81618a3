"""Teams of the pool: what their workers are, and what a call does while another has them."""

import os
import platform
import textwrap

import pytest

import fastconv
from fastconv._planning import cpus
from fastconv._runners import team

CORES = len(cpus.usable(team.affinity()))
reads_tasks = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="reads /proc")

START = """
    import os, threading, time
    import numpy as np, fastconv
    rng = np.random.default_rng(0)

    def values(*shape):
        return rng.standard_normal(shape, np.float32)

    def workers_of(work):
        before = set(os.listdir("/proc/self/task"))
        work()
        return set(os.listdir("/proc/self/task")) - before
"""


@pytest.fixture
def run(run_python):
    def run(code, **environment):
        return run_python("-c", textwrap.dedent(START) + textwrap.dedent(code), **environment)

    return run


def test_both_layers_give_the_same_bits(run):
    code = """
        import hashlib
        digest = hashlib.sha256()
        w1, w3, bias, image = values(1, 1, 64, 48), values(3, 3, 64, 48), values(48), values(2, 30, 30, 64)
        planes, planes_1x1 = image.transpose(0, 3, 1, 2).copy(), w1[0, 0].T[:, :, None, None].copy()
        pairs = [(values(1, 1, 64, 16), None), (values(1, 1, 16, 48), None), (values(3, 3, 16, 48), None)]
        one, found = [], []
        for n in (1, 2, 3, 8):
            found.append([
                *(fastconv.conv2d(image, w3, bias, padding=1, algorithm=a, num_threads=n).tobytes()
                  for a in ("direct", "winograd")),
                *(fastconv.conv2d(image, w1, bias, algorithm=a, num_threads=n).tobytes() for a in ("direct", "blas")),
                fastconv.conv2d(planes, planes_1x1, layout="NCHW", num_threads=n).tobytes(),
                fastconv.avg_pool2d(image, 3, num_threads=n).tobytes(),
                fastconv.Fire(*pairs, num_threads=n)(image).tobytes(),
            ])
        assert all(results == found[0] for results in found)
        print(hashlib.sha256(b"".join(found[0])).hexdigest())
    """
    layers = ["pool", *["openmp"] * fastconv.get_config()["openmp"]]
    assert len({run(code, FASTCONV_THREADING=layer, OMP_WAIT_POLICY="passive") for layer in layers}) == 1


def test_a_call_does_not_wait_for_another_that_has_the_pool(run):
    code = """
        long, images = fastconv.Conv2d(values(7, 7, 256, 256), padding=3, num_threads=2), values(12, 32, 32, 256)
        small, image = fastconv.Conv2d(values(3, 3, 64, 64), padding=1, num_threads=2), values(56, 56, 64)
        want, out = small(image), np.full_like(images, np.nan)
        long(images[:1])
        thread = threading.Thread(target=long, args=(images,), kwargs={"out": out})
        thread.start()
        while np.isnan(out[0, 0, 0, 0]):
            pass
        assert (small(image) == want).all()
        assert np.isnan(out).any(), "the small call waited for the long one"
        thread.join()
        assert (out[-1:] == long(images[-1:])).all()
    """
    run(code, FASTCONV_THREADING="pool")


@reads_tasks
def test_workers_leave_all_signals_but_faults_of_theirs_to_other_threads(run):
    code = """
        import signal
        faults = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
        others = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP} - faults
        for task in workers_of(lambda: fastconv.Conv2d(values(3, 3, 64, 64), num_threads=3)(values(56, 56, 64))):
            for _ in range(1000):  # until it has begun
                with open(f"/proc/self/task/{task}/status") as file:
                    mask = int(dict(line.split(":", 1) for line in file)["SigBlk"], 16)
                blocked = {number for number in signal.valid_signals() if mask >> number - 1 & 1}
                assert blocked >= others, "such signals may come to a worker"
                if not blocked & faults:
                    break
                time.sleep(0.01)
            assert not blocked & faults, "faulthandler would not hear of them"
            print("blocked")
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()), "the caller's own mask was changed"
    """
    assert run(code, FASTCONV_THREADING="pool").split() == ["blocked"] * 2


@reads_tasks
@pytest.mark.skipif(CORES < 2 or not fastconv.get_config()["openmp"], reason="needs several CPUs and OpenMP")
@pytest.mark.parametrize("binding", [{"OMP_PROC_BIND": "true"}, {"OMP_PLACES": "threads"}])
def test_workers_are_bound_to_the_places_of_openmp(run, binding):
    """Also those that have had no task: this call is over before they begin."""
    code = f"""
        from fastconv._planning import teams
        teams._MACS_PER_THREAD = 1
        workers = workers_of(lambda: fastconv.Conv2d(values(1, 1, 8, 8), num_threads={CORES})(values({CORES}, 8, 8)))
        assert len(workers) == {CORES} - 1
        for _ in range(1000):  # until they have begun
            places = [os.sched_getaffinity(0), *(os.sched_getaffinity(int(worker)) for worker in workers)]
            if len(set().union(*places)) == {CORES}:
                break
            time.sleep(0.01)
        assert [len(place) for place in places] == [1] * {CORES}
        assert len(set().union(*places)) == {CORES}, places
    """
    run(code, FASTCONV_THREADING="pool", **binding)


@reads_tasks
@pytest.mark.skipif(CORES < 2, reason="needs several CPUs")
@pytest.mark.parametrize("change", ["another thread made them", "the caller moves"])
def test_workers_follow_the_cpus_of_their_caller(run, change):
    """A team larger than these has all of them on a busy machine too."""
    code = f"""
        weight, image, plans = values(3, 3, 64, 64), values(56, 56, 64), []
        all_cpus = os.sched_getaffinity(0)
        moved = {{min(all_cpus)}}

        def first(cpus):
            os.sched_setaffinity(0, cpus)
            workers.update(workers_of(call))

        def call():  # the plan packs with a team
            plans.append(fastconv.Conv2d(weight, algorithm="direct", num_threads={CORES} + 1))
            plans[0](image)

        workers, want = set(), all_cpus
        if {change!r} == "the caller moves":
            first(all_cpus)
            os.sched_setaffinity(0, moved)
            want = moved
        else:
            thread = threading.Thread(target=first, args=(moved,))
            thread.start()
            thread.join()
        for _ in range(500):  # the system may not run a worker in one call
            plans[0](image)
            have = [os.sched_getaffinity(int(worker)) for worker in workers]
            if have == [want] * {CORES}:
                break
            time.sleep(0.01)
        assert have == [want] * {CORES}, (have, want)
    """
    run(code, FASTCONV_THREADING="pool")


@reads_tasks
@pytest.mark.skipif(platform.machine() != "x86_64", reason="knows the number of a system call there")
def test_workers_have_short_slices_and_the_caller_its_own(run):
    code = """
        import ctypes, struct

        def slice_of(task):
            of = ctypes.create_string_buffer(48)
            is_told = ctypes.CDLL(None).syscall(315, int(task), of, 48, 0) == 0  # sched_getattr; a sandbox may refuse
            return struct.unpack_from("IIQiIQQQ", of)[5] if is_told else 0

        before = slice_of(0)
        worker, = workers_of(lambda: fastconv.Conv2d(values(3, 3, 64, 64), num_threads=2)(values(56, 56, 64)))
        for _ in range(1000 if before else 0):  # until it has begun
            if slice_of(worker) != before:
                break
            time.sleep(0.01)
        assert slice_of(0) == before
        assert slice_of(worker) == (100_000 if before else 0)  # before Linux 6.12, and where none is told, 0
    """
    run(code, FASTCONV_THREADING="pool")


@pytest.mark.skipif(CORES < 2 or not os.path.exists("/proc/loadavg"), reason="needs several CPUs, reads /proc")
def test_workers_keep_off_the_cpu_of_their_caller_while_others_want_the_cpus(run):
    code = f"""
        import subprocess, sys
        weight, image, cpus = values(3, 3, 64, 64), values(56, 56, 64), os.sched_getaffinity(0)

        def planned(threads):
            return fastconv.Conv2d(weight, algorithm="direct", num_threads=threads)

        worker, = workers_of(lambda: planned(2)(image))
        pair, many = planned(2), planned({CORES} + 1)

        def comes_to(count, plan):
            for _ in range(2000):  # the system may not run the worker in one call
                plan(image)
                have = os.sched_getaffinity(int(worker))
                if len(have) == count:
                    return have <= cpus
                time.sleep(0.001)
            return False

        spin = [sys.executable, "-c", "while True: pass"]
        busy = [subprocess.Popen(spin) for _ in range({os.cpu_count()} + 1)]
        try:
            assert comes_to(len(cpus) - 1, pair)
            assert comes_to(len(cpus), many)  # where threads share CPUs all the same
            assert comes_to(len(cpus) - 1, pair)
        finally:
            [process.kill() for process in busy]
            [process.wait() for process in busy]
    """
    run(code, FASTCONV_THREADING="pool")
