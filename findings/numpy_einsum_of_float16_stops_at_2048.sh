#!/usr/bin/env bash
# Expected: numpy.einsum of float16 adds up in float32, as numpy.matmul and numpy.tensordot do with float16, or at least
#   gives the same for every order of the axes and with optimize=True, which only chooses the way of computing it.
# What happens: it adds in float32 only where the innermost loop runs over what is summed. Elsewhere each product is
#   added to a float16, which stops at 2048 for ones: 3×3×512 ones make 2048 with weights in the order ijck and 4608 in
#   the order kcij; with optimize=True, which calls tensordot, 4608 in both.
# Why it matters: sliding_window_view and einsum are the usual convolution in NumPy, and float16 halves its weights. The
#   result is finite and of the right shape; random positive values are off by up to 10 %, and layers of few channels show
#   nothing. Say optimize=True, or convert to float32 first.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
"$dir/venv/bin/python" - <<'EOF'
import numpy as np

print("numpy", np.__version__)
rng = np.random.default_rng(0)


def convolutions(image, weights):
    """The convolution by the order of the weights' axes and by whether einsum optimizes."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), (1, 2))
    for order in ("ijck", "kcij"):
        ordered = np.ascontiguousarray(weights.transpose(["ijck".index(axis) for axis in order]))
        for optimize in (False, True):
            yield order, optimize, np.einsum(f"nhwcij,{order}->nhwk", windows, ordered, optimize=optimize)


for channels, last in ((16, 144), (512, 2048)):
    ones = np.ones((1, 5, 5, channels), np.float16), np.ones((3, 3, channels, 8), np.float16)
    for order, optimize, got in convolutions(*ones):
        print(f"{9 * channels} ones, weights {order}, optimize={optimize}: {got.max():.0f}")
        assert (got == (last if (order, optimize) == ("ijck", False) else 9 * channels)).all()

image, weights = (rng.random(shape).astype(np.float16) for shape in ((1, 5, 5, 512), (3, 3, 512, 8)))
right = next(convolutions(image.astype(np.float64), weights.astype(np.float64)))[2]
for order, optimize, got in convolutions(image, weights):
    error = abs(got / right - 1).max()
    print(f"random values of mean {right.mean():.0f}, weights {order}, optimize={optimize}: off by {error:.2%}")
    assert (error > 0.005) == ((order, optimize) == ("ijck", False))
EOF
