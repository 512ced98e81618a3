#!/usr/bin/env bash
# Expected: MNN.cv, MNN's functions after OpenCV's, take float32 images as they take uint8 ones; its blur, GaussianBlur
#   and dilate do. One that cannot refuses the image.
# What happens: resize and flip read the first quarter of a float32 image's memory as uint8 pixels and give these as
#   float32 values: an image of 0..1 comes out in 0..255, in the right shape and the right type, the same as that of its
#   bytes. cvtColor does it too, and gives uint8.
# Why it matters: preprocessing that scales to 0..1 before it resizes feeds a network with noise, and blur beside it is
#   right. Resize bytes first and convert afterwards, or resize by the graph's own operation.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 MNN==3.6.1 opencv-python-headless==5.0.0.93
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import cv2 as opencv
import MNN.cv as cv
import numpy as np
from MNN import expr

print("MNN", version("MNN"), "opencv", opencv.__version__)
image = np.random.default_rng(0).random((16, 16, 3), np.float32)
quarter = np.frombuffer(image.tobytes(), np.uint8)[: image.size].reshape(image.shape)

GREY = cv.COLOR_BGR2GRAY


def run(function, x):
    kind = expr.uint8 if x.dtype == np.uint8 else expr.float
    y = function(expr.const(x.ravel().tolist(), list(x.shape), expr.NHWC, kind))
    return str(y.dtype), np.array(y.read()).astype(float).ravel()


for name, ours, theirs, wrong in (
    ("resize", lambda x: cv.resize(x, (8, 8)), lambda x: opencv.resize(x, (8, 8)), True),
    ("flip", lambda x: cv.flip(x, 1), lambda x: opencv.flip(x, 1), True),
    ("cvtColor", lambda x: cv.cvtColor(x, GREY), lambda x: opencv.cvtColor(x, opencv.COLOR_BGR2GRAY), True),
    ("blur", lambda x: cv.blur(x, (3, 3)), lambda x: opencv.blur(x, (3, 3)), False),
    ("GaussianBlur", lambda x: cv.GaussianBlur(x, (3, 3), 1.0), lambda x: opencv.GaussianBlur(x, (3, 3), 1), False),
):
    right = theirs(image).astype(float).ravel()
    (kind, got), (_, of_bytes) = run(ours, image), run(ours, quarter)
    print(f"{name}: OpenCV {right[:3].round(3)}, MNN {got[:3].round(3)} ({kind}), MNN of the bytes {of_bytes[:3]}")
    assert kind == ("dtype.uint8" if name == "cvtColor" else "dtype.float")
    assert np.allclose(got, right, atol=1e-5) != wrong and np.array_equal(got, of_bytes) == wrong
EOF
