#!/usr/bin/env bash
# Expected: OpenCV 5, which has 64-bit integers, computes with NumPy's int64 and uint64, or refuses them.
# What happens: Python's cv2 makes int32 of int64 and uint64 arrays without a word and keeps the low 32 bits: the
#   maximum of 2^40 + 1 and itself is 1, the sum of a uint64 3e9 is negative, results are int32. uint32 and float64
#   are right.
# Why it matters: int64 is the type of NumPy's integers, of argmax and of label maps; counts, integral images and hashes
#   are large. Copying, flipping or resizing such a map changes it, and the small numbers of tests pass. Convert to
#   float64, which is exact up to 2^53.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 opencv-python-headless==5.0.0.93
"$dir/venv/bin/python" - <<'EOF'
import cv2
import numpy as np

print("opencv", cv2.__version__)
functions = {
    "max": lambda x: cv2.max(x, x),
    "flip": lambda x: cv2.flip(x, 0),
    "copyMakeBorder": lambda x: cv2.copyMakeBorder(x, 1, 0, 0, 0, cv2.BORDER_REFLECT),
    "resize": lambda x: cv2.resize(x, (2, 2), interpolation=cv2.INTER_NEAREST),
    "sumElems": lambda x: np.array(cv2.sumElems(x)[0]),
}
for dtype, value, kept in (
    (np.int64, 2**40 + 1, 1),
    (np.uint64, 3 * 10**9, 3 * 10**9 - 2**32),
    (np.uint32, 3 * 10**9, 3 * 10**9),
    (np.float64, 2**40 + 1, 2**40 + 1),
):
    x = np.array([[value]], dtype)
    for name, function in functions.items():
        got = function(x)
        print(f"{name} of {x.dtype} {value}: {got.ravel()[0]} {got.dtype}")
        assert (got == kept).all()
        assert name == "sumElems" or got.dtype == (np.int32 if dtype in (np.int64, np.uint64) else dtype)
labels = np.array([[2**31 + 5, 7]])
assert labels.dtype == np.int64 and cv2.minMaxLoc(labels)[0] == 5 - 2**31
EOF
