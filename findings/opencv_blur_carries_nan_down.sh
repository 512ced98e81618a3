#!/usr/bin/env bash
# Expected: cv2.blur, the mean of a window, gives NaN exactly where a window has a NaN: 9 pixels for one NaN and 3×3.
# What happens: it keeps running sums down the columns, so every row below the NaN is NaN to the end of the image, over
#   the window's width; from 7×7 on the row's sum runs as well and reaches the right edge. An infinite pixel does the
#   same, and one of 1e20 makes the ones below it 0.33, although the sums are of 64 bits. filter2D with a kernel of
#   1/9s is right.
# Why it matters: float maps with holes (depth, satellites, heat maps) have NaN or huge fill values, and cv2.blur is the
#   usual reference for an average pool; a correct pool disagrees with it.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 opencv-python-headless==5.0.0.93
"$dir/venv/bin/python" - <<'EOF'
import cv2
import numpy as np

print("opencv", cv2.__version__)
for value in (np.nan, np.inf, 1e20):
    for size in (3, 5, 7):
        image = np.ones((24, 24), np.float32)
        image[8, 8] = value
        blurred = cv2.blur(image, (size, size))
        touched = ~(abs(blurred - 1) < 1e-3)
        kernel = np.full((size, size), 1 / size**2, np.float32)
        right = ~(abs(cv2.filter2D(image, -1, kernel) - 1) < 1e-3)
        rows, columns = (np.flatnonzero(touched.any(axis)) for axis in (1, 0))
        spans = f"rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]}"
        print(f"a pixel of {value:g}, {size}×{size}: {touched.sum()} of 24×24 changed ({spans}), {right.sum()} due")
        assert right.sum() == size**2 and rows[0] == 8 - size // 2 and rows[-1] == 23
        assert columns[0] == 8 - size // 2 and columns[-1] == (8 + size // 2 if size < 7 else 23)
    print("  a 3×3's column below:", cv2.blur(image, (3, 3))[9:13, 8])
EOF
