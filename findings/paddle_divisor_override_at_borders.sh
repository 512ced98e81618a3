#!/usr/bin/env bash
# Expected: avg_pool2d with divisor_override divides the sum of a window by that number, everywhere: with 1 it is the
#   sum of the pixels under the window, and padding, being 0, adds nothing.
# What happens: Paddle takes the average as it is set up and multiplies it by window / divisor. With the default
#   exclusive=True the average is over the pixels that are there, so at the borders it is scaled up as if the window
#   were full: the sums of 3×3 ones are 9 in the corner too, where 4 pixels are. With exclusive=False it is right.
# Why it matters: sums of windows (box filters, counts of neighbours, correlations) are written so in torch and ported
#   word by word. Only the border is wrong, by up to 9/4 for 3×3, and a pool without padding shows nothing.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 paddlepaddle==3.3.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import numpy as np
import paddle
import paddle.nn.functional as F
from scipy.ndimage import correlate

print("paddlepaddle", paddle.__version__)


def pooled(x, **arguments):
    return F.avg_pool2d(paddle.to_tensor(x[None, None]), 3, 1, 1, **arguments).numpy()[0, 0]


for name, x in (("ones", np.ones((5, 5), np.float32)), ("noise", np.random.default_rng(0).random((5, 5), np.float32))):
    sums = correlate(x, np.ones((3, 3), np.float32), mode="constant")
    counts = correlate(np.ones_like(x), np.ones((3, 3), np.float32), mode="constant")
    for divisor in (1, 9):
        for exclusive in (True, False):
            got = pooled(x, divisor_override=divisor, exclusive=exclusive)
            right = sums / divisor
            print(f"{name}, divisor {divisor}, exclusive {exclusive}: {got[0].round(3)}, right {right[0].round(3)}")
            assert np.allclose(got, right * 9 / counts if exclusive else right, atol=1e-5)
            assert np.allclose(got[1:-1, 1:-1], right[1:-1, 1:-1], atol=1e-5)
EOF
