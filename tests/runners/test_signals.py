"""Signals reach their handlers while a long call runs, and nothing is left behind wherever a handler runs."""

import signal
import textwrap
import threading

import numpy as np
import pytest

import fastconv
from fastconv._runners import blas

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX's timers")

# A plan and an image; the last step of a call, which writes to out, takes most of it.
LONG = {
    "direct": "plan, image = conv(ones(7, 7, 256, 256), padding=3, algorithm='direct'), ones(1, 32, 32, 256)",
    "winograd": "plan, image = conv(ones(3, 3, 512, 512), padding=1, algorithm='winograd'), ones(1, 28, 28, 512)",
    "blas": "plan, image = conv(ones(1, 1, 2048, 2048), algorithm='blas'), ones(1, 20, 20, 2048)",
    "NCHW 1×1": "plan, image = conv(ones(2048, 2048, 1, 1), layout='NCHW'), ones(1, 2048, 20, 20)",
    "converted": "plan, image = conv(ones(256, 256, 5, 5), padding=2, layout='NCHW'), ones(1, 256, 32, 32)",
    "block": """
pairs = [(ones(1, 1, 256, 256), None), (ones(5, 5, 256, 256), None)]
plan, image = fastconv.Reduced(*pairs, padding=2, num_threads=threads), ones(1, 32, 32, 256)
""",
    "pooling": """
plan = lambda x, out=None: fastconv.avg_pool2d(x, 25, stride=1, out=out, num_threads=threads)
image = ones(1, 100, 100, 64)
""",
}
START = """
import os, signal, sys, time
import numpy as np, fastconv
threads = int(sys.argv[1])
rng = np.random.default_rng(0)

def ones(*shape):
    return rng.integers(-1, 2, shape, np.int8).astype(np.float32)

def conv(weight, **options):
    return fastconv.Conv2d(weight, num_threads=threads, **options)

def seconds(work):
    before = time.perf_counter()
    work()
    return time.perf_counter() - before
"""
# A call looks for signals every fifth of a second: a batch of images is to take several, on any machine.
BATCH = """
plan(image)  # packs
x = np.repeat(image, int(1 / min(seconds(lambda: plan(image)) for _ in range(5))) + 2, axis=0)
out = np.full((len(x), *plan(image).shape[1:]), np.nan, np.float32)

def call(out):
    plan(x, out=out)

def is_half_done():
    missing = np.isnan(out.ravel()[::997])
    return missing.any() and not missing.all()
"""
RAISES = """
class Stop(Exception):
    pass

def handler(*_):
    if is_half_done():
        raise Stop

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
try:
    call(out)
except Stop:
    stopped = True
else:
    stopped = False
signal.setitimer(signal.ITIMER_REAL, 0)
assert stopped, "no handler ran between the first and the last store of the call"
call(out)  # the plan stays usable
assert not np.isnan(out).any()
"""


@pytest.mark.parametrize(("name", "threads"), [("direct", 3), *((name, 1) for name in LONG)])
def test_a_handler_ends_a_long_call(run_python, threading, name, threads):
    if threads == 1 and threading == "openmp":
        pytest.skip("one thread has no layer")
    environment = {"FASTCONV_THREADING": threading, "OMP_WAIT_POLICY": "passive"}
    run_python("-c", START + LONG[name] + BATCH + RAISES, threads, **environment)


RETURNS = """
call(out)
want = out.tobytes()
small = fastconv.Conv2d(ones(3, 3, 32, 32), padding=1, num_threads=threads)
matrix = fastconv.Conv2d(ones(1, 1, 32, 32), algorithm="blas", num_threads=threads)
image = ones(20, 20, 32)
small_want, matrix_want, ran = small(image).tobytes(), matrix(image).tobytes(), []
half_done = []

def handler(*_):
    half_done.append(is_half_done())
    ran.append(small(image).tobytes() == small_want and matrix(image).tobytes() == matrix_want)
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(small(image).tobytes() != small_want or matrix(image).tobytes() != matrix_want)
    ran.append(os.waitpid(child, 0)[1] == 0)
    signal.setitimer(signal.ITIMER_REAL, 0.05)  # once more: a handler within a handler could come without end

signal.signal(signal.SIGALRM, handler)
out[:] = np.nan
signal.setitimer(signal.ITIMER_REAL, 0.05)
call(out)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
assert all(ran), ran
assert any(half_done), "no handler ran between the first and the last store of the call"
assert out.tobytes() == want
"""


