"""Nothing is read or written out of bounds, kept, or leaked."""

import gc
import itertools
import os
import sys
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cases import normals

import fastconv
from fastconv._kernels import cpu

X = normals(np.random.default_rng(0), (1, 40, 40, 64), "float32")
FIRE = (1, 1, 64, 16), (1, 1, 16, 64), (3, 3, 16, 64)
PAIRS = [(np.ones(shape, np.float32), np.ones(shape[3:], np.float32)) for shape in FIRE]


def rejected(weight, **options):
    with pytest.raises(ValueError, match="shape"):
        fastconv.conv2d(X, weight, **options)


CALLS = {
    "conv2d": lambda: fastconv.conv2d(X, PAIRS[0][0], PAIRS[0][1], padding=1),
    "conv2d NCHW": lambda: fastconv.conv2d(X, np.ones((8, 40, 3, 3), np.float32), layout="NCHW"),
    "pointwise by blas": lambda: fastconv.pointwise(X, PAIRS[0][0][0, 0], algorithm="blas"),
    "max_pool2d": lambda: fastconv.max_pool2d(X, 2),
    "global_avg_pool2d": lambda: fastconv.global_avg_pool2d(X, layout="NCHW"),
    "Fire": lambda: fastconv.Fire(*PAIRS)(X),
    "an error": lambda: rejected(PAIRS[2][0]),
    "an out that does not fit": lambda: rejected(PAIRS[0][0], out=X),
}


@pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
@pytest.mark.parametrize("isa", cpu.available())
def test_nothing_beyond_the_arrays_is_touched(run_python, isa):
    program = Path(__file__).with_name("guard_pages.py")
    output = run_python(program, FASTCONV_ISA=isa, OMP_WAIT_POLICY="passive")
    assert output.splitlines()[0].startswith(isa)
    assert output.splitlines()[-1] == "done"


@pytest.mark.skipif(sys.platform == "win32", reason="mprotect is POSIX")
@pytest.mark.parametrize(("at_end", "index"), [(True, "array.size"), (False, "-1")])
def test_the_guard_pages_do_guard(run_python, at_end, index):
    code = f"""
        import ctypes, guarded_arrays
        array = guarded_arrays.guarded((5,), "float32", {at_end})
        array[:] = 1
        ctypes.c_float.from_address(array.ctypes.data + 4 * ({index})).value
    """
    with pytest.raises(AssertionError, match="Segmentation fault"):
        run_python("-c", textwrap.dedent(code))


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def growth(call, times):
    """Bytes by which the process, and what Python and NumPy have allocated, grow in this number of calls."""
    call()
    tracemalloc.start()
    try:
        for _ in range(10):
            call()
        gc.collect()
        resident, (traced, _) = resident_bytes(), tracemalloc.get_traced_memory()
        for _ in range(times):
            call()
        gc.collect()
        return resident_bytes() - resident, tracemalloc.get_traced_memory()[0] - traced
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
@pytest.mark.parametrize("name", CALLS)
def test_repeated_calls_take_no_more_memory(name):
    resident, traced = growth(CALLS[name], 60)
    assert traced < 60 * 400
    assert resident < 4_000_000  # 60 results of the smaller kind


@pytest.mark.parametrize("make", [lambda: fastconv.Conv2d(*PAIRS[0]), lambda: fastconv.Fire(*PAIRS)])
def test_a_plan_called_with_ever_new_shapes_takes_no_more_memory(make):
    plan, heights = make(), itertools.count(1)
    _, traced = growth(lambda: [plan.describe((next(heights), 3, 64)) for _ in range(100)], 20)
    assert traced < 2000 * 100  # a plan may remember some shapes, but not all


def references(arrays):
    return [sys.getrefcount(array) for array in arrays]


@pytest.mark.parametrize("algorithm", ["direct", "fip", "blas"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_no_reference_to_an_argument_is_kept(layout, algorithm):
    shape = (1, 8, 8, 8)
    arrays = [normals(np.random.default_rng(0), s, "float32") for s in (shape, (8, 8), (8,), shape, shape)]
    before = references(arrays)
    for _ in range(3):
        x, weight, bias, residual, out = arrays
        options = {"layout": layout, "algorithm": algorithm}
        y = fastconv.pointwise(x, weight, bias, residual=residual, out=out, **options)
        assert y is out
        plan = fastconv.Conv2d(weight.reshape((1, 1, 8, 8) if layout == "NHWC" else (8, 8, 1, 1)), bias, **options)
        plan(x, residual=residual)
        del y, x, weight, bias, residual, out
    assert references(arrays) == before


def test_arguments_are_released_after_an_error():
    x, weight = np.ones((4, 4, 3), np.float32), np.ones((5, 5, 3, 2), np.float32)
    before = references([x, weight])
    for _ in range(3):
        with pytest.raises(ValueError, match="weight"):
            fastconv.conv2d(x, weight)
    gc.collect()
    assert references([x, weight]) == before


def test_arguments_are_left_as_they_are():
    arrays = [X, *(array for pair in PAIRS for array in pair)]
    before = [array.tobytes() for array in arrays]
    for call in CALLS.values():
        call()
    assert [array.tobytes() for array in arrays] == before


@pytest.mark.parametrize("dilation", [1, 8, 40])
def test_a_workspace_stays_in_the_cache(dilation):
    plan = fastconv.Conv2d(
        np.ones((3, 3, 64, 8), np.float32), padding=dilation, dilation=dilation, algorithm="direct", num_threads=1
    )
    assert plan.describe((1, 160, 80, 64)).workspace_bytes <= 256 * 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="reads /proc")
def test_a_call_needs_no_copy_of_x(run_python):
    code = """
        import numpy as np, fastconv
        def peak():
            return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) << 10
        x, out = np.ones((8, 256, 256, 32), np.float32), np.ones((8, 256, 256, 8), np.float32)  # 67 and 17 MB
        plan = fastconv.Conv2d(np.ones((3, 3, 32, 8), np.float32), padding=1)
        plan(x[:1], out=out[:1])
        before = peak()
        plan(x, out=out)
        print(peak() - before)
    """
    assert int(run_python("-c", textwrap.dedent(code))) < 8_000_000
