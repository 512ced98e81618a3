#!/usr/bin/env bash
# Expected: scipy.signal.convolve with method="auto" sums directly where the kernel is 3x3; FFTs begin to pay at
#   kernels of some hundred elements, and an output depends on the inputs under the kernel alone.
# What happens: "auto" takes FFTs for a 3x3 from images of about 64x64 on. Rounding errors are then relative to the
#   largest value of the whole image: one pixel of 1e20 puts errors of thousands on outputs that it cannot reach,
#   where 32x32 is exact to the last bits; float32 images get errors of 1e-6 and differ with the image's size.
# Why it matters: as the oracle of a convolution it is less exact than what it checks, and a map with a fill value, or
#   a cropped image, seems to show a fault in the other library. Use method="direct", or convolve2d.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import scipy
from scipy import signal

print("numpy", np.__version__, "scipy", scipy.__version__)
rng = np.random.default_rng(0)
image, kernel = rng.standard_normal((256, 256)), rng.standard_normal((3, 3))
image[0, 0] = 1e20  # a fill value
for size in (16, 32, 64, 256):
    x = image[:size, :size]
    method = signal.choose_conv_method(x, kernel, mode="same")
    right = signal.convolve2d(x, kernel, mode="same")
    results = (signal.convolve(x, kernel, mode="same", method=how) for how in ("auto", "direct"))
    error, direct = (abs(result - right)[3:, 3:].max() for result in results)  # beyond the fill value's reach
    print(f"3x3 on {size}x{size}: {method} is chosen, error far from the fill value {error:.2g}, direct {direct:.2g}")
    assert method == ("direct" if size < 64 else "fft") and direct < 1e-13
    assert error < 1e-13 if size < 64 else error > 100
EOF
