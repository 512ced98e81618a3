"""Where a function has come to its limit, no product underflows: one that does takes a processor as long as a hundred.

What a mask of attention leaves out, and gates that are open or shut, are such values.
"""

import ctypes
import platform

import numpy as np
import pytest

import fastconv

UNDERFLOW = {"x86_64": 0x10, "AMD64": 0x10, "aarch64": 0x08, "arm64": 0x08}.get(platform.machine())
FUNCTIONS = "sigmoid", "tanh", "swish", "elu", "softplus", "mish", "gelu", "gelu_tanh", "erf", "exp", "softmax"


@pytest.mark.parametrize("channels", [5, 67])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_far_from_0_underflows_nowhere(name, dtype, channels):
    """The flag of the calling thread, which does all of the work, stays down."""
    flags = ctypes.CDLL(None) if UNDERFLOW else None
    if not hasattr(flags, "fetestexcept"):
        pytest.skip("the flags of floating-point exceptions are not at hand")
    g = fastconv.Graph()
    plan = g.plan(getattr(g, name)(g.x), num_threads=1)
    for value in (50, 1e4, np.inf):
        x = np.full((1, 2, 3, channels), -value, dtype)
        x[..., 0], x[..., 1] = 0, value if name != "softmax" else 0
        plan(x)
        flags.feclearexcept(UNDERFLOW)
        plan(x)
        assert not flags.fetestexcept(UNDERFLOW)
