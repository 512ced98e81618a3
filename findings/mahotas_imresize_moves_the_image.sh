#!/usr/bin/env bash
# Expected: mahotas.imresize, which is scipy.ndimage's zoom by its own words, gives the image back for a factor of 1,
#   interpolates by the order that is asked for, and has the image's border at the result's border.
# What happens: the image is one pixel further to the left and above, no order interpolates, and the last row and column
#   are 0. So it is for a factor of 1, for interpolate.zoom, for uint8 and for floats. interpolate.shift by half a pixel
#   leaves the image where it is, but for the last row, which is 0.
# Why it matters: it is a way to bring images to a network's size. The result is of the right size and looks right, but
#   for a black line that a crop or a dark background hides; a network sees shifted images with nearest pixels. Resize
#   with another library.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 mahotas==1.4.19
"$dir/venv/bin/python" - <<'EOF'
import mahotas
import numpy as np
from scipy import ndimage

print("mahotas", mahotas.__version__)
image = np.arange(1, 9.0) * 10 + np.zeros((8, 1))
for columns, known in ((8, [20, 30, 40, 50, 60, 70, 80, 0]), (4, [20, 40, 60, 0])):
    for order in (0, 1, 3):
        right = ndimage.zoom(image, (1, columns / 8), order=order)[0]
        for dtype in (np.float64, np.float32, np.uint8):
            got = mahotas.imresize(image.astype(dtype), (8, columns), order=order).round(9)
            assert got[0].tolist() == known and not got[-1].any()
            zoomed = mahotas.interpolate.zoom(image.astype(dtype), (1, columns / 8), order=order)
            assert np.array_equal(got, zoomed.round(9))
        print(f"order {order}, 10 to 80 in {columns} columns: {got[0].tolist()}, SciPy {right.round().tolist()}")
shifted = mahotas.interpolate.shift(image, (0, 0.5), order=1)
print(f"shifted by half a pixel: {shifted[0].tolist()}, SciPy {ndimage.shift(image, (0, 0.5), order=1)[0].tolist()}")
assert np.array_equal(shifted[:-1], image[:-1])
EOF