@pytest.mark.parametrize("name", ["direct", "blas", "block"])
def test_a_handler_that_returns_changes_nothing(run_python, threading, name):
    """It calls plans and forks; the call that it came between goes on."""
    environment = {"FASTCONV_THREADING": threading, "OMP_WAIT_POLICY": "passive"}
    run_python("-W", "ignore", "-c", START + LONG[name] + BATCH + RETURNS, 2, **environment)


WEIGHT, X = (np.random.default_rng(0).standard_normal(shape, np.float32) for shape in ((1, 1, 64, 48), (30, 30, 64)))

INTERRUPTED = """
    import sys, threading
    import numpy as np, fastconv
    from scipy.linalg import cython_blas
    import ctypes
    blas = ctypes.CDLL(cython_blas.__file__)
    read = next((getattr(blas, name) for name in ("scipy_openblas_get_num_threads", "openblas_get_num_threads")
                 if hasattr(blas, name)), lambda: 0)
    plan = fastconv.Conv2d(np.ones((1, 1, 64, 48), np.float32), algorithm="blas", num_threads=2)
    x = np.ones((30, 30, 64), np.float32)
    plan(x)
    before, places = read(), 0
    while True:
        left = places

        def trace(frame, event, argument):
            global left
            frame.f_trace_opcodes = True
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            plan(x)
            sys.settrace(None)
        except KeyboardInterrupt:
            places += 1
        else:
            break
        assert read() == before, f"BLAS stays at {read()} threads after an interrupt at place {places}"
        other = threading.Thread(target=plan, args=(x,), daemon=True)
        other.start()
        other.join(30)
        assert not other.is_alive(), f"another thread hangs after an interrupt at place {places}"
    print(places)
"""


def test_an_interrupt_anywhere_leaves_blas_as_it_was(run_python):
    assert int(run_python("-c", textwrap.dedent(INTERRUPTED))) > 10


def test_blas_from_many_threads_has_the_same_bits_and_its_threads_back():
    plan = fastconv.Conv2d(WEIGHT, algorithm="blas", num_threads=2)
    want, before = plan(X).tobytes(), blas.describe()[2]
    found = []

    def work():
        found.extend(plan(X).tobytes() == want for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found == [True] * 80
    assert blas.describe()[2] == before


def test_a_number_of_blas_threads_that_was_set_stays(run_python):
    code = """
        import numpy as np, fastconv, threading, threadpoolctl
        plan = fastconv.Conv2d(np.ones((1, 1, 64, 48), np.float32), algorithm="blas", num_threads=2)
        x = np.ones((30, 30, 64), np.float32)
        from fastconv._runners import blas
        other = threading.Thread(target=plan, args=(x,))  # before this one
        other.start()
        other.join()
        for threads in (1, 2):
            with threadpoolctl.threadpool_limits(threads, user_api="blas"):
                plan(x)
                assert blas.describe()[2] in (threads, None)
    """
    run_python("-c", textwrap.dedent(code))


@pytest.mark.parametrize("step", [2**31, 2**33])
def test_an_out_too_wide_for_blas_is_an_error(step):
    x, weight = np.ones((1, 2, 3), np.float32), np.ones((1, 1, 3, 4), np.float32)
    memory = np.zeros(4, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (1, 2, 4), (8 * step, 4 * step, 4))
    plan = fastconv.Conv2d(weight, algorithm="blas")
    with pytest.raises(ValueError, match="out must have its pixels less than"):
        plan(x, out=out)


def test_describing_blas_of_a_large_map():
    plan = fastconv.Conv2d(np.ones((1, 1, 1, 1), np.float32), algorithm="blas")
    assert plan.describe((1, 65536, 65536, 1)).macs == 2**32
    wide = fastconv.Conv2d(np.ones((1, 1, 4, 1), np.float32), algorithm="blas", stride=(1, 2**29))
    with pytest.raises(ValueError, match=r"less than 2\*\*31 values apart"):
        wide.describe((1, 1, 2**30, 4))
