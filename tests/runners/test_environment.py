"""The caller's floating-point environment holds on every thread of the team, and only while the team works."""

import textwrap

import pytest

from fastconv._kernels import cpu

# A program: results under an environment that is set once the team exists, for 1, 2 and 3 threads, as bytes. MXCSR is
# written and read by machine code: Python has no other way to it.
PROGRAM = """
    import ctypes, mmap, platform, sys
    import numpy as np, fastconv
    from fastconv._planning import teams
    if platform.machine() not in ("x86_64", "AMD64"):
        sys.exit(print("skipped"))
    teams._MACS_PER_THREAD = 1

    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("0fae17c3").ljust(16, b"\\0"))  # ldmxcsr [rdi]; ret
    code.write(bytes.fromhex("0fae1fc3"))  # stmxcsr [rdi]; ret
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    load, store = (ctypes.CFUNCTYPE(None, ctypes.c_void_p)(start + at) for at in (0, 16))
    mode = ctypes.c_uint32()

    rng = np.random.default_rng(0)
    def arrays(*shapes):
        return [rng.standard_normal(shape).astype({dtype!r}) for shape in shapes]

    def calls(x, n):
        # each algorithm's plan for a team of n, and its x
        w1, w3, bias, w2 = arrays((1, 1, 24, 20), (3, 3, 24, 20), (20,), (3, 3, 20, 8))
        conv, nchw = fastconv.Conv2d, np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        plans = [
            conv(w3, bias, padding=1, algorithm="direct", num_threads=n),
            conv(w3, bias, padding=1, algorithm="winograd", num_threads=n),
            conv(w1, algorithm="direct", num_threads=n),
            conv(w1, algorithm="fip", num_threads=n),
            conv(w1, algorithm="blas", num_threads=n),
            fastconv.Reduced((w1, None), (w2, None), padding=1, num_threads=n),
            lambda x: fastconv.avg_pool2d(x, 3, stride=1, num_threads=n),
            lambda x: fastconv.max_pool2d(x, 3, stride=1, num_threads=n),
        ]
        planes = [
            conv(np.ascontiguousarray(w.transpose(3, 2, 0, 1)), layout="NCHW", num_threads=n) for w in (w1, w3)
        ]
        return [(plan, x) for plan in plans] + [(plan, nchw) for plan in planes]

    for bits, scale in {modes!r}:
        rng = np.random.default_rng(0)
        (x,) = arrays((2, 21, 19, 24))
        x *= 4 * np.finfo({dtype!r}).tiny if scale is None else scale
        state = rng.bit_generator.state
        plans = {{}}
        for n in (1, 2, 3):
            rng.bit_generator.state = state
            plans[n] = calls(x, n)

        def results(n):
            return [plan(array).tobytes() for plan, array in plans[n]]

        usual = results(1)
        assert results(2) == usual and results(3) == usual
        store(ctypes.byref(mode))
        before = mode.value
        mode.value |= bits
        wanted = mode.value & ~0x3F
        load(ctypes.byref(mode))
        try:
            found = [results(n) for n in (1, 2, 3, 2)]
            store(ctypes.byref(mode))
            kept = mode.value & ~0x3F
        finally:
            mode.value = before
            load(ctypes.byref(mode))
        assert kept == wanted, "the caller's own environment was changed"
        for n, got in zip((2, 3, 2), found[1:]):
            for i, (one, other) in enumerate(zip(found[0], got)):
                assert one == other, f"call {{i}} has other bits with {{n}} threads and MXCSR {{bits:x}}"
        assert found[0] != usual, "the environment made no difference"
        assert results(2) == usual, "the team kept the environment"
    print("done")
"""
# Bits of MXCSR with the scale of x, None for one that makes denormals: both of the flushing ones, and how to round.
MODES = [(0x8040, None), (0x4000, 1), (0x2000, 1), (0x6000, 1)]


@pytest.mark.parametrize("isa", cpu.available())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_callers_environment_holds_on_every_thread(run_python, threading, isa, dtype):
    code = textwrap.dedent(PROGRAM.format(modes=MODES, dtype=dtype))
    environment = {"FASTCONV_ISA": isa, "FASTCONV_THREADING": threading, "OMP_WAIT_POLICY": "passive"}
    if run_python("-c", code, **environment).strip() == "skipped":
        pytest.skip("sets MXCSR, which x86 has")


def test_packed_weights_do_not_depend_on_when_they_were_packed(run_python):
    code = (
        PROGRAM.partition("    def calls")[0]
        + """
    weight, x = arrays((3, 3, 24, 20), (2, 21, 19, 24))
    want = fastconv.Conv2d(weight, algorithm="winograd", num_threads=2)
    want(x)
    mode.value = 0x1F80 | 0xE040
    load(ctypes.byref(mode))
    plan = fastconv.Conv2d(weight, algorithm="winograd", num_threads=2)
    plan(x)  # packs
    mode.value = 0x1F80
    load(ctypes.byref(mode))
    assert plan(x).tobytes() == want(x).tobytes()
    """
    )
    run_python("-c", textwrap.dedent(code.format(dtype="float32")))


def test_fast_inner_products_scale_large_values_of_light_channels_where_denormals_are_flushed(run_python):
    """The smallest equalizer of a channel times the smallest scale of a pixel is a normal number."""
    code = (
        PROGRAM.partition("    def calls")[0]
        + """
    weight, x = arrays((1, 1, 24, 20), (1, 5, 5, 24))
    weight[:, :, 1] *= np.float32(2) ** -100
    x *= np.float32(2) ** 37
    x[..., 1] = np.float32(2) ** 126
    plan, direct = (fastconv.Conv2d(weight, algorithm=name) for name in ("fip", "direct"))
    want = direct(x)
    mode.value = 0x1F80 | 0x8040
    load(ctypes.byref(mode))
    got = plan(x)
    mode.value = 0x1F80
    load(ctypes.byref(mode))
    assert np.abs(got - want).max() < 1e-5 * np.abs(want).max()
    """
    )
    run_python("-c", textwrap.dedent(code.format(dtype="float32")))
