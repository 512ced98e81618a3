#!/usr/bin/env bash
# Expected: under numba.njit a float32 array's mean() and sum() are NumPy's, and a float32 element times a Python
#   integer is float32, as it is in NumPy 2.
# What happens: mean() and sum() add one element after another in one float32, where NumPy adds pairwise: the mean of
#   33.5 million 0.1s is 0.0625. And float32 * int is float64, so `s = np.float32(0); s += 2 * a[i]` silently makes s
#   a float64: exact, half as many elements a vector, and a result of another type than without njit.
# Why it matters: average pools, norms' statistics and accumulators of convolutions written under Numba differ from
#   the same lines in NumPy, in both directions. Say the type: np.float32(2), and np.float64(0) where it is meant.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 numba==0.68.1
"$dir/venv/bin/python" - <<'EOF'
import numba
import numpy as np

print("numpy", np.__version__, "numba", numba.__version__)


def mean(a):
    return a.mean()


def total(a):
    s = np.float32(0)
    for v in a:
        s += v
    return s


def doubled(a):
    s = np.float32(0)
    for v in a:
        s += 2 * v
    return s


x = np.full(2**25, 0.1, np.float32)
print("mean of 0.1s: numpy", mean(x), "numba", numba.njit(mean)(x))
assert abs(mean(x) - 0.1) < 1e-6 and numba.njit(mean)(x) == 0.0625

ones = np.ones(2**24 + 8, np.float32)
for function, kind, value in ((total, numba.float32, 2**24), (doubled, numba.float64, 2**25 + 16)):
    jitted = numba.njit(function)
    result, returned = jitted(ones), jitted.nopython_signatures[0].return_type
    print(f"{function.__name__} of 2^24 + 8 ones: numba returns {returned} {result:.0f}, plain Python float32")
    assert returned == kind and result == value and isinstance(function(ones[:9]), np.float32)
EOF
