#!/usr/bin/env bash
# Expected: scipy.ndimage.correlate multiplies every weight, whatever its size, so it can be the float64 oracle of a
#   convolution: 1e-17 x 1e20 is 1000, and 0 x NaN is NaN.
# What happens: it leaves out each weight whose absolute value is at most 2.2e-16, an absolute limit, so weights of
#   1e-17 give 0, and a NaN under a zero weight is not seen. correlate1d takes weights that differ by less than that
#   limit for symmetric and uses one side's for both.
# Why it matters: comparing a convolution with ndimage passes or fails for the wrong reason with pruned or tiny
#   weights (a scale folded into them) and with NaN. scipy.signal.convolve2d has the right values in each case.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import scipy
from scipy import ndimage, signal

print("numpy", np.__version__, "scipy", scipy.__version__)
x = np.full((3, 3), 1e20)
for small in (3e-16, 2e-16, 1e-17):
    w = np.zeros((3, 3))
    w[1, 1] = small
    got, right = ndimage.correlate(x, w)[1, 1], signal.convolve2d(x, w, mode="same")[1, 1]
    print(f"weight {small}: ndimage {got:g}, signal {right:g}")
    assert np.isclose(right, small * 1e20) and (got == 0) == (small < 2.2e-16)

x = np.ones((5, 5))
x[2, 2] = np.nan
w = np.zeros((3, 3))
w[1, 1] = 1
nans = np.isnan(ndimage.correlate(x, w)).sum(), np.isnan(signal.convolve2d(x, w, mode="same")).sum()
print("a NaN under a 3x3 with one weight that is not zero: outputs that are NaN:", *nans, "(ndimage, signal)")
assert nans == (1, 9)

w = np.array([1e-17, 0, 3e-17])
taps = ndimage.correlate1d(np.array([0, 0, 1.0, 0, 0]), w)[1:4][::-1]
print("correlate1d, weights", w, "answers as if they were", taps)
assert taps[0] == taps[2] and w[0] != w[2]
EOF
